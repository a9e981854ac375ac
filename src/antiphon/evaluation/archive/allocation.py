"""How many windows to label in each stratum, and how to draw them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from antiphon.errors import UserError
from antiphon.evaluation.resampling import check_level

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Measure = Literal["precision", "recall", "prevalence"]


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Labels for each stratum.

    Parameters
    ----------
    counts
        ``(H,)`` windows to label.
    half_width
        Half of the expected interval of the measure.
    value
        The measure that was expected.
    """

    counts: Int64
    half_width: float
    value: float

    @property
    def total(self) -> int:
        """Windows to label in all."""
        return int(self.counts.sum())


def allocate(
    sizes: npt.ArrayLike,
    positive_share: npt.ArrayLike,
    detected_share: npt.ArrayLike,
    *,
    measure: Measure = "recall",
    total: int | None = None,
    half_width: float | None = None,
    level: float = 0.95,
    at_least: int = 2,
) -> Allocation:
    """Spread labels over strata so that one measure becomes as sure as possible.

    Parameters
    ----------
    sizes
        ``(H,)`` windows of each stratum.
    positive_share
        ``(H,)`` what share of each is expected to hold the sound: from a pilot, or the mean of
        calibrated scores. Where it says 0 or 1, a stratum gets ``at_least`` and no more; an error
        there is not seen, so do not say 0 lightly.
    detected_share
        ``(H,)`` what share of each the detector detects; 0 or 1 where strata end at the threshold.
    measure
        ``precision``, ``recall`` or ``prevalence``.
    total, half_width
        Exactly one of the two: labels to spend, or half of the interval that is wanted.
    level
        Of the interval.
    at_least
        Labels for each stratum, 2 being the fewest that show a variance.

    Raises
    ------
    UserError
        If a number is out of range, nothing is expected to be positive or detected, or the labels
        are too few for the strata.

    Notes
    -----
    Neyman (1934), *J. R. Stat. Soc.* 97: 558: labels in proportion to size times standard
    deviation, here of the linearised ratio (Cochran 1977, *Sampling Techniques*, sections 5.5 and
    6.10). Strata that would get more than they hold are labelled in full.
    """
    check_level(level)
    n_h = np.asarray(sizes, np.float64)
    p, d = np.asarray(positive_share, np.float64), np.asarray(detected_share, np.float64)
    if n_h.ndim != 1 or n_h.shape != p.shape or n_h.shape != d.shape or not len(n_h):
        raise UserError(f"Sizes and shares must be of one length, got {n_h.shape}, {p.shape}.")
    if not ((p >= 0) & (p <= 1) & (d >= 0) & (d <= 1)).all() or not (n_h >= 1).all():
        raise UserError("Sizes must be at least 1, and shares between 0 and 1.")
    if (total is None) == (half_width is None):
        raise UserError("Give either the labels to spend or the half width that is wanted.")
    value, deviation = _deviation(n_h, p, d, measure)
    least = np.minimum(n_h, at_least)
    z = float(ndtri((1.0 + level) / 2.0))

    def reached(counts: Float64) -> float:
        variance = (n_h**2 * deviation**2 * (1.0 / counts - 1.0 / n_h)).sum()
        return z * math.sqrt(max(0.0, float(variance)))

    if total is None:
        assert half_width is not None
        if not half_width > 0:
            raise UserError(f"A half width of {half_width:g} cannot be reached.")
        few, many = int(least.sum()), int(n_h.sum())
        while few < many:
            middle = (few + many) // 2
            if reached(_spread(n_h, deviation, least, middle)) <= half_width:
                many = middle
            else:
                few = middle + 1
        total = few
    if total < least.sum():
        raise UserError(
            f"{total} labels are too few: {len(n_h)} strata need {int(least.sum())}. Join strata."
        )
    counts = _spread(n_h, deviation, least, total)
    return Allocation(counts.astype(np.int64), reached(counts), value)


def draw_stratified(
    stratum: npt.ArrayLike, counts: npt.ArrayLike, rng: np.random.Generator
) -> Int64:
    """Return rows drawn at random without replacement inside each stratum, sorted.

    Parameters
    ----------
    stratum
        ``(N,)`` stratum of each window, from 0.
    counts
        ``(H,)`` rows to draw from each.
    """
    at = np.asarray(stratum, np.int64)
    wanted = np.asarray(counts, np.int64)
    rows = []
    for h, count in enumerate(wanted):
        here = np.flatnonzero(at == h)
        if count > len(here):
            raise UserError(f"Stratum {h} has {len(here):,} windows, and {count:,} were asked for.")
        rows.append(rng.choice(here, size=int(count), replace=False))
    return np.sort(np.concatenate(rows)).astype(np.int64)


