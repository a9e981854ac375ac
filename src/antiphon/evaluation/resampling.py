"""Resampling of groups: values of a statistic on many resamples, and the ends of an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from antiphon.errors import UserError
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]
Groups = npt.NDArray[np.intp]
Method = Literal["percentile", "bca"]
Evaluate = Callable[[Array], Float64]
"""``(b, n_groups)`` weights of groups to ``(b, k)`` values, NaN where a resample has none."""

# Row weights (b, n) of this many resamples are the largest array where a statistic needs rows.
_BLOCK = 128


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Values of a statistic on all rows and on resamples of groups.

    Parameters
    ----------
    value
        ``(k,)`` on all rows.
    drawn
        ``(n_resamples, k)`` on resamples, NaN where there is none; no rows below two groups.
    left_out
        ``(n_groups, k)`` with each group left out, or None.
    n_groups
        Groups that were drawn from.
    """

    value: Float64
    drawn: Float64
    left_out: Float64 | None
    n_groups: int

    def standard_error(self) -> Float64:
        """Return the standard error of each value, ``(k,)``; NaN below two values.

        The spread of the resamples times ``sqrt(G / (G - 1))``, without which it is too small for
        few groups (Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, section 5.3).
        """
        out = np.full(len(self.value), np.nan)
        for i in range(len(out)):
            values = self.drawn[~np.isnan(self.drawn[:, i]), i]
            if len(values) > 1:
                out[i] = values.std(ddof=1) * np.sqrt(self.n_groups / (self.n_groups - 1))
        return out


def index_groups(groups: npt.ArrayLike, n: int) -> tuple[Groups, int]:
    """Return each row's group as a number from 0, and how many there are.

    Raises
    ------
    UserError
        If there is not one group for each of the ``n`` rows.
    """
    given = np.asarray(groups)
    if given.shape != (n,):
        raise UserError(f"There must be one group for each of the {n} rows, got {given.shape}.")
    names, group = np.unique(given, return_inverse=True)
    return group, len(names)


def draw(
    evaluate: Evaluate,
    n_groups: int,
    *,
    rng: np.random.Generator,
    n_resamples: int,
    jackknife: bool,
) -> Draws:
    """Evaluate a statistic on all rows, on resamples of groups and, if asked, without each group.

    Raises
    ------
    UserError
        If ``n_resamples`` is below 1.
    """
    if n_resamples < 1:
        raise UserError(f"The resamples ({n_resamples}) must be at least 1.")
    with few_threads(_BLOCK * n_groups):
        value = evaluate(np.ones((1, n_groups), np.float32))[0]
        if n_groups < 2:
            return Draws(value, np.empty((0, len(value))), None, n_groups)
        drawn = np.empty((n_resamples, len(value)))
        share = np.full(n_groups, 1.0 / n_groups)
        for begin in range(0, n_resamples, _BLOCK):
            part = slice(begin, min(begin + _BLOCK, n_resamples))
            times = rng.multinomial(n_groups, share, size=part.stop - begin)
            drawn[part] = evaluate(times.astype(np.float32))
        left_out = leave_one_out(evaluate, n_groups) if jackknife else None
        return Draws(value, drawn, left_out, n_groups)


def leave_one_out(evaluate: Evaluate, n_groups: int) -> Float64:
    """Return the values with each group left out, ``(n_groups, k)``."""
    rows = []
    for begin in range(0, n_groups, _BLOCK):
        out = np.arange(begin, min(begin + _BLOCK, n_groups))
        rows.append(evaluate((np.arange(n_groups) != out[:, None]).astype(np.float32)))
    return np.concatenate(rows)


def ends(draws: Draws, column: int, level: float, method: Method) -> tuple[float, float, int, str]:
    """Return the ends of one value's interval, the resamples with a value, and a note.

    Raises
    ------
    UserError
        If the level is not between 0 and 1, or the method is unknown.
    """
    check_level(level)
    if method not in ("percentile", "bca"):
        raise UserError(f"Method {method!r} is not known. There are: percentile, bca.")
    nan = float("nan")
    if draws.n_groups < 2:
        return nan, nan, 0, f"no interval: {draws.n_groups} group, and at least 2 are needed"
    estimate = float(draws.value[column])
    values = draws.drawn[~np.isnan(draws.drawn[:, column]), column]
    if np.isnan(estimate) or len(values) < 2:
        return nan, nan, len(values), "no interval: the statistic has no value here"
    z = _wide(level, draws.n_groups)
    if method == "bca" and draws.left_out is not None:
        z = _bca(z, values, estimate, draws.left_out[:, column])
    low, high = (float(end) for end in np.quantile(values, ndtr(z)))
    asked = len(draws.drawn)
    note = ""
    if len(values) < 0.9 * asked:
        note = (
            f"{asked - len(values)} of {asked} resamples had no positives, "
            "because they lie in few groups"
        )
    elif low == high:
        note = "all resamples agree, so the interval is too narrow"
    return low, high, len(values), note


def tails(level: float, n_groups: int) -> Float64:
    """Return the two shares of the resamples that lie below the ends of an interval.

    Parameters
    ----------
    level
        Two-sided.
    n_groups
        Groups that were drawn from, at least 2.

    Notes
    -----
    ``Phi(-/+ sqrt(G / (G - 1)) t_{G - 1})`` in place of ``(1 -/+ level) / 2``: resamples of few
    groups spread too little, by ``sqrt((G - 1) / G)``, and their spread is itself uncertain
    (Hesterberg 2015, *The American Statistician* 69: 371-386, the expanded percentile interval).
    For the difference of two ROC areas over 4, 6, 8 and 15 groups, simulated intervals of 95 %
    held the truth in 93 to 97 % of the cases, and without it in 79 to 94 %.
    """
    return np.asarray(ndtr(_wide(level, n_groups)))


def check_level(level: float) -> None:
    """Raise :class:`~antiphon.errors.UserError` unless the level lies between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise UserError(f"The level ({level:g}) must lie between 0 and 1.")


def _wide(level: float, n_groups: int) -> Float64:
    half = np.sqrt(n_groups / (n_groups - 1)) * stdtrit(n_groups - 1, (1.0 + level) / 2.0)
    return np.array([-half, half])


def _bca(wide: Float64, values: Float64, estimate: float, left_out: Float64) -> Float64:
    """Efron (1987), equations 6.6 and 6.8, ties counted half in the bias."""
    below = (values < estimate).mean() + 0.5 * (values == estimate).mean()
    if not 0.0 < below < 1.0:
        return wide
    bias = float(ndtri(below))
    kept = left_out[~np.isnan(left_out)]
    apart = kept.mean() - kept if len(kept) else np.zeros(1)
    square = float((apart**2).sum())
    skew = float((apart**3).sum()) / (6.0 * square**1.5) if square > 0 else 0.0
    z = bias + wide
    # Beyond the pole there is no end left inside the resamples.
    room = 1.0 - skew * z
    end = np.copysign(np.inf, z)
    np.divide(z, room, out=end, where=room > 0)
    return bias + end
