"""Counts of right events, false alarms and cross-triggers at every threshold of score curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._runs import runs
from antiphon.evaluation.metrics._spans import SLACK, covered, grouped, overlapping, united
from antiphon.evaluation.metrics.events import Events
from antiphon.evaluation.metrics.intersection import Criteria

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Scores of recordings.

    Parameters
    ----------
    names
        Recordings.
    scores, edges
        ``(t, c)`` and ``(t + 1,)`` of each.
    classes
        Names of the columns.
    duration
        Of all recordings, in s.
    """

    names: tuple[str, ...]
    scores: tuple[Float64, ...]
    edges: tuple[Float64, ...]
    classes: tuple[str, ...]
    duration: float


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What a detector finds at each threshold.

    Parameters
    ----------
    classes
        Names.
    events, seconds
        ``(c,)`` true events and their summed length in s.
    duration
        Of all recordings, in s.
    right, false, cross
        Of each class and for each of its thresholds: events found ``(p,)``, irrelevant detections
        ``(p,)``, and among these cross-triggers of each class ``(p, c)``.
    """

    classes: tuple[str, ...]
    events: Int64
    seconds: Float64
    duration: float
    right: list[Int64]
    false: list[Int64]
    cross: list[Int64]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Runs of all curves.

    Parameters
    ----------
    key
        ``(r,)`` recording times classes plus class.
    onset, offset
        ``(r,)`` s.
    enters, leaves
        ``(r,)`` thresholds; see :class:`~._runs.Runs`.
    """

    key: Int64
    onset: Float64
    offset: Float64
    enters: Float64
    leaves: Float64


def detections(curves: Curves) -> Detections:
    """Return all runs of all curves; recordings of one length are handled together."""
    n = len(curves.classes)
    lengths = np.array([len(s) for s in curves.scores])
    parts = []
    for t in np.unique(lengths):
        mine = np.flatnonzero(lengths == t)
        found = runs(np.concatenate([curves.scores[i] for i in mine], axis=1))
        edges = np.stack([curves.edges[i] for i in mine])
        which = found.curve // n
        parts.append(
            (
                mine[which] * n + found.curve % n,
                edges[which, found.begin],
                edges[which, found.end],
                found.enters,
                found.leaves,
            )
        )
    return Detections(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def counts(true: Events, curves: Curves, criteria: Criteria, cross: bool) -> Counts:
    """Count at every threshold; ``cross`` says whether cross-triggers are needed."""
    n = len(curves.classes)
    place = {name: i for i, name in enumerate(curves.names)}
    column = {name: i for i, name in enumerate(curves.classes)}
    label = np.array([_column(column, name) for name in true.label.tolist()], np.int64)
    key = np.array([place[name] for name in true.recording.tolist()], np.int64) * n + label
    groups = len(curves.names) * n
    truth = united(key, true.onset, true.offset, groups)
    found = detections(curves)
    length = found.offset - found.onset
    inside = covered(truth, found.key, found.onset, found.offset)
    relevant = inside >= criteria.detection * length - SLACK

    # A change is an amount, the threshold at which it sets in, the class, and what is counted:
    # events found (0), irrelevant detections (1), cross-triggers of class k (2 + k).
    changes = [_found_events(true, key, groups, found, relevant, criteria, n)]
    wrong = np.flatnonzero(~relevant)
    changes.append(_both_ends(found, wrong, np.ones(len(wrong), np.int64), n))
    if cross:
        occupied = np.diff(truth.first).reshape(-1, n) > 0
        recording = found.key // n
        for other in range(n):
            there = wrong[occupied[recording[wrong], other] & (found.key[wrong] % n != other)]
            inside = covered(
                truth, recording[there] * n + other, found.onset[there], found.offset[there]
            )
            hit = there[inside >= criteria.cross * length[there] - SLACK]
            changes.append(_both_ends(found, hit, np.full(len(hit), 2 + other), n))
    of_class, kind, threshold, amount = (np.concatenate(c) for c in zip(*changes, strict=True))
    seconds = np.zeros(n)
    np.add.at(seconds, label, true.offset - true.onset)
    right, false, crossed = [], [], []
    for c in range(n):
        mine = of_class == c
        total = _summed(kind[mine], threshold[mine], amount[mine], 2 + n)
        right.append(total[:, 0])
        false.append(total[:, 1])
        crossed.append(total[:, 2:])
    return Counts(
        classes=curves.classes,
        events=np.bincount(label, minlength=n).astype(np.int64),
        seconds=seconds,
        duration=curves.duration,
        right=right,
        false=false,
        cross=crossed,
    )


Change = tuple[Int64, Int64, Float64, Int64]


def _both_ends(found: Detections, those: Int64, kind: Int64, n: int) -> Change:
    """Return +1 where detections enter and -1 where they leave."""
    one = np.ones(len(those), np.int64)
    of_class = found.key[those] % n
    return (
        np.concatenate([of_class, of_class]),
        np.concatenate([kind, kind]),
        np.concatenate([found.enters[those], found.leaves[those]]),
        np.concatenate([one, -one]),
    )


def _found_events(
    true: Events,
    key: Int64,
    groups: int,
    found: Detections,
    relevant: npt.NDArray[np.bool_],
    criteria: Criteria,
    n: int,
) -> Change:
    """Return where true events become found and cease to be, as the threshold falls."""
    spans = grouped(key, true.onset, true.offset, groups)
    good = np.flatnonzero(relevant)
    i, event, shared = overlapping(spans, found.key[good], found.onset[good], found.offset[good])
    i = good[i]
    event = np.concatenate([event, event])
    threshold = np.concatenate([found.enters[i], found.leaves[i]])
    shared = np.concatenate([shared, -shared])
    order = np.lexsort((-threshold, event))
    event, threshold, shared = event[order], threshold[order], shared[order]
    if len(event) == 0:
        none = np.zeros(0, np.int64)
        return none, none, none.astype(np.float64), none
    # Runs of one curve do not overlap, so that what they cover is a sum.
    start = np.flatnonzero(np.append(True, event[1:] != event[:-1]))
    cover = np.cumsum(shared)
    cover -= np.repeat(np.append(0.0, cover[start[1:] - 1]), np.diff(np.append(start, len(event))))
    last = np.append((event[1:] != event[:-1]) | (threshold[1:] != threshold[:-1]), True)
    event, threshold, cover = event[last], threshold[last], cover[last]
    need = criteria.truth * (spans.offset - spans.onset)[event] - SLACK
    state = (cover >= need).astype(np.int64)
    before = np.append(0, state[:-1])
    before[np.append(True, event[1:] != event[:-1])] = 0
    change = state - before
    moved = change != 0
    of_class = (key[spans.order] % n)[event]
    return of_class[moved], np.zeros(int(moved.sum()), np.int64), threshold[moved], change[moved]


def _summed(kind: Int64, threshold: Float64, amount: Int64, kinds: int) -> Int64:
    """Return running totals after each distinct threshold, from the highest down."""
    fall, at = np.unique(-threshold, return_inverse=True)
    total = np.bincount(at * kinds + kind, amount, len(fall) * kinds)
    total = np.cumsum(total.reshape(-1, kinds), axis=0)
    # What leaves at minus infinity is still there at every threshold.
    total = total[np.isfinite(fall)]
    return np.asarray(np.rint(total), dtype=np.int64)


def _column(column: dict[str, int], name: str) -> int:
    if name not in column:
        raise UserError(f"The truth has events of {name}, which is no column of the scores.")
    return column[name]
