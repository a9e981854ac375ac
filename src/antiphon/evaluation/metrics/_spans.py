"""Spans of time in groups: unions, overlaps and pairs, for all groups at once.

A group is an integer key; spans of different groups never meet. Annotations and scores come with
rounded decimals, so comparisons allow :data:`SLACK` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

SLACK = 1e-6
"""Seconds (1 microsecond) by which a collar or a share may be missed and still counts as met."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Spans sorted by group, then by start.

    Parameters
    ----------
    onset, offset
        ``(n,)`` s.
    first
        ``(n_groups + 1,)`` where each group begins.
    order
        ``(n,)`` places of the spans in the input.
    """

    onset: Float64
    offset: Float64
    first: Int64
    order: Int64


def grouped(key: Int64, onset: Float64, offset: Float64, n_groups: int) -> Spans:
    """Sort spans by group and start."""
    order = np.lexsort((offset, onset, key))
    first = np.searchsorted(key[order], np.arange(n_groups + 1))
    return Spans(onset[order], offset[order], first.astype(np.int64), order.astype(np.int64))


def united(key: Int64, onset: Float64, offset: Float64, n_groups: int) -> Spans:
    """Return the union of each group's spans as spans that neither meet nor touch.

    ``order`` is then empty.
    """
    order = np.lexsort((onset, key))
    key, onset, offset = key[order], onset[order], offset[order]
    reach = _latest(key, offset)
    new = np.ones(len(key), bool)
    new[1:] = (key[1:] != key[:-1]) | (onset[1:] > reach[:-1])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(key))[: len(starts)] - 1
    first = np.searchsorted(key[starts], np.arange(n_groups + 1))
    return Spans(onset[starts], reach[ends], first.astype(np.int64), np.zeros(0, np.int64))


def covered(union: Spans, key: Int64, onset: Float64, offset: Float64) -> Float64:
    """Return the seconds of each span that lie in the union of its group, ``(n,)``."""
    before = np.concatenate([[0.0], np.cumsum(union.offset - union.onset)])
    ends = []
    for at in (onset, offset):
        place = bisect(union.onset, union.first, key, at)
        inside = place > union.first[key]
        last = np.where(inside, place - 1, 0)
        partial = np.zeros(len(key))
        if len(union.onset):
            partial = np.minimum(at - union.offset[last], 0.0)
        ends.append(before[place] + np.where(inside, partial, 0.0))
    return np.asarray(np.maximum(ends[1] - ends[0], 0.0))


def bisect(values: Float64, first: Int64, key: Int64, at: Float64, *, side: str = "right") -> Int64:
    """Return the place of each ``at`` among the sorted values of its group.

    Parameters
    ----------
    values
        ``(m,)`` ascending in each group.
    first
        ``(n_groups + 1,)`` where each group begins.
    key, at
        ``(n,)`` groups and values to look for.
    side
        As in :func:`numpy.searchsorted`.
    """
    low, high = first[key].copy(), first[key + 1].copy()
    while (open_ := low < high).any():
        middle = np.where(open_, (low + high) // 2, 0)
        found = values[middle]
        right = open_ & ((found <= at) if side == "right" else (found < at))
        low[right] = middle[right] + 1
        left = open_ & ~right
        high[left] = middle[left]
    return low


def overlapping(
    spans: Spans, key: Int64, onset: Float64, offset: Float64
) -> tuple[Int64, Int64, Float64]:
    """Return pairs of a query and a span of its group that overlap, and by how many seconds.

    Returns
    -------
    tuple
        ``(p,)`` places of the queries, of the spans in their sorted order, and overlaps above 0.
    """
    groups = np.repeat(np.arange(len(spans.first) - 1), np.diff(spans.first))
    reach = _latest(groups, spans.offset)
    begin = bisect(reach, spans.first, key, onset)
    end = bisect(spans.onset, spans.first, key, offset, side="left")
    query, span = ranges(begin, end)
    shared = np.minimum(offset[query], spans.offset[span])
    shared -= np.maximum(onset[query], spans.onset[span])
    there = shared > 0
    return query[there], span[there], shared[there]


def ranges(begin: Int64, end: Int64) -> tuple[Int64, Int64]:
    """Return the pairs ``(i, j)`` for all ``begin[i] <= j < end[i]``."""
    count = np.maximum(end - begin, 0)
    owner = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, begin[owner] + within


def _latest(key: Int64, offset: Float64) -> Float64:
    """Return the largest offset so far within each group, the groups being in order."""
    # Ranks rise from group to group, so that a running maximum starts anew with each.
    order = np.lexsort((offset, key))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return np.asarray(offset[order][np.maximum.accumulate(rank)])
