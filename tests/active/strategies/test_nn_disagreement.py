from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.nn_disagreement import disagreement
from tests.active.strategies.views import view

NAN = float("nan")


def test_disagreement_leaves_unknown_labels_out() -> None:
    probability = np.array([[0.9, 0.2], [0.5, 0.5], [0.1, 0.1]], np.float32)
    around = np.array([[0.4, NAN], [1.0, 0.0], [NAN, NAN]], np.float32)
    np.testing.assert_allclose(disagreement(probability, around), [0.5, 0.5, 0.0], atol=1e-6)


def test_agrees_with_scikit_learns_neighbours() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6))
    labels = (rng.random((40, 3)) < 0.5).astype(float)
    probability = rng.random((120, 3))
    pool = view(x, np.arange(40), labels, probability)
    chosen = select("nn-disagreement", pool, 10)
    points = pool.cache["whiten:64"]
    model = neighbors.KNeighborsRegressor(15).fit(points[:40], labels)
    gap = np.abs(model.predict(points[40:]) - probability[40:]).mean(axis=1)
    assert set(chosen.rows.tolist()) == set((40 + np.argsort(-gap)[:10]).tolist())
    np.testing.assert_allclose(chosen.utility, np.sort(gap)[::-1][:10], atol=1e-5)
