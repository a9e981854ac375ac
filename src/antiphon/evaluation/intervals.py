"""Intervals: grouped bootstrap of any statistic, paired differences, binomial shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import checked
from antiphon.evaluation.resampling import (
    Evaluate,
    Method,
    check_level,
    draw,
    ends,
    index_groups,
)
from antiphon.evaluation.statistics import (
    Statistic,
    average_precision_by_label,
    evaluator,
    from_rows,
    mean_average_precision,
    mean_roc_auc,
    precision_at,
    recall_at,
    roc_auc_by_label,
)
from antiphon.heads.binomial import clopper_pearson

__all__ = [
    "Interval",
    "Statistic",
    "average_precision_by_label",
    "bootstrap",
    "bootstrap_difference",
    "bootstrap_many",
    "clopper_pearson",
    "from_rows",
    "mean_average_precision",
    "mean_roc_auc",
    "precision_at",
    "recall_at",
    "roc_auc_by_label",
    "wilson",
]

Float64 = npt.NDArray[np.float64]


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
    group, n_groups = index_groups(groups, len(s))
    return _intervals(
        evaluator(statistic, s, t, group, n_groups),
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
    group, n_groups = index_groups(groups, len(a))
    first = evaluator(statistic, a, t, group, n_groups)
    second = evaluator(statistic, b, t, group, n_groups)
    return _intervals(
        lambda weight: first(weight) - second(weight),
        n_groups,
        rng=rng,
        n_resamples=n_resamples,
        level=level,
        method=method,
    )


def bootstrap_many(
    statistic: Statistic,
    scores: Sequence[npt.ArrayLike],
    target: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
    method: Method = "percentile",
) -> list[list[Interval]]:
    """Return :func:`bootstrap` for each of several systems, all on the same resamples.

    Parameters
    ----------
    scores
        One matrix for each system, each of the shape of ``target``.

    Returns
    -------
    list of list of Interval
        For each system, one interval for each value of the statistic.
    """
    evaluate, n_groups = many_at_once(statistic, scores, target, groups)
    found = _intervals(
        evaluate,
        n_groups,
        rng=rng,
        n_resamples=n_resamples,
        level=level,
        method=method,
    )
    each = len(found) // len(scores)
    return [found[i * each : (i + 1) * each] for i in range(len(scores))]


def many_at_once(
    statistic: Statistic,
    scores: Sequence[npt.ArrayLike],
    target: npt.ArrayLike,
    groups: npt.ArrayLike,
) -> tuple[Evaluate, int]:
    """Return a function of group weights that gives ``(b, systems * k)`` values, and the groups.

    Raises
    ------
    UserError
        If there is no system, or shapes do not fit.
    """
    if not len(scores):
        raise UserError("There must be the scores of at least one system.")
    pairs = [checked(score, target) for score in scores]
    group, n_groups = index_groups(groups, len(pairs[0][0]))
    each = [evaluator(statistic, s, t, group, n_groups) for s, t in pairs]
    return lambda weight: np.hstack([one(weight) for one in each]), n_groups


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


def _intervals(
    evaluate: Evaluate,
    n_groups: int,
    *,
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
    method: Method,
) -> list[Interval]:
    check_level(level)
    draws = draw(evaluate, n_groups, rng=rng, n_resamples=n_resamples, jackknife=method == "bca")
    found = []
    for i, value in enumerate(draws.value):
        low, high, count, note = ends(draws, i, level, method)
        found.append(Interval(float(value), low, high, level, method, n_groups, count, note))
    return found
