"""Typical windows: one for each cluster, and how isolated a window is."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.kmeans import draw_seeds, lloyd

# Rows whose similarities are held at once.
BLOCK = 2048
# Rows that first centres are drawn from, at least.
SEEDED = 4096


def medoids(points: Float32, count: int, generator: np.random.Generator, rounds: int = 10) -> Int64:
    """Return the point nearest to each centre of a k-means, ``(count,)`` positions.

    Parameters
    ----------
    points
        ``(n, d)``.
    count
        Number of clusters, at most ``n``.
    generator
        Draws the first centres.
    rounds
        Of assignment and averaging, at most.

    Returns
    -------
    positions
        Different ones, the largest cluster first. For clusters that are empty, as when points
        are copies, those worst represented follow.
    """
    some = points
    if len(points) > max(SEEDED, 10 * count):
        drawn = generator.choice(len(points), max(SEEDED, 10 * count), replace=False)
        some = points[np.sort(drawn)]
    # With a few trials for each centre, two seldom start in one cluster.
    seeds, _ = draw_seeds(some, count, generator, trials=0)
    _, cluster, distance = lloyd(points, some[seeds], rounds)
    size = np.bincount(cluster, minlength=count)
    # Members of a cluster by their distance to its centre.
    order = np.lexsort((distance, cluster))
    filled, starts = np.unique(cluster[order], return_index=True)
    found = order[starts[np.argsort(-size[filled], kind="stable")]]
    if len(found) < count:
        rest = np.setdiff1d(np.arange(len(points)), found, assume_unique=True)
        worst = rest[np.argsort(-distance[rest], kind="stable")]
        found = np.concatenate([found, worst[: count - len(found)]])
    return found.astype(np.int64)


def isolation(
    points: Float32, generator: np.random.Generator, neighbours: int = 3, sample: int = 2048
) -> Float32:
    """Return the mean distance of each point to its nearest ones in a random sample, ``(n,)``.

    Parameters
    ----------
    points
        ``(n, d)`` unit vectors.
    generator
        Draws the sample; a pool no larger than ``sample`` is used whole.
    neighbours
        How many; the point itself does not count.
    """
    n = len(points)
    drawn = np.arange(n)
    if n > sample:
        drawn = np.sort(generator.choice(n, sample, replace=False))
    k = min(neighbours, len(drawn) - 1)
    if k == 0:
        return np.zeros(n, np.float32)
    found = np.empty(n, np.float32)
    for start in range(0, n, BLOCK):
        similarity = points[start : start + BLOCK] @ points[drawn].T
        inside = (drawn >= start) & (drawn < start + BLOCK)
        similarity[drawn[inside] - start, np.flatnonzero(inside)] = -2.0
        best = np.partition(similarity, similarity.shape[1] - k, axis=1)[:, -k:]
        distance = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * best))
        found[start : start + BLOCK] = distance.mean(axis=1)
    return found
