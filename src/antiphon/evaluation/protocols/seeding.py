"""Greedy k-means++ for several starts at once, on the random stream that scikit-learn draws."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Entries of candidate distances that are held at a time.
_HELD = 20_000_000


def greedy_seeds(
    x: Float32, squares: Float32, k: int, starts: int, seed: int
) -> tuple[Int64, npt.NDArray[np.int32]]:
    """Draw the seeds of several starts.

    Parameters
    ----------
    x
        ``(n, dim)`` float32, centred.
    squares
        ``(n,)`` squared lengths.
    k
        Seeds of each start.
    starts
        Independent starts.
    seed
        Of the legacy generator of NumPy.

    Returns
    -------
    rows
        ``(starts, k)`` rows of ``x``.
    label
        ``(starts, n)`` int32, the nearest seed of each row.

    Notes
    -----
    Arthur and Vassilvitskii (2007), with ``2 + floor(log k)`` candidates a step of which the one
    is kept that leaves the smallest sum of squared distances. The stream of random numbers is the
    one that ``sklearn.cluster.KMeans(random_state=seed)`` uses (one draw for the first seed, then
    ``(k - 1) * trials``, start after start), so a published ``random_state`` gives the same
    starts, but for the rare draw that falls between two rows within rounding. All starts advance
    together: their candidates share one matrix product.
    """
    n = len(x)
    trials = 2 + int(math.log(k))
    # The published seeds are of the legacy generator; a new one could not repeat them.
    stream = np.random.RandomState(seed)
    share = np.cumsum(np.full(n, 1.0 / n))
    share /= share[-1]
    first = np.empty(starts, np.int64)
    draws = np.empty((starts, k - 1, trials))
    for start in range(starts):
        first[start] = np.searchsorted(share, stream.random_sample(), side="right")
        draws[start] = stream.random_sample((k - 1, trials))
    at_once = max(1, _HELD // (n * trials))
    rows, label = np.empty((starts, k), np.int64), np.empty((starts, n), np.int32)
    for begin in range(0, starts, at_once):
        part = slice(begin, begin + at_once)
        rows[part], label[part] = _advance(x, squares, first[part], draws[part])
    return rows, label


def _advance(
    x: Float32, squares: Float32, first: Int64, draws: Float64
) -> tuple[Int64, npt.NDArray[np.int32]]:
    starts, steps, trials = draws.shape
    n = len(x)
    which = np.arange(starts)
    rows = np.empty((starts, steps + 1), np.int64)
    rows[:, 0] = first
    label = np.zeros((starts, n), np.int32)
    nearest = _distances(x, squares, first)
    for step in range(1, steps + 1):
        candidates = np.empty((starts, trials), np.int64)
        for start in which:
            total = np.cumsum(nearest[start], dtype=np.float64)
            wanted = draws[start, step - 1] * total[-1]
            candidates[start] = np.minimum(np.searchsorted(total, wanted), n - 1)
        gaps = _distances(x, squares, candidates.ravel()).reshape(starts, trials, n)
        np.minimum(gaps, nearest[:, None], out=gaps)
        best = gaps.sum(axis=2).argmin(axis=1)
        rows[:, step] = candidates[which, best]
        for start in which:
            after = gaps[start, best[start]]
            label[start, after < nearest[start]] = step
            nearest[start] = after
    return rows, label


def _distances(x: Float32, squares: Float32, rows: Int64) -> Float32:
    """Return squared distances of all rows to a few of them, ``(len(rows), n)``."""
    scaled = np.float32(-2.0) * x[rows]
    found: Float32 = np.matmul(scaled, x.T)
    found += squares
    found += squares[rows, None]
    np.maximum(found, np.float32(0.0), out=found)
    return found
