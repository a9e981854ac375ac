"""Greedy k-means++ seeding: of several D-squared draws, the one that explains the pool best."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.distances import nearest_squared
from antiphon.active.geometry.kmeans import draw_seeds
from antiphon.active.geometry.spaces import components


@strategy(
    "kmeans++",
    "of several windows drawn by squared distance the one that brings the pool nearest to what "
    "is chosen, again and again",
    "Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding, with the "
    "several trials of its conclusion",
)
def kmeanspp(pool: PoolView, n: int) -> Selection:
    """Draw ``2 + log n`` windows at each step and keep the one that leaves the smallest sum.

    The sum is that of squared distances to the nearest labelled or chosen window, in the first
    64 principal components; labels do not matter. Outliers, which explain only themselves, come
    less often than with ``d2``.
    """
    points = components(pool)
    free = pool.candidates()
    nearest = None
    if len(pool.labelled):
        nearest = nearest_squared(points[free], points[pool.labelled])[0]
    rows, share = draw_seeds(points[free], n, pool.generator, nearest=nearest, trials=0)
    return Selection(free[rows], share.astype(np.float32))
