"""Entropy sampling: windows whose labels are the most uncertain, summed over labels."""

from __future__ import annotations

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.ranking import binary_entropy, top


@strategy(
    "entropy",
    "windows with the largest binary entropy, summed over labels",
    "Settles (2009), Active Learning Literature Survey, section 3.1",
    needs_head=True,
)
def entropy(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the largest sum of binary entropies over labels."""
    assert pool.probabilities is not None
    free = pool.candidates()
    return top(free, binary_entropy(pool.probabilities[free]).sum(axis=1), n, pool.generator)
