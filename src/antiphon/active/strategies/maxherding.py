"""MaxHerding: windows that a smooth kernel spreads over as much of the pool as possible."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Int64, PoolView, Selection, strategy
from antiphon.active.geometry.coverage import cover_greedily
from antiphon.active.geometry.spaces import directions

# Windows that are to be covered: all candidates, or a random part of many.
COVERED = 2048


@strategy(
    "maxherding",
    "windows that raise the kernel similarity of the pool to its nearest labelled window most",
    "Bae, Noh and Sutherland (2024), arXiv:2407.12212",
)
def maxherding(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest gain in generalised coverage.

    The kernel is ``exp(-|x - y|^2)`` on the first 64 principal components of L2-normalised
    embeddings. The mean runs over at most 2,048 random candidates. Labels are not looked at.
    """
    free = pool.candidates()
    wanted = to_cover(free, pool.generator)
    weight = np.ones(len(wanted), np.float32)
    return cover_greedily(directions(pool), free, pool.labelled, wanted, weight, n)


def to_cover(free: Int64, generator: np.random.Generator) -> Int64:
    """Return the candidates over which coverage is measured."""
    if len(free) <= COVERED:
        return free
    return np.sort(generator.choice(free, COVERED, replace=False)).astype(np.int64)
