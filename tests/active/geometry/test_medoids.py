from __future__ import annotations

import numpy as np

from antiphon.active.geometry.medoids import isolation, medoids
from tests.active.strategies.views import unit


def test_one_typical_point_for_each_cluster_the_largest_first() -> None:
    rng = np.random.default_rng(0)
    sizes = [50, 30, 20]
    group = np.repeat(np.arange(3), sizes)
    points = unit(np.eye(10)[group] + 0.08 * rng.normal(size=(100, 10)))
    found = medoids(points, 3, np.random.default_rng(1))
    assert group[found].tolist() == [0, 1, 2]
    for row in found:
        members = points[group == group[row]]
        centre = unit(members.mean(axis=0, keepdims=True))[0]
        assert points[row] @ centre >= (members @ centre).max() - 1e-6


def test_as_many_different_points_as_clusters_even_of_the_same_place() -> None:
    points = np.tile(np.eye(4, dtype=np.float32)[:2], (10, 1))
    found = medoids(points, 7, np.random.default_rng(0))
    assert len(set(found.tolist())) == 7
    assert set(medoids(points, 20, np.random.default_rng(0)).tolist()) == set(range(20))


def test_isolation_is_the_mean_distance_to_the_nearest_others() -> None:
    points = unit(np.random.default_rng(0).normal(size=(40, 6)))
    got = isolation(points, np.random.default_rng(0), neighbours=3)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = np.sort(distance, axis=1)[:, 1:4].mean(axis=1)
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_isolation_over_a_sample_leaves_the_point_itself_out() -> None:
    points = unit(np.random.default_rng(0).normal(size=(300, 6)))
    drawn = np.sort(np.random.default_rng(5).choice(300, 50, replace=False))
    got = isolation(points, np.random.default_rng(5), neighbours=2, sample=50)
    for row in (int(drawn[0]), int(np.setdiff1d(np.arange(300), drawn)[0])):
        others = drawn[drawn != row]
        distance = np.sort(np.linalg.norm(points[others] - points[row], axis=1))
        np.testing.assert_allclose(got[row], distance[:2].mean(), atol=1e-3)


def test_a_single_point_is_not_isolated() -> None:
    assert isolation(np.ones((1, 3), np.float32), np.random.default_rng(0)).tolist() == [0.0]
