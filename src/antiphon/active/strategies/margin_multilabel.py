"""Margin sampling for many labels: windows in which probabilities are near one half."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.ranking import top


@strategy(
    "margin-multilabel",
    "windows the detector is least sure of: smallest distance of a probability from 0.5, "
    "averaged over labels",
    "binary margins of Scheffer et al. (2001), doi:10.1007/3-540-44816-0_31, averaged over labels "
    "as in the baseline of BioDCASE 2026 Task 4",
    needs_head=True,
)
def margin_multilabel(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the smallest mean of ``|p - 0.5|`` over labels.

    Utility is ``1 - 2 mean |p - 0.5|``, from 0 (sure of all labels) to 1 (of none).
    """
    assert pool.probabilities is not None
    free = pool.candidates()
    doubt = 1.0 - 2.0 * np.abs(pool.probabilities[free] - 0.5).mean(axis=1)
    return top(free, doubt, n, pool.generator)
