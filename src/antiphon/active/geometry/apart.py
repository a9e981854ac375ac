"""Greedy choices whose scores fall as chosen points come near: k-centre, MMR."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection
from antiphon.active.geometry.distances import nearest_squared

# Outdated scores that are computed anew at first; more if that does not settle the choice.
REFRESH = 64

Score = Callable[[Int64, Float32], Float32]


def unit_rows(vectors: Float32) -> Float32:
    """Return vectors of length 1, ``(n, d)`` float32; a vector of zeros stays one."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    unit: Float32 = vectors / np.maximum(length, np.float32(1e-12))
    return unit


def nearest_gap(pool: PoolView, space: str, points: Float32) -> Float32:
    """Return each window's squared distance to the labelled window nearest to it, ``(n,)``.

    It is infinite where nothing is labelled. What was found for windows labelled earlier is kept
    in the pool's cache, so that a cycle of a run pays for its new labels only.

    Parameters
    ----------
    space
        Names the points.
    points
        ``(n, d)``, one for each window of the pool.
    """
    key = f"nearest gap:{space}"
    known, gap = pool.cache.get(key, (np.empty(0, np.int64), None))
    if gap is None or not np.array_equal(pool.labelled[: len(known)], known):
        known, gap = np.empty(0, np.int64), np.full(pool.size, np.inf, np.float32)
    fresh = pool.labelled[len(known) :]
    if len(fresh):
        gap = np.minimum(gap, nearest_squared(points, points[fresh])[0])
        pool.cache[key] = (pool.labelled.copy(), gap)
    found: Float32 = gap
    return found


def nearest_similarity(pool: PoolView, space: str, points: Float32) -> Float32:
    """Return each window's cosine to the labelled window nearest to it, ``(n,)``.

    Parameters
    ----------
    space, points
        As for :func:`nearest_gap`, but of unit length.

    Returns
    -------
    cosine
        -1 where nothing is labelled.
    """
    gap = nearest_gap(pool, space, points)
    cosine: Float32 = np.maximum(1.0 - 0.5 * gap, np.float32(-1.0))
    return cosine


def choose_apart(
    points: Float32, rows: Int64, similarity: Float32, score: Score, n: int
) -> Selection:
    """Choose greedily the best score, which falls with the similarity to what is chosen.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors.
    rows
        ``(k,)`` candidates.
    similarity
        ``(k,)`` largest cosine of each candidate to what is covered already.
    score
        Maps positions in ``rows`` and their largest cosines to scores; it must not rise with the
        cosine.
    n
        How many to choose.

    Returns
    -------
    Selection
        Rows in the order they were chosen, with their scores at that moment. Of equal scores the
        first row is taken.

    Notes
    -----
    A score computed before the last choices is an upper bound, so only candidates that may be
    the best are compared with these choices (Minoux 1978, doi:10.1007/BFb0006528). The choice is
    that of the plain greedy algorithm.
    """
    every = np.arange(len(rows))
    nearest = similarity.astype(np.float32, copy=True)
    bound = score(every, nearest).astype(np.float64)
    compared = np.zeros(len(rows), np.int64)
    picked = np.empty(n, np.int64)
    chosen = np.empty((n, points.shape[1]), np.float32)
    utility = np.empty(n, np.float32)
    for i in range(n):
        amount = REFRESH
        best = int(np.argmax(bound))
        while compared[best] < i:
            near = every
            if amount < len(rows):
                near = np.argpartition(-bound, amount - 1)[:amount]
            stale = near[(compared[near] < i) & (bound[near] > -np.inf)]
            first = int(compared[stale].min())
            block = points[rows[stale]] @ chosen[first:i].T
            nearest[stale] = np.maximum(nearest[stale], block.max(axis=1))
            bound[stale] = score(stale, nearest[stale])
            compared[stale] = i
            best = int(np.argmax(bound))
            amount *= 2
        picked[i], utility[i] = rows[best], bound[best]
        chosen[i] = points[rows[best]]
        bound[best] = -np.inf
    return Selection(picked, utility)
