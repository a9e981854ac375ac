"""How far annotators agree: Cohen's kappa, Krippendorff's alpha, agreement on presences.

Ratings are ``(n_units, n_raters)`` or ``(n_units, n_raters, n_labels)``, NaN where a rater did not
rate; a unit is what several people saw, such as a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.resampling import draw, ends, index_groups

Float64 = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Pair:
    """Two raters on one label.

    Parameters
    ----------
    first, second
        Positions of the raters.
    units
        Units that both rated.
    kappa
        Cohen's kappa, NaN where it is not defined.
    observed
        Share of units on which they say the same.
    low, high
        Ends of a 95 % percentile interval of kappa over groups; NaN where there is none.
    note
        Why there is no interval, or what limits it; empty when all is plain.
    """

    first: int
    second: int
    units: int
    kappa: float
    observed: float
    low: float = float("nan")
    high: float = float("nan")
    note: str = ""


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Agreement of all raters on one label.

    Parameters
    ----------
    label
        Its name.
    units, groups
        Units that at least two people rated, and the groups they come from.
    present
        Share of "present" among the ratings of those units.
    alpha, low, high
        Krippendorff's alpha, with the ends of a 95 % percentile interval over groups; NaN where
        it is not defined.
    positive
        Agreement on presences: the share of "present" that another rater of the same unit repeats
        (Cicchetti and Feinstein 1990); for two raters, 2a / (2a + b + c).
    pairs
        Every two raters who share a unit.
    note
        Why there is no interval, or what limits it; empty when all is plain.
    """

    label: str
    units: int
    groups: int
    present: float
    alpha: float
    low: float
    high: float
    positive: float
    pairs: tuple[Pair, ...]
    note: str = ""


def cohen_kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    weights: Literal["linear", "quadratic"] | None = None,
) -> float:
    """Return Cohen's kappa of two raters.

    Parameters
    ----------
    first, second
        ``(n,)`` ratings of the same units, NaN where there is none; such units are left out.
    weights
        How far apart two ratings are: all the same when None, or by the (squared) distance of
        their ranks among the values that occur (Cohen 1968).

    Returns
    -------
    float
        1 for full agreement, 0 for what chance gives with these raters' own rates; NaN if no unit
        is shared, or if both always say one and the same (chance alone agrees fully then).

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20, 37-46.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise UserError(f"Two raters need one rating each of every unit, got {a.shape}, {b.shape}.")
    both = ~(np.isnan(a) | np.isnan(b))
    if not both.any():
        return float("nan")
    values, codes = np.unique(np.concatenate([a[both], b[both]]), return_inverse=True)
    n, k = int(both.sum()), len(values)
    table = np.zeros((k, k))
    np.add.at(table, (codes[:n], codes[n:]), 1.0)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(np.float64)
    cost = np.where(apart > 0, 1.0, 0.0) if weights is None else apart
    if weights == "quadratic":
        cost = cost**2
    chance = float((cost * expected).sum())
    return float("nan") if chance == 0.0 else 1.0 - float((cost * table).sum()) / chance


def krippendorff_alpha(ratings: npt.ArrayLike, level: Level = "nominal") -> float:
    """Return Krippendorff's alpha of any number of raters, with gaps.

    Parameters
    ----------
    ratings
        ``(n_units, n_raters)``, NaN where a rater did not rate. Units with fewer than two ratings
        say nothing of agreement and are left out.
    level
        What differences mean: ``nominal`` (equal or not), ``ordinal``, ``interval``, ``ratio``.

    Returns
    -------
    float
        1 for full agreement, 0 for what chance gives, negative below; NaN if no unit has two
        ratings, or if all ratings are the same.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    x = np.asarray(ratings, np.float64)
    if x.ndim != 2:
        raise UserError(f"Ratings must be (n_units, n_raters), got {x.shape}.")
    values, counts = _counts(x)
    if len(values) < 2:
        return float("nan")
    return float(_alpha(*_coincidences(counts[None]), _distance(values, level))[0])


