"""Boxes in time and frequency: overlap, one-to-one matching, F1 and average precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._matching import best_matching
from antiphon.evaluation.metrics._spans import grouped, overlapping
from antiphon.evaluation.metrics.events import Coded, Events, EventScores, coded
from antiphon.evaluation.metrics.scores import macro_average

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Rounding may leave an overlap this much below the threshold that it meets.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Boxes(Events):
    """Labelled boxes in recordings, one an entry.

    Parameters
    ----------
    recording, onset, offset, label
        As for :class:`~.events.Events`.
    low, high
        ``(n,)`` Hz, ``low < high``. For boxes over the whole band give one band to all: overlap
        is then that of time.
    score
        ``(n,)``, needed for average precision; None otherwise.

    Raises
    ------
    UserError
        As for events, or if a box has no height or a score is NaN.
    """

    low: Float64
    high: Float64
    score: Float64 | None = None

    def __post_init__(self) -> None:
        # Slots and dataclasses: super() without arguments would name the class before the slots.
        Events.__post_init__(self)
        for name in ("low", "high"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
            if getattr(self, name).shape != self.onset.shape:
                raise UserError(f"There are {len(self)} boxes, but not as many values of {name}.")
        fine = np.isfinite(self.low) & np.isfinite(self.high) & (self.low < self.high)
        if not fine.all():
            i = int(np.argmin(fine))
            raise UserError(
                f"Box {i} ({self.label[i]} in {self.recording[i]}) spans {self.low[i]:g} to "
                f"{self.high[i]:g} Hz; its upper edge must lie above its lower one."
            )
        if self.score is None:
            return
        object.__setattr__(self, "score", np.asarray(self.score, dtype=np.float64))
        if self.score.shape != self.onset.shape or np.isnan(self.score).any():
            raise UserError("Each box needs a score that is a number, or none may have one.")


def boxes_of(boxes: Mapping[str, Iterable[tuple[Any, ...]]]) -> Boxes:
    """Make boxes of ``{recording: [(onset, offset, low, high, label), ...]}``, in s and Hz.

    A sixth entry is the score; all boxes have one, or none.
    """
    rows = [(name, *box) for name, those in boxes.items() for box in those]
    scored = {len(row) == 7 for row in rows}
    if len(scored) > 1:
        raise UserError("Each box needs a score, or none may have one.")
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return Boxes(
        recording=np.array(columns[0], dtype=np.str_),
        onset=np.array(columns[1], dtype=np.float64),
        offset=np.array(columns[2], dtype=np.float64),
        label=np.array(columns[5], dtype=np.str_),
        low=np.array(columns[3], dtype=np.float64),
        high=np.array(columns[4], dtype=np.float64),
        score=np.array(columns[6], dtype=np.float64) if scored == {True} else None,
    )


def overlaps(true: Boxes, found: Boxes, codes: Coded) -> tuple[Int64, Int64, Float64]:
    """Return pairs of boxes of one group that overlap, and their intersection over union.

    Returns
    -------
    tuple
        ``(p,)`` places in the truth, among the found boxes, and overlaps above 0.
    """
    spans = grouped(codes.found, found.onset, found.offset, codes.n_groups)
    i, j, shared = overlapping(spans, codes.true, true.onset, true.offset)
    j = spans.order[j]
    height = np.minimum(true.high[i], found.high[j]) - np.maximum(true.low[i], found.low[j])
    both = shared * np.maximum(height, 0.0)
    area = [(b.offset - b.onset) * (b.high - b.low) for b in (true, found)]
    share = both / (area[0][i] + area[1][j] - both)
    there = share > 0
    return i[there], j[there], share[there]


def match_boxes(
    true: Boxes, found: Boxes, iou: float = 0.5, *, classes: Sequence[str] | None = None
) -> tuple[Int64, Int64, Float64]:
    """Match boxes of one recording and class one to one where they overlap enough.

    As many pairs as possible, and among those matchings the one of greatest summed overlap.

    Parameters
    ----------
    true, found
        Boxes.
    iou
        Least intersection over union, above 0.
    classes
        Names that may occur; all when None.

    Returns
    -------
    tuple
        ``(p,)`` places in the truth in ascending order, among the found boxes, and overlaps.

    Raises
    ------
    UserError
        If ``iou`` is not above 0 and at most 1, or a class is not among ``classes``.
    """
    return _matched(true, found, iou, coded(true, found, classes))


def box_f1(
    true: Boxes, found: Boxes, iou: float = 0.5, *, classes: Sequence[str] | None = None
) -> EventScores:
    """Return right, false and missed boxes of each class after :func:`match_boxes`."""
    codes = coded(true, found, classes)
    i, j, _ = _matched(true, found, iou, codes)
    right = codes.per_class(codes.true[i])
    return EventScores(
        codes.classes,
        right,
        codes.per_class(codes.found) - right,
        codes.per_class(codes.true) - right,
        i,
        j,
    )


@dataclass(frozen=True, slots=True, eq=False)
class BoxPrecision:
    """Average precision of boxes.

    Parameters
    ----------
    classes
        ``(c,)`` names.
    per_class
        ``(c,)``; NaN for classes without true boxes.
    mean
        Over classes with true boxes (mAP); NaN without any.
    without_boxes
        Classes without true boxes, whose detections the mean leaves out.
    """

    classes: npt.NDArray[np.str_]
    per_class: Float64
    mean: float
    without_boxes: tuple[str, ...]


def box_average_precision(
    true: Boxes, found: Boxes, iou: float = 0.5, *, classes: Sequence[str] | None = None
) -> BoxPrecision:
    """Return average precision of scored boxes at one overlap.

    From the highest score down, each box takes the true box of its recording and class that it
    overlaps most among those not yet taken; without one at ``iou`` or more it is false. Average
    precision is the area under the curve of the best precision at each recall or above, at all
    recalls (as in PASCAL VOC since 2010; COCO takes 101 recalls of the same curve).

    Parameters
    ----------
    true, found
        Boxes, ``found`` with scores.
    iou
        Least intersection over union, above 0. Average the means of 0.5, 0.55, ..., 0.95 for
        COCO's main number.
    classes
        Names and their order; all that occur when None.

    Raises
    ------
    UserError
        If ``found`` has no scores, ``iou`` is not above 0 and at most 1, or a class is not among
        ``classes``.

    Notes
    -----
    Boxes of one score enter the curve together, and among them the larger overlap chooses first,
    so that the order of boxes does not matter.
    """
    if found.score is None:
        raise UserError("Average precision needs the scores of the found boxes.")
    _check(iou)
    codes = coded(true, found, classes)
    i, j, share = overlaps(true, found, codes)
    enough = share >= iou - _SLACK
    i, j, share = i[enough], j[enough], share[enough]
    right = np.zeros(len(found), bool)
    taken = np.zeros(len(true), bool)
    order = np.lexsort((i, j, -share, -found.score[j]))
    for a, b in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if not taken[a] and not right[b]:
            taken[a] = right[b] = True
    n = len(codes.classes)
    events = codes.per_class(codes.true)
    of_class = codes.found % max(1, n)
    values = np.array(
        [_area(found.score[of_class == c], right[of_class == c], int(events[c])) for c in range(n)]
    )
    return BoxPrecision(
        codes.classes,
        values,
        float(macro_average(values)) if n else float("nan"),
        tuple(codes.classes[events == 0].tolist()),
    )


def _matched(true: Boxes, found: Boxes, iou: float, codes: Coded) -> tuple[Int64, Int64, Float64]:
    _check(iou)
    i, j, share = overlaps(true, found, codes)
    enough = share >= iou - _SLACK
    i, j, share = i[enough], j[enough], share[enough]
    a, b = best_matching(i, j, share, (len(true), len(found)))
    # Look the overlaps of the chosen pairs up.
    pair = i * max(1, len(found)) + j
    order = np.argsort(pair)
    at = order[np.searchsorted(pair, a * max(1, len(found)) + b, sorter=order)]
    return a, b, share[at]


def _check(iou: float) -> None:
    if not 0 < iou <= 1:
        raise UserError(f"The overlap must be above 0 and at most 1, but is {iou:g}.")


def _area(score: Float64, right: npt.NDArray[np.bool_], events: int) -> float:
    if events == 0:
        return float("nan")
    if len(score) == 0:
        return 0.0
    order = np.argsort(-score, kind="stable")
    score, hits = score[order], np.cumsum(right[order])
    last = np.append(score[1:] != score[:-1], True)
    hits, number = hits[last], np.flatnonzero(last) + 1
    best = np.maximum.accumulate((hits / number)[::-1])[::-1]
    return float((np.diff(hits, prepend=0) * best).sum() / events)
