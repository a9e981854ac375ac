"""Facility location: windows that stand for as many others as possible."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.geometry.spaces import whitened

# Windows that are to be represented: all of a small pool, a random sample of a large one.
REPRESENTED = 2048
# Candidates whose gains are computed at once.
BLOCK = 1024
# Candidates whose outdated gains are computed anew at once.
REFRESH = 32


@strategy(
    "facility-location",
    "windows that resemble as many others as possible that nothing chosen resembles yet",
    "submodular facility location: Wei et al. (2015), ICML 37; lazy greedy: Minoux (1978), "
    "doi:10.1007/BFb0006528",
)
def facility_location(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest gain of the summed similarity to the nearest chosen window.

    Similarity is the cosine in the whitened space, 0 where negative. The sum runs over at most
    2,048 random windows of the pool; labelled windows count as chosen.
    """
    points = whitened(pool)
    represented = np.arange(pool.size)
    if pool.size > REPRESENTED:
        represented = pool.generator.choice(pool.size, REPRESENTED, replace=False)
    free = pool.candidates()
    return lazy_greedy(points, free, pool.labelled, points[represented], n)


def lazy_greedy(
    points: Float32, candidates: Int64, labelled: Int64, represented: Float32, n: int
) -> Selection:
    """Maximise ``sum_i max_j max(0, cos(i, j))`` over chosen j, one candidate after another.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors.
    candidates, labelled
        Rows that may be chosen, and rows that count as chosen.
    represented
        ``(r, d)`` unit vectors over which the sum runs.
    n
        How many to choose.

    Returns
    -------
    Selection
        Rows in the order they were chosen; utility is the gain over ``r``. Of equal gains the
        first candidate is taken.

    Notes
    -----
    Gains only shrink, so a gain computed earlier is a bound: candidates are looked at in the
    order of their bounds until the best gain is not below the next bound. The choice is that of
    plain greedy.
    """
    cover = np.zeros(len(represented), np.float32)
    for start in range(0, len(labelled), BLOCK):
        block = points[labelled[start : start + BLOCK]]
        np.maximum(cover, (represented @ block.T).max(axis=1), out=cover)
    bound = np.empty(len(candidates), np.float64)
    for start in range(0, len(candidates), BLOCK):
        rows = candidates[start : start + BLOCK]
        bound[start : start + BLOCK] = _gain(points[rows], represented, cover)
    chosen = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    for i in range(n):
        fresh = np.zeros(len(candidates), dtype=bool)
        best = int(np.argmax(bound))
        while not fresh[best]:
            near = np.argpartition(-bound, min(REFRESH, len(bound)) - 1)[:REFRESH]
            stale = near[~fresh[near]]
            bound[stale] = np.where(
                np.isneginf(bound[stale]),
                -np.inf,
                _gain(points[candidates[stale]], represented, cover),
            )
            fresh[stale] = True
            best = int(np.argmax(bound))
        chosen[i], utility[i] = candidates[best], bound[best] / len(represented)
        similarity = represented @ points[candidates[best]]
        np.maximum(cover, similarity, out=cover)
        bound[best] = -np.inf
    return Selection(chosen, utility)


def _gain(block: Float32, represented: Float32, cover: Float32) -> Float32:
    """Return how much each candidate would add to the sum, ``(len(block),)``."""
    gain = block @ represented.T
    gain -= cover
    np.maximum(gain, 0.0, out=gain)
    total: Float32 = gain.sum(axis=1, dtype=np.float64)
    return total
