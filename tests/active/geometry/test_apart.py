from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.geometry.apart import choose_apart, nearest_gap, nearest_similarity, unit_rows
from tests.active.strategies.views import circle, unit, view


@given(seed=st.integers(0, 10_000), n=st.integers(1, 150), redundancy=st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_the_lazy_choice_is_the_plain_greedy_one(seed: int, n: int, redundancy: float) -> None:
    rng = np.random.default_rng(seed)
    points = unit(rng.normal(size=(150, 5)))
    worth = rng.random(150).astype(np.float32)
    rows = rng.permutation(150)
    got = choose_apart(
        points,
        rows,
        np.zeros(150, np.float32),
        lambda at, cosine: worth[rows[at]] - np.float32(redundancy) * cosine,
        n,
    )
    cosine = points @ points.T
    similarity = np.zeros(150)
    left = np.ones(150, dtype=bool)
    for i in range(n):
        score = np.where(left, worth - redundancy * similarity, -np.inf)
        # Products in blocks differ in the last digit, so ties may be broken the other way.
        assert score[got.rows[i]] == pytest.approx(score.max(), abs=1e-5)
        assert got.utility[i] == pytest.approx(score.max(), abs=1e-5)
        left[got.rows[i]] = False
        similarity = np.maximum(similarity, cosine[got.rows[i]])
    assert len(set(got.rows.tolist())) == n


def test_farthest_first_on_a_circle() -> None:
    points = circle([0, 10, 45, 90, 180])
    rows = np.arange(1, 5)
    nearest = points[rows] @ points[0]
    got = choose_apart(
        points, rows, nearest, lambda _, cosine: np.sqrt(np.maximum(0, 2 - 2 * cosine)), 4
    )
    assert got.rows.tolist() == [4, 3, 2, 1]
    np.testing.assert_allclose(got.utility[:2], [2.0, np.sqrt(2.0)], rtol=1e-5)


def test_nearest_similarity_grows_with_the_labels_and_keeps_earlier_ones() -> None:
    points = unit(np.random.default_rng(0).normal(size=(50, 4)))
    cache: dict[str, object] = {}
    for labelled in ([], [3], [3, 7, 9], [3, 7, 9, 1, 2]):
        pool = view(points, labelled)
        object.__setattr__(pool, "cache", cache)
        got = nearest_similarity(pool, "test", points)
        expected = np.full(50, -1.0) if not labelled else (points @ points[labelled].T).max(axis=1)
        np.testing.assert_allclose(got, expected, atol=1e-6)
    other = view(points, [40, 41])
    object.__setattr__(other, "cache", cache)
    got = nearest_similarity(other, "test", points)
    np.testing.assert_allclose(got, (points @ points[[40, 41]].T).max(axis=1), atol=1e-6)


def test_nearest_gap_of_points_of_any_length() -> None:
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    assert np.isinf(nearest_gap(view(points), "test", points)).all()
    got = nearest_gap(view(points, [2, 5]), "test", points)
    expected = ((points[:, None] - points[[2, 5]][None]) ** 2).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_unit_rows_keep_zeros() -> None:
    got = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(got, [[0.6, 0.8], [0.0, 0.0]])
