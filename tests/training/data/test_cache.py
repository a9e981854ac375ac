from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.reader import read_span
from antiphon.errors import AudioError
from antiphon.training.data.cache import AudioCache
from antiphon.training.data.clips import ClipReader
from tests.training.data.making import RATE, config, table_of, tone, write

TARGET = 1600


@pytest.fixture
def recording(tmp_path) -> Path:
    return write(tmp_path / "audio" / "a.wav", tone(70, 3.0))


@pytest.mark.parametrize(("dtype", "error"), [("int16", 1 / 65_000), ("float16", 0.3 / 2048)])
def test_what_is_read_is_what_decoding_gives(recording, tmp_path, dtype, error):
    cache = AudioCache(tmp_path / "cache", TARGET, dtype)
    expected = read_span(recording, sample_rate=TARGET)[0]
    for _ in range(2):
        part = cache.read(recording, 100, 900)
        assert part.dtype == np.float32
        np.testing.assert_allclose(part, expected[100:900], atol=error)
    assert cache.place(recording).is_file()


def test_the_second_time_the_recording_is_not_decoded(recording, tmp_path):
    cache = AudioCache(tmp_path / "cache", TARGET, "int16")
    cache.read(recording, 0, 10)
    place = cache.place(recording)
    np.save(place, np.full(3 * TARGET, 32767, np.int16))
    np.testing.assert_array_equal(cache.read(recording, 0, 10), 1.0)


def test_the_name_follows_the_content(recording, tmp_path):
    cache = AudioCache(tmp_path / "cache", TARGET, "int16")
    moved = shutil.copy(recording, tmp_path / "renamed.wav")
    assert cache.place(Path(moved)) == cache.place(recording)
    changed = write(tmp_path / "b.wav", tone(71, 3.0))
    places = {cache.place(recording), cache.place(changed)}
    places.add(AudioCache(tmp_path / "cache", RATE, "int16").place(recording))
    places.add(AudioCache(tmp_path / "cache", TARGET, "float16").place(recording))
    assert len(places) == 4


def test_a_changed_recording_is_decoded_anew(recording, tmp_path):
    cache = AudioCache(tmp_path / "cache", RATE, "int16")
    cache.read(recording, 0, 10)
    write(recording, tone(200, 2.0))
    np.testing.assert_allclose(cache.read(recording, 0, 4000), tone(200, 2.0), atol=1 / 60_000)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None])
def test_a_damaged_file_is_made_again(recording, tmp_path, content):
    cache = AudioCache(tmp_path / "cache", RATE, "int16")
    cache.read(recording, 0, 10)
    place = cache.place(recording)
    place.write_bytes(place.read_bytes()[:-100] if content is None else content)
    np.testing.assert_allclose(cache.read(recording, 0, 6000), tone(70, 3.0), atol=1 / 60_000)


def _read(job: tuple[Path, Path]) -> bytes:
    return AudioCache(job[0], TARGET, "int16").read(job[1], 0, 2000).tobytes()


def test_several_processes_share_it(recording, tmp_path):
    with ProcessPoolExecutor(3) as pool:
        results = set(pool.map(_read, [(tmp_path / "cache", recording)] * 12))
    assert len(results) == 1
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].suffix == ".npy"


def test_crops_with_and_without_cache_agree(recording, tmp_path):
    table = table_of(config({"kind": "folder", "path": recording.parent}, sample_rate=TARGET))
    cache = AudioCache(tmp_path / "cache", TARGET, "int16")
    plain = ClipReader(table, TARGET, TARGET)
    cached = ClipReader(table, TARGET, TARGET, cache=cache)
    too_long = ClipReader(table, TARGET, TARGET, cache=cache, cache_longest_s=2.0)
    expected = plain.random(0, np.random.default_rng(1))
    assert too_long.random(0, np.random.default_rng(1)).start_s == expected.start_s
    assert not cache.place(recording).exists()
    got = cached.random(0, np.random.default_rng(1))
    assert (got.start_s, got.end_s) == (expected.start_s, expected.end_s)
    np.testing.assert_allclose(got.audio, expected.audio, atol=1 / 60_000)


def test_an_unreadable_recording_is_named(tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF nonsense")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        AudioCache(tmp_path / "cache", RATE, "int16").read(bad, 0, 10)
