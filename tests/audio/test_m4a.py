from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.reader import read_span, stream
from antiphon.audio.recording import probe
from antiphon.errors import AudioError, MissingExtraError
from tests.audio.make import Float32

av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 44_100


def tones(seconds: int) -> Float32:
    """One tone per second, each 100 Hz above the last, left channel only."""
    t = np.arange(RATE) / RATE
    left = np.concatenate([np.sin(2 * np.pi * (500 + 100 * k) * t) for k in range(seconds)])
    return np.stack([0.5 * left, np.zeros_like(left)]).astype(np.float32)


def write_m4a(path: Path, samples: Float32, index_first: bool = False) -> Path:
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", format="ipod", options=options) as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        for first in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, first : first + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate = RATE
            frame.pts = first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_m4a(tmp_path: Path) -> None:
    samples = tones(8)
    path = write_m4a(tmp_path / "a.M4A", samples)
    info = probe(path)
    assert (info.container, info.subtype, info.sample_rate, info.channels) == (
        "M4A",
        "AAC",
        RATE,
        2,
    )
    assert abs(info.frames - samples.shape[1]) <= 2048
    assert info.problem is None
    full = np.concatenate(list(stream(path, channel="each")), axis=1)
    assert full.shape == (2, info.frames)
    count = min(full.shape[1], samples.shape[1])
    # The codec's delay is taken off, so the tones are where they were.
    assert np.corrcoef(full[0, :count], samples[0, :count])[0, 1] > 0.99
    assert np.abs(full[1]).max() < 0.01
    for start_s in (0.0, 0.3, 2.25, 6.9):
        got = read_span(path, start_s, start_s + 0.5, channel="each")
        first = round(start_s * RATE)
        np.testing.assert_allclose(got, full[:, first : first + RATE // 2], atol=1e-4)


def test_m4a_without_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_m4a(tmp_path / "a.m4a", tones(1))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"read M4A recordings.*antiphon\[m4a\]"):
        probe(path)


def test_cut_m4a_has_lost_its_index(tmp_path: Path) -> None:
    path = write_m4a(tmp_path / "a.m4a", tones(3))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(AudioError, match=r"a\.m4a: is not an M4A recording.*copy it again"):
        probe(path)


def test_cut_m4a_with_its_index_in_front(tmp_path: Path) -> None:
    path = write_m4a(tmp_path / "a.m4a", tones(8), index_first=True)
    data = path.read_bytes()
    expected = np.concatenate(list(stream(path)), axis=1)
    path.write_bytes(data[: len(data) // 2])
    info = probe(path)
    assert "cut short" in str(info.problem)
    assert 2 < info.duration_s < 6
    got = np.concatenate(list(stream(path)), axis=1)
    assert got.shape == (1, info.frames)
    sure = info.frames - 4096
    np.testing.assert_allclose(got[:, :sure], expected[:, :sure], atol=1e-4)
