"""Greedy choice of points whose kernel covers a weighted set of points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, Selection
from antiphon.active.geometry.distances import ENTRIES
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]

# Candidates whose outdated gains are computed anew at once, at first.
REFRESH = 32


def rbf(points: Float32, others: Float32, width: float) -> Float32:
    """Return ``exp(-|x - y|^2 / width^2)`` for unit vectors, ``(n, m)`` float32."""
    kernel: Float32 = points @ others.T
    kernel -= 1.0
    # Rounding can leave cosines above 1.
    np.minimum(kernel, 0.0, out=kernel)
    kernel *= np.float32(2.0 / (width * width))
    np.exp(kernel, out=kernel)
    return kernel


def cover_greedily(
    points: Float32,
    candidates: Int64,
    covered: Int64,
    wanted: Int64,
    weight: Float32,
    n: int,
    width: float = 1.0,
) -> Selection:
    """Maximise ``sum_j w_j max_i k(i, j)`` over chosen and covered i, one candidate at a time.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors.
    candidates, covered
        Rows that may be chosen, and rows that count as chosen.
    wanted
        ``(r,)`` rows j that should be covered.
    weight
        ``(r,)`` non-negative, how much each of them counts.
    n
        How many to choose.
    width
        Of the kernel ``exp(-|x - y|^2 / width^2)``.

    Returns
    -------
    Selection
        Rows in the order they were chosen, of equal gains the first; utility is the gain over
        ``r``.

    Notes
    -----
    The objective is submodular: a gain computed before the last choices is an upper bound, so
    only candidates that may be the best are looked at again (Minoux 1978,
    doi:10.1007/BFb0006528). The choice is that of the plain greedy algorithm.
    """
    targets = points[wanted]
    step = max(1, ENTRIES // max(1, len(wanted)))
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    with few_threads(points.size):
        reach = np.zeros(len(wanted), np.float32)
        for start in range(0, len(covered), step):
            block = rbf(points[covered[start : start + step]], targets, width)
            np.maximum(reach, block.max(axis=0), out=reach)
        bound = np.empty(len(candidates))
        for start in range(0, len(candidates), step):
            block = points[candidates[start : start + step]]
            bound[start : start + step] = _gains(block, targets, weight, reach, width)
        for i in range(n):
            fresh = np.zeros(len(candidates), dtype=bool)
            amount = REFRESH
            best = int(np.argmax(bound))
            while i > 0 and not fresh[best]:
                near = np.arange(len(bound))
                if amount < len(bound):
                    near = np.argpartition(bound, len(bound) - amount)[-amount:]
                stale = near[~fresh[near] & (bound[near] > -np.inf)]
                for start in range(0, len(stale), step):
                    part = stale[start : start + step]
                    block = points[candidates[part]]
                    bound[part] = _gains(block, targets, weight, reach, width)
                fresh[stale] = True
                best = int(np.argmax(bound))
                amount *= 2
            rows[i], utility[i] = candidates[best], bound[best] / max(1, len(wanted))
            newest = rbf(points[rows[i : i + 1]], targets, width)[0]
            np.maximum(reach, newest, out=reach)
            bound[best] = -np.inf
    return Selection(rows, utility)


def _gains(
    block: Float32, targets: Float32, weight: Float32, reach: Float32, width: float
) -> Float64:
    """Return how much each of a block of candidates would add, ``(len(block),)``."""
    kernel = rbf(block, targets, width)
    kernel -= reach
    np.maximum(kernel, 0.0, out=kernel)
    found: Float64 = (kernel @ weight).astype(np.float64)
    return found
