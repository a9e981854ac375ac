"""Power: the smallest difference that can be seen, and how many more recordings it would take.

Everything here is about a paired difference whose standard error was estimated over ``n_groups``
independent groups (recordings, sites or days). Per group it varies with a standard deviation of
``standard_error * sqrt(n_groups)``, so that with ``G`` groups the standard error is that divided by
``sqrt(G)``; the test is Student's, two-sided, with ``G - 1`` degrees of freedom.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtr, ndtri, stdtrit

from antiphon.errors import UserError
from antiphon.evaluation.groups_needed import GroupsNeeded
from antiphon.evaluation.noncentral import noncentral_t_share
from antiphon.evaluation.resampling import check_level

Float64 = npt.NDArray[np.float64]

# Above this many degrees of freedom t is the normal distribution to four digits.
_NORMAL = 5_000
_MOST = 1e12


def power_at(
    difference: npt.ArrayLike, group_sd: float, n_groups: npt.ArrayLike, level: float = 0.95
) -> Float64:
    """Return the power of the two-sided one-sample t-test of a difference.

    Parameters
    ----------
    difference
        True difference, any shape that goes with ``n_groups``.
    group_sd
        Standard deviation of the difference per group, above 0.
    n_groups
        At least 2.
    level
        One minus the size of the test.

    Notes
    -----
    From the noncentral t distribution (Cohen 1988, *Statistical Power Analysis*, chapter 2), both
    tails counted.
    """
    check_level(level)
    if not group_sd > 0 or not math.isfinite(group_sd):
        raise UserError(f"The standard deviation per group must be above 0, not {group_sd:g}.")
    shape = np.broadcast(np.asarray(difference), np.asarray(n_groups)).shape
    count = np.broadcast_to(np.asarray(n_groups, np.float64), shape)
    if (count < 2).any():
        raise UserError("The power of a test needs at least 2 groups.")
    apart = np.abs(np.broadcast_to(np.asarray(difference, np.float64), shape))
    shift = apart / group_sd * np.sqrt(count)
    df = count - 1.0
    limit = np.where(df > _NORMAL, ndtri((1.0 + level) / 2.0), stdtrit(df, (1.0 + level) / 2.0))
    student = noncentral_t_share(df, -shift, -limit) + noncentral_t_share(df, shift, -limit)
    normal = ndtr(shift - limit) + ndtr(-shift - limit)
    return np.asarray(np.where(df > _NORMAL, normal, student))


def groups_needed(
    difference: float, group_sd: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Return the smallest number of groups with the wanted power; infinite for no difference.

    Parameters
    ----------
    difference, group_sd, level
        As for :func:`power_at`; with a spread of 0 two groups are enough.
    power
        Between ``1 - level`` and 1.
    """
    _check_power(power, level)
    if difference == 0 or not math.isfinite(difference):
        return math.inf
    if group_sd == 0:
        return 2.0
    about = ((ndtri((1.0 + level) / 2.0) + ndtri(power)) * group_sd / abs(difference)) ** 2
    if about > _MOST:
        return math.inf
    low, high = 1, max(2, math.ceil(about))
    while power_at(difference, group_sd, high, level) < power:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if power_at(difference, group_sd, middle, level) < power:
            low = middle
        else:
            high = middle
    return float(high)


def smallest_detectable_difference(
    standard_error: float,
    n_groups: int,
    *,
    at_groups: int | None = None,
    power: float = 0.8,
    level: float = 0.95,
) -> float:
    """Return the true difference that a test would find with the wanted power.

    Parameters
    ----------
    standard_error
        Of the difference, as measured over ``n_groups`` groups.
    at_groups
        The number of groups of the test; those measured when None.
    power, level
        As for :func:`groups_needed`.

    Returns
    -------
    float
        NaN with fewer than two groups or without a standard error.

    Notes
    -----
    About ``(t_{1 - a/2} + t_power) SE``, 2.8 standard errors for many groups (Bloom 1995,
    *Evaluation Review* 19: 547-556); solved from :func:`power_at`.
    """
    _check_power(power, level)
    count = n_groups if at_groups is None else at_groups
    if n_groups < 2 or count < 2 or not math.isfinite(standard_error) or standard_error < 0:
        return math.nan
    if standard_error == 0:
        return 0.0
    spread = standard_error * math.sqrt(n_groups)
    unit = spread / math.sqrt(count)

    from scipy.optimize import brentq

    def lacking(multiple: float) -> float:
        return float(power_at(multiple * unit, spread, count, level)) - power

    high = 4.0
    while lacking(high) < 0:
        high *= 2.0
    return float(brentq(lacking, 0.0, high, xtol=1e-10)) * unit


