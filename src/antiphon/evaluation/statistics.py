"""Statistics of scores, labels and row weights, and the quickest way to resample each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.grouped import average_precision_of_groups, of_groups, roc_auc_of_groups
from antiphon.evaluation.metrics.scores import macro_average
from antiphon.evaluation.ranking import weighted_average_precision, weighted_roc_auc
from antiphon.evaluation.resampling import Evaluate, Groups

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]

Statistic = Callable[[Array, Array, Array], Float64]
"""``statistic(score, target, weight)`` for ``(n, n_labels)`` scores and labels and ``(b, n)`` row
weights gives ``(b,)`` or ``(b, k)`` values, NaN where a resample has none."""


def average_precision_by_label(score: Array, target: Array, weight: Array) -> Float64:
    """Average precision of each label, ``(b, n_labels)``."""
    return weighted_average_precision(score, target, weight)


def roc_auc_by_label(score: Array, target: Array, weight: Array) -> Float64:
    """ROC area of each label, ``(b, n_labels)``."""
    return weighted_roc_auc(score, target, weight)


def mean_average_precision(score: Array, target: Array, weight: Array) -> Float64:
    """Mean over labels with positives in the resample, ``(b,)``."""
    return macro_average(weighted_average_precision(score, target, weight))


def mean_roc_auc(score: Array, target: Array, weight: Array) -> Float64:
    """Mean over labels with positives and negatives in the resample, ``(b,)``."""
    return macro_average(weighted_roc_auc(score, target, weight))


def precision_at(threshold: npt.ArrayLike) -> Statistic:
    """Return the statistic "precision of each label at a threshold"; see :func:`recall_at`."""
    return _share(threshold, lambda over, positive: over)


def recall_at(threshold: npt.ArrayLike) -> Statistic:
    """Return the statistic "recall of each label at a threshold", giving ``(b, n_labels)``.

    Parameters
    ----------
    threshold
        A number, ``(n_labels,)``, or ``(n, n_labels)``.
    """
    return _share(threshold, lambda over, positive: positive)


def from_rows(function: Callable[[Array, Array], npt.ArrayLike]) -> Statistic:
    """Return a statistic for a function that knows no weights, such as one of scikit-learn.

    Parameters
    ----------
    function
        ``function(score, target)`` for ``(m, n_labels)`` each, giving a number or ``(k,)``
        numbers. It is called once for each resample, with rows repeated as often as they were
        drawn: slower than a statistic that takes weights.
    """

    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        values = []
        for row in weight:
            times = row.astype(np.int64)
            if not np.array_equal(times, row):
                raise UserError("A statistic of repeated rows needs weights that are counts.")
            rows = np.repeat(np.arange(len(score)), times)
            value = np.asarray(function(score[rows], target[rows]), np.float64)
            values.append(np.atleast_1d(value))
        return np.stack(values)

    return statistic


def evaluator(
    statistic: Statistic, score: Array, target: Array, group: Groups, n_groups: int
) -> Evaluate:
    """Return a statistic as a function of group weights, by the quickest way."""
    quick = None
    if statistic in (roc_auc_by_label, mean_roc_auc):
        mean = statistic is mean_roc_auc
        quick = roc_auc_of_groups(score, target, group, n_groups, mean=mean)
    elif statistic in (average_precision_by_label, mean_average_precision):
        mean = statistic is mean_average_precision
        quick = average_precision_of_groups(score, target, group, n_groups, mean=mean)
    return quick or of_groups(statistic, score, target, group, n_groups)


def _share(
    threshold: npt.ArrayLike,
    of: Callable[[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], npt.NDArray[np.bool_]],
) -> Statistic:
    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        known = ~np.isnan(score) & ~np.isnan(target)
        over = known & (score >= np.asarray(threshold, dtype=score.dtype))
        positive = known & (target == 1.0)
        right = weight.astype(np.float64) @ (over & positive)
        whole = weight.astype(np.float64) @ of(over, positive)
        with np.errstate(divide="ignore", invalid="ignore"):
            share: Float64 = np.where(whole > 0, right / whole, np.nan)
        return share

    return statistic
