"""Cost-aware selection: what a window may teach for each second it takes to label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, Strategy, strategy
from antiphon.active.doubt import balanced_entropy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.spaces import whitened


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that labelling takes.

    Parameters
    ----------
    per_window
        To listen to a window and look at it, even when nothing is in it.
    per_event
        For each sound to be named in it.
    """

    per_window: float = 6.0
    per_event: float = 3.0


def seconds_to_label(probability: Float32, cost: Cost) -> Float32:
    """Return the expected seconds for each window, ``(n,)``: one event for each unit of p."""
    seconds: Float32 = np.float32(cost.per_window) + np.float32(cost.per_event) * probability.sum(
        axis=1, dtype=np.float32
    )
    return seconds


def cost_aware_with(cost: Cost) -> Strategy:
    """Return the strategy for other costs, such as those measured from a labelling log."""

    def choose(pool: PoolView, n: int) -> Selection:
        assert pool.probabilities is not None
        doubt = 0.05 + balanced_entropy(pool.probabilities, pool.labels)
        worth = (doubt / seconds_to_label(pool.probabilities, cost)).astype(np.float32)
        points = whitened(pool)
        return farthest_first(points, pool.candidates(), pool.labelled, worth, n, pool.generator)

    return choose


@strategy(
    "cost-aware",
    "new and doubtful windows that are quick to label: distance times class-balanced entropy, "
    "divided by the expected seconds",
    "return on investment: Haertel et al. (2008), ACL-08 short papers; Settles et al. (2008), "
    "Active Learning with Real Annotation Costs",
    needs_head=True,
)
def cost_aware(pool: PoolView, n: int) -> Selection:
    """Choose greedily the largest distance times entropy for each second of labelling.

    The seconds are those of :class:`Cost`: a fixed part for each window and one for each event
    that the detector expects in it.
    """
    return cost_aware_with(Cost())(pool, n)
