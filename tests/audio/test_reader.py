from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.audio.reader import ChannelMode, read_span, stream
from antiphon.audio.recording import find_recordings, probe
from antiphon.audio.resample import Resampler, output_length
from antiphon.errors import AudioError, UserError
from tests.audio.make import Float32, noise, sparse_wav, write
from tests.real import real_data

RATES = [
    (44_100, 22_050),
    (44_100, 16_000),
    (256_000, 32_000),
    (250_000, 22_050),
    (8_000, 48_000),
    (22_000, 32_000),
    (48_000, 44_100),
    (11_025, 32_000),
    (24_001, 16_000),
]


def whole(path: Path, **options: object) -> Float32:
    return np.concatenate(list(stream(path, **options)), axis=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "target"), RATES)
def test_stream_resamples_like_the_whole(tmp_path: Path, source: int, target: int) -> None:
    samples = noise(source * 2 + 137, 2)
    path = write(tmp_path / "a.wav", samples, source, subtype="FLOAT")
    got = whole(path, sample_rate=target, channel="each", block_s=0.37)
    reference = soxr.resample(samples, source, target, quality="HQ").T
    assert got.shape == (2, output_length(len(samples), source, target))
    assert got.dtype == np.float32
    common = min(got.shape[1], reference.shape[1])
    np.testing.assert_allclose(got[:, :common], reference[:, :common], atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    frames=st.integers(1, 40_000),
    source=st.integers(1_000, 96_000),
    target=st.integers(1_000, 96_000),
    step=st.integers(1_000, 50_000),
)
def test_length_after_resampling_is_exact(frames: int, source: int, target: int, step: int) -> None:
    resampler = Resampler(source, target, 1)
    samples = noise(frames)
    total = sum(
        len(resampler.process(samples[at : at + step], last=at + step >= frames))
        for at in range(0, frames, step)
    )
    assert total == output_length(frames, source, target)
    assert abs(total - frames * target / source) <= 0.5


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_span_equals_the_slice_of_the_stream(
    tmp_path: Path, source: int, target: int, suffix: str
) -> None:
    if suffix in ("ogg", "mp3") and source not in (8_000, 11_025, 44_100, 48_000):
        # The encoders of these formats know few rates; libvorbis crashes on the highest.
        source = 32_000
    path = write(tmp_path / f"a.{suffix}", noise(source * 7 + 11), source)
    full = whole(path, sample_rate=target)
    rng = np.random.default_rng(1)
    for start_s in [0.0, 6.9, *rng.uniform(0, 6.5, 6)]:
        end_s = start_s + rng.uniform(0.01, 2.0)
        got = read_span(path, start_s, end_s, sample_rate=target)
        first, last = round(start_s * target), min(round(end_s * target), full.shape[1])
        np.testing.assert_allclose(got, full[:, first:last], atol=1e-4)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "aiff"])