def groups_to_separate(
    difference: float,
    standard_error: float,
    n_groups: int,
    *,
    worth: float | None = None,
    power: float = 0.8,
    level: float = 0.95,
    unit: str = "recordings",
) -> GroupsNeeded:
    """Return how many groups would separate A from B, with an interval.

    Parameters
    ----------
    difference, standard_error
        Of A minus B, measured over ``n_groups`` groups (at least 3).
    worth
        The smallest difference that matters, when the question is about that one; otherwise the
        measured difference is taken for the true one.
    power, level
        As for :func:`groups_needed`; ``level`` is also that of the interval.
    unit
        What a group is, for the sentences.

    Raises
    ------
    UserError
        If a number is out of range.

    Notes
    -----
    The interval for the measured difference is that of its noncentrality (difference over spread;
    Steiger and Fouladi 1997, in *What If There Were No Significance Tests?*), both ends turned into
    numbers of groups. For a difference that is ``worth`` finding only the spread is uncertain, and
    the interval is the chi-squared one of its variance.
    """
    _check_power(power, level)
    if n_groups < 3:
        raise UserError(f"At least 3 groups are needed to plan for more, and there are {n_groups}.")
    if not (math.isfinite(difference) and math.isfinite(standard_error) and standard_error >= 0):
        raise UserError(
            f"A difference of {difference:g} with standard error {standard_error:g} is not one to "
            "plan from: measure both systems on the same recordings first."
        )
    if worth is not None and not (math.isfinite(worth) and worth != 0):
        raise UserError(f"A difference worth finding must not be {worth:g}.")
    spread = standard_error * math.sqrt(n_groups)
    wanted = difference if worth is None else worth
    note = ""
    if standard_error == 0:
        low = high = groups_needed(wanted, 0.0, power=power, level=level)
        note = "the difference is the same in every resample, so this says little"
    elif worth is not None:
        df = n_groups - 1.0
        tail = (1.0 - level) / 2.0
        low, high = (
            groups_needed(worth, spread * math.sqrt(df / chdtri(df, q)), power=power, level=level)
            for q in (tail, 1.0 - tail)
        )
    else:
        ends = _noncentrality(difference / standard_error, n_groups, level)
        counts = [
            groups_needed(end / math.sqrt(n_groups), 1.0, power=power, level=level) for end in ends
        ]
        low, high = min(counts), max(counts)
        if ends[0] * ends[1] <= 0:
            high = math.inf
            note = "the measured difference may be 0, so no number of groups is surely enough"
        elif difference != 0:
            note = (
                "a difference that was picked out because it is large is smaller in truth, and "
                "needs more groups"
            )
    return GroupsNeeded(
        needed=groups_needed(wanted, spread, power=power, level=level),
        low=low,
        high=high,
        have=n_groups,
        difference=wanted,
        assumed=worth is not None,
        power=power,
        level=level,
        unit=unit,
        note=note,
    )


def _noncentrality(t: float, n_groups: int, level: float) -> tuple[float, float]:
    """Return the interval of the noncentrality of an observed t."""
    df = n_groups - 1.0
    tail = (1.0 - level) / 2.0
    if df > _NORMAL or abs(t) > 30.0:
        half = float(ndtri(1.0 - tail)) * math.sqrt(1.0 + t * t / (2.0 * df))
        return t - half, t + half

    from scipy.optimize import brentq

    def solve(share: float) -> float:
        reach = 12.0 * math.sqrt(1.0 + t * t / (2.0 * df))
        # The share below t falls from 1 to 0 as the noncentrality grows.
        return float(
            brentq(lambda nc: float(noncentral_t_share(df, nc, t)) - share, t - reach, t + reach)
        )

    return solve(1.0 - tail), solve(tail)


def _check_power(power: float, level: float) -> None:
    check_level(level)
    if not 1.0 - level < power < 1.0:
        raise UserError(f"The power ({power:g}) must lie between {1.0 - level:.3g} and 1.")
