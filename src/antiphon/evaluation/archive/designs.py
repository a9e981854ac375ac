"""How labelled windows were drawn: their weights, and the variance of a weighted total.

A window that had the chance ``p`` of being drawn stands for ``1 / p`` windows of the archive
(Horvitz and Thompson 1952, *J. Am. Stat. Assoc.* 47: 663). That needs a known chance above 0 for
every window of the archive. Windows that a strategy picked as the best ones had chance 1, all
others 0: no weight can correct that.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.archive.stratified import Stratified

__all__ = ["ByInclusion", "Design", "Sequential", "Stratified", "WithReplacement"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_ADVICE = (
    "Precision and recall of the archive need labels of a random or stratified sample, or of one "
    "drawn with recorded chances"
)


class Design(Protocol):
    """A way of drawing, with the windows that were drawn by it."""

    kind: str
    size: int
    """Windows in the archive."""
    weight: Float64
    """``(n,)`` windows that each labelled one stands for."""
    note: str

    def variance(self, z: Float64) -> tuple[float, float]:
        """Return the variance of ``sum(weight * z)`` over samples, and its degrees of freedom.

        Parameters
        ----------
        z
            ``(n,)`` values of the labelled windows.
        """
        ...


class ByInclusion:
    """Windows drawn without replacement with known chances of being in the sample.

    Parameters
    ----------
    probability
        ``(n,)`` inclusion probability of each labelled window, above 0 and at most 1.
    size
        Windows in the archive.
    fixed_size
        Whether the number drawn was fixed (as in systematic sampling), or every window was decided
        on its own (Poisson sampling).

    Notes
    -----
    Variance by Hajek's approximation for a fixed size (Hajek 1964, *Ann. Math. Stat.* 35: 1491) and
    exactly estimated for Poisson sampling.
    """

    kind = "by inclusion"
    note = ""

    def __init__(self, probability: npt.ArrayLike, size: int, *, fixed_size: bool = True) -> None:
        self._p = _probabilities(probability, "chance of being in the sample")
        self.size = _size(size, len(self._p))
        self.weight: Float64 = 1.0 / self._p
        self._fixed = fixed_size

    def variance(self, z: Float64) -> tuple[float, float]:
        """See :meth:`Design.variance`."""
        n = len(z)
        parts, rest = self.weight * z, 1.0 - self._p
        df = max(1.0, n - 1.0)
        if not self._fixed:
            return float((rest * parts**2).sum()), df
        if rest.sum() == 0:
            return 0.0, df
        centre = float((rest * parts).sum() / rest.sum())
        return float(n / df * (rest * (parts - centre) ** 2).sum()), df


class Sequential:
    """Windows drawn one after the other without replacement, with chances that may change.

    As in active learning: at every step each window that is left has a chance, which may depend on
    all labels so far, and the chance of the one that was drawn is recorded.

    Parameters
    ----------
    probability
        ``(n,)`` chance that the drawn window had at its step among those left, in the order of
        drawing.
    size
        Windows in the archive.
    least
        ``(n,)`` smallest chance of any window left at that step, where it was recorded: 0 is an
        error, because the windows that could not be drawn are not spoken for.

    Raises
    ------
    UserError
        If a chance is unknown, 0, above 1, or 1 while several windows were left.

    Notes
    -----
    The unbiased weights of Farquhar, Gal and Rainforth (2021), *On Statistical Bias in Active
    Learning*, ICLR, arXiv:2101.11665 (there called LURE). Each step gives an unbiased estimate of
    the total whatever came before, so their deviations are uncorrelated and variances add up.
    """

    kind = "sequential"
    note = ""

    def __init__(
        self, probability: npt.ArrayLike, size: int, least: npt.ArrayLike | None = None
    ) -> None:
        q = _probabilities(probability, "chance of being drawn")
        n = len(q)
        self.size = _size(size, n)
        left = self.size - np.arange(n)
        certain = np.flatnonzero((q >= 1.0) & (left > 1))
        if len(certain):
            at = int(certain[0])
            raise UserError(
                f"Draw {at} was certain (chance 1) while {left[at]:,} windows were left: it was "
                f"picked, not drawn, and the others had no chance. {_ADVICE}."
            )
        if least is not None and (np.asarray(least, np.float64) <= 0).any():
            at = int(np.argmax(np.asarray(least, np.float64) <= 0))
            raise UserError(f"At draw {at} some windows had no chance of being drawn. {_ADVICE}.")
        self._q = q
        # Share of each step's estimate in the mean of all.
        share = np.full(n, 1.0 / n)
        if n < self.size:
            share = self.size * (self.size - n) / n / ((left - 1.0) * left)
        self._share = share
        after = np.concatenate([np.cumsum(share[::-1])[::-1][1:], [0.0]])
        self.weight: Float64 = np.ones(n) if n == self.size else share / q + after

    def variance(self, z: Float64) -> tuple[float, float]:
        """See :meth:`Design.variance`."""
        n = len(z)
        if n in (1, self.size):
            return (0.0 if n == self.size else np.nan), max(1.0, n - 1.0)
        steps = z / self._q + np.concatenate([[0.0], np.cumsum(z)[:-1]])
        apart = steps - float((self._share * steps).sum())
        return float((self._share**2 * apart**2 / (1.0 - self._share)).sum()), n - 1.0


class WithReplacement:
    """Windows drawn independently with known chances, the same one perhaps several times.

    Parameters
    ----------
    probability
        ``(n,)`` chance of the drawn window at its draw, over the whole archive.
    size
        Windows in the archive.

    Notes
    -----
    Hansen and Hurwitz (1943), *Ann. Math. Stat.* 14: 333.
    """

    kind = "with replacement"
    note = ""

    def __init__(self, probability: npt.ArrayLike, size: int) -> None:
        q = _probabilities(probability, "chance of being drawn")
        if size < 1:
            raise UserError(f"An archive of {size} windows has nothing to draw from.")
        self.size = size
        self.weight: Float64 = 1.0 / (len(q) * q)

    def variance(self, z: Float64) -> tuple[float, float]:
        """See :meth:`Design.variance`."""
        n = len(z)
        if n == 1:
            return float("nan"), 1.0
        parts = self.weight * z
        return float(n / (n - 1.0) * ((parts - parts.mean()) ** 2).sum()), n - 1.0


def _probabilities(given: npt.ArrayLike, what: str) -> Float64:
    p = np.asarray(given, np.float64)
    if p.ndim != 1 or not len(p):
        raise UserError(f"There must be one {what} for each labelled window, got {p.shape}.")
    unknown = np.flatnonzero(np.isnan(p))
    if len(unknown):
        raise UserError(
            f"The {what} of {len(unknown):,} labelled windows is not known (the first is row "
            f"{unknown[0]}). {_ADVICE}; leave these rows out only if the rest was drawn without "
            "regard to them."
        )
    odd = np.flatnonzero((p <= 0) | (p > 1))
    if len(odd):
        raise UserError(
            f"Row {odd[0]} has a {what} of {p[odd[0]]:g}; it must be above 0 and at most 1. "
            f"{_ADVICE}."
        )
    return p


def _size(size: int, n: int) -> int:
    if size < n:
        raise UserError(f"There are {n:,} labelled windows but the archive has only {size:,}.")
    return size
