"""Core-set selection by greedy k-centre: windows far from everything labelled so far."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.ranking import farthest_first, whiten


@strategy(
    "coreset",
    "windows that cover the archive: each is the farthest from all labelled and chosen ones",
    "Sener and Savarese (2018), arXiv:1708.00489, in PCA-whitened cosine space",
)
def coreset(pool: PoolView, n: int) -> Selection:
    """Choose greedily the candidate with the largest distance to the labelled and chosen rows."""
    points = whiten(pool.embeddings)
    weight = np.ones(pool.size, np.float32)
    return farthest_first(points, pool.candidates(), pool.labelled, weight, n, pool.generator)
