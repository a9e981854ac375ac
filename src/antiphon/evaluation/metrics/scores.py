"""Metrics of scores against labels: exact, over all labels at once, unknown labels left out.

All functions take ``score`` (n, n_labels) and ``target`` (n, n_labels) with 1 present, 0 absent,
NaN unknown. A NaN score (a row that no fold predicted) is left out like an unknown label. One
label may also be given as two vectors ``(n,)``; the result is then for one label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.ranking import (
    Ranking,
    weighted_average_precision,
    weighted_roc_auc,
)

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[np.floating]


def checked(score: npt.ArrayLike, target: npt.ArrayLike) -> tuple[Array, Array]:
    """Return both as ``(n, n_labels)`` floating arrays.

    Raises
    ------
    UserError
        If the shapes differ, a score is infinite, or a label is not 1, 0 or NaN.
    """
    s, t = np.asarray(score), np.asarray(target, dtype=np.float32)
    if not np.issubdtype(s.dtype, np.floating):
        s = s.astype(np.float64)
    if s.shape != t.shape or s.ndim not in (1, 2):
        raise UserError(
            f"Scores and labels must have one shape (n, labels), but got {s.shape} and {t.shape}."
        )
    if s.ndim == 1:
        s, t = s[:, None], t[:, None]
    if np.isinf(s).any():
        row, column = np.argwhere(np.isinf(s))[0]
        raise UserError(f"The score of row {row}, label {column} is infinite.")
    odd = ~(np.isnan(t) | (t == 0) | (t == 1))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise UserError(
            f"Label {column} of row {row} is {t[row, column]:g}; it must be 1, 0 or NaN."
        )
    return s, t


def average_precision(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return average precision of each label, ``(n_labels,)``; NaN without positives.

    The step-wise sum of :func:`antiphon.evaluation.ranking.weighted_average_precision`.
    """
    s, t = checked(score, target)
    values: Float64 = weighted_average_precision(s, t, np.ones((1, len(s)), np.float32))[0]
    return values


