"""Comparing two systems on the same data sets and seeds: differences, intervals, tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.intervals import Interval
from antiphon.evaluation.resampling import tails

Float64 = npt.NDArray[np.float64]
Unit = Literal["group", "pair"]

ENOUGH_GROUPS = 6
"""Groups from which on groups are what is drawn and flipped: with fewer, no two-sided sign-flip
test over groups can fall below 0.05, and a bootstrap over them says little."""

# Sign patterns up to which all are tried.
_MOST_EXACT = 16


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of ``a - b`` over pairs, with its interval and tests.

    Parameters
    ----------
    value, low, high, level
        Mean over groups of the mean over the group's pairs, and its bootstrap interval; NaN ends
        where there is only one pair.
    p_permutation
        Two-sided, from flipping signs; see :func:`sign_flip_test`.
    p_wilcoxon
        Two-sided, of the signed-rank test on the same units (Wilcoxon 1945); exact up to 50 units
        without ties.
    unit
        ``group``: groups were drawn and flipped, so the result speaks about other groups like
        these. ``pair``: pairs were, inside their groups, so it speaks about these groups only.
    n_groups, n_pairs
        How many there are.
    note
        What limits the result; empty when all is plain.
    """

    value: float
    low: float
    high: float
    level: float
    p_permutation: float
    p_wilcoxon: float
    unit: Unit
    n_groups: int
    n_pairs: int
    note: str = ""


def paired_difference(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 10_000,
    level: float = 0.95,
    enough_groups: int = ENOUGH_GROUPS,
) -> PairedDifference:
    """Compare two systems measured on the same pairs of group and repeat.

    Every group has the same weight, however many pairs it has.

    Parameters
    ----------
    a, b
        ``(n,)`` scores of the two systems, pair by pair.
    groups
        ``(n,)`` what a pair belongs to, as the data set of a repeated run.
    rng
        The only source of randomness.
    enough_groups
        Groups from which on the unit is the group, else the pair.

    Raises
    ------
    UserError
        If shapes differ, there is no pair, a score is not finite, or a parameter is out of range.
    """
    difference = _differences(a, b)
    names, group = np.unique(_as_groups(groups, len(difference)), return_inverse=True)
    if not 0.0 < level < 1.0 or n_resamples < 1:
        raise UserError(
            f"The level ({level:g}) must lie between 0 and 1, and the resamples ({n_resamples}) "
            "be at least 1."
        )
    size = np.bincount(group)
    means = np.bincount(group, weights=difference) / size
    by_group = len(names) >= enough_groups
    if by_group:
        units, weight = means, np.full(len(means), 1.0 / len(means))
        drawn = means[rng.integers(len(means), size=(n_resamples, len(means)))].mean(axis=1)
    else:
        units, weight = difference, 1.0 / (size[group] * len(names))
        drawn = _within_groups(difference, group, len(names), n_resamples, rng)
    low = high = math.nan
    if len(units) > 1:
        even = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        low, high = np.quantile(drawn, tails(level, len(units)) if by_group else even)
    return PairedDifference(
        value=float(means.mean()),
        low=float(low),
        high=float(high),
        level=level,
        p_permutation=sign_flip_test(units, weight, rng=rng),
        p_wilcoxon=wilcoxon_test(units),
        unit="group" if by_group else "pair",
        n_groups=len(names),
        n_pairs=len(difference),
        note=_note(by_group, size, enough_groups),
    )


