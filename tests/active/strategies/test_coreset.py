from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.registry import select
from tests.active.strategies.views import view


@given(seed=st.integers(0, 10_000), labelled=st.integers(1, 40))
@settings(max_examples=15, deadline=None)
def test_picks_are_those_of_scikit_activeml(seed: int, labelled: int) -> None:
    pool = pytest.importorskip("skactiveml.pool")
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(200, 16)) + 3.0).astype(np.float32)
    rows = rng.choice(200, labelled, replace=False)
    y = np.full(200, np.nan)
    y[rows] = 0.0
    wanted, utility = pool.CoreSet(random_state=0).query(x, y, batch_size=30, return_utilities=True)
    chosen = select("coreset", view(x, rows), 30)
    np.testing.assert_array_equal(chosen.rows, wanted)
    np.testing.assert_allclose(chosen.utility, utility[np.arange(30), wanted], rtol=1e-5)


def test_the_outlier_comes_first() -> None:
    x = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.2], [9.0, 9.0]])
    assert select("coreset", view(x, [0]), 3).rows.tolist() == [3, 2, 1]


def test_distances_are_not_those_of_directions() -> None:
    # In direction the second is like the labelled one, in place it is the farthest.
    x = np.array([[1.0, 0.0], [50.0, 0.0], [0.0, 1.0]])
    assert select("coreset", view(x, [0]), 1).rows[0] == 1
