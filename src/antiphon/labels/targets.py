"""Turn annotations of spans into targets of windows: present, absent or unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.labels.annotation import ABSENT, PRESENCES, PRESENT

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

TOUCH_S = 1e-6
"""An overlap of no more than this many seconds is rounding, not an overlap."""

# Pairs of window and annotation looked at in one go; bounds the memory to some 300 MB.
_PAIRS = 4_000_000

_COLUMNS = ("recording_id", "start_s", "end_s", "channel", "label", "presence", "scope")


@dataclass(frozen=True, slots=True)
class _Spans:
    """Annotations as arrays, one label each; ``label`` is -1 for all labels."""

    recording: Int64
    start: Float64
    end: Float64
    channel: Int64
    label: Int64
    presence: npt.NDArray[np.object_]

    def __getitem__(self, keep: Int64 | Bool | slice) -> _Spans:
        return _Spans(*(getattr(self, name)[keep] for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.recording)


def window_targets(
    recording: npt.ArrayLike,
    start_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    channel: npt.ArrayLike,
    annotations: pa.Table,
    labels: Sequence[str],
    min_overlap: float = 0.5,
    min_cover: float = 0.99,
    channels: npt.ArrayLike | None = None,
) -> Float32:
    """Say for each window and label what the annotations tell.

    For one window and one label, the first rule that fits decides:

    1. 1 (present), if a present annotation shares at least ``min_overlap`` of the shorter of the
       two with the window. A call that is a point in time is present in the windows it lies in.
    2. NaN (unknown), if a present annotation overlaps less, or an unsure one overlaps at all.
    3. 0 (absent), if absent annotations together cover at least ``min_cover`` of the window.
    4. NaN.

    An annotation without times is about the whole recording. One without a channel speaks of all
    channels. A present or unsure one with a channel speaks of the windows of that channel and of
    those of the mix; an absent one of that channel alone: the mix is without a label only where
    every channel is. An absent annotation without a label speaks of the labels in its scope, or
    of all labels.

    Parameters
    ----------
    recording
        ``(n,)`` int64, recording of each window.
    start_s, end_s
        ``(n,)`` float64 seconds. The end of a padded window is best given as the end of its audio:
        nobody can have said that a label is absent beyond it.
    channel
        ``(n,)`` zero-based channel, -1 for the mix.
    annotations
        Table with the columns recording_id, start_s, end_s, channel, label, presence, scope (as in
        ``ANNOTATION_SCHEMA``), in any order. Labels that are not in ``labels`` are left aside.
    labels
        Names of the columns of the result.
    min_overlap, min_cover
        Shares in (0, 1].
    channels
        ``(n,)`` how many channels the recording of each window has; when None, as many as the
        annotations and windows of the recording name, at least one.

    Returns
    -------
    numpy.ndarray
        ``(n, len(labels))`` float32 of 1, 0 and NaN.

    Raises
    ------
    ValueError
        If the lengths differ, a window does not end after its start, a label comes twice, a
        presence is unknown, or a share is outside (0, 1].
    """
    windows = _Windows(recording, start_s, end_s, channel)
    if channels is not None and np.shape(channels) != windows.recording.shape:
        raise ValueError("channels needs one entry for each window")
    if len(set(labels)) != len(labels):
        raise ValueError("a label comes twice")
    if not (0 < min_overlap <= 1 and 0 < min_cover <= 1):
        raise ValueError("min_overlap and min_cover must be in (0, 1]")
    spans = _spans(annotations, labels)
    shape = (len(windows), len(labels))
    present = np.zeros(shape, dtype=bool)
    doubtful = np.zeros(shape, dtype=bool)
    for window, part, overlap in windows.pairs(spans[spans.presence != ABSENT]):
        length = np.minimum(windows.length[window], part.end - part.start)
        point = part.end - part.start <= TOUCH_S
        share = np.where(point, 1.0, overlap / np.where(point, 1.0, length))
        # A share that is the limit but for rounding counts as the limit.
        full = (share >= min_overlap - 1e-9) & (part.presence == PRESENT)
        present[window[full], part.label[full]] = True
        doubtful[window[~full], part.label[~full]] = True
    absences = spans[spans.presence == ABSENT]
    absent = _absent_in_all_channels(
        windows, absences, len(labels), min_cover, _channel_counts(windows, spans, channels)
    )
    targets = np.full(shape, np.nan, dtype=np.float32)
    targets[absent & ~doubtful] = 0
    targets[present] = 1
    return targets


def _spans(annotations: pa.Table, labels: Sequence[str]) -> _Spans:
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
    return _Spans(
        recording=annotations.column("recording_id").to_numpy().astype(np.int64)[row],
        start=floats("start_s", -np.inf)[row],
        end=floats("end_s", np.inf)[row],
        channel=floats("channel", -1).astype(np.int64)[row],
        label=np.concatenate(codes),
        presence=presence[row],
    )


class _Windows:
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

    def as_channel(self, rows: Int64, channel: int) -> _Windows:
        """Return the windows at ``rows`` as windows of one channel."""
        number = np.full(len(rows), channel, np.int64)
        return _Windows(self.recording[rows], self.start[rows], self.end[rows], number)

    def pairs(self, spans: _Spans) -> Iterator[tuple[Int64, _Spans, Float64]]:
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

    def _reach(self, spans: _Spans) -> tuple[Int64, Int64]:
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


def _channel_counts(windows: _Windows, spans: _Spans, channels: npt.ArrayLike | None) -> Int64:
    """Return ``(n,)`` channels of the recording of each window, at least one."""
    if channels is not None:
        return np.maximum(np.asarray(channels, dtype=np.int64), 1)
    recordings = np.concatenate([windows.recording, spans.recording])
    unique, place = np.unique(recordings, return_inverse=True)
    count = np.ones(len(unique), np.int64)
    np.maximum.at(count, place, np.concatenate([windows.channel, spans.channel]) + 1)
    return count[place[: len(windows)]]


def _absent_in_all_channels(
    windows: _Windows, spans: _Spans, n_labels: int, min_cover: float, channels: Int64
) -> Bool:
    """Return ``(n, n_labels)``: whether absent annotations cover the window in each channel.

    A window of one channel is asked of that channel; one of the mix of every channel.
    """
    if not (spans.channel >= 0).any():
        return _absent(windows, spans, n_labels, min_cover)
    absent = np.ones((len(windows), n_labels), dtype=bool)
    for channel in range(int(channels.max(initial=1))):
        mixed = (windows.channel < 0) & (channel < channels)
        rows = np.flatnonzero(mixed | (windows.channel == channel))
        absent[rows] &= _absent(windows.as_channel(rows, channel), spans, n_labels, min_cover)
    # A window of a channel that its recording does not have is covered by nothing.
    absent[windows.channel >= channels] = False
    return absent


def _absent(windows: _Windows, spans: _Spans, n_labels: int, min_cover: float) -> Bool:
    """Return ``(n, n_labels)``: whether absent annotations cover the window."""
    absent = np.zeros((len(windows), n_labels), dtype=bool)
    parts: list[tuple[Int64, Int64, Float64, Float64]] = []
    for window, part, overlap in windows.pairs(spans):
        whole = overlap >= (min_cover - 1e-9) * windows.length[window]
        alone = whole & (part.label >= 0)
        absent[window[alone], part.label[alone]] = True
        absent[window[whole & (part.label < 0)]] = True
        window, part = window[~whole], part[~whole]
        low = np.maximum(part.start, windows.start[window])
        high = np.minimum(part.end, windows.end[window])
        parts.append((window, part.label, low, high))
    if not parts:
        return absent
    window, label, low, high = (np.concatenate(column) for column in zip(*parts, strict=True))

    # Pieces that speak of all labels are first joined by themselves, then added to the pieces of
    # each label that has some of its own in the same window.
    general = label < 0
    covered = _union(window[general], low[general], high[general], windows.length, min_cover)
    absent[covered] = True
    own = ~general
    combos, combo = np.unique(window[own] * n_labels + label[own], return_inverse=True)
    by_window = np.argsort(window[general], kind="stable")
    sorted_windows = window[general][by_window]
    begin = np.searchsorted(sorted_windows, combos // n_labels, "left")
    count = np.searchsorted(sorted_windows, combos // n_labels, "right") - begin
    added = np.repeat(np.arange(len(combos)), count)
    ahead = np.cumsum(count) - count
    place = by_window[np.arange(len(added)) - np.repeat(ahead - begin, count)]
    full = _union(
        np.concatenate([combo, added]),
        np.concatenate([low[own], low[general][place]]),
        np.concatenate([high[own], high[general][place]]),
        windows.length[combos // n_labels],
        min_cover,
    )
    absent[combos[full] // n_labels, combos[full] % n_labels] = True
    return absent


def _union(group: Int64, low: Float64, high: Float64, length: Float64, min_cover: float) -> Int64:
    """Return the groups whose pieces together cover ``min_cover`` of the group's ``length``."""
    if not len(group):
        return np.empty(0, dtype=np.int64)
    order = np.lexsort((low, group))
    group, low, high = group[order], low[order], high[order]
    # What lies beyond all earlier pieces of the group is new. Ranks instead of floats, as above.
    values, rank = np.unique(high, return_inverse=True)
    lift = group * len(values)
    reach = values[np.maximum.accumulate(rank + lift) - lift]
    before = np.full(len(group), -np.inf)
    same = group[1:] == group[:-1]
    before[1:][same] = reach[:-1][same]
    new = np.maximum(high - np.maximum(low, before), 0.0)
    total = np.bincount(group, weights=new, minlength=len(length))
    return np.flatnonzero(total >= (min_cover - 1e-9) * length).astype(np.int64)
