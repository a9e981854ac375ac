"""Annotations and windows as arrays, and which of them overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.labels.annotation import PRESENCES

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

TOUCH_S = 1e-6
"""An overlap of no more than this many seconds is rounding, not an overlap."""

ANSWER_BATCH, SETTLE_BATCH = "answer ", "settle "
"""How the batch of annotations begins that follow from an answer, or from a settlement."""

# Pairs of window and annotation looked at in one go; bounds the memory to some 300 MB.
_PAIRS = 4_000_000

_COLUMNS = ("recording_id", "start_s", "end_s", "channel", "label", "presence", "scope")


@dataclass(frozen=True, slots=True)
class Spans:
    """Annotations as arrays, one label each.

    Parameters
    ----------
    label
        Column of the label, -1 for all labels.
    clip
        Whether it is what somebody who was shown a window said of all of it.
    """

    recording: Int64
    start: Float64
    end: Float64
    channel: Int64
    label: Int64
    presence: npt.NDArray[np.object_]
    clip: Bool

    def __getitem__(self, keep: Int64 | Bool | slice) -> Spans:
        return Spans(*(getattr(self, name)[keep] for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.recording)


def read_spans(annotations: pa.Table, labels: Sequence[str]) -> Spans:
    """Return annotations that speak of any of the labels, a row for each label.

    Raises
    ------
    ValueError
        If a column is missing or a presence unknown.
    """
    missing = sorted(set(_COLUMNS) - set(annotations.column_names))
    if missing:
        raise ValueError(f"the annotations lack the columns {', '.join(missing)}")
    presence = np.array(annotations.column("presence").to_pylist(), dtype=object)
    if not np.isin(presence, PRESENCES).all():
        raise ValueError(f"a presence is not one of {', '.join(PRESENCES)}")
    order = pa.array(list(labels), type=pa.string())
    names = annotations.column("label").cast(pa.string())
    unnamed = names.is_null().to_numpy().astype(bool)
    code = pc.index_in(names, value_set=order).fill_null(-1).to_numpy().astype(np.int64)
    source = np.arange(annotations.num_rows)
    keep = code >= 0
    sources, codes = [source[keep]], [code[keep]]
    scopes = annotations.column("scope")
    scoped = unnamed & scopes.is_valid().to_numpy().astype(bool)
    everything = unnamed & ~scoped
    if scoped.any():
        rows = source[scoped]
        lists = scopes.take(pa.array(rows)).combine_chunks()
        owner = rows[pc.list_parent_indices(lists).to_numpy()]
        inner = pc.index_in(lists.flatten().cast(pa.string()), value_set=order)
        inside = inner.fill_null(-1).to_numpy().astype(np.int64)
        pairs = np.unique(np.stack([owner, inside], axis=1)[inside >= 0], axis=0)
        # A scope with all the labels is kept as one row instead of one per label.
        count = np.bincount(pairs[:, 0], minlength=len(source))
        whole = count == len(labels)
        everything |= whole & scoped
        pairs = pairs[~whole[pairs[:, 0]]]
        sources.append(pairs[:, 0])
        codes.append(pairs[:, 1])
    sources.append(source[everything])
    codes.append(np.full(int(everything.sum()), -1))

    def floats(name: str, null: float) -> Float64:
        column = annotations.column(name).cast(pa.float64()).fill_null(null)
        values: Float64 = column.to_numpy().astype(np.float64)
        return values

    row = np.concatenate(sources)
    return Spans(
        recording=annotations.column("recording_id").to_numpy().astype(np.int64)[row],
        start=floats("start_s", -np.inf)[row],
        end=floats("end_s", np.inf)[row],
        channel=floats("channel", -1).astype(np.int64)[row],
        label=np.concatenate(codes),
        presence=presence[row],
        clip=_said_of_clips(annotations)[row],
    )


def _said_of_clips(annotations: pa.Table) -> Bool:
    """Return which annotations follow from an answer and are no box."""
    if not {"batch", "low_hz"} <= set(annotations.column_names):
        return np.zeros(annotations.num_rows, bool)
    batch = annotations.column("batch").cast(pa.string())
    derived = pc.or_(
        pc.starts_with(batch, pattern=ANSWER_BATCH), pc.starts_with(batch, pattern=SETTLE_BATCH)
    )
    said = pc.and_(pc.fill_null(derived, False), pc.is_null(annotations.column("low_hz")))
    found: Bool = said.to_numpy().astype(bool)
    return found


class Windows:
    """Windows, sorted so that those an annotation may touch lie side by side."""

    def __init__(
        self,
        recording: npt.ArrayLike,
        start_s: npt.ArrayLike,
        end_s: npt.ArrayLike,
        channel: npt.ArrayLike,
    ) -> None:
        self.recording = np.asarray(recording, dtype=np.int64)
        self.start = np.asarray(start_s, dtype=np.float64)
        self.end = np.asarray(end_s, dtype=np.float64)
        self.channel = np.asarray(channel, dtype=np.int64)
        shape = self.recording.shape
        columns = (self.start, self.end, self.channel)
        if len(shape) != 1 or any(column.shape != shape for column in columns):
            raise ValueError("all columns of the windows need one length and one dimension")
        self.length = self.end - self.start
        if not (self.length > 0).all():
            raise ValueError("every window must end after its start")
        self.order = np.lexsort((self.start, self.recording))

    def __len__(self) -> int:
        return len(self.recording)

    def as_channel(self, rows: Int64, channel: int) -> Windows:
        """Return the windows at ``rows`` as windows of one channel."""
        number = np.full(len(rows), channel, np.int64)
        return Windows(self.recording[rows], self.start[rows], self.end[rows], number)

    def exactly(self, window: Int64, spans: Spans) -> Bool:
        """Return which of the spans have just the bounds and the channel of their window."""
        # Times of answers are kept to the microsecond.
        near = np.abs(spans.start - self.start[window]) < 2 * TOUCH_S
        near &= np.abs(spans.end - self.end[window]) < 2 * TOUCH_S
        found: Bool = near & (spans.channel == self.channel[window])
        return found

    def pairs(self, spans: Spans) -> Iterator[tuple[Int64, Spans, Float64]]:
        """Yield (window, annotation, overlap in s) of all that overlap, in bounded portions.

        Each portion holds ``(p,)`` rows of windows, the annotations of equal length, and the
        overlaps. A point in time is paired, with overlap 0, with the windows it lies in.
        """
        if not len(spans) or not len(self):
            return
        first, stop = self._reach(spans)
        count = np.maximum(stop - first, 0)
        portion = np.cumsum(count) // _PAIRS
        cuts = np.flatnonzero(np.diff(portion, prepend=-1))
        for begin, until in zip(cuts, np.append(cuts[1:], len(spans)), strict=True):
            some = slice(int(begin), int(until))
            which = np.repeat(np.arange(begin, until), count[some])
            ahead = np.cumsum(count[some]) - count[some]
            place = np.arange(len(which)) - np.repeat(ahead - first[some], count[some])
            window = self.order[place]
            same = (spans.channel[which] < 0) | (self.channel[window] < 0)
            same |= spans.channel[which] == self.channel[window]
            start, end = spans.start[which], spans.end[which]
            low = np.maximum(start, self.start[window])
            overlap = np.minimum(end, self.end[window]) - low
            point = end - start <= TOUCH_S
            inside = (start >= self.start[window]) & (start < self.end[window])
            keep = same & np.where(point, inside, overlap > TOUCH_S)
            yield window[keep], spans[which[keep]], np.maximum(overlap[keep], 0.0)

    def _reach(self, spans: Spans) -> tuple[Int64, Int64]:
        """Return first and stop of the sorted windows that each annotation may overlap.

        Recording and time are joined into one integer by the rank of the time, since a sum of
        floats would round.
        """
        start, end = self.start[self.order], self.end[self.order]
        recordings, group = np.unique(self.recording[self.order], return_inverse=True)
        values = np.unique(np.concatenate([start, end, spans.start, spans.end]))
        many = len(values) + 1

        def rank(times: Float64) -> Int64:
            return np.searchsorted(values, times).astype(np.int64)

        place = np.searchsorted(recordings, spans.recording)
        found = np.minimum(place, len(recordings) - 1)
        # Ends may not ascend when lengths differ; their running maximum does, group by group.
        reached = np.maximum.accumulate(rank(end) + group * many)
        first = np.searchsorted(reached, rank(spans.start) + found * many, side="left")
        stop = np.searchsorted(rank(start) + group * many, rank(spans.end) + found * many, "right")
        stop = np.where(recordings[found] == spans.recording, stop, first)
        return first.astype(np.int64), stop.astype(np.int64)


def channel_counts(windows: Windows, spans: Spans, channels: npt.ArrayLike | None) -> Int64:
    """Return ``(n,)`` channels of the recording of each window, at least one."""
    if channels is not None:
        return np.maximum(np.asarray(channels, dtype=np.int64), 1)
    recordings = np.concatenate([windows.recording, spans.recording])
    unique, place = np.unique(recordings, return_inverse=True)
    count = np.ones(len(unique), np.int64)
    np.maximum.at(count, place, np.concatenate([windows.channel, spans.channel]) + 1)
    return count[place[: len(windows)]]
