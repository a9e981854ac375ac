"""k-centre weighted by doubt: far from what is labelled and undecided by the detector."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.spaces import whitened
from antiphon.active.ranking import binary_entropy


@strategy(
    "weighted-coreset",
    "k-centre distance times class-balanced entropy: new kinds of sound and doubtful ones at once",
    "Sener and Savarese (2018), arXiv:1708.00489, weighted by uncertainty; rare labels count more",
    needs_head=True,
)
def weighted_coreset(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest product of distance and class-balanced entropy.

    A label's entropy counts ``(1 + positives)**-0.5``, so that labels with few examples draw
    more of the budget.
    """
    assert pool.probabilities is not None
    positives = np.nansum(pool.labels == 1.0, axis=0)
    balance = (1.0 + positives) ** -0.5
    doubt = binary_entropy(pool.probabilities) @ (balance / balance.sum()).astype(np.float32)
    return farthest_first(
        whitened(pool),
        pool.candidates(),
        pool.labelled,
        doubt.astype(np.float32),
        n,
        pool.generator,
    )
