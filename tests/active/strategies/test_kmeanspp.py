from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from tests.active.strategies.views import view


def left(x: np.ndarray, rows: np.ndarray) -> float:
    return float(np.square(x[:, None] - x[rows]).sum(axis=2).min(axis=1).sum())


def test_several_trials_leave_less_than_single_draws() -> None:
    rng = np.random.default_rng(0)
    x = 5 * rng.normal(size=(10, 4))[rng.integers(0, 10, 300)] + rng.normal(size=(300, 4))
    sums = {
        name: np.mean([left(x, select(name, view(x, seed=s), 10).rows) for s in range(40)])
        for name in ("kmeans++", "d2", "random")
    }
    assert sums["kmeans++"] < sums["d2"] < sums["random"]


def test_labelled_clusters_are_left_out() -> None:
    x = np.concatenate(
        [
            np.random.default_rng(1).normal(size=(20, 2)) * 0.01 + at
            for at in ((0, 0), (9, 0), (0, 9))
        ]
    )
    for seed in range(10):
        rows = select("kmeans++", view(x, [5], seed=seed), 2).rows
        assert sorted((rows // 20).tolist()) == [1, 2]
