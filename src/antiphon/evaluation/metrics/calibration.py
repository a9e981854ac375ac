"""Calibration beyond bins of equal width: equal-mass bins, class-wise and top-label error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import (
    Reliability,
    checked,
    macro_average,
    reliability,
)

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def adaptive_reliability(prob: npt.ArrayLike, target: npt.ArrayLike, bins: int = 10) -> Reliability:
    """Return the reliability of all known entries in bins of equal count.

    Parameters
    ----------
    prob, target
        As in :mod:`antiphon.evaluation.metrics.scores`; unknown entries are left out.
    bins
        At most so many: equal probabilities stay in one bin, so that the bins do not depend on
        the order of rows.

    Raises
    ------
    UserError
        If a probability lies outside [0, 1].

    Notes
    -----
    Nguyen and O'Connor (2015); Nixon et al. (2019) average the same bins class by class. The edges
    are the least and the largest probability of each bin.
    """
    s, t = checked(prob, target)
    known = ~np.isnan(s) & ~np.isnan(t)
    p, y = s[known].astype(np.float64), t[known].astype(np.float64)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise UserError("Reliability needs probabilities between 0 and 1.")
    if bins < 1:
        raise UserError(f"Reliability needs at least one bin, not {bins}.")
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    # A bin's border falls behind the ties it would cut.
    cut = np.linspace(0, len(p), bins + 1)[1:-1].round().astype(np.intp)
    cut = np.searchsorted(p, p[np.maximum(cut - 1, 0)], side="right") if len(p) else cut[:0]
    starts = np.unique(np.concatenate([[0], cut]))
    starts = starts[starts < len(p)]
    ends = np.append(starts[1:], len(p))[: len(starts)]
    count = ends - starts
    sums = [np.add.reduceat(v, starts) if len(p) else np.zeros(0) for v in (p, y)]
    return Reliability(
        low=p[starts],
        high=p[ends - 1],
        predicted=sums[0] / count,
        observed=sums[1] / count,
        count=count.astype(np.int64),
    )


def classwise_calibration_error(
    prob: npt.ArrayLike, target: npt.ArrayLike, bins: int = 10, *, adaptive: bool = False
) -> float:
    """Return the mean over classes of each class's calibration error (Kull et al. 2019).

    Parameters
    ----------
    prob, target
        ``(n, n_labels)``; classes without a known entry are left out.
    bins
        Of each class.
    adaptive
        Bins of equal count instead of equal width.
    """
    s, t = checked(prob, target)
    of = adaptive_reliability if adaptive else reliability
    return float(
        macro_average(np.array([of(s[:, i], t[:, i], bins).error for i in range(s.shape[1])]))
    )


def top_label_calibration_error(
    prob: npt.ArrayLike, true: npt.ArrayLike, bins: int = 15, *, adaptive: bool = False
) -> float:
    """Return the calibration error of the most probable class (Guo et al. 2017, equation 3).

    Parameters
    ----------
    prob
        ``(n, n_classes)``.
    true
        ``(n,)`` column of the true class.
    bins
        As in the paper 15.
    adaptive
        Bins of equal count instead of equal width.

    Raises
    ------
    UserError
        If shapes do not fit, a value is no probability, or a class is no column.
    """
    p, t = np.asarray(prob), np.asarray(true)
    if p.ndim != 2 or t.shape != p.shape[:1]:
        raise UserError(
            f"Probabilities must be (n, n_classes) and classes (n,), but are {p.shape} and "
            f"{t.shape}."
        )
    odd = ~((p >= 0) & (p <= 1))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise UserError(
            f"The probability of row {row}, class {column} is {p[row, column]}; it must lie "
            "between 0 and 1."
        )
    if len(p) == 0:
        return float("nan")
    lost = np.flatnonzero(~np.isin(t, np.arange(p.shape[1])))
    if len(lost):
        raise UserError(
            f"Row {lost[0]} has class {t[lost[0]]}, but there are {p.shape[1]} columns."
        )
    of = adaptive_reliability if adaptive else reliability
    return of(p.max(axis=1), p.argmax(axis=1) == t, bins).error
