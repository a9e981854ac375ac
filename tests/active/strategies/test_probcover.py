from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry.balls import within
from antiphon.active.registry import select
from antiphon.active.strategies import probcover
from tests.active.strategies.views import unit, view


def blobs() -> np.ndarray:
    rng = np.random.default_rng(0)
    sizes = (40, 25, 10, 5)
    parts = [unit(5 * np.eye(4, 8)[i] + 0.3 * rng.normal(size=(k, 8))) for i, k in enumerate(sizes)]
    return np.concatenate(parts)


def test_one_window_of_each_kind_the_most_common_first() -> None:
    x = blobs()
    chosen = select("probcover", view(x, n_labels=4), 4)
    group = np.repeat(np.arange(4), (40, 25, 10, 5))
    assert group[chosen.rows].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(chosen.utility, np.array([40, 25, 10, 5]) / 80, atol=0.051)


def test_what_is_labelled_is_covered() -> None:
    rows = select("probcover", view(blobs(), [2, 45], n_labels=4), 2).rows
    assert np.repeat(np.arange(4), (40, 25, 10, 5))[rows].tolist() == [2, 3]


@pytest.mark.filterwarnings("ignore:The maximum purity was -1")
def test_each_gain_is_the_largest_of_scikit_activeml() -> None:
    pool = pytest.importorskip("skactiveml.pool")
    x = unit(np.random.default_rng(0).normal(size=(90, 3)))
    made = view(x, [5, 6], n_labels=3)
    chosen = select("probcover", made, 8)
    points = made.cache["unit components:64"]
    balls = made.cache["balls:3"]
    radius = next(
        r
        for r in np.linspace(2.0, 0.0, 20001)
        if np.array_equal(within(points, None, float(r)), balls)
    )
    y = np.full(90, np.nan)
    y[[5, 6]] = [0, 1]
    for i, row in enumerate(chosen.rows):
        query = pool.ProbCover(deltas=[radius], n_classes=3, random_state=0)
        _, utility = query.query(points, y, batch_size=1, return_utilities=True)
        assert utility[0, row] == np.nanmax(utility[0])
        assert chosen.utility[i] == pytest.approx(utility[0, row] / 90)
        y[row] = 0


def test_a_large_pool_is_covered_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probcover, "MEMORY", 1)
    x = np.random.default_rng(0).normal(size=(2100, 4)).astype(np.float32)
    made = view(x, [1, 2], n_labels=3)
    rows = select("probcover", made, 5).rows
    assert len(set(rows.tolist())) == 5
    assert made.cache["balls:3"].shape == (2100, 2048 // 64)
