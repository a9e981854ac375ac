"""Capped Rarity K-Center: coverage, pulled towards scarce labels where windows hold few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, Strategy, strategy
from antiphon.active.doubt import budget_share, positives
from antiphon.active.geometry.apart import nearest_similarity
from antiphon.active.geometry.neighbours import neighbour_labels
from antiphon.active.geometry.whitening import unit_components


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of Capped Rarity K-Center; only ``dims`` is published.

    Parameters
    ----------
    dims
        Principal components of the space of distances.
    neighbours
        Labelled windows that stand in for the detector.
    rarity, margin, location
        Weights of the three terms beside a distance of 1.
    cap
        Largest rarity.
    dense
        Mean labels of a window at which the three terms count half.
    """

    dims: int = 128
    neighbours: int = 10
    rarity: float = 0.5
    margin: float = 0.5
    location: float = 0.25
    cap: float = 1.0
    dense: float = 1.0


def capped_rarity_with(settings: Settings) -> Strategy:
    """Return the strategy with other numbers."""

    def choose(pool: PoolView, n: int) -> Selection:
        key = f"unit components:{settings.dims}"
        points = pool.derive(key, lambda x: unit_components(x, settings.dims))
        free = pool.generator.permutation(pool.candidates())
        nearest = nearest_similarity(pool, key, points)[free]
        factor = np.ones(len(free), np.float32)
        opened = 0.0
        if len(pool.labelled):
            opened = density_gate(pool.labels, settings)
            around = neighbour_labels(points, free, pool.labelled, pool.labels, settings.neighbours)
            around = np.nan_to_num(around, nan=0.0)
            share = budget_share(len(pool.labelled), pool.budget)
            factor += np.float32(opened * settings.rarity) * capped_deficit(
                around, pool.labels, settings.cap
            )
            factor += np.float32(opened * settings.margin * share) * mean_margin(around)
        return _greedy(pool, points, free, nearest, factor, opened * settings.location, n)

    return choose


@strategy(
    "capped-rarity",
    "windows far from the labelled ones, more so those that may hold scarce labels or come from "
    "places with few labels, if windows hold few labels each",
    "Capped Rarity K-Center, fifth in BioDCASE 2026 Task 4; re-implemented from the description "
    "of the results",
)
def capped_rarity(pool: PoolView, n: int) -> Selection:
    """Choose by k-centre with capped rarity, a margin and the place of recording.

    Published: greedy k-centre on a PCA projection of 128 dimensions; a capped rarity by class
    deficit; a mean margin that grows with the budget, from the labels of nearest neighbours
    instead of the detector; stratification by location from metadata; all three behind one gate
    by the mean number of labels of a window.

    Read so where the description leaves it open: distances are multiplied by 1 plus the three
    terms; the gate is ``1 / (1 + labels per window)``, so that sparse archives use them most; ten
    neighbours; the location is the recording; weights of 0.5, 0.5 and 0.25.
    """
    return capped_rarity_with(Settings())(pool, n)


def density_gate(labels: Float32, settings: Settings) -> float:
    """Return how far the terms beside distance count, from 1 (windows are empty) towards 0."""
    mean = float(positives(labels).sum()) / max(1, len(labels))
    return settings.dense / (settings.dense + mean)


def capped_deficit(around: Float32, labels: Float32, cap: float) -> Float32:
    """Return the expected deficit of a window's labels, at most ``cap``, ``(n,)``.

    Parameters
    ----------
    around
        ``(n, n_labels)`` share of the neighbours that carry each label.
    labels
        Labels so far. The deficit of one is by how much its positives fall short of those of the
        commonest, from 0 to 1.
    """
    count = positives(labels)
    deficit = (1.0 - count / max(1, int(count.max(initial=0)))).astype(np.float32)
    expected: Float32 = np.minimum(around @ deficit, np.float32(cap))
    return expected


def mean_margin(around: Float32) -> Float32:
    """Return 1 where neighbours are split on every label, 0 where they agree, ``(n,)``."""
    doubt: Float32 = 1.0 - 2.0 * np.abs(around - 0.5).mean(axis=1)
    return doubt


def _greedy(
    pool: PoolView,
    points: Float32,
    free: Int64,
    nearest: Float32,
    factor: Float32,
    location: float,
    n: int,
) -> Selection:
    """Choose the largest distance times factor, which falls as a recording gets its share."""
    _, place = np.unique(pool.recording, return_inverse=True)
    count = np.bincount(place[pool.labelled], minlength=int(place.max()) + 1).astype(np.float32)
    known = pool.recording[free] >= 0
    where = place[free]
    closest = nearest.copy()
    block = points[free]
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    for i in range(n):
        fresh = np.where(known, 1.0 / np.sqrt(1.0 + count[where]), 0.0).astype(np.float32)
        score = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * closest)) * (
            factor + np.float32(location) * fresh
        )
        score[closest > 2.0] = -1.0
        best = int(np.argmax(score))
        rows[i], utility[i] = free[best], score[best]
        np.maximum(closest, block @ block[best], out=closest)
        closest[best] = 3.0
        count[where[best]] += 1.0
    return Selection(rows, utility)
