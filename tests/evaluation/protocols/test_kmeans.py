from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans as Peer

from antiphon.errors import UserError
from antiphon.evaluation.metrics.clustering import adjusted_rand_index
from antiphon.evaluation.protocols.exchange import exchange_rows
from antiphon.evaluation.protocols.kmeans import kmeans
from antiphon.evaluation.protocols.seeding import greedy_seeds
from tests.evaluation.protocols.sets import classes


def plain_lloyd(x, centres):
    before = None
    while True:
        label = ((x[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        if before is not None and (label == before).all():
            return label
        centres = np.stack([x[label == k].mean(axis=0) for k in range(len(centres))])
        before = label


@pytest.mark.parametrize("dim", [6, 160, 300])
def test_the_bounds_change_nothing(dim: int) -> None:
    x, _ = classes(500, dim, 7, seed=0, spread=3.0)
    found = kmeans(x, 7, starts=1, tolerance=0.0)
    rows = (x - x.mean(axis=0)).astype(np.float64)
    square = np.einsum("ij,ij->i", rows, rows).astype(np.float32)
    seeds, _ = greedy_seeds(rows.astype(np.float32), square, 7, 1, 42)
    want = plain_lloyd(rows, rows[seeds[0]])
    np.testing.assert_array_equal(found.labels, want)
    inertia = sum(((rows[want == k] - rows[want == k].mean(axis=0)) ** 2).sum() for k in range(7))
    assert found.inertia == pytest.approx(inertia, rel=1e-5)


@pytest.mark.parametrize(("dim", "k", "seed"), [(20, 8, 0), (200, 12, 1), (64, 3, 2)])
def test_the_published_call_of_scikit_learn_gives_the_same_clusters(
    dim: int, k: int, seed: int
) -> None:
    x, _ = classes(800, dim, k, seed=seed, spread=2.0)
    peer = Peer(n_clusters=k, init="k-means++", n_init=10, max_iter=300, random_state=42).fit(x)
    found = kmeans(x, k)
    assert found.inertia == pytest.approx(peer.inertia_, rel=1e-4)
    assert adjusted_rand_index(peer.labels_, found.labels) > 0.98


def test_a_start_that_is_given_up_would_not_have_won() -> None:
    x, _ = classes(1500, 24, 20, seed=4, spread=3.0)
    found, all_ended = kmeans(x, 20), kmeans(x, 20, every_start=True)
    assert found.given_up
    assert not all_ended.given_up
    assert found.inertia == pytest.approx(min(all_ended.inertias), rel=1e-6)
    np.testing.assert_array_equal(found.labels, all_ended.labels)


def test_exchanges_only_lower_the_inertia_and_leave_no_better_move() -> None:
    x, _ = classes(400, 10, 8, seed=5, spread=3.0)
    plain, better = kmeans(x, 8), kmeans(x, 8, exchange=True)
    assert better.inertia < plain.inertia
    centres = np.stack([x[better.labels == k].mean(axis=0) for k in range(8)])
    np.testing.assert_allclose(better.centres, centres, atol=1e-4)
    again = exchange_rows(x, centres, better.labels)[1]
    np.testing.assert_array_equal(again, better.labels)


def test_a_move_that_lloyd_cannot_see_is_made() -> None:
    # On a line: the point at 3 is nearer to its own mean, but leaving it lowers the sum.
    x = np.array([[0.0], [3.0], [5.0], [5.2]], np.float32)
    labels = np.array([0, 0, 1, 1])
    centres = np.array([[1.5], [5.1]], np.float32)
    moved = exchange_rows(x, centres, labels)
    assert moved[1].tolist() == [0, 1, 1, 1]


def test_one_cluster_is_the_mean() -> None:
    x, _ = classes(50, 4, 3, seed=0)
    found = kmeans(x, 1)
    np.testing.assert_allclose(found.centres[0], x.mean(axis=0), atol=1e-5)
    assert (found.labels == 0).all()


def test_as_many_clusters_as_items_leave_no_inertia() -> None:
    x, _ = classes(12, 4, 3, seed=0)
    found = kmeans(x, 12)
    assert len(np.unique(found.labels)) == 12
    assert found.inertia == pytest.approx(0.0, abs=1e-6)


def test_copies_of_few_points_end_with_clusters_left_empty() -> None:
    x = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    found = kmeans(x, 5)
    assert len(np.unique(found.labels)) == 3
    assert found.inertia == pytest.approx(0.0, abs=1e-6)


def test_a_large_offset_does_not_hide_the_clusters() -> None:
    x, y = classes(200, 6, 3, seed=1, spread=0.1)
    found = kmeans(x + np.float32(1000.0), 3)
    assert adjusted_rand_index(y, found.labels) == 1.0


@pytest.mark.parametrize("k", [0, 11])
def test_more_clusters_than_items_are_refused(k: int) -> None:
    with pytest.raises(UserError, match="1 to 10 clusters"):
        kmeans(np.zeros((10, 2), np.float32), k)
