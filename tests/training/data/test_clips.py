from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.reader import read_span
from antiphon.errors import AudioError
from antiphon.training.data.cache import AudioCache
from antiphon.training.data.clips import ClipReader
from tests.training.data.making import RATE, config, folder_of_tones, table_of, write, write_csv


def ramp(seconds: float, rate: int = RATE) -> np.ndarray:
    """Samples that say where they are: sample n is n / 100,000."""
    return np.arange(round(seconds * rate), dtype=np.float32) / 100_000


def at(audio: np.ndarray) -> np.ndarray:
    return np.rint(audio * 100_000).astype(int)


@pytest.fixture
def reader(tmp_path):
    write(tmp_path / "a_long.wav", ramp(5.0))
    write(tmp_path / "b_short.wav", ramp(0.4))
    table = table_of(config({"kind": "folder", "path": tmp_path}))
    return ClipReader(table, RATE, RATE)


def test_random_crops_are_exact_and_cover_the_clip(reader):
    starts = []
    for seed in range(200):
        crop = reader.random(0, np.random.default_rng(seed))
        assert crop.audio.dtype == np.float32
        samples = at(crop.audio)
        assert len(samples) == RATE
        np.testing.assert_array_equal(np.diff(samples), 1)
        assert samples[0] == round(crop.start_s * RATE)
        assert crop.end_s == pytest.approx(crop.start_s + 1)
        starts.append(crop.start_s)
    assert 0 <= min(starts) < 0.2
    assert 3.8 < max(starts) <= 4.0
    assert np.histogram(starts, 4, (0, 4))[0] == pytest.approx([50] * 4, abs=25)


def test_short_clips_are_not_stretched(reader):
    crop = reader.random(1, np.random.default_rng(0))
    np.testing.assert_array_equal(at(crop.audio), np.arange(800))
    assert (crop.start_s, crop.end_s) == (0.0, 0.4)


def test_short_clips_may_be_repeated(reader, tmp_path):
    table = table_of(config({"kind": "folder", "path": tmp_path}))
    looping = ClipReader(table, RATE, RATE, short="loop")
    crop = looping.random(1, np.random.default_rng(0))
    np.testing.assert_array_equal(at(crop.audio), np.arange(RATE) % 800)
    # The labels are those of what is there once.
    assert crop.end_s == 0.4


def test_crops_of_windows_reach_half_a_window_further(tmp_path):
    write(tmp_path / "a.wav", ramp(4.5))
    write_csv(tmp_path / "l.csv", ["filename", "start_s", "end_s", "label"], [["a.wav", 1, 2, "x"]])
    table = table_of(config({"kind": "folder", "path": tmp_path, "labels": "l.csv"}))
    reader = ClipReader(table, RATE, RATE)
    expected = [(0.0, 0.5), (0.5, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 3.5)]
    for clip, (low, high) in enumerate(expected):
        starts = [reader.random(clip, np.random.default_rng(s)).start_s for s in range(100)]
        assert low <= min(starts) <= low + 0.1
        assert high - 0.1 <= max(starts) <= high
        assert all(
            len(reader.random(clip, np.random.default_rng(s)).audio) == RATE for s in range(3)
        )
    assert [reader.centre(clip).start_s for clip in range(5)] == [0, 1, 2, 3, 4]
    assert len(reader.centre(4).audio) == RATE // 2


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".wav"])
@pytest.mark.parametrize("target", [16_000, 32_000])
def test_compressed_files_at_another_rate(tmp_path, suffix, target):
    rng = np.random.default_rng(0)
    write(tmp_path / f"a{suffix}", 0.1 * rng.standard_normal(3 * 44_100).astype(np.float32), 44_100)
    data = config({"kind": "folder", "path": tmp_path}, sample_rate=target)
    reader = ClipReader(table_of(data), target, target)
    whole = read_span(tmp_path / f"a{suffix}", sample_rate=target)[0]
    for seed in range(3):
        crop = reader.random(0, np.random.default_rng(seed))
        start = round(crop.start_s * target)
        np.testing.assert_allclose(crop.audio, whole[start : start + target], atol=1e-4)


def test_not_finite_samples_are_a_fault(tmp_path):
    audio = ramp(1.0)
    audio[100] = np.nan
    write(tmp_path / "a.wav", audio)
    reader = ClipReader(table_of(config({"kind": "folder", "path": tmp_path})), RATE, RATE)
    with pytest.raises(AudioError, match="not finite"):
        reader.random(0, np.random.default_rng(0))


def test_no_file_stays_open(reader, tmp_path):
    opened = Path("/proc/self/fd")
    if not opened.exists():
        pytest.skip("open files are listed on Linux only")
    before = len(list(opened.iterdir()))
    for seed in range(20):
        reader.random(seed % 2, np.random.default_rng(seed))
    assert len(list(opened.iterdir())) == before


def test_folders_in_order(tmp_path):
    folder_of_tones(tmp_path, ["b/x", "a/x"], seconds=0.1)
    table = table_of(config({"kind": "folder", "path": tmp_path}))
    assert table.recordings.path.to_pylist() == ["a/x.wav", "b/x.wav"]


def test_a_short_last_window_reaches_back_for_a_whole_example(tmp_path):
    folder = tmp_path / "f"
    write(folder / "a.wav", ramp(12.0))
    write_csv(folder / "l.csv", ["file", "start", "end", "label"], [["a.wav", 11, 11.5, "x"]])
    data = config({"kind": "folder", "path": folder, "labels": "l.csv"}, clip_s=10.0)
    table = table_of(data)
    assert table.end_s.tolist() == [10.0, 12.0]
    crop = ClipReader(table, RATE, 10 * RATE).random(1, np.random.default_rng(0))
    assert (crop.start_s, crop.end_s, len(crop.audio)) == (2.0, 12.0, 10 * RATE)


@pytest.mark.parametrize("cached", [False, True])
def test_a_length_stated_too_long_is_blamed_on_the_table(tmp_path, cached):
    folder = tmp_path / "f"
    write(folder / "a.wav", ramp(1.5))
    write_csv(folder / "l.csv", ["file", "start", "end", "label"], [["a.wav", 0, 1, "x"]])
    write_csv(folder / "m.csv", ["file", "duration_s"], [["a.wav", 4]])
    source = {"kind": "folder", "path": folder, "labels": "l.csv", "metadata": "m.csv"}
    table = table_of(config(source))
    cache = AudioCache(tmp_path / "cache", RATE, "int16") if cached else None
    reader = ClipReader(table, RATE, RATE, cache=cache)
    assert len(reader.centre(0).audio) == RATE
    with pytest.raises(AudioError, match=r"lasts 1\.500 s, but the metadata table says 4\.000 s"):
        reader.centre(3)
