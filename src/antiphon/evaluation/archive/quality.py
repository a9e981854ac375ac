"""Precision, recall and prevalence of an archive, from a labelled sample with known chances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.archive.designs import Design, Stratified
from antiphon.evaluation.archive.result import ArchiveQuality
from antiphon.evaluation.intervals import Interval
from antiphon.evaluation.resampling import check_level
from antiphon.heads.binomial import clopper_pearson

Float64 = npt.NDArray[np.float64]
Method = Literal["linear", "bootstrap"]


def archive_quality(
    design: Design,
    label: npt.ArrayLike,
    detected: npt.ArrayLike,
    *,
    detections: int | None = None,
    groups: npt.ArrayLike | None = None,
    level: float = 0.95,
    method: Method = "linear",
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
) -> ArchiveQuality:
    """Estimate precision, recall and prevalence of the archive the windows were drawn from.

    Parameters
    ----------
    design
        How the labelled windows were drawn; see :mod:`~antiphon.evaluation.archive.designs`.
    label, detected
        ``(n,)`` 1 or 0: whether the window holds the sound, and whether the detector says so.
    detections
        Windows of the archive that are detected, where that is known; it then replaces the
        estimate of that number.
    groups
        ``(n,)`` recording, site or day. Without them the interval is about this archive, and
        only the drawing is random. With them it is about archives like this one, and groups are
        what is random.
    level
        Two-sided.
    method
        ``linear``: variance of the linearised ratio (Sarndal, Swensson and Wretman 1992, *Model
        Assisted Survey Sampling*, section 5.6), interval of Korn and Graubard (1998, *Survey
        Methodology* 24: 193). ``bootstrap``: of a stratified sample without groups, by percentile.
    rng, n_resamples
        Of the bootstrap.

    Raises
    ------
    UserError
        If lengths differ, a label is missing, or the method does not fit the design.
    """
    check_level(level)
    n = len(design.weight)
    y, d = _binary(label, n, "label"), _binary(detected, n, "detection")
    group = None
    if groups is not None:
        given = np.asarray(groups)
        if given.shape != (n,):
            raise UserError(f"There must be one group for each of the {n} rows, got {given.shape}.")
        group = np.unique(given, return_inverse=True)[1]
    drawn: Float64 | None = None
    if method == "bootstrap":
        if not isinstance(design, Stratified) or group is not None or rng is None:
            raise UserError(
                "The bootstrap is for a stratified sample without groups, and needs a generator; "
                "use method 'linear'."
            )
        drawn = design.resampled(n_resamples, rng)
    elif method != "linear":
        raise UserError(f"Method {method!r} is not known. There are: linear, bootstrap.")
    ratio = _Ratio(design, group, drawn, level, method)
    one = np.ones(n)
    hit = y * d
    share = ratio(y, one, "no window was labelled")
    found = ratio(d, one, "no window was labelled")
    detected_count = _times(found, design.size)
    if detections is not None:
        known = float(detections)
        detected_count = Interval(known, known, known, level, "known", found.n_groups, 0)
    least, said = _unseen(design, y, d, level)
    return ArchiveQuality(
        precision=ratio(hit, d, "nothing labelled is detected"),
        recall=ratio(hit, y, "nothing labelled is positive"),
        f1=ratio(2.0 * hit, y + d, "nothing labelled is positive or detected"),
        prevalence=share,
        positives=_times(share, design.size),
        detections=detected_count,
        unweighted={
            "precision": _divide(hit.sum(), d.sum()),
            "recall": _divide(hit.sum(), y.sum()),
            "f1": _divide(2.0 * hit.sum(), y.sum() + d.sum()),
            "prevalence": float(y.mean()),
        },
        least_recall=least,
        n=n,
        design=design.kind,
        about="this archive" if group is None else "archives like this one",
        note="; ".join(filter(None, (said, design.note))),
    )


def archive_curve(
    design: Design,
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    thresholds: Sequence[float],
    **options: Any,
) -> list[ArchiveQuality]:
    """Return :func:`archive_quality` at each threshold, detected being ``score >= threshold``.

    Parameters
    ----------
    score
        ``(n,)`` finite scores of the labelled windows.
    options
        As for :func:`archive_quality`, without ``detections``.
    """
    s = np.asarray(score, np.float64)
    if not np.isfinite(s).all():
        raise UserError(f"The score of row {int(np.argmin(np.isfinite(s)))} is not finite.")
    return [archive_quality(design, label, s >= limit, **options) for limit in thresholds]


class _Ratio:
    """Weighted ratios of totals with their intervals, all by one method."""

    def __init__(
        self,
        design: Design,
        group: npt.NDArray[np.intp] | None,
        drawn: Float64 | None,
        level: float,
        method: str,
    ) -> None:
        self._design, self._group, self._drawn = design, group, drawn
        self._level, self._method = level, method
        self._groups = 0 if group is None else int(group.max()) + 1

    def __call__(self, above: Float64, below: Float64, empty: str) -> Interval:
        weight = self._design.weight
        whole = float(weight @ below)
        nan = math.nan
        if whole <= 0:
            return Interval(nan, nan, nan, self._level, self._method, self._groups, 0, empty)
        value = float(weight @ above) / whole
        if self._drawn is not None:
            return self._bootstrapped(value, above, below)
        variance, df = self._variance((above - value * below) / whole)
        note = ""
        if math.isnan(variance):
            low = high = nan
            note = "no interval: one draw or one group"
        else:
            low, high, note = _korn_graubard(
                value, variance, df, int((below > 0).sum()), self._level, self._whole(below)
            )
        return Interval(value, low, high, self._level, self._method, self._groups, 0, note)

    def _whole(self, below: Float64) -> bool:
        """Whether every window of the archive was labelled."""
        return self._group is None and len(below) == self._design.size

    def _variance(self, z: Float64) -> tuple[float, float]:
        if self._group is None:
            return self._design.variance(z)
        if self._groups < 2:
            return math.nan, 1.0
        total = np.bincount(self._group, weights=self._design.weight * z)
        return float(self._groups * total.var(ddof=1)), self._groups - 1.0

    def _bootstrapped(self, value: float, above: Float64, below: Float64) -> Interval:
        assert self._drawn is not None
        whole = self._drawn @ below
        values = (self._drawn @ above)[whole > 0] / whole[whole > 0]
        tails = [(1.0 - self._level) / 2.0, (1.0 + self._level) / 2.0]
        low, high = (float(end) for end in np.quantile(values, tails))
        note = "all resamples agree: the interval is too narrow" if low == high else ""
        return Interval(value, low, high, self._level, self._method, 0, len(values), note)


def _korn_graubard(
    value: float, variance: float, df: float, n: int, level: float, census: bool
) -> tuple[float, float, str]:
    """Return the exact binomial interval of the effective number of labels."""
    from scipy.special import stdtrit

    if census:
        return value, value, ""
    note = ""
    tail = (1.0 + level) / 2.0
    inside = 0.0 < value < 1.0 and variance > 0
    if inside:
        size = value * (1.0 - value) / variance
        size *= float((stdtrit(max(1.0, n - 1.0), tail) / stdtrit(max(1.0, df), tail)) ** 2)
    else:
        size = float(n)
        note = "all labelled windows agree, so the interval knows only how many they are"
    share = min(max(value, 0.0), 1.0)
    low, high = clopper_pearson(share * size, size, level)
    return float(low), float(high), note


def _unseen(design: Design, y: Float64, d: Float64, level: float) -> tuple[float, str]:
    """Return the recall if a stratum without labelled positives holds as many as it may.

    With positives ``p_h`` of stratum h unknown, ``prod (1 - p_h)^n_h`` is at least ``1 - level``;
    under that limit the total is largest with all of it in one stratum.
    """
    if not isinstance(design, Stratified):
        return math.nan, ""
    positive = np.bincount(design.stratum, weights=y, minlength=len(design.names))
    empty = (positive == 0) & (design.counts < design.sizes)
    if not empty.any() or not y.any():
        return math.nan, ""
    share = 1.0 - (1.0 - level) ** (1.0 / design.counts)
    most = np.where(empty, share * (design.sizes - design.counts), 0.0)
    h = int(np.argmax(most))
    found = float(design.weight @ y)
    least = float(design.weight @ (y * d)) / (found + float(most[h]))
    return least, (
        f"stratum {design.names[h]} has no positive among {design.counts[h]:,} labelled of "
        f"{design.sizes[h]:,} windows, and may hold up to {most[h]:,.0f}"
    )


def _binary(given: npt.ArrayLike, n: int, what: str) -> Float64:
    values = np.asarray(given, np.float64)
    if values.shape != (n,):
        raise UserError(f"There must be one {what} for each of the {n} rows, got {values.shape}.")
    odd = np.flatnonzero((values != 0) & (values != 1))
    if len(odd):
        raise UserError(
            f"The {what} of row {odd[0]} is {values[odd[0]]:g}; it must be 1 or 0. A drawn window "
            "that nobody could label cannot be left out quietly: label it, or give both answers "
            "in turn to see how far it matters."
        )
    return values


def _times(share: Interval, size: int) -> Interval:
    return Interval(
        share.value * size,
        share.low * size,
        share.high * size,
        share.level,
        share.method,
        share.n_groups,
        share.n_resamples,
        share.note,
    )


def _divide(above: float, below: float) -> float:
    return float(above) / float(below) if below > 0 else math.nan
