from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.geometry import farthest
from antiphon.active.geometry.farthest import farthest_first, k_centre
from antiphon.active.geometry.whitening import whiten

Int64 = npt.NDArray[np.int64]


def plain(x: npt.NDArray[np.float32], labelled: Int64, n: int) -> tuple[list[int], list[float]]:
    """Greedy k-centre in float64, all distances."""
    y = x.astype(np.float64)
    near = np.full(len(y), np.inf)
    for row in labelled:
        near = np.minimum(near, ((y - y[row]) ** 2).sum(axis=1))
    near[labelled] = -1.0
    rows, gap = [], []
    for _ in range(n):
        best = int(np.argmax(near))
        rows.append(best)
        gap.append(float(np.sqrt(near[best])))
        near = np.where(near < 0, near, np.minimum(near, ((y - y[best]) ** 2).sum(axis=1)))
        near[best] = -1.0
    return rows, gap


def free_of(n: int, labelled: Int64) -> Int64:
    return np.setdiff1d(np.arange(n), labelled)


@given(
    seed=st.integers(0, 10_000),
    shift=st.sampled_from([0.0, 30.0, 1000.0]),
    labelled=st.integers(1, 200),
    refresh=st.sampled_from([1, 4, 32]),
)
@settings(max_examples=40, deadline=None)
def test_rows_are_those_of_all_distances_in_float64(
    seed: int, shift: float, labelled: int, refresh: int
) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(300, 12)) * np.geomspace(3, 0.1, 12) + shift).astype(np.float32)
    known = rng.choice(300, labelled, replace=False).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(farthest, "REFRESH", refresh)
        patch.setattr(farthest, "FEW", 8)
        found = k_centre(x, free_of(300, known), known, 60, rng)
    rows, gap = plain(x, known, 60)
    assert found.rows.tolist() == rows
    np.testing.assert_allclose(found.utility, gap, rtol=1e-6)


def test_rows_are_the_same_with_and_without_memory_whatever_came_between() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 20)).astype(np.float32)
    memory: dict[str, Any] = {}
    labelled = np.array([3, 500], np.int64)
    for step in range(6):
        free = free_of(800, labelled)
        found = k_centre(x, free, labelled, 20, np.random.default_rng(step), memory)
        alone = k_centre(x, free, labelled, 20, np.random.default_rng(step))
        np.testing.assert_array_equal(found.rows, alone.rows)
        np.testing.assert_array_equal(found.utility, alone.utility)
        if step == 1:  # Others than those chosen are labelled.
            labelled = np.concatenate([labelled, rng.choice(free, 150, replace=False)])
        elif step == 3:  # Some that were labelled no longer are.
            labelled = labelled[5:]
        else:
            labelled = np.sort(np.concatenate([labelled, found.rows]))


def test_the_first_row_of_an_empty_start_is_a_common_one() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(99, 4)), [[50.0, 0, 0, 0]]]).astype(np.float32)
    found = k_centre(x, np.arange(100), np.empty(0, np.int64), 3, rng)
    assert np.linalg.norm(x[found.rows[0]]) < 2.5
    assert found.rows[1] == 99
    assert found.utility[0] == 1.0
    rows, gap = plain(x, found.rows[:1], 2)
    assert found.rows[1:].tolist() == rows
    np.testing.assert_allclose(found.utility[1:], gap, rtol=1e-6)


def test_copies_come_last() -> None:
    x = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    found = k_centre(x, np.arange(1, 12), np.array([0]), 11, np.random.default_rng(0))
    assert len(set(found.rows.tolist())) == 11
    np.testing.assert_allclose(found.utility[:3], np.sqrt(2.0), rtol=1e-6)
    np.testing.assert_allclose(found.utility[3:], 0.0, atol=1e-6)


def test_farthest_first_on_a_circle_worked_by_hand() -> None:
    angle = np.deg2rad([0.0, 10.0, 45.0, 90.0, 180.0])
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    weight = np.ones(5, np.float32)
    rng = np.random.default_rng(0)
    chosen = farthest_first(points, np.array([1, 2, 3, 4]), np.array([0]), weight, 3, rng)
    # 180 is the farthest from 0, then 90 from both, then 45.
    assert chosen.rows.tolist() == [4, 3, 2]
    np.testing.assert_allclose(chosen.utility[:2], [2.0, np.sqrt(2.0)], rtol=1e-6)


def test_a_weight_of_zero_is_chosen_last() -> None:
    points = whiten(np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32))
    weight = np.ones(20, np.float32)
    weight[:5] = 0.0
    chosen = farthest_first(
        points, np.arange(1, 20), np.array([0]), weight, 19, np.random.default_rng(0)
    )
    assert set(chosen.rows[-4:].tolist()) == {1, 2, 3, 4}
