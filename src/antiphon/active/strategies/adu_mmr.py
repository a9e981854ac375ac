"""ADU-MMR: uncertainty that joins in when the detector grows sure, batches without repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, Strategy, strategy
from antiphon.active.doubt import learned, unit_range
from antiphon.active.geometry.apart import choose_apart, nearest_similarity, unit_rows


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of ADU-MMR, as published.

    Parameters
    ----------
    gate
        Mean binary entropy, in nats, below which uncertainty counts.
    most
        Largest weight of uncertainty.
    redundancy
        Weight of the similarity to the batch.
    """

    gate: float = 0.05
    most: float = 0.5
    redundancy: float = 0.3


def adu_mmr_with(settings: Settings) -> Strategy:
    """Return the strategy with other numbers."""

    def choose(pool: PoolView, n: int) -> Selection:
        points = pool.derive("unit", unit_rows)
        # In random order, since the first of equal scores is taken.
        free = pool.generator.permutation(pool.candidates())
        nearest = nearest_similarity(pool, "unit", points)[free]
        worth = np.maximum(0.0, 2.0 - 2.0 * nearest)
        worth /= max(float(worth.max()), 1e-12)
        probability = learned(pool)
        if probability is not None:
            doubt = mean_entropy(probability[free])
            weight = uncertainty_weight(float(doubt.mean()), settings)
            worth = (1.0 - weight) * worth + weight * unit_range(doubt)
        keep = np.float32(1.0 - settings.redundancy)
        repeat = np.float32(settings.redundancy)
        return choose_apart(
            points,
            free,
            np.zeros(len(free), np.float32),
            lambda at, cosine: keep * worth[at] - repeat * cosine,
            n,
        )

    return choose


@strategy(
    "adu-mmr",
    "distance to the labelled windows plus, once the detector is sure of most, its entropy; "
    "batches by maximum marginal relevance",
    "ADU-MMR, first in BioDCASE 2026 Task 4; re-implemented from the description of the results",
)
def adu_mmr(pool: PoolView, n: int) -> Selection:
    """Choose by ``(1 - a) distance + a entropy`` and maximum marginal relevance.

    Published: per-class binary entropies and the normalised squared distance to the nearest
    labelled window; a weight that is 0 until the mean entropy of the pool is below 0.05 and 0.5
    at most; greedy maximum marginal relevance with 0.3 on L2-normalised embeddings; 20 batches
    of 25.

    Read so where the description leaves it open: entropies in nats, averaged over classes and
    scaled to 0...1 over the pool; distances divided by the largest; the weight rises in a
    straight line to 0.5 as the mean entropy falls to 0; 0.3 is the weight of the similarity and
    0.7 that of the score; similarities below 0 count as 0.
    """
    return adu_mmr_with(Settings())(pool, n)


def mean_entropy(probability: Float32) -> Float32:
    """Return the mean over labels of the binary entropy in nats, ``(n,)``."""
    p = np.clip(probability, 1e-7, 1.0 - 1e-7)
    entropy: Float32 = -(p * np.log(p) + (1.0 - p) * np.log1p(-p)).mean(axis=1)
    return entropy


def uncertainty_weight(mean: float, settings: Settings) -> float:
    """Return the weight of uncertainty for a pool of that mean entropy, in nats."""
    return settings.most * min(1.0, max(0.0, 1.0 - mean / settings.gate))
