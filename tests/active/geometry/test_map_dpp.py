from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.geometry.map_dpp import condition, gaussian_kernel, greedy_mode
from tests.active.strategies.views import unit


def brute_force(kernel: np.ndarray, n: int) -> list[int]:
    """Choose greedily by the determinant itself."""
    chosen: list[int] = []
    for _ in range(n):
        left = [i for i in range(len(kernel)) if i not in chosen]
        chosen.append(
            max(left, key=lambda i: np.linalg.det(kernel[np.ix_([*chosen, i], [*chosen, i])]))
        )
    return chosen


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_greedy_mode_is_that_of_the_determinants(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(12, 8))
    kernel = factor @ factor.T
    rows, gained = greedy_mode(kernel, 6)
    assert rows.tolist() == brute_force(kernel, 6)
    # What each adds multiplies up to the determinant of the set.
    assert np.prod(gained) == pytest.approx(np.linalg.det(kernel[np.ix_(rows, rows)]), rel=1e-6)


def test_near_the_best_set_of_two() -> None:
    factor = np.random.default_rng(0).normal(size=(9, 5))
    kernel = factor @ factor.T
    rows, _ = greedy_mode(kernel, 2)
    best = max(
        np.linalg.det(kernel[np.ix_(pair, pair)]) for pair in itertools.combinations(range(9), 2)
    )
    assert np.linalg.det(kernel[np.ix_(rows, rows)]) >= best / 2.0


def test_beyond_the_rank_the_diagonal_decides() -> None:
    kernel = np.diag([1.0, 4.0, 0.0, 9.0])
    kernel = np.block([[kernel, kernel], [kernel, kernel]])
    rows, gained = greedy_mode(kernel, 8)
    assert rows[:3].tolist() == [3, 1, 0]
    assert rows[3:].tolist() == [7, 5, 4, 2, 6]
    assert (gained[3:] == 0.0).all()


def test_conditioning_is_what_is_left_of_a_gaussian() -> None:
    points = unit(np.random.default_rng(1).normal(size=(10, 3)))
    whole = gaussian_kernel(points, points, 0.7)
    rest = condition(whole[4:, 4:], whole[:4, 4:], whole[:4, :4])
    inverse = np.linalg.inv(whole[:4, :4])
    expected = whole[4:, 4:] - whole[4:, :4] @ inverse @ whole[:4, 4:]
    np.testing.assert_allclose(rest, expected, atol=1e-4)
    none = condition(whole, np.empty((0, 10)), np.empty((0, 0)))
    np.testing.assert_array_equal(none, whole)


def test_gaussian_kernel_of_unit_vectors() -> None:
    points = np.eye(2, dtype=np.float32)
    # Two right-angled unit vectors are the root of 2 apart.
    np.testing.assert_allclose(
        gaussian_kernel(points, points, 0.5), [[1, np.exp(-4)], [np.exp(-4), 1]], rtol=1e-6
    )
