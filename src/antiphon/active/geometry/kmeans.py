"""k-means with k-means++ seeding; some centres may be fixed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import scipy.sparse

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.distances import nearest_squared, squared_distances, squared_lengths
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]

# Rows that seeds are drawn from, at least; ten for each cluster if that is more.
SEEDED = 4096
# Clusters up to which each seed is the best of several: with few, one bad seed spoils the result.
FEW = 64


def draw_seeds(
    points: Float32,
    k: int,
    generator: np.random.Generator,
    *,
    nearest: Float32 | None = None,
    trials: int = 1,
) -> tuple[Int64, Float64]:
    """Draw ``k`` different points, each by its squared distance to the nearest one drawn before.

    Parameters
    ----------
    points
        ``(n, d)``, ``n >= k``.
    generator
        Draws all; the first uniformly, unless something is covered already.
    nearest
        ``(n,)`` squared distances to what is covered already.
    trials
        Points drawn at each step, of which the one is kept that leaves the smallest sum of
        squared distances; 0 stands for ``2 + floor(log k)``.

    Returns
    -------
    rows
        ``(k,)`` int64. Once all others are copies of drawn ones, the rest is uniformly random.
    share
        ``(k,)`` float64, each one's share of the sum of squared distances when it was drawn.

    Notes
    -----
    Arthur and Vassilvitskii (2007), k-means++, section 2.2; several trials as they suggest in
    their conclusion.
    """
    n = len(points)
    trials = trials or 2 + int(math.log(k))
    length = squared_lengths(points)
    gap = None if nearest is None else nearest.astype(np.float64)
    drawn = np.zeros(n, dtype=bool)
    rows = np.empty(k, np.int64)
    share = np.empty(k)
    # Small products again and again: threads would wait for each other.
    with few_threads(points.size):
        for i in range(k):
            total = None if gap is None else np.cumsum(gap)
            if gap is None or total is None or total[-1] <= 0.0:
                some = np.flatnonzero(~drawn)
                rows[i], share[i] = some[generator.integers(len(some))], 1.0 / len(some)
                after = _gaps(points, length, rows[i : i + 1])[0]
                gap = after if gap is None else np.minimum(gap, after)
            else:
                at = np.searchsorted(total, generator.random(trials) * total[-1], side="right")
                # Rounding can point behind the last row that has a chance.
                some = np.minimum(at, int(np.flatnonzero(gap)[-1]))
                after = np.minimum(_gaps(points, length, some), gap)
                best = int(after.sum(axis=1).argmin()) if trials > 1 else 0
                rows[i], share[i] = some[best], gap[some[best]] / total[-1]
                gap = after[best]
            drawn[rows[i]] = True
            gap[drawn] = 0.0
    return rows, share


def lloyd(
    points: Float32, centres: Float32, rounds: int, fixed: int = 0, tolerance: float = 0.005
) -> tuple[Float32, Int64, Float32]:
    """Move centres to the means of the points nearest to them.

    Parameters
    ----------
    points
        ``(n, d)``.
    centres
        ``(k, d)`` to begin with.
    rounds
        At most; it ends early when fewer than ``tolerance`` of the points change their centre.
    fixed
        So many of the first centres stay where they are.

    Returns
    -------
    centres
        ``(k, d)``. A free one without points moves to the point farthest from its centre.
    cluster
        ``(n,)`` int64, the nearest of the returned centres for each point.
    distance
        ``(n,)`` squared, to it.
    """
    n, k = len(points), len(centres)
    centres = centres.copy()
    ones = np.ones(n, np.float32)
    pointer = np.arange(n + 1)
    with few_threads(points.size):
        distance, cluster = nearest_squared(points, centres)
        for _ in range(rounds):
            member = scipy.sparse.csc_array((ones, cluster, pointer), shape=(k, n))
            size = np.bincount(cluster, minlength=k)
            filled = np.flatnonzero(size[fixed:]) + fixed
            centres[filled] = (member @ points)[filled] / size[filled, None]
            empty = np.flatnonzero(size[fixed:] == 0) + fixed
            if len(empty):
                far = np.argsort(-distance, kind="stable")[: len(empty)]
                centres[empty[: len(far)]] = points[far]
            before = cluster
            distance, cluster = nearest_squared(points, centres)
            if np.count_nonzero(cluster != before) <= tolerance * n and not len(empty):
                break
    return centres, cluster, distance


def kmeans(
    points: Float32,
    k: int,
    generator: np.random.Generator,
    *,
    fixed: Float32 | None = None,
    rounds: int = 6,
) -> tuple[Float32, Int64, Float32]:
    """Cluster points around ``k`` means and, if given, around fixed centres.

    Seeds and first means come from a random part of a large pool, the last rounds use all.

    Parameters
    ----------
    points
        ``(n, d)``, ``n >= k``.
    fixed
        ``(f, d)`` centres that stay; they come first in what is returned.
    rounds
        At most as many on the part, and again on all points.

    Returns
    -------
    centres, cluster, distance
        ``(f + k, d)``, ``(n,)`` and ``(n,)`` as from :func:`lloyd`.
    """
    n = len(points)
    sample = max(SEEDED, 10 * k)
    some = points
    if n > sample:
        some = points[np.sort(generator.choice(n, sample, replace=False))]
    covered = 0 if fixed is None else len(fixed)
    nearest = None if fixed is None or covered == 0 else nearest_squared(some, fixed)[0]
    trials = 0 if k <= FEW else 1
    rows, _ = draw_seeds(some, k, generator, nearest=nearest, trials=trials)
    centres = some[rows]
    if fixed is not None:
        centres = np.concatenate([fixed, centres])
    if len(some) < n:
        centres, _, _ = lloyd(some, centres, rounds, covered)
    return lloyd(points, centres, rounds, covered)


def _gaps(points: Float32, length: Float32, rows: Int64) -> Float64:
    """Return squared distances of all points to a few of them, ``(len(rows), n)`` float64."""
    if len(rows) == 1:
        near = length - 2.0 * (points @ points[rows[0]]) + length[rows[0]]
        gap: Float64 = np.maximum(near, 0.0).astype(np.float64)[None]
        return gap
    found: Float64 = squared_distances(points[rows], points).astype(np.float64)
    return found
