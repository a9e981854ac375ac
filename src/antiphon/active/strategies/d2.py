"""D-squared sampling: random windows, more likely the farther from all labelled ones."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.distances import nearest_squared
from antiphon.active.geometry.kmeans import draw_seeds
from antiphon.active.geometry.spaces import components


@strategy(
    "d2",
    "random windows, each drawn by its squared distance to the labelled and chosen ones",
    "D-squared sampling of Arthur and Vassilvitskii (2007), k-means++: the advantages of careful "
    "seeding, section 2.2",
)
def d2(pool: PoolView, n: int) -> Selection:
    """Draw windows by squared Euclidean distance in the first 64 principal components.

    Labelled windows count as drawn; their labels do not matter. A frequent sound gets more
    windows than with ``coreset``, a rare outlier fewer. Utility is the share of the sum of
    squared distances that a window had when it was drawn.
    """
    points = components(pool)
    free = pool.candidates()
    nearest = None
    if len(pool.labelled):
        nearest = nearest_squared(points[free], points[pool.labelled])[0]
    rows, share = draw_seeds(points[free], n, pool.generator, nearest=nearest)
    return Selection(free[rows], share.astype(np.float32))
