"""Average precision and ROC area, exact with ties, for many row weights at once.

A bootstrap resample of groups is a weight for each row. Scores are sorted once for each label;
every resample then costs a few running sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Array = npt.NDArray[np.floating]

# Rows times resamples that are held at a time.
_BLOCK = 4_000_000


class Ranking:
    """One label's known rows, sorted by score, with the places where ties end.

    Parameters
    ----------
    score
        ``(n,)``; NaN counts as unknown.
    target
        ``(n,)``: 1, 0, NaN unknown.
    """

    def __init__(self, score: Array, target: Array) -> None:
        rows = np.flatnonzero(~np.isnan(target) & ~np.isnan(score))
        order = np.argsort(-score[rows], kind="stable")
        self.rows = rows[order]
        self.score = score[self.rows]
        self.positive: Bool = target[self.rows] == 1.0
        different = self.score[1:] != self.score[:-1]
        self.starts = np.concatenate([[0], np.flatnonzero(different) + 1])[: len(rows)]

    def counts(self, weight: Array) -> tuple[Float64, Float64]:
        """Return the weight of positives and of negatives in each tie, ``(b, ties)`` each.

        Parameters
        ----------
        weight
            ``(b, n)`` weights of all rows.
        """
        if len(self.rows) == 0:
            empty = np.zeros((len(weight), 0))
            return empty, empty
        mine = weight[:, self.rows].astype(np.float64)
        total = np.add.reduceat(mine, self.starts, axis=1)
        mine *= self.positive
        positive = np.add.reduceat(mine, self.starts, axis=1)
        return positive, total - positive

    def blocks(self, weight: Array) -> Iterator[tuple[slice, Float64, Float64]]:
        """Yield :meth:`counts` by blocks of weights, so that memory stays bounded."""
        size = max(1, _BLOCK // max(1, len(self.rows)))
        for begin in range(0, len(weight), size):
            part = slice(begin, begin + size)
            positive, negative = self.counts(weight[part])
            yield part, positive, negative


def weighted_average_precision(score: Array, target: Array, weight: Array) -> Float64:
    """Return average precision for each label and each set of row weights.

    Parameters
    ----------
    score, target
        ``(n, n_labels)``; rows with NaN in either are left out of that label.
    weight
        ``(b, n)``, at least 0.

    Returns
    -------
    ndarray
        ``(b, n_labels)`` float64; NaN without positives.

    Notes
    -----
    ``sum_k (R_k - R_k-1) P_k`` over distinct scores, as ``sklearn.metrics`` defines it: no
    interpolation, and rows of one score enter together.
    """
    return _each(score, target, weight, _average_precision)


def weighted_roc_auc(score: Array, target: Array, weight: Array) -> Float64:
    """Return the area under the ROC curve, ties counted half; shapes as for average precision.

    NaN without positives or without negatives.
    """
    return _each(score, target, weight, _roc_auc)


def _each(
    score: Array,
    target: Array,
    weight: Array,
    of_counts: Callable[[Float64, Float64], Float64],
) -> Float64:
    out = np.empty((len(weight), score.shape[1]))
    for label in range(score.shape[1]):
        ranking = Ranking(score[:, label], target[:, label])
        for part, positive, negative in ranking.blocks(weight):
            out[part, label] = of_counts(positive, negative)
    return out


def _average_precision(positive: Float64, negative: Float64) -> Float64:
    right = np.cumsum(positive, axis=1)
    all_ = np.cumsum(negative, axis=1)
    all_ += right
    total = positive.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(all_ > 0, right / all_, 0.0)
        value: Float64 = np.einsum("bt,bt->b", positive, precision) / total
    value[total <= 0] = np.nan
    return value


def _roc_auc(positive: Float64, negative: Float64) -> Float64:
    above = np.cumsum(positive, axis=1) - 0.5 * positive
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value: Float64 = np.einsum("bt,bt->b", negative, above) / pairs
    value[pairs <= 0] = np.nan
    return value