def test_span_without_resampling(tmp_path: Path, suffix: str) -> None:
    rate = 24_000
    options = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    path = write(tmp_path / f"a.{suffix}", noise(rate * 12, 2), rate, **options)
    full = whole(path, channel="each")
    for start in [*np.random.default_rng(2).integers(0, 11 * rate, 12).tolist(), 12 * rate - 700]:
        got = read_span(path, start / rate, start / rate + 0.5, channel="each")
        np.testing.assert_allclose(got, full[:, start : start + rate // 2], atol=1e-6)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_blocks_do_not_matter(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(30_011), 16_000)
    expected, _ = soundfile.read(path, dtype="float32")
    for block_s in (0.01, 0.1, 100):
        np.testing.assert_allclose(whole(path, block_s=block_s)[0], expected, atol=1e-6)


def test_channels(tmp_path: Path) -> None:
    rate = 48_000
    call = np.sin(2 * np.pi * 3_000 * np.arange(rate) / rate).astype(np.float32) * 0.5
    samples = np.zeros((rate, 3), np.float32)
    samples[:, 1] = call
    path = write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    for target in (rate, 32_000):
        each = read_span(path, sample_rate=target, channel="each")
        assert each.shape == (3, target)
        # The call keeps its pitch, so resampling ran along time, and stays in its channel.
        peaks = np.abs(np.fft.rfft(each, axis=1)).argmax(axis=1)
        assert peaks[1] == 3_000
        assert np.abs(each[[0, 2]]).max() == 0
        np.testing.assert_allclose(
            read_span(path, sample_rate=target), each.mean(axis=0, keepdims=True), atol=1e-5
        )
        np.testing.assert_allclose(
            read_span(path, sample_rate=target, channel=1), each[1:2], atol=1e-6
        )
        np.testing.assert_allclose(whole(path, sample_rate=target, channel="each"), each, atol=1e-5)
    assert np.abs(read_span(path, channel="mix")).max() == pytest.approx(0.5 / 3, rel=1e-5)


def test_more_frames_than_channels_or_fewer(tmp_path: Path) -> None:
    samples = noise(2, 4)
    path = write(tmp_path / "a.wav", samples, 8_000, subtype="FLOAT")
    np.testing.assert_array_equal(read_span(path, channel="each"), samples.T)
    assert read_span(path, sample_rate=16_000, channel="each").shape == (4, 4)


def test_a_sample_at_the_end_of_a_day(tmp_path: Path) -> None:
    rate = 8_000
    frames = 24 * 3600 * rate
    # float32 seconds are 7.8 ms apart here: 62 samples.
    marks = {frames - 100: 255, frames - 37: 200, frames // 2 + 1: 255}
    path = sparse_wav(tmp_path / "day.wav", rate, frames, marks)
    assert probe(path).duration_s == 86_400.0
    for frame, value in marks.items():
        got = read_span(path, frame / rate, (frame + 3) / rate)
        np.testing.assert_array_equal(got, [[(value - 128) / 128, -1, -1]])
    tail = read_span(path, 86_400 - 0.5, sample_rate=16_000)
    assert tail.shape == (1, 8_000)
    assert abs(int(tail[0].argmax()) - (8_000 - 200)) <= 1


def test_long_files_take_bounded_memory(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        path = sparse_wav(tmp_path / f"{seconds}.wav", 48_000, 48_000 * seconds, {})
        tracemalloc.start()
        total = sum(block.shape[1] for block in stream(path, sample_rate=16_000, block_s=5))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == 16_000 * seconds
        return used

    short, long = peak(30), peak(600)
    assert long < 1.2 * short
    assert long < 10_000_000


def test_span_reads_little_of_a_long_file(tmp_path: Path) -> None:
    path = sparse_wav(tmp_path / "a.wav", 48_000, 48_000 * 3600, {})
    tracemalloc.start()
    read_span(path, 1_800.0, 1_803.0, sample_rate=32_000)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_span_past_the_end_is_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(16_000), 16_000)
    assert read_span(path, 0.75, 2.0).shape == (1, 4_000)
    assert read_span(path, 0.75, 2.0, sample_rate=8_000).shape == (1, 2_000)


@pytest.mark.parametrize(
    ("start_s", "end_s", "words"),
    [
        (1.0, 2.0, "lies outside the recording, which holds 1.000 s"),
        (5.0, None, "lies outside"),
        (-1.0, 0.5, "makes no sense"),
        (0.5, 0.5, "makes no sense"),
        (0.7, 0.2, "makes no sense"),
        (float("nan"), 1.0, "makes no sense"),
        (0.5, 0.500001, "shorter than one sample"),
    ],
)
def test_span_that_does_not_exist(
    tmp_path: Path, start_s: float, end_s: float | None, words: str
) -> None:
    path = write(tmp_path / "a.wav", noise(16_000), 16_000)
    with pytest.raises(AudioError, match=rf"a\.wav: the span .*{words}"):
        read_span(path, start_s, end_s)


@pytest.mark.parametrize("read", [read_span, stream])
@pytest.mark.parametrize("channel", [2, -1])
def test_channel_that_does_not_exist(
    tmp_path: Path, read: Callable[..., object], channel: ChannelMode
) -> None:
    path = write(tmp_path / "a.wav", noise(100, 2), 16_000)
    with pytest.raises(AudioError, match=r"a\.wav: has 2 channels, so there is no channel"):
        read(path, channel=channel)


def test_arguments_that_make_no_sense(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(100), 16_000)
    with pytest.raises(UserError, match="Channel mode 'left'"):
        read_span(path, channel="left")  # type: ignore[arg-type]
    for rate in (0, -8_000, 22_050.5, 10**7):
        with pytest.raises(UserError, match="Sample rate"):
            read_span(path, sample_rate=rate)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="block_s"):
        stream(path, block_s=0)
    with pytest.raises(AudioError, match="no such file"):
        stream(tmp_path / "absent.wav")


def damaged(path: Path, rate: int) -> Path:
    write(path, noise(rate * 20), rate)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    return path


def test_damage_in_the_middle_of_mp3_is_found_by_probe(tmp_path: Path) -> None:
    info = probe(damaged(tmp_path / "a.mp3", 32_000))
    assert "the header promises 20.0 s" in str(info.problem)
    assert whole(info.path).shape == (1, info.frames)
    assert 8 < info.duration_s < 11


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_damage_in_the_middle_says_where(tmp_path: Path, suffix: str) -> None:
    path = damaged(tmp_path / f"a.{suffix}", 32_000)
    with pytest.raises(AudioError, match=rf"a\.{suffix}: cannot be decoded after \d+\.\d s"):
        whole(path)


@pytest.mark.real
@pytest.mark.parametrize("folder", ["esc10", "mouse_usv", "tropical_day", "bengalese_finch"])
def test_spans_of_real_recordings(folder: str) -> None:
    rng = np.random.default_rng(0)
    for path in find_recordings(real_data(folder))[:6]:
        info = probe(path)
        for rate in (info.sample_rate, 22_050):
            full = whole(path, sample_rate=rate)
            assert full.shape == (1, output_length(info.frames, info.sample_rate, rate))
            for start_s in rng.uniform(0, info.duration_s - 0.6, 5):
                got = read_span(path, start_s, start_s + 0.5, sample_rate=rate)
                first, last = round(start_s * rate), round((start_s + 0.5) * rate)
                np.testing.assert_allclose(got, full[:, first:last], atol=1e-4)
