"""Rows of an item, cut into an encoder's windows, read a stretch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.audio.windows import window_starts
from antiphon.encoders.base import Encoder
from antiphon.errors import AntiphonError
from antiphon.evaluation.benchmarks.sets.items import Item
from antiphon.evaluation.protocols.windows import window_starts as beans_starts

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BLOCK_BYTES = 6_000_000
# Audio read at once, so that memory does not grow with the length of a recording.
_STRETCH_S = 60.0


class FeatureError(AntiphonError):
    """An item that gives no embedding that can be used."""


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Which rows an item gives.

    Parameters
    ----------
    window_s, shift_s
        Rows are windows of this length at these steps, counted as BEANS counts them
        (:func:`antiphon.evaluation.protocols.windows.window_starts`); one row over all of the item
        when None.
    max_s
        Only so much from the item's start.
    """

    window_s: float | None = None
    shift_s: float | None = None
    max_s: float | None = None

    def spans(self, length_s: float) -> list[tuple[float, float]]:
        """Return the rows' spans in an item, in seconds from its start; empty if none fits."""
        whole = length_s if self.max_s is None else min(length_s, self.max_s)
        if self.window_s is None or self.shift_s is None:
            return [(0.0, whole)]
        starts = beans_starts(whole, self.window_s, self.shift_s)
        return [(float(start), float(start) + self.window_s) for start in starts]

    def nth(self, rows: int, length_s: float) -> list[tuple[float, float]]:
        """Return the spans of the first rows of an item of some length."""
        if self.window_s is None or self.shift_s is None:
            return [(0.0, length_s)] * rows
        return [(i * self.shift_s, i * self.shift_s + self.window_s) for i in range(rows)]

    def key(self) -> str:
        """Return the rule as text."""
        return f"{self.window_s}|{self.shift_s}|{self.max_s}"


@dataclass(frozen=True, slots=True)
class WindowBlock:
    """Front-end output for some windows of an item.

    Parameters
    ----------
    features
        For :meth:`antiphon.encoders.base.Encoder.encode`.
    row
        ``(n,)`` row of the item that each window belongs to.
    valid_s
        ``(n,)`` seconds of audio in each window.
    """

    features: Any
    row: Int64
    valid_s: Float64


@dataclass(frozen=True, slots=True)
class _Window:
    row: int
    at: int
    count: int


def length_of(item: Item) -> float:
    """Return the seconds of audio of an item.

    Raises
    ------
    AudioError
        If the file cannot be read, or ends before the item starts.
    """
    duration = probe(item.path).duration_s
    end = duration if item.end_s is None else min(item.end_s, duration)
    return end - item.start_s


def blocks(item: Item, rule: WindowRule, encoder: Encoder) -> Iterator[WindowBlock]:
    """Cut an item's rows into the encoder's windows and run the front end, a stretch at a time.

    Raises
    ------
    FeatureError
        If the item is shorter than a row.
    AudioError
        If it cannot be read.
    """
    spec = encoder.spec
    rate, size = spec.sample_rate, spec.window_samples
    length = length_of(item)
    spans = rule.spans(length) if length > 0 else []
    if not spans:
        raise FeatureError(
            f"it holds {max(length, 0.0):.3f} s, less than a window of {rule.window_s} s"
            if rule.window_s
            else "it holds no audio"
        )
    windows: list[_Window] = []
    for row, (start, end) in enumerate(spans):
        first, last = round(start * rate), max(round(min(end, length) * rate), 1)
        for begin in window_starts(max(last - first, 1), size, size):
            at = first + int(begin)
            windows.append(_Window(row, at, min(size, last - at)))
    batch = int(np.clip(_BLOCK_BYTES // (4 * size), 1, 64))
    reach = max(size, round(_STRETCH_S * rate))
    while windows:
        limit = windows[0].at + reach
        count = 0
        while count < min(batch, len(windows)) and windows[count].at + size <= limit:
            count += 1
        mine, windows = windows[: max(count, 1)], windows[max(count, 1) :]
        block = _block(mine, item, encoder)
        if block is not None:
            yield block


def _block(windows: list[_Window], item: Item, encoder: Encoder) -> WindowBlock | None:
    spec = encoder.spec
    rate = spec.sample_rate
    begin = min(w.at for w in windows)
    stop = max(w.at + w.count for w in windows)
    audio = read_span(
        item.path, item.start_s + begin / rate, item.start_s + stop / rate, sample_rate=rate
    )[0]
    out = np.zeros((len(windows), spec.window_samples), np.float32)
    valid = np.zeros(len(windows), np.int64)
    for i, window in enumerate(windows):
        samples = audio[window.at - begin : window.at - begin + window.count]
        out[i, : len(samples)] = samples
        valid[i] = len(samples)
    # Rounding to samples at the very end of a file can leave a last window without any.
    held = np.flatnonzero(valid)
    if not len(held):
        return None
    row = np.array([w.row for w in windows], np.int64)
    return WindowBlock(
        encoder.prepare(out[held], valid[held]), row[held], valid[held] / float(rate)
    )
