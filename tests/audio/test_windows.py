from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.audio.reader import stream
from antiphon.audio.windows import WindowBatch, WindowSpec, stream_windows, window_starts
from antiphon.errors import AudioError, UserError
from tests.audio.make import noise, sparse_wav, write


def joined(path: Path, spec: WindowSpec, batch: int = 32) -> WindowBatch:
    parts = list(stream_windows(path, spec, batch))
    assert all(len(part) == batch for part in parts[:-1])
    assert 1 <= len(parts[-1]) <= batch
    return WindowBatch(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("audio", "valid", "start", "channel")
        )
    )


@given(st.integers(1, 5_000), st.integers(1, 800), st.data())
def test_every_sample_lies_in_a_window(n_samples: int, window: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, window))
    starts = window_starts(n_samples, window, hop)
    assert starts.dtype == np.int64
    covered = np.zeros(n_samples, bool)
    for start in starts:
        assert start < n_samples
        covered[start : start + window] = True
    assert covered.all()
    # One window fewer would not do.
    if len(starts) > 1:
        assert starts[-2] + window < n_samples
    assert len(starts) == max(1, int(np.ceil((n_samples - window) / hop)) + 1)


def test_window_starts_by_hand() -> None:
    assert window_starts(10, 10, 5).tolist() == [0]
    assert window_starts(11, 10, 5).tolist() == [0, 5]
    assert window_starts(15, 10, 5).tolist() == [0, 5]
    assert window_starts(16, 10, 5).tolist() == [0, 5, 10]
    assert window_starts(1, 10, 10).tolist() == [0]
    with pytest.raises(ValueError, match="no windows"):
        window_starts(0, 10, 10)
    with pytest.raises(ValueError, match="no windows"):
        window_starts(10, 5, 6)


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(30, 20_000),
    window_s=st.floats(0.05, 1.2),
    share=st.floats(0.1, 1),
    rates=st.sampled_from([(8_000, 8_000), (8_000, 5_000), (4_000, 11_025)]),
    channel=st.sampled_from(["mix", "each", 0, 1]),
    batch=st.integers(1, 9),
)
def test_windows_are_slices_of_the_recording(
    frames: int,
    window_s: float,
    share: float,
    rates: tuple[int, int],
    channel: str,
    batch: int,
) -> None:
    spec = WindowSpec(window_s, window_s * share, rates[1], channel)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "a.wav"), noise(frames, 2), rates[0], subtype="FLOAT")
        full = np.concatenate(
            list(stream(path, sample_rate=rates[1], channel=spec.channel)), axis=1
        )
        got = joined(path, spec, batch)
        again = joined(path, spec, 1000)
    for one, other in zip(
        (got.audio, got.valid, got.start, got.channel),
        (again.audio, again.valid, again.start, again.channel),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    size = spec.window_samples
    names = {"mix": [-1], "each": [0, 1]}.get(channel, [channel])  # type: ignore[list-item]
    starts = window_starts(full.shape[1], size, spec.hop_samples)
    assert got.start.tolist() == np.repeat(starts, len(names)).tolist()
    assert got.channel.tolist() == names * len(starts)
    assert (got.audio.dtype, got.valid.dtype) == (np.float32, np.int64)
    assert (got.start.dtype, got.channel.dtype) == (np.int64, np.int16)
    for row in range(len(got)):
        source = full[names.index(got.channel[row])]
        expected = source[got.start[row] : got.start[row] + size]
        assert got.valid[row] == len(expected) > 0
        np.testing.assert_array_equal(got.audio[row, : len(expected)], expected)
        assert not got.audio[row, len(expected) :].any()


def test_window_longer_than_the_blocks_and_the_file(tmp_path: Path) -> None:
    samples = noise(5 * 8_000)
    path = write(tmp_path / "a.wav", samples, 8_000, subtype="FLOAT")
    got = joined(path, WindowSpec(60.0, 60.0, 8_000))
    assert (len(got), got.valid.tolist()) == (1, [40_000])
    long = sparse_wav(tmp_path / "b.wav", 8_000, 8_000 * 200, {8_000 * 199: 255})
    got = joined(long, WindowSpec(90.0, 45.0, 8_000))
    assert got.start.tolist() == [0, 360_000, 720_000, 1_080_000]
    assert got.valid.tolist() == [720_000] * 3 + [520_000]
    assert got.audio[3, 8_000 * 199 - 1_080_000] > 0.9


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        path = sparse_wav(tmp_path / f"{seconds}.wav", 16_000, 16_000 * seconds, {})
        tracemalloc.start()
        count = sum(len(part) for part in stream_windows(path, WindowSpec(1, 0.5, 16_000), 8))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 2 * seconds - 1
        return used

    assert peak(1_200) < 1.2 * peak(90)


def test_specs_that_make_no_sense() -> None:
    with pytest.raises(UserError, match="leaves out audio"):
        WindowSpec(3.0, 5.0, 32_000)
    for values in ((0.0, 0.0, 32_000), (-1.0, -1.0, 32_000), (1.0, 0.0, 32_000), (1, 1, 0)):
        with pytest.raises(UserError, match="not even one sample"):
            WindowSpec(*values)


def test_bad_files_and_batches(tmp_path: Path) -> None:
    spec = WindowSpec(1.0, 1.0, 8_000)
    with pytest.raises(AudioError, match="no such file"):
        stream_windows(tmp_path / "no.wav", spec)
    path = write(tmp_path / "a.wav", noise(100), 8_000)
    with pytest.raises(UserError, match="at least 1"):
        stream_windows(path, spec, 0)
    with pytest.raises(AudioError, match="has 1 channel, so there is no channel 3"):
        stream_windows(path, WindowSpec(1.0, 1.0, 8_000, 3))
