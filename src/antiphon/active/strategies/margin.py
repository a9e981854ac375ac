"""Margin sampling for many labels: windows in which some label's probability is near one half."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.ranking import top


@strategy(
    "margin",
    "windows the detector is least sure of: smallest distance of a probability from 0.5, "
    "averaged over labels",
    "Scheffer et al. (2001), doi:10.1007/3-540-44816-0_31; multi-label mean as in BioDCASE Task 4",
    needs_head=True,
)
def margin(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the smallest mean of ``|p - 0.5|`` over labels."""
    assert pool.probabilities is not None
    free = pool.candidates()
    doubt = 0.5 - np.abs(pool.probabilities[free] - 0.5).mean(axis=1)
    return top(free, doubt, n, pool.generator)
