from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.registry import select
from antiphon.active.strategies.facility_location import lazy_greedy
from tests.active.strategies.views import circle, unit, view


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_lazy_choice_has_the_gains_of_plain_greedy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = unit(rng.normal(size=(90, 4)))
    labelled = np.array([0, 1])
    got = lazy_greedy(points, np.arange(2, 90), labelled, points, 20)
    similarity = np.maximum(0.0, points @ points.T)
    cover = similarity[:, labelled].max(axis=1)
    for row, utility in zip(got.rows, got.utility, strict=True):
        gain = np.maximum(similarity - cover[:, None], 0.0).mean(axis=0)
        np.testing.assert_allclose(utility, gain[2:].max(), atol=1e-6)
        np.testing.assert_allclose(gain[row], gain[2:].max(), atol=1e-6)
        cover = np.maximum(cover, similarity[:, row])


def test_the_middle_of_the_larger_group_is_first() -> None:
    points = circle([-20, -10, 0, 10, 20, 175, 180, 185])
    got = lazy_greedy(points, np.arange(8), np.empty(0, np.int64), points, 2)
    assert got.rows.tolist() == [2, 6]


def test_large_pools_are_represented_by_a_sample() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(3), [2000, 1000, 600])
    x = 6.0 * np.eye(20)[group] + 0.3 * rng.normal(size=(3600, 20))
    rows = select("facility-location", view(x, []), 3).rows
    assert sorted(group[rows].tolist()) == [0, 1, 2]
