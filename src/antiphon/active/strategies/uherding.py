"""UHerding: MaxHerding in which uncertain windows count more."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.geometry.coverage import cover_greedily
from antiphon.active.geometry.distances import squared_distances
from antiphon.active.geometry.spaces import directions
from antiphon.active.strategies import margin, maxherding

# Width of the kernel with fewer than two labelled windows, and its smallest.
WIDEST = 1.0
NARROWEST = 0.05


@strategy(
    "uherding",
    "windows that cover the uncertain part of the pool: maxherding weighted by doubt, with a "
    "kernel that narrows as labels come in",
    "Bae, Oliveira and Sutherland (2025), arXiv:2412.20644",
    needs_head=True,
)
def uherding(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest gain in uncertainty-weighted coverage.

    The kernel is ``exp(-|x - y|^2 / s^2)``, where s is the smallest distance between two
    labelled windows, from 0.05 to 1. Uncertainty is one minus the margin of the two best
    labels; with several labels in a window, ``1 - 2 |p - 0.5|`` averaged over labels.

    The paper also fits a temperature on labels held out from training; here probabilities are
    taken as they come.
    """
    assert pool.probabilities is not None
    points = directions(pool)
    free = pool.candidates()
    wanted = maxherding.to_cover(free, pool.generator)
    doubt = uncertainty(pool.probabilities[wanted], multilabel=pool.multilabel)
    width = kernel_width(points, pool.labelled)
    return cover_greedily(points, free, pool.labelled, wanted, doubt, n, width)


def uncertainty(probability: Float32, *, multilabel: bool) -> Float32:
    """Return how unsure the detector is of each row, ``(n,)``, from 0 to 1."""
    doubt: Float32
    if multilabel:
        doubt = 1.0 - 2.0 * np.abs(probability - 0.5).mean(axis=1)
    else:
        doubt = 1.0 - margin.top_two(probability)
    return doubt


def kernel_width(points: Float32, labelled: Int64) -> float:
    """Return the smallest distance between two labelled points, within bounds."""
    if len(labelled) < 2:
        return WIDEST
    gap = squared_distances(points[labelled], points[labelled])
    np.fill_diagonal(gap, np.inf)
    return float(np.clip(np.sqrt(gap.min()), NARROWEST, WIDEST))
