"""Core-set selection by greedy k-centre: windows far from everything labelled so far."""

from __future__ import annotations

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.farthest import k_centre


@strategy(
    "coreset",
    "windows that cover the archive: each is the farthest from all labelled and chosen ones",
    "Sener and Savarese (2018), arXiv:1708.00489, algorithm 1",
)
def coreset(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest Euclidean distance between embeddings as they are.

    It does not look at labels, so several of them in a window change nothing. Windows unlike all
    others come first, junk among them. Utility is the distance.
    """
    return k_centre(
        pool.embeddings, pool.candidates(), pool.labelled, n, pool.generator, pool.cache
    )
