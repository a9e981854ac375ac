"""Nearest-neighbour disagreement: the detector says one thing, the labels around another."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.neighbours import neighbour_labels
from antiphon.active.geometry.spaces import whitened
from antiphon.active.ranking import top

NEIGHBOURS = 15


@strategy(
    "nn-disagreement",
    "windows whose probabilities differ the most from the labels of the nearest labelled windows",
    "disagreement of two views, Cohn et al. (1994), doi:10.1007/BF00993277; "
    "15 neighbours as in the BioDCASE 2026 Task 4 baselines",
    needs_head=True,
)
def nn_disagreement(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the largest mean difference over labels.

    The neighbours are the 15 labelled windows nearest in the whitened space.
    """
    assert pool.probabilities is not None
    points = whitened(pool)
    free = pool.candidates()
    if len(pool.labelled) == 0:
        weight = np.ones(pool.size, np.float32)
        return farthest_first(points, free, pool.labelled, weight, n, pool.generator)
    around = neighbour_labels(points, free, pool.labelled, pool.labels, NEIGHBOURS)
    return top(free, disagreement(pool.probabilities[free], around), n, pool.generator)


def disagreement(probability: Float32, around: Float32) -> Float32:
    """Return the mean of absolute differences over the labels known around, ``(n,)``.

    Parameters
    ----------
    probability
        ``(n, n_labels)`` from the detector.
    around
        ``(n, n_labels)`` mean labels of the neighbours, NaN where unknown; a window of which
        nothing is known gets 0.
    """
    gap = np.abs(probability - around)
    known = ~np.isnan(gap)
    mean: Float32 = np.where(known, gap, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean.astype(np.float32)