def agreement(
    ratings: npt.ArrayLike,
    labels: Sequence[str],
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> list[LabelAgreement]:
    """Return how far raters agree on each label.

    Parameters
    ----------
    ratings
        ``(n_units, n_raters, n_labels)``: 1 present, 0 absent, NaN not rated (or unsure).
    labels
        Names of the labels.
    groups
        ``(n_units,)`` recording or site of each unit; the interval resamples these.

    Raises
    ------
    UserError
        If shapes do not fit or a rating is not 0, 1 or NaN.
    """
    x = np.asarray(ratings, np.float64)
    if x.ndim != 3 or x.shape[2] != len(labels):
        raise UserError(
            f"Ratings must be (n_units, n_raters, {len(labels)}) for {len(labels)} labels, "
            f"got {x.shape}."
        )
    if not np.isin(x[~np.isnan(x)], (0.0, 1.0)).all():
        raise UserError("Ratings must be 0, 1 or NaN.")
    group, _ = index_groups(groups, len(x))
    found = []
    for j, label in enumerate(labels):
        rated = x[:, :, j]
        kept = (~np.isnan(rated)).sum(axis=1) >= 2
        found.append(_of_label(label, rated[kept], group[kept], rng, n_resamples))
    return found


def _of_label(
    label: str,
    rated: Float64,
    group: npt.NDArray[np.intp],
    rng: np.random.Generator,
    n_resamples: int,
) -> LabelAgreement:
    names, index = np.unique(group, return_inverse=True)
    ones, ratings = np.nansum(rated, axis=1), (~np.isnan(rated)).sum(axis=1)
    counts = np.stack([ratings - ones, ones], axis=1)
    alpha = low = high = float("nan")
    note = "nobody shares a unit"
    if len(rated):
        # What a unit adds to the coincidences does not depend on the others, so sums over groups
        # are all that a resample needs.
        per_unit = _per_unit(counts)
        summed = np.zeros((len(names), 4))
        np.add.at(summed, index, per_unit.reshape(-1, 4))
        distance = 1.0 - np.eye(2)

        def evaluate(weights: npt.NDArray[np.floating]) -> Float64:
            together = (weights @ summed).reshape(-1, 2, 2)
            return _alpha(together, together.sum(axis=2), distance)[:, None]

        draws = draw(evaluate, len(names), rng=rng, n_resamples=n_resamples, jackknife=False)
        alpha = float(draws.value[0])
        low, high, _, note = ends(draws, 0, _LEVEL, "percentile")
    pairs = [
        _pair(a, b, rated[:, a], rated[:, b], group, rng, n_resamples)
        for a, b in combinations(range(rated.shape[1]), 2)
        if not np.isnan(rated[:, [a, b]]).any(axis=1).all()
    ]
    with_present = ones > 0
    repeated = (ones * (ones - 1) / np.maximum(ratings - 1, 1))[with_present].sum()
    return LabelAgreement(
        label=label,
        units=len(rated),
        groups=len(names),
        present=float(ones.sum() / ratings.sum()) if len(rated) else float("nan"),
        alpha=alpha,
        low=low,
        high=high,
        positive=float(repeated / ones.sum()) if ones.sum() else float("nan"),
        pairs=tuple(pairs),
        note=note,
    )


def _pair(
    first: int,
    second: int,
    one: Float64,
    other: Float64,
    group: npt.NDArray[np.intp],
    rng: np.random.Generator,
    n_resamples: int,
) -> Pair:
    """Compare two raters who share a unit."""
    both = ~(np.isnan(one) | np.isnan(other))
    one, other = one[both], other[both]
    names, index = np.unique(group[both], return_inverse=True)
    # Kappa depends on the units only through the table of the two ratings.
    summed = np.zeros((len(names), 4))
    np.add.at(summed, (index, (2 * one + other).astype(np.intp)), 1.0)

    def evaluate(weights: npt.NDArray[np.floating]) -> Float64:
        table = (weights @ summed).reshape(-1, 2, 2)
        n = table.sum(axis=(1, 2))
        apart = table[:, 0, 1] + table[:, 1, 0]
        rows, columns = table.sum(axis=2), table.sum(axis=1)
        chance = (rows[:, 0] * columns[:, 1] + rows[:, 1] * columns[:, 0]) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(chance > 0, 1.0 - apart / chance, np.nan)[:, None]

    draws = draw(evaluate, len(names), rng=rng, n_resamples=n_resamples, jackknife=False)
    low, high, _, note = ends(draws, 0, _LEVEL, "percentile")
    return Pair(
        first,
        second,
        len(one),
        float(draws.value[0]),
        float((one == other).mean()),
        low,
        high,
        note,
    )


def _counts(ratings: Float64) -> tuple[Float64, Float64]:
    """Return the values that occur and how often each unit got them, ``(n_units, n_values)``."""
    rated = ~np.isnan(ratings)
    ratings = ratings[rated.sum(axis=1) >= 2]
    rated = ~np.isnan(ratings)
    values, codes = np.unique(ratings[rated], return_inverse=True)
    counts = np.zeros((len(ratings), len(values)))
    np.add.at(counts, (np.nonzero(rated)[0], codes), 1.0)
    return values, counts


def _per_unit(counts: Float64) -> Float64:
    """Return each unit's coincidences, ``(n_units, k, k)``: pairs of ratings over m - 1."""
    k = counts.shape[-1]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(k)
    return np.asarray(pairs / (counts.sum(axis=1) - 1.0)[:, None, None])


def _coincidences(counts: Float64) -> tuple[Float64, Float64]:
    """Return coincidences ``(b, k, k)`` of sets of units ``(b, n_units, k)``, and their sums."""
    together = np.stack([_per_unit(one).sum(axis=0) for one in counts])
    return together, together.sum(axis=2)


def _alpha(together: Float64, totals: Float64, distance: Float64) -> Float64:
    """Return alpha of coincidences ``(b, k, k)``; NaN where all ratings are the same.

    An ordinal distance depends on the totals; it is given for the one set at hand.
    """
    n = totals.sum(axis=1)
    if distance.shape == (0, 0):
        distance = _ordinal(totals[0])
    observed = (together * distance).sum(axis=(1, 2))
    expected = np.einsum("bi,bj,ij->b", totals, totals, distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1.0 - (n - 1.0) * observed / expected, np.nan)


def _distance(values: Float64, level: Level) -> Float64:
    """Return squared differences of values; empty for ordinal, which needs their totals."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "ordinal":
        return np.empty((0, 0))
    apart = np.subtract.outer(values, values)
    if level == "interval":
        return np.asarray(apart**2)
    if level != "ratio":
        raise UserError(f"The level {level!r} is not nominal, ordinal, interval or ratio.")
    total = np.add.outer(values, values)
    return np.asarray((apart / np.where(total == 0, 1.0, total)) ** 2)


def _ordinal(totals: Float64) -> Float64:
    """Return squared differences of ranks: ratings between two values, half of theirs counted."""
    upto = np.cumsum(totals) - totals / 2.0
    return np.asarray(np.subtract.outer(upto, upto) ** 2)
