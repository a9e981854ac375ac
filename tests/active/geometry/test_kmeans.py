from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry.kmeans import draw_seeds, kmeans, lloyd

cluster = pytest.importorskip("sklearn.cluster")


def blobs(n: int = 400, k: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (10 * rng.normal(size=(k, 5))[rng.integers(0, k, n)] + rng.normal(size=(n, 5))).astype(
        np.float32
    )


def test_rounds_are_those_of_scikit_learn_from_the_same_centres() -> None:
    x = blobs()
    begin = x[:8]
    ours, label, gap = lloyd(x, begin, 50, tolerance=0.0)
    theirs = cluster.KMeans(8, init=begin, n_init=1, max_iter=50, tol=0.0).fit(x)
    np.testing.assert_allclose(ours, theirs.cluster_centers_, atol=1e-3)
    np.testing.assert_array_equal(label, theirs.labels_)
    assert gap.sum() == pytest.approx(theirs.inertia_, rel=1e-4)


def test_clusters_are_nearly_as_tight_as_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6000, 16)).astype(np.float32) * np.geomspace(3, 0.3, 16).astype("f4")
    gap = kmeans(x, 60, rng)[2].sum()
    assert gap < 1.03 * cluster.KMeans(60, n_init=1, random_state=0).fit(x).inertia_


def test_fixed_centres_stay_and_the_others_go_where_nothing_is() -> None:
    x = np.array([[0, 0], [0, 1], [9, 0], [9, 1], [0, 9], [0, 8]], np.float32)
    fixed = np.array([[0.0, 0.5]], np.float32)
    centres, label, _ = kmeans(x, 2, np.random.default_rng(0), fixed=fixed)
    np.testing.assert_array_equal(centres[0], fixed[0])
    assert label[:2].tolist() == [0, 0]
    assert sorted(centres[1:].tolist()) == [[0.0, 8.5], [9.0, 0.5]]


def test_a_centre_without_points_moves_to_the_worst_point() -> None:
    x = np.array([[0.0], [1.0], [10.0]], np.float32)
    centres, label, _ = lloyd(x, np.array([[0.0], [50.0]], np.float32), 5, tolerance=0.0)
    assert sorted(centres[:, 0].tolist()) == [0.5, 10.0]
    assert len(set(label.tolist())) == 2


def test_seeds_come_by_their_squared_distance() -> None:
    x = np.array([[0.0], [1.0], [3.0]], np.float32)
    covered = x[:, 0] ** 2
    count = np.zeros(3)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        rows, share = draw_seeds(x, 1, rng, nearest=covered)
        count[rows[0]] += 1
        assert share[0] == pytest.approx(covered[rows[0]] / 10.0)
    # 0 is covered; 1 and 9 tenths are left, with a standard deviation of 0.007.
    np.testing.assert_allclose(count / 2000, [0.0, 0.1, 0.9], atol=0.03)


def test_several_trials_keep_the_one_that_leaves_least() -> None:
    x = np.array([[0.0], [0.1], [0.2], [5.0]], np.float32)
    nearest = np.full(4, 100.0, np.float32)
    # Enough trials see every point; the middle of the three leaves the smallest sum.
    rows, _ = draw_seeds(x, 1, np.random.default_rng(0), nearest=nearest, trials=60)
    left = [np.minimum((x - one) ** 2, 100.0).sum() for one in x]
    assert rows[0] == int(np.argmin(left))


def test_seeds_differ_even_where_points_do_not() -> None:
    rows, _ = draw_seeds(np.ones((9, 3), np.float32), 9, np.random.default_rng(0))
    assert sorted(rows.tolist()) == list(range(9))
