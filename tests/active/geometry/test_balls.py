from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from antiphon.active.geometry import balls
from antiphon.active.geometry.balls import count, cover_most, pure_radius, within


def points(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def unpacked(bits: np.ndarray, width: int) -> np.ndarray:
    return np.unpackbits(bits.view(np.uint8), axis=1)[:, :width].astype(bool)


@pytest.mark.parametrize("side", [8, 64, 512])
@pytest.mark.parametrize("n", [1, 63, 130])
def test_bits_say_who_is_within(n: int, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balls, "SIDE", side)
    x = points(n)
    near = cdist(x, x) <= 1.5
    found = within(x, None, 1.5)
    np.testing.assert_array_equal(unpacked(found, n), near)
    np.testing.assert_array_equal(count(found), near.sum(axis=1))
    targets = np.arange(0, n, 3)
    np.testing.assert_array_equal(unpacked(within(x, targets, 1.5), len(targets)), near[:, targets])


def test_a_point_is_within_its_own_ball_even_of_no_radius() -> None:
    x = (points(50) * 100 + 1000).astype(np.float32)
    assert unpacked(within(x, None, 0.0), 50).diagonal().all()


def test_the_radius_is_the_largest_that_keeps_the_share_of_pure_balls() -> None:
    x = points(80)
    group = (x[:, 0] > 0).astype(np.int64)
    distance = cdist(x, x)
    impure = distance + np.where(group[:, None] == group, np.inf, 0.0)
    for purity in (0.5, 0.9, 0.95, 1.0):
        radius = pure_radius(x, group, np.arange(80), purity)
        share = (impure > radius).all(axis=1).mean()
        assert share >= purity
        # A radius a little larger keeps too few.
        assert (impure > radius * 1.0001).all(axis=1).mean() < purity


def test_one_cluster_is_pure_at_any_radius() -> None:
    assert pure_radius(points(9), np.zeros(9, np.int64), np.arange(9)) > 1e30


def test_each_choice_covers_most_of_what_is_left() -> None:
    x = points(200)
    found = within(x, None, 0.9)
    near = unpacked(found, 200)
    labelled = np.array([0, 1, 2])
    free = np.arange(3, 200)
    rows, gain = cover_most(found, free, labelled, 40, np.random.default_rng(0))
    done = near[labelled].any(axis=0)
    for row, new in zip(rows, gain, strict=True):
        assert new == (near[row] & ~done).sum() == (near[free] & ~done).sum(axis=1).max()
        done |= near[row]
    assert len(set(rows.tolist())) == 40


def test_ties_are_broken_at_random_and_all_rows_can_be_had() -> None:
    found = within(np.eye(6, dtype=np.float32), None, 0.1)
    first = set()
    for seed in range(40):
        rows, gain = cover_most(
            found, np.arange(6), np.empty(0, np.int64), 6, np.random.default_rng(seed)
        )
        assert sorted(rows.tolist()) == list(range(6))
        assert gain.tolist() == [1] * 6
        first.add(int(rows[0]))
    assert first == set(range(6))
