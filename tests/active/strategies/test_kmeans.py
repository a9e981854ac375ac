from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.kmeans import medoids
from tests.active.strategies.views import view


def blobs(size: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    at = np.array([[0, 0], [9, 0], [0, 9], [9, 9]])
    return np.concatenate(
        [rng.normal(size=(k, 2)) + 0.0 * at[i] + at[i] * 2 for i, k in enumerate(size)]
    )


def test_medoids_are_those_of_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    metrics = pytest.importorskip("sklearn.metrics")
    x = blobs((40, 30, 20, 10))
    rows = select("kmeans", view(x), 4).rows
    model = cluster.KMeans(4, n_init=5, random_state=0).fit(x)
    wanted = metrics.pairwise_distances_argmin(model.cluster_centers_, x)
    # Larger clusters first.
    order = np.argsort(-np.bincount(model.labels_))
    assert rows.tolist() == wanted[order].tolist()


def test_clusters_with_labels_are_left_out() -> None:
    x = blobs((40, 30, 20, 10))
    chosen = select("kmeans", view(x, [3, 12, 75]), 2)
    groups = np.repeat(np.arange(4), (40, 30, 20, 10))[chosen.rows]
    assert groups.tolist() == [1, 3]
    np.testing.assert_allclose(chosen.utility, np.array([30, 10]) / 97, rtol=1e-6)


def test_empty_clusters_give_way_to_the_rows_farthest_from_their_centres() -> None:
    cluster = np.array([0, 0, 0, -1, 2])
    distance = np.array([3.0, 1.0, 2.0, 9.0, 4.0], np.float32)
    rows, size = medoids(cluster, distance, 4)
    assert rows.tolist() == [1, 4, 3, 0]
    assert size.tolist() == [3, 1, 0, 0]
