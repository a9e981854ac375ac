"""TypiClust: the most typical window of each cluster without a label, largest clusters first."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.geometry.distances import nearest_squared, squared_distances
from antiphon.active.geometry.kmeans import kmeans
from antiphon.active.geometry.spaces import components
from antiphon.threads import few_threads

# As in the baseline of BioDCASE 2026 Task 4; 20 in the paper.
NEIGHBOURS = 5
# Clusters, at most, as in the paper.
CLUSTERS = 500
# Larger clusters are searched for neighbours near their middle only.
SEARCHED = 4096


@strategy(
    "typiclust",
    "the most typical window of each cluster without labelled ones, largest clusters first",
    "Hacohen, Dekel and Weinshall (2022), arXiv:2202.02794; 64 components and 5 neighbours as in "
    "the baseline of BioDCASE 2026 Task 4",
)
def typiclust(pool: PoolView, n: int) -> Selection:
    """Cluster the pool, then choose the most typical candidate of each uncovered cluster.

    There are as many clusters as windows labelled and wanted, at most 500 (but never fewer than
    wanted). Typicality is the inverse of the mean distance to the 5 nearest windows of the same
    cluster. Labels are not looked at, only where they are. Clusters are found in the pool's
    windows alone and in their first 64 principal components.
    """
    points = components(pool)
    k = min(max(n, min(CLUSTERS, len(pool.labelled) + n)), pool.size)
    _, cluster, _ = kmeans(points, k, pool.generator)
    with few_threads(points.size):
        return choose_typical(points, cluster, pool.labelled, n)


def choose_typical(
    points: Float32, cluster: Int64, labelled: Int64, n: int, neighbours: int = NEIGHBOURS
) -> Selection:
    """Choose the most typical row of each cluster, those with fewest labelled rows first.

    Parameters
    ----------
    points
        ``(n_points, d)``.
    cluster
        ``(n_points,)`` int64, from 0.
    labelled
        Rows that carry labels.
    n
        How many, at most as many as are not labelled.
    neighbours
        Of each row within its cluster.

    Returns
    -------
    Selection
        Of equally covered clusters the larger comes first, of equally typical rows the first.
        A cluster is used a second time when all others were used. Utility is the typicality.
    """
    size = np.bincount(cluster)
    covered = np.bincount(cluster[labelled], minlength=len(size))
    left = size - covered
    free = np.ones(len(points), dtype=bool)
    free[labelled] = False
    members = np.split(np.argsort(cluster, kind="stable"), np.cumsum(size)[:-1])
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    known: dict[int, Float32] = {}
    for i in range(n):
        choice = np.lexsort((-size, covered, left == 0))
        best = int(choice[0])
        inside = members[best]
        if best not in known:
            known[best] = typicality(points[inside], neighbours)
        worth = np.where(free[inside], known[best], -np.inf)
        at = int(np.argmax(worth))
        rows[i], utility[i] = inside[at], worth[at]
        free[rows[i]] = False
        covered[best] += 1
        left[best] -= 1
    return Selection(rows, utility)


def typicality(points: Float32, neighbours: int) -> Float32:
    """Return the inverse of the mean distance to the nearest other points, ``(n,)``.

    Parameters
    ----------
    points
        ``(n, d)`` of one cluster; a point alone has 1.
    neighbours
        How many, or all others if there are fewer.

    Notes
    -----
    Hacohen et al. (2022), equation 1. In clusters of more than 4,096 points, neighbours are
    sought among the 4,096 nearest to the mean, where the most typical point lies, and the others
    get 0.
    """
    n = len(points)
    if n == 1:
        return np.ones(1, np.float32)
    if n > SEARCHED:
        away, _ = nearest_squared(points, points.mean(axis=0, keepdims=True))
        inner = np.argpartition(away, SEARCHED)[:SEARCHED]
        worth = np.zeros(n, np.float32)
        worth[inner] = typicality(points[inner], neighbours)
        return worth
    k = min(neighbours, n - 1)
    # Distances within a cluster are small against those to the origin.
    middle = points - points.mean(axis=0)
    total = np.empty(n, np.float32)
    for start in range(0, n, 1024):
        gap = squared_distances(middle[start : start + 1024], middle)
        some = np.arange(len(gap))
        gap[some, start + some] = 0.0
        near = np.partition(gap, k, axis=1)[:, : k + 1]
        total[start : start + 1024] = np.sqrt(near).sum(axis=1)
    mean: Float32 = (total + np.float32(1e-7)) / np.float32(k)
    return 1.0 / mean
