from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from tests.active.strategies.views import circle, unit, view


def test_the_first_batch_is_one_window_for_each_cluster() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(5), [40, 30, 20, 10, 5])
    x = np.eye(16)[group] + 0.05 * rng.normal(size=(105, 16))
    rows = select("coreset-kmeans", view(x), 5).rows
    assert sorted(group[rows].tolist()) == [0, 1, 2, 3, 4]


def test_later_batches_are_k_centre() -> None:
    pool = view(circle([0, 10, 45, 90, 180]), [0])
    assert select("coreset-kmeans", pool, 4).rows.tolist() == [4, 3, 2, 1]


def test_later_batches_are_scikit_activemls_core_set() -> None:
    skactiveml = pytest.importorskip("skactiveml.pool")
    x = unit(np.random.default_rng(0).normal(size=(80, 6)))
    y = np.full(80, np.nan)
    y[:5] = 0
    expected = skactiveml.CoreSet(random_state=0).query(x, y, batch_size=20)
    got = select("coreset-kmeans", view(x, np.arange(5)), 20).rows
    assert got.tolist() == expected.tolist()