def sign_flip_test(
    differences: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    n_resamples: int = 20_000,
) -> float:
    """Return the two-sided p of "differences are symmetric about 0" for their weighted sum.

    Fisher's randomisation test (*The Design of Experiments*, 1935, section 21). All sign patterns
    are tried up to 16 differences; beyond that random ones, with the observed one among them
    (Phipson and Smyth 2010, *Stat. Appl. Genet. Mol. Biol.* 9: 39).

    Parameters
    ----------
    differences
        ``(n,)``.
    weight
        ``(n,)``; equal ones when None.
    """
    values = np.asarray(differences, np.float64)
    parts = values if weight is None else values * np.asarray(weight, np.float64)
    observed = abs(float(parts.sum()))
    # Sums in another order differ in their last digits.
    nearly = observed - 1e-12 * float(np.abs(parts).sum())
    if len(parts) <= _MOST_EXACT:
        # The opposite pattern has the opposite sum, so half of the patterns are enough.
        signs = np.array(list(product((1.0, -1.0), repeat=max(0, len(parts) - 1))))
        sums = parts[0] + signs @ parts[1:] if len(parts) > 1 else parts[:1]
        return float((np.abs(sums) >= nearly).mean())
    reached = 0
    for begin in range(0, n_resamples, 10_000):
        count = min(10_000, n_resamples - begin)
        flips = rng.integers(0, 2, size=(count, len(parts)), dtype=np.int8) * 2.0 - 1.0
        reached += int((np.abs(flips @ parts) >= nearly).sum())
    return (reached + 1) / (n_resamples + 1)


def wilcoxon_test(differences: npt.ArrayLike) -> float:
    """Return the two-sided p of the signed-rank test; 1 if all differences are 0."""
    import warnings

    from scipy import stats

    values = np.asarray(differences, np.float64)
    if not values.any():
        return 1.0
    with warnings.catch_warnings():
        # SciPy warns that small samples with ties or zeros take the normal approximation.
        warnings.simplefilter("ignore")
        return float(stats.wilcoxon(values).pvalue)


def holm(p_values: npt.ArrayLike) -> Float64:
    """Return p values corrected for being several (Holm 1979, *Scand. J. Stat.* 6: 65-70).

    Each is multiplied by the number of tests not yet passed when going up from the smallest; none
    is smaller than the one before, nor above 1. NaN values stay and do not count as tests.

    Parameters
    ----------
    p_values
        ``(n,)``, one family of tests.
    """
    p = np.asarray(p_values, np.float64)
    corrected = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Return a mean with Student's interval, for a handful of independent repeats.

    Parameters
    ----------
    values
        ``(n,)`` finite values; a single one has no interval.

    Raises
    ------
    UserError
        If there is no value.
    """
    from scipy.special import stdtrit

    x = np.asarray(values, np.float64)
    if len(x) == 0:
        raise UserError("There are no values to average.")
    mean = float(x.mean())
    if len(x) == 1:
        return Interval(mean, math.nan, math.nan, level, "t", 1, 0, "no interval: one repeat")
    half = float(stdtrit(len(x) - 1, (1.0 + level) / 2.0) * x.std(ddof=1) / math.sqrt(len(x)))
    return Interval(mean, mean - half, mean + half, level, "t", len(x), 0)


def _differences(a: npt.ArrayLike, b: npt.ArrayLike) -> Float64:
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise UserError(
            f"Paired scores must be two equal rows of numbers, got {first.shape} and "
            f"{second.shape}."
        )
    difference: Float64 = first - second
    if not np.isfinite(difference).all():
        raise UserError("A paired score is not a finite number.")
    return difference


def _as_groups(groups: npt.ArrayLike, n: int) -> npt.NDArray[np.generic]:
    given = np.asarray(groups)
    if given.shape != (n,):
        raise UserError(f"There must be one group for each of the {n} pairs, got {given.shape}.")
    return given


def _within_groups(
    difference: Float64,
    group: npt.NDArray[np.intp],
    n_groups: int,
    n_resamples: int,
    rng: np.random.Generator,
) -> Float64:
    """Return resampled means, pairs drawn inside their groups, ``(n_resamples,)``."""
    total = np.zeros(n_resamples)
    for g in range(n_groups):
        here = difference[group == g]
        total += here[rng.integers(len(here), size=(n_resamples, len(here)))].mean(axis=1)
    return total / n_groups


def _note(by_group: bool, size: npt.NDArray[np.intp], enough: int) -> str:
    if by_group:
        return ""
    if len(size) == 1 and size[0] == 1:
        return "a single pair: no interval"
    said = f"fewer than {enough} groups: it speaks about these groups only"
    if (size == 1).any():
        said += "; groups with one pair do not vary"
    return said
