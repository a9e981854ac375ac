"""Margin sampling: windows for which the detector can hardly tell its two best labels apart."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.ranking import top


@strategy(
    "margin",
    "windows with the smallest difference between the two largest probabilities",
    "Scheffer et al. (2001), doi:10.1007/3-540-44816-0_31",
    needs_head=True,
)
def margin(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the smallest margin between the two most probable labels.

    With several labels in a window the probabilities are independent of each other and a small
    margin may also mean that two labels are both certain, or both absent; ``margin-multilabel``
    does not confuse them. With a single label in all it is compared with its absence.
    """
    assert pool.probabilities is not None
    free = pool.candidates()
    return top(free, 1.0 - top_two(pool.probabilities[free]), n, pool.generator)


def top_two(probability: Float32) -> Float32:
    """Return the difference of the two largest probabilities of each row, ``(n,)``."""
    gap: Float32
    if probability.shape[1] == 1:
        gap = np.abs(2.0 * probability[:, 0] - 1.0)
        return gap
    best = np.partition(probability, -2, axis=1)[:, -2:]
    gap = best[:, 1] - best[:, 0]
    return gap
