"""Turn annotations of spans into targets of windows: present, absent or unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.labels.annotation import ABSENT, PRESENT
from antiphon.labels.spans import TOUCH_S, Spans, Windows, channel_counts, read_spans

__all__ = ["TOUCH_S", "directly_said", "window_targets"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


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
    shown: Bool | None = None,
) -> Float32:
    """Say for each window and label what the annotations tell.

    For one window and one label, the first rule that fits decides:

    1. 1 (present), if a present annotation shares at least ``min_overlap`` of the shorter of the
       two with the window. A call that is a point in time is present in the windows it lies in.
    2. NaN (unknown), if a present annotation overlaps less, or an unsure one overlaps at all.
    3. 0 (absent), if absent annotations together cover at least ``min_cover`` of the window.
    4. NaN.

    What somebody who was shown a window said of all of it (``batch`` begins with "answer" or
    "settle", and there is no band) says where the sound is only as far as that window goes. So
    of a window and label that somebody was asked directly, "present" and "unsure" of windows
    that merely overlap do not count.

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
        ``ANNOTATION_SCHEMA``), in any order; batch and low_hz where there are any. Labels that
        are not in ``labels`` are left aside.
    labels
        Names of the columns of the result.
    min_overlap, min_cover
        Shares in (0, 1].
    channels
        ``(n,)`` how many channels the recording of each window has; when None, as many as the
        annotations and windows of the recording name, at least one.
    shown
        ``(n, len(labels))``, what :func:`directly_said` tells of more annotations than these; of
        these when None.

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
    windows = Windows(recording, start_s, end_s, channel)
    if channels is not None and np.shape(channels) != windows.recording.shape:
        raise ValueError("channels needs one entry for each window")
    if len(set(labels)) != len(labels):
        raise ValueError("a label comes twice")
    if not (0 < min_overlap <= 1 and 0 < min_cover <= 1):
        raise ValueError("min_overlap and min_cover must be in (0, 1]")
    spans = read_spans(annotations, labels)
    shape = (len(windows), len(labels))
    present = np.zeros(shape, dtype=bool)
    doubtful = np.zeros(shape, dtype=bool)
    direct = _direct(windows, spans, len(labels)) if shown is None else shown
    for window, part, overlap in windows.pairs(spans[spans.presence != ABSENT]):
        if direct is not None:
            keep = ~part.clip | windows.exactly(window, part) | ~direct[window, part.label]
            window, part, overlap = window[keep], part[keep], overlap[keep]
        length = np.minimum(windows.length[window], part.end - part.start)
        point = part.end - part.start <= TOUCH_S
        share = np.where(point, 1.0, overlap / np.where(point, 1.0, length))
        # A share that is the limit but for rounding counts as the limit.
        full = (share >= min_overlap - 1e-9) & (part.presence == PRESENT)
        present[window[full], part.label[full]] = True
        doubtful[window[~full], part.label[~full]] = True
    absences = spans[spans.presence == ABSENT]
    absent = _absent_in_all_channels(
        windows, absences, len(labels), min_cover, channel_counts(windows, spans, channels)
    )
    targets = np.full(shape, np.nan, dtype=np.float32)
    targets[absent & ~doubtful] = 0
    targets[present] = 1
    return targets


def directly_said(
    recording: npt.ArrayLike,
    start_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    channel: npt.ArrayLike,
    annotations: pa.Table,
    labels: Sequence[str],
) -> Bool:
    """Return ``(n, len(labels))``: whether somebody who was shown the window spoke of the label.

    Parameters are those of :func:`window_targets`.
    """
    windows = Windows(recording, start_s, end_s, channel)
    direct = _direct(windows, read_spans(annotations, labels), len(labels))
    return np.zeros((len(windows), len(labels)), bool) if direct is None else direct


def _direct(windows: Windows, spans: Spans, n_labels: int) -> Bool | None:
    """Return :func:`directly_said`, or None where nobody was shown any window."""
    if not spans.clip.any():
        return None
    direct = np.zeros((len(windows), n_labels), dtype=bool)
    for window, part, _ in windows.pairs(spans[spans.clip]):
        exact = windows.exactly(window, part)
        one, every = exact & (part.label >= 0), exact & (part.label < 0)
        direct[window[one], part.label[one]] = True
        direct[window[every]] = True
    return direct


def _absent_in_all_channels(
    windows: Windows, spans: Spans, n_labels: int, min_cover: float, channels: Int64
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


def _absent(windows: Windows, spans: Spans, n_labels: int, min_cover: float) -> Bool:
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
