from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks, whole_weights


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(1, 3)),
        elements=st.integers(-4, 4).map(float),
    )
)
def test_ranks_are_twice_the_average_ranks_of_scipy(score: np.ndarray) -> None:
    np.testing.assert_array_equal(doubled_mid_ranks(score), 2 * rankdata(score, axis=1))


def test_one_score_matrix_and_float16() -> None:
    score = np.array([[0.1, 3.0], [0.1, 1.0], [0.3, 2.0]], dtype=np.float16)
    assert doubled_mid_ranks(score).tolist() == [[3, 6], [3, 2], [6, 4]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_named(bad: float) -> None:
    score = np.zeros((2, 4, 3))
    score[1, 2, 0] = bad
    with pytest.raises(UserError, match=r"matrix 1, row 2, class 0 is .*; 1 such"):
        doubled_mid_ranks(score)


@pytest.mark.parametrize(
    ("weights", "whole"),
    [
        ([0.1, 0.9], [1, 9]),
        ([2, 4, 6], [1, 2, 3]),
        ([1 / 3, 1 / 3, 1 / 3], [1, 1, 1]),
        ([0.25, 0.0, 0.5], [1, 0, 2]),
        ([0.8, 0.2], [4, 1]),
        ([300.0], [1]),
    ],
)
def test_whole_weights_keep_the_ratios(weights: list[float], whole: list[int]) -> None:
    assert whole_weights(weights).tolist() == whole


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [np.nan, 1.0], [1e-9, 1.0]])
def test_weights_without_a_meaning_are_refused(weights: list[float]) -> None:
    with pytest.raises(UserError, match=r"[Ww]eight"):
        whole_weights(weights)


def test_true_ties_of_a_blend_stay_ties() -> None:
    # 0.1 x 7 + 0.2 x 1 against 0.1 x 1 + 0.2 x 4: equal, but not in float sums.
    ranks = np.array([[7, 1], [1, 4]])
    weights = np.array([0.1, 0.2])
    assert len(set((ranks * weights).sum(axis=1))) == 2
    assert len(set((ranks @ whole_weights(weights)).tolist())) == 1
