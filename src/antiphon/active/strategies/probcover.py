"""ProbCover: windows whose neighbourhoods cover as much of the pool as possible."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.geometry.balls import Bits, cover_most, pure_radius, within
from antiphon.active.geometry.kmeans import kmeans
from antiphon.active.geometry.spaces import directions

PURITY = 0.95
# Balls whose purity is looked at, and the memory for all balls, in bits.
EXAMINED = 1024
MEMORY = 400_000_000


@strategy(
    "probcover",
    "windows with the most others within a radius that keeps kinds of sound apart",
    "Yehuda, Dekel, Hacohen and Weinshall (2022), arXiv:2205.11320",
)
def probcover(pool: PoolView, n: int) -> Selection:
    """Choose greedily the window whose ball covers the most windows not covered yet.

    The radius is the largest at which 95 % of the balls hold windows of one cluster only;
    k-means makes as many clusters as there are labels, which stand for the true ones. With
    several labels in a window a cluster stands for a mixture of labels. The space is that of
    the first 64 principal components of L2-normalised embeddings. Labels are not looked at.

    Notes
    -----
    In a pool of more than 20,000 windows, those to be covered are a random part. Utility is the
    share of windows a choice newly covers.
    """
    points = directions(pool)
    balls = pool.derive(
        f"balls:{pool.labels.shape[1]}", lambda _: _balls(points, pool.labels.shape[1])
    )
    rows, gain = cover_most(balls, pool.candidates(), pool.labelled, n, pool.generator)
    return Selection(rows, (gain / pool.size).astype(np.float32))


def _balls(points: Float32, n_labels: int) -> Bits:
    """Return which windows each ball covers; a function of the embeddings alone."""
    generator = np.random.default_rng(0)
    size = len(points)
    k = min(max(2, n_labels), size)
    _, cluster, _ = kmeans(points, k, generator)
    some = np.sort(generator.choice(size, min(EXAMINED, size), replace=False))
    radius = pure_radius(points, cluster, some, PURITY)
    part = max(2048, MEMORY // size)
    targets = None if size <= part else np.sort(generator.choice(size, part, replace=False))
    return within(points, targets, radius)
