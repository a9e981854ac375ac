from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies import typiclust
from antiphon.active.strategies.typiclust import choose_typical, typicality
from tests.active.strategies.views import view


@pytest.mark.parametrize("neighbours", [3, 5, 20])
def test_picks_are_those_of_scikit_activeml_given_its_clusters(neighbours: int) -> None:
    pool = pytest.importorskip("skactiveml.pool")
    cluster = pytest.importorskip("sklearn.cluster")
    kept: list[Any] = []

    class Kept(cluster.KMeans):
        def fit_predict(self, *args: Any, **more: Any) -> Any:
            kept.append(super().fit_predict(*args, **more))
            return kept[-1]

    rng = np.random.default_rng(0)
    x = (6 * rng.normal(size=(9, 8))[rng.integers(0, 9, 500)] + rng.normal(size=(500, 8))).astype(
        np.float32
    )
    labelled = rng.choice(500, 12, replace=False)
    y = np.full(500, np.nan)
    y[labelled] = 0.0
    query = pool.TypiClust(cluster_algo=Kept, k=neighbours, random_state=0)
    wanted, utility = query.query(x, y, batch_size=20, return_utilities=True)
    found = choose_typical(x, kept[0].astype(np.int64), labelled, 20, neighbours)
    # Clusters of the same size come in any order there.
    assert set(found.rows.tolist()) == set(wanted.tolist())
    worth = {int(row): float(utility[i, row]) for i, row in enumerate(wanted)}
    np.testing.assert_allclose(found.utility, [worth[int(r)] for r in found.rows], rtol=1e-3)


def test_typicality_worked_by_hand() -> None:
    line = np.array([[0.0], [1.0], [3.0]], np.float32)
    # Mean distances to the two others: 2, 1.5 and 2.5.
    np.testing.assert_allclose(typicality(line, 5), [1 / 2, 1 / 1.5, 1 / 2.5], rtol=1e-6)
    np.testing.assert_allclose(typicality(line, 1), [1.0, 1.0, 0.5], rtol=1e-6)
    assert typicality(line[:1], 5).tolist() == [1.0]


def test_large_clusters_are_searched_near_their_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typiclust, "SEARCHED", 50)
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    worth = typicality(x, 5)
    assert (worth > 0).sum() == 50
    inner = np.argsort(np.linalg.norm(x - x.mean(axis=0), axis=1))[:50]
    assert set(np.flatnonzero(worth).tolist()) == set(inner.tolist())


def test_the_middle_of_each_uncovered_blob_is_chosen_larger_ones_first() -> None:
    rng = np.random.default_rng(0)
    size = (30, 20, 10)
    x = np.concatenate(
        [rng.normal(size=(k, 4)) * 0.1 + 20 * np.eye(3, 4)[i] for i, k in enumerate(size)]
    )
    group = np.repeat(np.arange(3), size)
    cluster = group.astype(np.int64)
    chosen = choose_typical(x.astype(np.float32), cluster, np.array([35]), 4)
    # The labelled one lies in the second blob, which comes last; then the first again.
    assert group[chosen.rows].tolist() == [0, 2, 0, 1] or group[chosen.rows].tolist() == [
        0,
        2,
        1,
        0,
    ]
    assert chosen.rows[0] == int(np.argmax(typicality(x[:30].astype(np.float32), 5)))


def test_the_strategy_finds_the_blobs_itself() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(25, 4)) * 0.1 + 20 * np.eye(5, 4)[i] for i in range(5)])
    rows = select("typiclust", view(x, []), 5).rows
    assert sorted((rows // 25).tolist()) == [0, 1, 2, 3, 4]
