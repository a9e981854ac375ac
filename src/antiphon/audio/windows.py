"""Cut a recording into windows for an encoder; no audio is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import ChannelMode, stream
from antiphon.audio.recording import probe
from antiphon.audio.resample import output_length
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Int16 = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """How to cut recordings into windows.

    Parameters
    ----------
    window_s, hop_s
        Length of a window and step between window starts, in seconds, rounded to samples at
        ``sample_rate``. The step is at most the window, so that no audio falls between windows.
    sample_rate
        Hz of the windows.
    channel
        ``"mix"``, ``"each"`` (every channel gives windows of its own) or a channel number.

    Raises
    ------
    UserError
        A length or the rate is not positive, or the step is longer than the window.
    """

    window_s: float
    hop_s: float
    sample_rate: int
    channel: ChannelMode = "mix"

    def __post_init__(self) -> None:
        if self.sample_rate < 1 or self.window_samples < 1 or self.hop_samples < 1:
            raise UserError(
                f"A window of {self.window_s} s every {self.hop_s} s at {self.sample_rate} Hz "
                "is not even one sample: use positive lengths."
            )
        if self.hop_samples > self.window_samples:
            raise UserError(
                f"A hop of {self.hop_s} s leaves out audio between windows of {self.window_s} s: "
                "use a hop of at most the window."
            )

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return round(self.window_s * self.sample_rate)

    @property
    def hop_samples(self) -> int:
        """Samples between the starts of two windows."""
        return round(self.hop_s * self.sample_rate)


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Some windows of one recording.

    Parameters
    ----------
    audio
        ``(n, window samples)`` float32, zero after the end of the recording.
    valid
        ``(n,)`` int64: samples of each window that are audio; the rest is padding.
    start
        ``(n,)`` int64: first sample of each window, at the windows' sample rate.
    channel
        ``(n,)`` int16: channel of each window, -1 for a mix.
    """

    audio: Float32
    valid: Int64
    start: Int64
    channel: Int16

    def __len__(self) -> int:
        return len(self.valid)


def window_starts(n_samples: int, window: int, hop: int) -> Int64:
    """First samples of the windows over a recording.

    One window if the recording is no longer than a window, else
    ``ceil((n_samples - window) / hop) + 1``: the last one may reach past the end and is padded.
    Every sample lies in at least one window, and no window is padding only.

    Parameters
    ----------
    n_samples
        Length of the recording in samples, at least 1.
    window, hop
        Length of a window and step, in samples, ``1 <= hop <= window``.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` int64.
    """
    if n_samples < 1 or not 1 <= hop <= window:
        raise ValueError(f"no windows of {window} every {hop} over {n_samples} samples")
    count = 1 if n_samples <= window else -(-(n_samples - window) // hop) + 1
    return np.arange(count, dtype=np.int64) * hop


def stream_windows(path: Path | str, spec: WindowSpec, batch: int = 32) -> Iterator[WindowBatch]:
    """Read a recording as batches of windows, in memory that does not grow with its length.

    Windows come in the order of their start, and of their channel where each channel gives its
    own. Neither their content nor their order depends on ``batch``.

    Parameters
    ----------
    path
        The recording.
    spec
        How to cut it.
    batch
        Windows per batch; the last batch may have fewer.

    Raises
    ------
    AudioError
        As :func:`antiphon.audio.reader.stream`.
    UserError
        ``batch`` is not positive.
    """
    if batch < 1:
        raise UserError(f"A batch of {batch} windows: use at least 1.")
    info = probe(path)
    total = output_length(info.frames, info.sample_rate, spec.sample_rate)
    blocks = stream(path, sample_rate=spec.sample_rate, channel=spec.channel)
    if total == 0:
        # A recording of less than half a sample at the new rate.
        return iter(())
    return _batches(_windows(blocks, spec, total), spec, batch)


@dataclass(frozen=True, slots=True)
class _Window:
    audio: Float32  # (valid samples,)
    start: int
    channel: int


def _windows(blocks: Iterator[Float32], spec: WindowSpec, total: int) -> Iterator[_Window]:
    """Yield windows without their padding; views into a buffer that holds one block at most."""
    window, hop = spec.window_samples, spec.hop_samples
    starts = window_starts(total, window, hop)
    held: Float32 | None = None
    held_from = 0
    done = 0
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        held_to = held_from + held.shape[1]
        while done < len(starts) and min(starts[done] + window, total) <= held_to:
            at = int(starts[done]) - held_from
            for row, audio in enumerate(held[:, at : at + window]):
                yield _Window(audio, int(starts[done]), _channel(spec.channel, row))
            done += 1
        if done < len(starts):
            used = min(int(starts[done]) - held_from, held.shape[1])
            held = held[:, used:]
            held_from += used


def _channel(mode: ChannelMode, row: int) -> int:
    if mode == "mix":
        return -1
    return row if mode == "each" else int(mode)


def _batches(windows: Iterator[_Window], spec: WindowSpec, batch: int) -> Iterator[WindowBatch]:
    audio = np.zeros((batch, spec.window_samples), np.float32)
    facts: list[tuple[int, int, int]] = []
    for window in windows:
        audio[len(facts), : len(window.audio)] = window.audio
        facts.append((len(window.audio), window.start, window.channel))
        if len(facts) == batch:
            yield _pack(audio, facts)
            audio = np.zeros_like(audio)
            facts = []
    if facts:
        yield _pack(audio[: len(facts)], facts)


def _pack(audio: Float32, facts: list[tuple[int, int, int]]) -> WindowBatch:
    valid, start, channel = zip(*facts, strict=True)
    return WindowBatch(
        audio,
        np.array(valid, np.int64),
        np.array(start, np.int64),
        np.array(channel, np.int16),
    )
