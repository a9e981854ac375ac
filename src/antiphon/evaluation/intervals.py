"""Intervals: grouped bootstrap of any statistic, paired differences, binomial shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import checked, macro_average
from antiphon.evaluation.ranking import weighted_average_precision, weighted_roc_auc
from antiphon.heads.binomial import clopper_pearson

__all__ = [
    "Interval",
    "Statistic",
    "average_precision_by_label",
    "bootstrap",
    "bootstrap_difference",
    "clopper_pearson",
    "mean_average_precision",
    "mean_roc_auc",
    "precision_at",
    "recall_at",
    "roc_auc_by_label",
    "wilson",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]
Method = Literal["percentile", "bca"]

Statistic = Callable[[Array, Array, Array], Float64]
"""``statistic(score, target, weight)`` for ``(n, n_labels)`` scores and labels and ``(b, n)`` row
weights gives ``(b,)`` or ``(b, k)`` values, NaN where a resample has none."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval; NaN ends where none can be given.

    Parameters
    ----------
    value, low, high
        The estimate on all rows, and the ends.
    level
        Two-sided level, such as 0.95.
    method
        ``percentile`` or ``bca``.
    n_groups
        Groups that were resampled.
    n_resamples
        Resamples in which the statistic had a value.
    note
        Why there is no interval, or what limits it; empty when all is plain.
    """

    value: float
    low: float
    high: float
    level: float
    method: str
    n_groups: int
    n_resamples: int
    note: str = ""


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


def bootstrap(
    statistic: Statistic,
    score: npt.ArrayLike,
    target: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
    method: Method = "percentile",
) -> list[Interval]:
    """Return the interval of a statistic by resampling groups.

    Parameters
    ----------
    statistic
        One of this module, or any function like them.
    score, target
        ``(n, n_labels)``, or ``(n,)`` for one label.
    groups
        ``(n,)`` recording, site or day of each row: what is independent.
    rng
        The only source of randomness: equal states, equal intervals.
    method
        ``percentile``, or ``bca`` (Efron 1987; acceleration from the jackknife over groups),
        which corrects bias and skew and costs one more evaluation for each group.

    Returns
    -------
    list of Interval
        One for each value that the statistic gives.

    Raises
    ------
    UserError
        If shapes do not fit or a parameter is out of range.
    """
    s, t = checked(score, target)
    group, n_groups = _groups(groups, len(s))
    return _resample(
        lambda weight: _columns(statistic(s, t, weight)),
        group,
        n_groups,
        rng=rng,
        n_resamples=n_resamples,
        level=level,
        method=method,
    )


def bootstrap_difference(
    statistic: Statistic,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    target: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
    method: Method = "percentile",
) -> list[Interval]:
    """Return the interval of ``statistic(a) - statistic(b)`` on the same resamples of groups.

    What the two systems have in common (easy and hard recordings) cancels, so this interval is
    narrower than a comparison of two intervals suggests. Parameters as for :func:`bootstrap`.
    """
    a, t = checked(score_a, target)
    b, _ = checked(score_b, target)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        raise UserError("The two sets of scores must cover the same rows and labels.")
    group, n_groups = _groups(groups, len(a))
    return _resample(
        lambda weight: _columns(statistic(a, t, weight)) - _columns(statistic(b, t, weight)),
        group,
        n_groups,
        rng=rng,
        n_resamples=n_resamples,
        level=level,
        method=method,
    )


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95) -> tuple[Float64, Float64]:
    """Return score intervals of ``k`` successes in ``n`` (Wilson 1927); (0, 1) where ``n`` is 0."""
    successes, trials = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = float(ndtri((1.0 + level) / 2.0))
    size = np.maximum(trials, 1.0)
    p = successes / size
    middle = (p + z * z / (2.0 * size)) / (1.0 + z * z / size)
    half = z * np.sqrt(p * (1.0 - p) / size + z * z / (4.0 * size**2)) / (1.0 + z * z / size)
    empty = trials == 0
    return (
        np.where(empty | (successes == 0), 0.0, middle - half),
        np.where(empty | (successes == trials), 1.0, middle + half),
    )


def group_weights(
    group: npt.NDArray[np.intp], n_groups: int, n_resamples: int, rng: np.random.Generator
) -> tuple[Float32, Float32]:
    """Return how often each group is drawn ``(b, n_groups)``, and the same for rows ``(b, n)``."""
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=n_resamples)
    by_group = drawn.astype(np.float32)
    return by_group, by_group[:, group]


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


def _groups(groups: npt.ArrayLike, n: int) -> tuple[npt.NDArray[np.intp], int]:
    given = np.asarray(groups)
    if given.shape != (n,):
        raise UserError(f"There must be one group for each of the {n} rows, got {given.shape}.")
    names, group = np.unique(given, return_inverse=True)
    return group, len(names)


def _columns(values: Float64) -> Float64:
    return values[:, None] if values.ndim == 1 else values


def _resample(
    evaluate: Callable[[Array], Float64],
    group: npt.NDArray[np.intp],
    n_groups: int,
    *,
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
    method: Method,
) -> list[Interval]:
    if not 0.0 < level < 1.0 or n_resamples < 1:
        raise UserError(
            f"The level ({level:g}) must lie between 0 and 1, and the resamples ({n_resamples}) "
            "be at least 1."
        )
    if method not in ("percentile", "bca"):
        raise UserError(f"Method {method!r} is not known. There are: percentile, bca.")
    ones = np.ones((1, len(group)), np.float32)
    value = evaluate(ones)[0]
    if n_groups < 2:
        note = f"no interval: {n_groups} group, and at least 2 are needed"
        nan = float("nan")
        return [Interval(float(v), nan, nan, level, method, n_groups, 0, note) for v in value]
    drawn = np.empty((n_resamples, len(value)))
    # Row weights of 128 resamples at a time: (b, n) for thousands of rows is the largest array.
    for begin in range(0, n_resamples, 128):
        part = slice(begin, min(begin + 128, n_resamples))
        _, weight = group_weights(group, n_groups, part.stop - begin, rng)
        drawn[part] = evaluate(weight)
    left_out = _jackknife(evaluate, group, n_groups) if method == "bca" else None
    found = []
    for i, estimate in enumerate(value):
        values = drawn[~np.isnan(drawn[:, i]), i]
        low = high = float("nan")
        note = ""
        if np.isnan(estimate) or len(values) < 2:
            note = "no interval: the statistic has no value here"
        else:
            tails = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
            if left_out is not None:
                tails = _bca_tails(tails, values, float(estimate), left_out[:, i])
            low, high = (float(end) for end in np.quantile(values, tails))
            if len(values) < 0.9 * n_resamples:
                note = (
                    f"{n_resamples - len(values)} of {n_resamples} resamples had no positives, "
                    "because they lie in few groups"
                )
        found.append(
            Interval(float(estimate), low, high, level, method, n_groups, len(values), note)
        )
    return found


def _jackknife(
    evaluate: Callable[[Array], Float64], group: npt.NDArray[np.intp], n_groups: int
) -> Float64:
    rows = []
    for begin in range(0, n_groups, 128):
        out = np.arange(begin, min(begin + 128, n_groups))
        rows.append(evaluate((group[None, :] != out[:, None]).astype(np.float32)))
    return np.concatenate(rows)


def _bca_tails(tails: Float64, values: Float64, estimate: float, left_out: Float64) -> Float64:
    """Efron (1987), equations 6.6 and 6.8, ties counted half in the bias."""
    below = (values < estimate).mean() + 0.5 * (values == estimate).mean()
    if not 0.0 < below < 1.0:
        return tails
    bias = float(ndtri(below))
    kept = left_out[~np.isnan(left_out)]
    apart = kept.mean() - kept if len(kept) else np.zeros(1)
    square = float((apart**2).sum())
    skew = float((apart**3).sum()) / (6.0 * square**1.5) if square > 0 else 0.0
    z = bias + ndtri(tails)
    return np.asarray(ndtr(bias + z / (1.0 - skew * z)))
