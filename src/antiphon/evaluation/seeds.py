"""Several seeds: summaries that say whether seeds, recordings or both make the interval.

A system trained with ``S`` seeds and tested on ``G`` groups of recordings has two sources of
variance: other seeds would give other models, and other recordings other scores. An interval over
seeds alone speaks about these recordings only; one over recordings alone about these models only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.intervals import many_at_once
from antiphon.evaluation.paired import mean_interval
from antiphon.evaluation.resampling import check_level, draw
from antiphon.evaluation.seed_summary import SeedSummary
from antiphon.evaluation.statistics import Statistic, mean_roc_auc

Float64 = npt.NDArray[np.float64]
Method = Literal["components", "bootstrap"]


def summarise_values(values: npt.ArrayLike, level: float = 0.95) -> SeedSummary:
    """Return the mean of one number for each seed, with Student's interval over seeds.

    Parameters
    ----------
    values
        ``(S,)`` finite numbers.

    Raises
    ------
    UserError
        If there is no number, one is not finite, or the level is out of range.
    """
    check_level(level)
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise UserError(f"Values of seeds must be a row of finite numbers, got {x.tolist()}.")
    found = mean_interval(x, level)
    nan = math.nan
    spread = float(x.std(ddof=1)) if len(x) > 1 else nan
    error = spread / math.sqrt(len(x))
    return SeedSummary(
        value=found.value,
        low=found.low,
        high=found.high,
        level=level,
        about="seeds",
        method="t",
        n_seeds=len(x),
        n_groups=0,
        seed_sd=spread,
        error_seeds=error,
        error_recordings=nan,
        error=error,
        note=found.note,
    )


def summarise_runs(
    scores: Sequence[npt.ArrayLike],
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: Statistic = mean_roc_auc,
    n_resamples: int = 1000,
    level: float = 0.95,
    method: Method = "components",
) -> SeedSummary:
    """Summarise one system over its seeds, all tested on the same items.

    Parameters
    ----------
    scores
        For each seed ``(n, n_labels)`` or ``(n,)``.
    truth
        Labels, of the same shape as one of them.
    groups
        ``(n,)`` recording, site or day of each row.
    rng
        The only source of randomness.
    statistic
        One that gives one value.
    n_resamples
        Resamples of groups.
    level
        Two-sided.
    method
        ``components``: Student's interval from the two variances, right also for a handful of
        seeds. ``bootstrap``: seeds and groups drawn together, ends by percentile; too narrow below
        about ten seeds.

    Raises
    ------
    UserError
        If shapes do not fit, the statistic gives several values or none, or a parameter is out of
        range.

    Notes
    -----
    Seeds are crossed with groups. With ``V_b`` the variance over resamples of groups of the mean
    over seeds and ``W_b`` the mean variance of single seeds, ``(W_b - V_b) / (S - 1)`` is what seed
    and recording have in common; it is in ``V_b`` and in the variance between seeds, and is
    subtracted once. Degrees of freedom after Satterthwaite (1946), *Biometrics Bulletin* 2: 110.
    The bootstrap of both is that of Owen (2007), *Ann. Appl. Stat.* 1: 386.
    """
    value, drawn, n_groups = _values(scores, truth, groups, rng, statistic, n_resamples)
    return _summary(value, drawn, n_groups, rng, level, method, ((1.0, np.arange(len(value))),))


def compare_runs(
    scores_a: Sequence[npt.ArrayLike],
    scores_b: Sequence[npt.ArrayLike],
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    paired: bool = False,
    statistic: Statistic = mean_roc_auc,
    n_resamples: int = 1000,
    level: float = 0.95,
    method: Method = "components",
) -> SeedSummary:
    """Summarise ``A - B`` where both systems were trained with several seeds.

    Parameters
    ----------
    scores_a, scores_b
        For each seed a matrix; all on the same items.
    paired
        Whether seed ``i`` of A and of B belong together (same folds, same start), so that their
        difference is what varies; otherwise seeds of A and of B are independent.
    truth, groups, rng, statistic, n_resamples, level, method
        As for :func:`summarise_runs`.
    """
    n_a, n_b = len(scores_a), len(scores_b)
    if paired and n_a != n_b:
        raise UserError(f"Paired seeds must be equally many, got {n_a} and {n_b}.")
    both = [*scores_a, *scores_b]
    value, drawn, n_groups = _values(both, truth, groups, rng, statistic, n_resamples)
    if paired:
        value, drawn = value[:n_a] - value[n_a:], drawn[:, :n_a] - drawn[:, n_a:]
        parts: Parts = ((1.0, np.arange(n_a)),)
    else:
        parts = ((1.0, np.arange(n_a)), (-1.0, np.arange(n_a, n_a + n_b)))
    return _summary(value, drawn, n_groups, rng, level, method, parts)


Parts = tuple[tuple[float, npt.NDArray[np.intp]], ...]


def _values(
    scores: Sequence[npt.ArrayLike],
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    rng: np.random.Generator,
    statistic: Statistic,
    n_resamples: int,
) -> tuple[Float64, Float64, int]:
    """Return ``(S,)`` values, ``(b, S)`` on the same resamples for all seeds, and the groups."""
    evaluate, n_groups = many_at_once(statistic, scores, truth, groups)
    draws = draw(evaluate, n_groups, rng=rng, n_resamples=n_resamples, jackknife=False)
    if len(draws.value) != len(scores):
        raise UserError("Seeds are summarised for a statistic that gives one value.")
    if np.isnan(draws.value).any():
        raise UserError("The statistic has no value here, for want of positives or negatives.")
    # A resample without positives has no value for any seed.
    return draws.value, draws.drawn[~np.isnan(draws.drawn).any(axis=1)], n_groups


def _summary(
    value: Float64,
    drawn: Float64,
    n_groups: int,
    rng: np.random.Generator,
    level: float,
    method: Method,
    parts: Parts,
) -> SeedSummary:
    check_level(level)
    if method not in ("components", "bootstrap"):
        raise UserError(f"Method {method!r} is not known. There are: components, bootstrap.")
    mean = sum(sign * float(value[at].mean()) for sign, at in parts)
    fewest = min(len(at) for _, at in parts)
    grouped = n_groups > 1 and len(drawn) > 1
    nan = math.nan
    note = "" if grouped else "too few groups to say what other recordings would give"
    if fewest == 1:
        note = "; ".join(filter(None, (note, "one seed: it says nothing of other seeds")))
    scale = n_groups / (n_groups - 1) if grouped else nan
    total = sum((sign * drawn[:, at].mean(axis=1) for sign, at in parts), np.zeros(len(drawn)))
    of_groups = float(total.var(ddof=1)) * scale if grouped else nan
    of_seeds = spread = 0.0
    terms = []
    for _, at in parts:
        s = len(at)
        if fewest == 1:
            break
        between = float(value[at].var(ddof=1))
        spread += between
        shared = 0.0
        if grouped:
            single = float(drawn[:, at].var(axis=0, ddof=1).mean()) * scale
            together = float(drawn[:, at].mean(axis=1).var(ddof=1)) * scale
            shared = min(max(0.0, (single - together) / (s - 1)), between / s)
        of_seeds += between / s
        terms.append((between / s - shared, s - 1))
    if fewest == 1:
        of_seeds = spread = nan
    about: Literal["seeds", "recordings", "both"] = (
        "seeds" if not grouped else "recordings" if fewest == 1 else "both"
    )
    if grouped:
        terms.append((of_groups, n_groups - 1))
    variance = sum(part for part, _ in terms)
    low = high = error = nan
    if grouped or fewest > 1:
        error = math.sqrt(variance)
        if method == "bootstrap" and grouped:
            low, high = _both_drawn(drawn, parts, rng, level)
        else:
            low, high = _student(mean, terms, level)
    return SeedSummary(
        value=mean,
        low=low,
        high=high,
        level=level,
        about=about,
        method=method if grouped else "t",
        n_seeds=fewest,
        n_groups=n_groups,
        seed_sd=math.sqrt(spread),
        error_seeds=math.sqrt(of_seeds),
        error_recordings=math.sqrt(of_groups),
        error=error,
        note=note,
    )


def _student(mean: float, terms: Sequence[tuple[float, int]], level: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    variance = sum(part for part, _ in terms)
    if variance == 0:
        return mean, mean
    freedom = variance**2 / sum(part**2 / df for part, df in terms)
    half = float(stdtrit(freedom, (1.0 + level) / 2.0)) * math.sqrt(variance)
    return mean - half, mean + half


def _both_drawn(
    drawn: Float64, parts: Parts, rng: np.random.Generator, level: float
) -> tuple[float, float]:
    total = np.zeros(len(drawn))
    for sign, at in parts:
        chosen = rng.integers(len(at), size=(len(drawn), len(at)))
        total += sign * np.take_along_axis(drawn[:, at], chosen, axis=1).mean(axis=1)
    low, high = np.quantile(total, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
