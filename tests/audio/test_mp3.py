"""MP3 of the kinds that libsndfile does not write: variable bit rate, no stated length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.reader import read_span, stream
from antiphon.audio.recording import probe
from tests.audio.make import Float32, noise

av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 44_100
SECONDS = 12


def uneven() -> Float32:
    """Loud and silent stretches, which a variable bit rate codes with very different frames."""
    samples = noise(SECONDS * RATE)
    samples[:, 0] *= np.sin(np.arange(len(samples)) / 40_000) > 0
    return samples


def write_mp3(path: Path, samples: Float32, variable: bool, stated: bool, rate: int = RATE) -> Path:
    options = {} if stated else {"write_xing": "0", "id3v2_version": "0"}
    with av.open(str(path), "w", format="mp3", options=options) as container:
        encoder = container.add_stream("libmp3lame", rate=rate, layout="mono")
        if variable:
            encoder.codec_context.flags |= 0x2  # AV_CODEC_FLAG_QSCALE
            encoder.codec_context.global_quality = 4 * 118
        else:
            encoder.bit_rate = 64_000
        for first in range(0, len(samples), 1152):
            block = np.ascontiguousarray(samples[first : first + 1152].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate = rate
            frame.pts = first
            container.mux(encoder.encode(frame))
        container.mux(encoder.encode(None))
    return path


def decoded_by_ffmpeg(path: Path) -> Float32:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("variable", [True, False])
def test_all_of_it_is_read(tmp_path: Path, variable: bool, stated: bool) -> None:
    samples = uneven()
    path = write_mp3(tmp_path / "a.mp3", samples, variable, stated)
    info = probe(path)
    assert info.problem is None
    # Without the tag the codec's delay and padding count as audio.
    assert 0 <= info.frames - len(samples) <= (0 if stated else 3 * 1152)
    full = np.concatenate(list(stream(path, block_s=0.7)), axis=1)[0]
    assert len(full) == info.frames
    reference = decoded_by_ffmpeg(path)
    lag = (len(reference) - len(full)) if not stated else 0
    middle = slice(RATE, 11 * RATE)
    np.testing.assert_allclose(full[middle], reference[lag:][middle], atol=1e-4)
    for start_s in (0.0, 0.3, 4.321, 7.7, 11.0):
        got = read_span(path, start_s, start_s + 0.9)[0]
        first = round(start_s * RATE)
        np.testing.assert_allclose(got, full[first : first + len(got)], atol=1e-6)


@pytest.mark.parametrize("stated", [True, False])
def test_cut_file(tmp_path: Path, stated: bool) -> None:
    path = write_mp3(tmp_path / "a.mp3", uneven(), True, stated)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    info = probe(path)
    assert "cut short" in str(info.problem)
    assert 3 < info.duration_s < 9
    assert sum(block.shape[1] for block in stream(path)) == info.frames


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_other_rates_without_a_stated_length(tmp_path: Path, rate: int) -> None:
    samples = noise(5 * rate)
    info = probe(write_mp3(tmp_path / "a.mp3", samples, True, False, rate))
    assert (info.sample_rate, info.problem) == (rate, None)
    assert 0 <= info.frames - len(samples) <= 4 * 1152


def test_tags_around_the_audio(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "a.mp3", uneven(), True, False)
    frames = probe(path).frames
    id3v2 = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)
    path.write_bytes(id3v2 + path.read_bytes() + b"TAG".ljust(128, b"\0"))
    info = probe(path)
    assert (info.frames, info.problem) == (frames, None)
