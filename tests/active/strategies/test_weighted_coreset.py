from __future__ import annotations

import numpy as np

from antiphon.active.geometry.whitening import whiten
from antiphon.active.registry import select
from tests.active.strategies.views import view


def test_each_choice_has_the_largest_distance_times_balanced_entropy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 8)).astype(np.float32)
    p = rng.random((50, 2))
    labels = np.array([[1, 0], [1, 0], [1, np.nan], [0, 1]])
    pool = view(x, [0, 1, 2, 3], labels, p, n_labels=2)
    points = whiten(x).astype(float)
    # Three positives of the first label, one of the second.
    balance = np.array([4.0, 2.0]) ** -0.5
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)) @ (balance / balance.sum())
    covered = [0, 1, 2, 3]
    for row in select("weighted-coreset", pool, 8).rows:
        gap = np.linalg.norm(points[:, None] - points[covered], axis=2).min(axis=1)
        worth = gap * entropy
        worth[covered] = -1
        assert row == int(np.argmax(worth))
        covered.append(int(row))
