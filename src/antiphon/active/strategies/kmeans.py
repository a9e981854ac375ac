"""k-means medoids: the typical window of each cluster of what is not labelled yet."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.geometry.kmeans import kmeans
from antiphon.active.geometry.spaces import components


@strategy(
    "kmeans",
    "the window nearest to the mean of each cluster, clusters with labelled windows left out",
    "cluster medoids: Nguyen and Smeulders (2004), doi:10.1145/1015330.1015349; Zhdanov (2019), "
    "arXiv:1901.05954",
)
def kmeans_medoids(pool: PoolView, n: int) -> Selection:
    """Cluster the pool around ``n`` means and choose the candidate nearest to each.

    Labelled windows are further centres, which do not move, so that new means lie where nothing
    is labelled. The space is that of the first 64 principal components; labels do not matter.
    Larger clusters come first; utility is the share of the candidates in the cluster.
    """
    points = components(pool)
    free = pool.candidates()
    fixed = points[pool.labelled]
    _, cluster, distance = kmeans(points[free], n, pool.generator, fixed=fixed)
    rows, size = medoids(cluster - len(fixed), distance, n)
    return Selection(free[rows], (size / len(free)).astype(np.float32))


def medoids(cluster: Int64, distance: Float32, n: int) -> tuple[Int64, Int64]:
    """Return the member nearest to each of ``n`` centres, larger clusters first.

    Parameters
    ----------
    cluster
        ``(k,)`` cluster of each row, from 0 to ``n - 1``, or below 0 for none of them.
    distance
        ``(k,)`` to its centre.
    n
        How many clusters.

    Returns
    -------
    rows, size
        ``(n,)`` different rows and the size of their clusters. For empty clusters the rows that
        lie farthest from their centres are taken, with a size of 0.
    """
    inside = np.flatnonzero(cluster >= 0)
    order = inside[np.lexsort((distance[inside], cluster[inside]))]
    there, first, size = np.unique(cluster[order], return_index=True, return_counts=True)
    largest = np.argsort(-size, kind="stable")[:n]
    rows = order[first[largest]]
    rest = np.ones(len(cluster), dtype=bool)
    rest[rows] = False
    others = np.flatnonzero(rest)
    far = others[np.argsort(-distance[others], kind="stable")[: n - len(there)]]
    return np.concatenate([rows, far]), np.concatenate([size[largest], np.zeros(len(far), int)])
