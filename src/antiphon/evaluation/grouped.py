"""Statistics as functions of how often each group counts; ranking statistics without rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.metrics.scores import macro_average
from antiphon.evaluation.resampling import Evaluate, Groups

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]
RowStatistic = Callable[[Array, Array, Array], Float64]

# A product of matrices does about this many multiplications while running sums pass one row.
_PER_ROW = 64
# Positives times groups that are held at a time.
_MOST = 20_000_000


def of_groups(
    statistic: RowStatistic, score: Array, target: Array, group: Groups, n_groups: int
) -> Evaluate:
    """Return a statistic of rows as a function of ``(b, n_groups)`` weights, giving ``(b, k)``.

    Parameters
    ----------
    statistic
        ``statistic(score, target, weight)`` for ``(b, n)`` row weights.
    score, target
        ``(n, n_labels)``.
    group
        ``(n,)`` group of each row, from 0.
    """

    def evaluate(weight: Array) -> Float64:
        found = statistic(score, target, weight[:, group])
        return found[:, None] if found.ndim == 1 else found

    return evaluate


def roc_auc_of_groups(
    score: Array, target: Array, group: Groups, n_groups: int, *, mean: bool
) -> Evaluate | None:
    """Return the area under the ROC curve as a function of group weights, or None.

    Parameters
    ----------
    score, target, group
        As for :func:`of_groups`; NaN in either is unknown.
    mean
        Whether to average over the labels that have a value.

    Returns
    -------
    callable or None
        None where groups are so many that a pass over rows is quicker.

    Notes
    -----
    With ``W[g, h]`` the pairs of a positive in group g and a negative in group h that are in the
    right order (ties half), the area for weights w is ``w W w / ((w p) (w q))``, p and q being the
    positives and negatives of each group; as Obuchowski (1997), *Biometrics* 53: 567-578, counts
    pairs by cluster.
    """
    positive, negative = target == 1.0, target == 0.0
    known = ~np.isnan(score)
    most = int((positive & known).sum(axis=0).max(initial=0))
    if n_groups**2 > _PER_ROW * len(score) or most * n_groups > _MOST:
        return None
    parts = []
    for c in range(score.shape[1]):
        plus, minus = positive[:, c] & known[:, c], negative[:, c] & known[:, c]
        parts.append(_wins(score[:, c], plus, minus, group, n_groups))

    def evaluate(weight: Array) -> Float64:
        w = weight.astype(np.float64)
        out = np.empty((len(w), len(parts)))
        for c, (wins, plus, minus) in enumerate(parts):
            pairs = (w @ plus) * (w @ minus)
            right = np.einsum("bg,bg->b", w @ wins, w)
            out[:, c] = np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1.0), np.nan)
        return macro_average(out)[:, None] if mean else out

    return evaluate


def average_precision_of_groups(
    score: Array, target: Array, group: Groups, n_groups: int, *, mean: bool
) -> Evaluate | None:
    """Return average precision as a function of group weights, or None as for the ROC curve.

    Parameters as for :func:`roc_auc_of_groups`.

    Notes
    -----
    Average precision is the mean over positives of the precision at their score, so that running
    sums are needed at positives only: each is a product of group weights with counts of rows, and
    of positives, that score at least as high.
    """
    known = ~np.isnan(score) & ~np.isnan(target)
    positive = known & (target == 1.0)
    most = int(positive.sum(axis=0).max(initial=0))
    if most * n_groups > min(_PER_ROW * len(score), _MOST):
        return None
    parts = []
    for c in range(score.shape[1]):
        rows = np.flatnonzero(positive[:, c])
        rows = rows[np.argsort(-score[rows, c], kind="stable")]
        every = np.flatnonzero(known[:, c])
        above = [
            _above(-score[rows, c], -score[of, c], group[of], n_groups) for of in (every, rows)
        ]
        parts.append((group[rows], *above))

    def evaluate(weight: Array) -> Float64:
        w = weight.astype(np.float64)
        out = np.full((len(w), len(parts)), np.nan)
        for c, (at, every, right) in enumerate(parts):
            here = w[:, at]
            total = here.sum(axis=1)
            # A positive that counts is at least as high as itself, so no divisor is 0 there.
            below = np.where(here > 0, w @ every, 1.0)
            found = np.einsum("bp,bp->b", here, (w @ right) / below)
            np.divide(found, total, out=out[:, c], where=total > 0)
        return macro_average(out)[:, None] if mean else out

    return evaluate


def _above(limits: Array, values: Array, group: Groups, n_groups: int) -> Float64:
    """Return how many values of each group are at most each of the sorted limits, ``(G, m)``."""
    place = np.searchsorted(limits, values, side="left")
    size = (len(limits) + 1) * n_groups
    counts = np.bincount(place * n_groups + group, minlength=size).reshape(-1, n_groups)
    return np.ascontiguousarray(np.cumsum(counts, axis=0)[:-1].T, np.float64)


def _wins(
    score: Array,
    positive: npt.NDArray[np.bool_],
    negative: npt.NDArray[np.bool_],
    group: Groups,
    n_groups: int,
) -> tuple[Float64, Float64, Float64]:
    """Return pairs in the right order by group, and the positives and negatives of each."""
    plus = np.bincount(group[positive], minlength=n_groups).astype(np.float64)
    minus = np.bincount(group[negative], minlength=n_groups).astype(np.float64)
    wins = np.zeros((n_groups, n_groups))
    rows = np.flatnonzero(positive)
    if not len(rows) or not negative.any():
        return wins, plus, minus
    rows = rows[np.argsort(score[rows], kind="stable")]
    ordered, below = score[rows], score[negative]
    # A negative counts for all positives from the first that is above it: half where they are
    # equal, the other half from the first that is truly above.
    count = len(rows) + 1
    of = group[negative]
    total = np.zeros((count, n_groups))
    sides: tuple[Literal["left", "right"], ...] = ("left", "right")
    for side in sides:
        place = np.searchsorted(ordered, below, side=side)
        total += 0.5 * np.bincount(place * n_groups + of, minlength=count * n_groups).reshape(
            count, n_groups
        )
    beaten = np.cumsum(total, axis=0)[:-1]
    order = np.argsort(group[rows], kind="stable")
    names, first = np.unique(group[rows][order], return_index=True)
    wins[names] = np.add.reduceat(beaten[order], first, axis=0)
    return wins, plus, minus