def roc_auc(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return the area under the ROC curve of each label, ``(n_labels,)``, ties counted half.

    NaN for labels without positives or without negatives.
    """
    s, t = checked(score, target)
    values: Float64 = weighted_roc_auc(s, t, np.ones((1, len(s)), np.float32))[0]
    return values


def macro_average(values: Float64, absent: Literal["skip", "zero"] = "skip") -> Float64:
    """Return the mean over labels (the last axis).

    Parameters
    ----------
    values
        ``(..., n_labels)``, NaN where a label has no value.
    absent
        ``"skip"``: labels without a value are left out, and the mean is NaN if none has one;
        ``"zero"``: they count as 0.
    """
    if absent == "zero":
        return np.asarray(np.nan_to_num(values, nan=0.0).mean(axis=-1))
    there = ~np.isnan(values)
    count = there.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.where(there, values, 0.0).sum(axis=-1) / np.where(count, count, np.nan)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision and recall of one label at each distinct score, from the highest down.

    Parameters
    ----------
    threshold
        ``(k,)`` distinct scores; a row is detected at ``score >= threshold``.
    precision, recall
        ``(k,)``; recall is NaN without positives.
    detections
        ``(k,)`` rows detected.
    """

    threshold: Array
    precision: Float64
    recall: Float64
    detections: Int64


def precision_recall_curve(score: npt.ArrayLike, target: npt.ArrayLike) -> Curve:
    """Return the curve of one label, ``score`` and ``target`` being ``(n,)``."""
    s, t = checked(score, target)
    if s.shape[1] != 1:
        raise UserError("A precision-recall curve is of one label; give vectors.")
    ranking = Ranking(s[:, 0], t[:, 0])
    positive, negative = ranking.counts(np.ones((1, len(s)), np.float32))
    right = np.cumsum(positive[0])
    detections = right + np.cumsum(negative[0])
    total = right[-1] if len(right) else 0.0
    return Curve(
        threshold=ranking.score[ranking.starts],
        precision=right / np.maximum(detections, 1.0),
        recall=right / total if total else np.full(len(right), np.nan),
        detections=detections.astype(np.int64),
    )


def confusion(
    score: npt.ArrayLike, target: npt.ArrayLike, threshold: npt.ArrayLike
) -> tuple[Int64, Int64, Int64]:
    """Return right detections, false detections and misses of each label, ``(n_labels,)`` each.

    Parameters
    ----------
    threshold
        One for all labels, ``(n_labels,)``, or ``(n, n_labels)`` (as when folds have their own).
    """
    s, t = checked(score, target)
    known = ~np.isnan(s) & ~np.isnan(t)
    over = known & (s >= np.asarray(threshold, dtype=s.dtype))
    positive = known & (t == 1.0)
    return (
        (over & positive).sum(axis=0),
        (over & ~positive).sum(axis=0),
        (positive & ~over).sum(axis=0),
    )


def precision_recall_f1(
    score: npt.ArrayLike, target: npt.ArrayLike, threshold: npt.ArrayLike
) -> tuple[Float64, Float64, Float64]:
    """Return precision, recall and F1 of each label at a threshold (as for :func:`confusion`).

    Precision is NaN without detections, recall and F1 without positives.
    """
    right, false, missed = (c.astype(np.float64) for c in confusion(score, target, threshold))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / (right + false), right / (right + missed)
        f1 = 2.0 * right / (2.0 * right + false + missed)
    return precision, recall, np.where(right + missed > 0, f1, np.nan)


def best_f1(score: npt.ArrayLike, target: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Return each label's largest F1 over all thresholds, and the highest threshold with it.

    NaN without positives. It is chosen on the rows it is measured on, so it is an upper bound.
    """
    s, t = checked(score, target)
    f1, threshold = np.full(s.shape[1], np.nan), np.full(s.shape[1], np.nan)
    for label in range(s.shape[1]):
        ranking = Ranking(s[:, label], t[:, label])
        positive, negative = ranking.counts(np.ones((1, len(s)), np.float32))
        right = np.cumsum(positive[0])
        if not len(right) or right[-1] == 0:
            continue
        # One division of whole numbers, so that equal values are equal.
        values = 2.0 * right / (right + np.cumsum(negative[0]) + right[-1])
        best = int(np.argmax(values))
        f1[label], threshold[label] = values[best], ranking.score[ranking.starts[best]]
    return f1, threshold


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Bins of probabilities: what was said against what was there.

    Parameters
    ----------
    low, high
        ``(bins,)`` edges; a bin holds ``low <= p < high``, the last one also 1.
    predicted, observed
        ``(bins,)`` mean probability and share of positives; NaN in empty bins.
    count
        ``(bins,)`` entries.
    """

    low: Float64
    high: Float64
    predicted: Float64
    observed: Float64
    count: Int64

    @property
    def error(self) -> float:
        """Expected calibration error: mean of ``|observed - predicted|`` over entries."""
        total = self.count.sum()
        if total == 0:
            return float("nan")
        gap = np.nan_to_num(np.abs(self.observed - self.predicted))
        return float((gap * self.count).sum() / total)


def reliability(prob: npt.ArrayLike, target: npt.ArrayLike, bins: int = 10) -> Reliability:
    """Return the reliability of all known entries, in bins of equal width (Guo et al. 2017).

    Raises
    ------
    UserError
        If a score lies outside [0, 1], or there is no bin.
    """
    if bins < 1:
        raise UserError(f"Reliability needs at least one bin, not {bins}.")
    s, t = checked(prob, target)
    known = ~np.isnan(s) & ~np.isnan(t)
    p, y = s[known].astype(np.float64), t[known].astype(np.float64)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise UserError("Reliability needs probabilities between 0 and 1.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(place, p, bins) / count
        observed = np.bincount(place, y, bins) / count
    return Reliability(edges[:-1], edges[1:], predicted, observed, count.astype(np.int64))


def expected_calibration_error(
    prob: npt.ArrayLike, target: npt.ArrayLike, bins: int = 10
) -> Float64:
    """Return the calibration error of each label, ``(n_labels,)``; NaN without known entries."""
    s, t = checked(prob, target)
    return np.array([reliability(s[:, i], t[:, i], bins).error for i in range(s.shape[1])])


def brier(prob: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return the mean squared error of the probabilities of each label (Brier 1950)."""
    s, t = checked(prob, target)
    known = ~np.isnan(s) & ~np.isnan(t)
    square = np.where(known, (s.astype(np.float64) - t) ** 2, 0.0)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(square.sum(axis=0) / np.where(count, count, np.nan))
