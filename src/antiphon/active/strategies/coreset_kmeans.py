"""Coreset KMeans: k-centre after a first batch of typical windows."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.farthest import k_centre
from antiphon.active.geometry.medoids import medoids
from antiphon.active.geometry.spaces import components


@strategy(
    "coreset-kmeans",
    "first one typical window for each cluster, then windows far from all labelled ones",
    "seventh in BioDCASE 2026 Task 4, from the description of the results; k-centre: Sener and "
    "Savarese (2018), arXiv:1708.00489",
)
def coreset_kmeans(pool: PoolView, n: int) -> Selection:
    """Choose medoids of ``n`` clusters, or once something is labelled, by greedy k-centre.

    Published: a k-means warm-up before the core-set baseline, whose distances are Euclidean
    between embeddings as they are; batches of 50. Read so where the description leaves it open:
    the clusters are those of the first 64 principal components, each represented by the window
    nearest to its centre.
    """
    free = pool.candidates()
    if len(pool.labelled) == 0:
        points = components(pool)
        found = medoids(points[free], n, pool.generator)
        return Selection(free[found], np.ones(n, np.float32))
    return k_centre(
        pool.embeddings, free, pool.labelled, n, pool.generator, memory=pool.cache, space="raw"
    )
