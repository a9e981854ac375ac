"""Join detections in neighbouring windows into spans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

TOUCH_S = 1e-6
"""Spans that are less than this apart touch; it covers the rounding of k times the hop."""


@dataclass(frozen=True, slots=True)
class MergedSpans:
    """Joined detections, ordered by recording, channel, label and start.

    Parameters
    ----------
    recording_id, channel, label
        ``(m,)`` as given.
    start_s, end_s
        ``(m,)`` float64 seconds: from the first start to the last end.
    score
        ``(m,)`` the largest score of the joined windows.
    best
        ``(m,)`` int64, row of the input that has it, the first of equals.
    windows
        ``(m,)`` int64, how many windows were joined.
    """

    recording_id: npt.NDArray[np.int64]
    start_s: Float64
    end_s: Float64
    channel: npt.NDArray[np.int16]
    label: npt.NDArray[np.generic]
    score: npt.NDArray[np.floating]
    best: Int64
    windows: Int64


def merge_windows(
    recording_id: npt.ArrayLike,
    start_s: npt.ArrayLike,
    end_s: npt.ArrayLike,
    channel: npt.ArrayLike,
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    gap_s: float = 0.0,
) -> MergedSpans:
    """Join touching and overlapping detections of one label, recording and channel.

    Parameters
    ----------
    recording_id, channel, label
        ``(n,)`` integers; the label may be text as well.
    start_s, end_s
        ``(n,)`` seconds, in any order.
    score
        ``(n,)`` floats.
    gap_s
        Detections at most so far apart are joined as well.

    Returns
    -------
    MergedSpans
        Every input row is in exactly one span.

    Raises
    ------
    ValueError
        If the lengths differ, a time or score is NaN, an end lies before its start, or the gap
        is negative.
    """
    recording_id = np.asarray(recording_id, dtype=np.int64)
    channel = np.asarray(channel, dtype=np.int16)
    label = np.asarray(label)
    score = np.asarray(score)
    start = np.asarray(start_s, dtype=np.float64)
    end = np.asarray(end_s, dtype=np.float64)
    n = len(recording_id)
    if not all(a.shape == (n,) for a in (recording_id, channel, label, score, start, end)):
        raise ValueError("all columns need one length and one dimension")
    if not (gap_s >= 0 and (end >= start).all()) or np.isnan(score).any():
        raise ValueError("scores must not be NaN, no end before its start, no gap below 0")
    if n == 0:
        none = np.empty(0, dtype=np.int64)
        return MergedSpans(recording_id, start, end, channel, label, score, none, none)

    _, label_code = np.unique(label, return_inverse=True)
    order = np.lexsort((start, label_code, channel, recording_id))
    start, end = start[order], end[order]
    keys = np.stack([recording_id[order], channel[order], label_code[order]])
    new_group = np.ones(n, dtype=bool)
    new_group[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)

    # The running maximum of the end within a group, by ranks: integers can be lifted from group to
    # group without the rounding that an offset would bring to float seconds.
    ends, rank = np.unique(end, return_inverse=True)
    lift = (np.cumsum(new_group) - 1) * len(ends)
    reach = ends[np.maximum.accumulate(rank + lift) - lift]
    new_span = new_group.copy()
    new_span[1:] |= start[1:] > reach[:-1] + gap_s + TOUCH_S

    first = np.flatnonzero(new_span)
    span = np.cumsum(new_span) - 1
    ranked = np.lexsort((order, -score[order].astype(np.float64), span))
    best = order[ranked[first]].astype(np.int64)
    return MergedSpans(
        recording_id=recording_id[best],
        start_s=start[first],
        end_s=np.maximum.reduceat(end, first),
        channel=channel[best],
        label=label[best],
        score=score[best],
        best=best,
        windows=np.diff(np.append(first, n)).astype(np.int64),
    )
