from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs, make_moons

from antiphon.errors import UserError
from antiphon.evaluation.metrics.clustering import adjusted_rand_index
from antiphon.evaluation.protocols import hdbscan as module
from antiphon.evaluation.protocols.hdbscan import euclidean_distances, hdbscan


def made(seed: int):
    if seed % 2:
        spread = 0.5 + 0.2 * seed
        return make_blobs(250, n_features=4, centers=6, cluster_std=spread, random_state=seed)[0]
    return make_moons(200, noise=0.08, random_state=seed)[0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [3, 8, 15])
def test_without_ties_labels_are_those_of_scikit_learn(seed: int, size: int) -> None:
    # A core distance of 0 leaves plain distances, which are all different.
    x = made(seed)
    peer = HDBSCAN(min_cluster_size=size, min_samples=1, copy=True).fit(x).labels_
    own = hdbscan(euclidean_distances(x), size, 1)
    assert own.n_clusters == peer.max() + 1
    np.testing.assert_array_equal(own.labels < 0, peer < 0)
    assert adjusted_rand_index(own.labels, peer) == 1.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("size", "samples"), [(5, None), (12, 5)])
def test_with_ties_they_differ_by_single_items(seed: int, size: int, samples: int | None) -> None:
    x = made(seed)
    peer = HDBSCAN(min_cluster_size=size, min_samples=samples, copy=True).fit(x).labels_
    own = hdbscan(euclidean_distances(x), size, samples)
    assert own.n_clusters == peer.max() + 1
    assert ((own.labels < 0) != (peer < 0)).mean() <= 0.02
    both = (own.labels >= 0) & (peer >= 0)
    assert adjusted_rand_index(own.labels[both], peer[both]) == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_items_does_not_matter(seed: int) -> None:
    x = made(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    one, two = (hdbscan(euclidean_distances(z), 5).labels for z in (x, x[order]))
    np.testing.assert_array_equal(one[order] < 0, two < 0)
    assert adjusted_rand_index(one[order], two) == 1.0


def test_distances_are_exact_far_from_the_origin() -> None:
    x = np.random.default_rng(0).standard_normal((1100, 3)) + 1e4
    np.testing.assert_allclose(euclidean_distances(x), cdist(x, x), atol=2e-6)


def test_noise_alone_is_no_cluster() -> None:
    x = np.random.default_rng(0).uniform(size=(60, 2))
    found = hdbscan(euclidean_distances(x), 30)
    assert found.n_clusters == 0
    assert found.noise == 1.0


def test_copies_of_two_points_are_two_clusters() -> None:
    x = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0)
    found = hdbscan(euclidean_distances(x), 5)
    assert found.n_clusters == 2
    assert np.isfinite(found.excess).all()


def test_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    distances = euclidean_distances(np.arange(6.0)[:, None])
    with pytest.raises(UserError, match="smallest cluster of at least 2"):
        hdbscan(distances, 1)
    with pytest.raises(UserError, match="1 to 6 samples"):
        hdbscan(distances, 2, 7)
    monkeypatch.setattr(module, "LARGEST", 5)
    with pytest.raises(UserError, match="at most 5 items, not 6"):
        euclidean_distances(np.zeros((6, 2)))
