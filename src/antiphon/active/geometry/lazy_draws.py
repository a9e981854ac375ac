"""Exact D-squared sampling where a distance is dear: by rejection from upper bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Int64

Float64 = npt.NDArray[np.float64]

# Rows that are proposed at once.
PROPOSED = 16

Gaps = Callable[[Int64, Int64], Float64]


def draw_lazily(
    gaps: Gaps, bound: Float64, n: int, generator: np.random.Generator, first: int
) -> tuple[Int64, Float64]:
    """Draw ``n`` rows, each by its squared distance to the nearest one drawn before.

    Parameters
    ----------
    gaps
        Maps rows (k,) and centres (c,) to squared distances, ``(k, c)`` float64.
    bound
        ``(n_rows,)`` upper bounds of the squared distances to ``first``.
    n
        How many, at most ``n_rows``.
    generator
        Draws.
    first
        The first row.

    Returns
    -------
    rows
        ``(n,)`` different rows. Once all others are copies of drawn ones, the rest is uniformly
        random.
    gap
        ``(n,)`` squared distance of each to those drawn before it; the bound, for the first.

    Notes
    -----
    Squared distances only shrink, so an old one is an upper bound: a row is proposed by its
    bound and accepted with probability distance over bound, which gives the distribution of
    plain D-squared sampling (the rejection of Cohen-Addad et al. 2020, arXiv:2012.11891, with
    exact distances). Few rows are compared with all centres.
    """
    bound = bound.astype(np.float64, copy=True)
    rows = np.empty(n, np.int64)
    gap = np.empty(n)
    rows[0], gap[0] = first, bound[first]
    bound[first] = 0.0
    for i in range(1, n):
        rows[i], gap[i] = _draw(gaps, bound, rows[:i], generator)
        bound[rows[i]] = 0.0
    return rows, gap


def _draw(
    gaps: Gaps, bound: Float64, centres: Int64, generator: np.random.Generator
) -> tuple[int, float]:
    """Return one row and its squared distance; bounds that were found too large are lowered."""
    amount = PROPOSED
    while True:
        total = np.cumsum(bound)
        if total[-1] <= 0.0:
            drawn = np.zeros(len(bound), dtype=bool)
            drawn[centres] = True
            return int(generator.choice(np.flatnonzero(~drawn))), 0.0
        place = np.searchsorted(total, generator.random(amount) * total[-1], side="right")
        # Rounding can point behind the last row that has a chance.
        place = np.minimum(place, int(np.flatnonzero(bound)[-1]))
        some, back = np.unique(place, return_inverse=True)
        exact = np.minimum(gaps(some, centres).min(axis=1), bound[some])
        accepted = generator.random(amount) * bound[place] < exact[back]
        bound[some] = exact
        if accepted.any():
            at = int(np.argmax(accepted))
            return int(place[at]), float(exact[back[at]])
        amount = min(4 * amount, len(bound))
