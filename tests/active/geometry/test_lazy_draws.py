from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from antiphon.active.geometry.lazy_draws import draw_lazily


def test_draws_have_the_distribution_of_plain_d_squared_sampling() -> None:
    x = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [4.0, 0.0], [0.0, 3.0]])
    squared = cdist(x, x) ** 2
    bound = squared[0] + 20.0
    second, third = np.zeros(5), np.zeros((5, 5))
    rng = np.random.default_rng(0)
    for _ in range(6000):
        rows, gap = draw_lazily(lambda r, c: squared[np.ix_(r, c)], bound, 3, rng, 0)
        assert gap[1] == squared[0, rows[1]]
        assert gap[2] == min(squared[0, rows[2]], squared[rows[1], rows[2]])
        second[rows[1]] += 1
        third[rows[1], rows[2]] += 1
    wanted = squared[0] / squared[0].sum()
    # Three standard deviations of a share of 6,000 draws are 0.02 at most.
    np.testing.assert_allclose(second / 6000, wanted, atol=0.02)
    after = np.minimum(squared[0], squared[3])
    np.testing.assert_allclose(third[3] / second[3], after / after.sum(), atol=0.04)


def test_copies_are_drawn_once_nothing_else_is_left() -> None:
    x = np.repeat(np.eye(2), 4, axis=0)
    squared = cdist(x, x) ** 2
    rows, gap = draw_lazily(
        lambda r, c: squared[np.ix_(r, c)], np.full(8, 9.0), 8, np.random.default_rng(0), 2
    )
    assert sorted(rows.tolist()) == list(range(8))
    assert gap[1] == pytest.approx(2.0)
    assert not gap[2:].any()