def draw_sequential(
    utility: npt.ArrayLike, n: int, rng: np.random.Generator, *, uniform: float = 0.1
) -> tuple[Int64, Float64]:
    """Draw windows one after the other, in proportion to utility, and keep their chances.

    Parameters
    ----------
    utility
        ``(N,)`` at least 0, such as the uncertainty of each window.
    n
        Windows to draw, at most N.
    uniform
        Share of the chance that is spread evenly over all windows, above 0 so that each can be
        drawn. Without it the weights of rarely drawn windows become huge.

    Returns
    -------
    rows : ndarray
        ``(n,)`` in the order of drawing.
    probability : ndarray
        ``(n,)`` chance of each at its step: what
        :class:`~antiphon.evaluation.archive.designs.Sequential` takes.

    Notes
    -----
    All draws at once by ordering exponential times with these rates (Efraimidis and Spirakis 2006,
    *Inf. Process. Lett.* 97: 181).
    """
    u = np.asarray(utility, np.float64)
    if u.ndim != 1 or not np.isfinite(u).all() or (u < 0).any():
        raise UserError("Utilities must be a row of finite numbers, none below 0.")
    if not 0 < n <= len(u):
        raise UserError(f"From {len(u):,} windows, {n:,} cannot be drawn.")
    if not 0.0 < uniform <= 1.0:
        raise UserError(f"The even share ({uniform:g}) must be above 0 and at most 1.")
    whole = float(u.sum())
    rate = np.full(len(u), 1.0 / len(u))
    if whole > 0:
        rate = uniform / len(u) + (1.0 - uniform) * u / whole
    order = np.argsort(rng.exponential(size=len(u)) / rate, kind="stable")
    sorted_rate = rate[order]
    left = np.cumsum(sorted_rate[::-1])[::-1]
    rows = order[:n].astype(np.int64)
    return rows, np.minimum(sorted_rate[:n] / left[:n], 1.0)


def _deviation(n_h: Float64, p: Float64, d: Float64, measure: str) -> tuple[float, Float64]:
    """Return the measure, and each stratum's standard deviation of its linearised value."""
    positives, detections = float(n_h @ p), float(n_h @ d)
    hits = float(n_h @ (p * d))
    if measure == "prevalence":
        whole = float(n_h.sum())
        return positives / whole, np.sqrt(p * (1.0 - p)) / whole
    if measure == "precision":
        below, value = detections, hits / detections if detections else 0.0
        mean = d * (p - value)
        square = d * (p * (1.0 - value) ** 2 + (1.0 - p) * value**2)
    elif measure == "recall":
        below, value = positives, hits / positives if positives else 0.0
        mean = p * (d - value)
        square = p * (d * (1.0 - value) ** 2 + (1.0 - d) * value**2)
    else:
        raise UserError(
            f"Measure {measure!r} is not known. There are: precision, recall, prevalence."
        )
    if below <= 0:
        what = "detected" if measure == "precision" else "positive"
        raise UserError(f"Nothing is expected to be {what}, so there is no {measure} to measure.")
    return value, np.sqrt(np.maximum(square - mean**2, 0.0)) / below


def _spread(n_h: Float64, deviation: Float64, least: Float64, total: int) -> Float64:
    """Return whole numbers that add up to ``total``, none below ``least`` or above ``n_h``."""
    total = min(total, int(n_h.sum()))
    weight = n_h * deviation
    if not weight.any():
        weight = n_h
    low, high = 0.0, 1.0

    def given(scale: float) -> Float64:
        return np.clip(scale * weight, least, n_h)

    while given(high).sum() < total and (given(high) < n_h)[weight > 0].any():
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if given(middle).sum() < total else (low, middle)
    exact = given(high)
    counts = np.floor(exact + 1e-9)
    # What is left after rounding down goes where most was cut off; then to the largest strata.
    room = n_h - counts
    order = np.lexsort((-room, -(exact - counts)))
    for h in order:
        if counts.sum() >= total:
            break
        if room[h] > 0:
            counts[h] += 1
    while counts.sum() < total:
        h = int(np.argmax(n_h - counts))
        counts[h] += min(n_h[h] - counts[h], total - counts.sum())
    return counts
