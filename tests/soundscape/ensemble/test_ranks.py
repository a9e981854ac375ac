"""Positions among a reference set, against mid-ranks worked by hand and by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.quantiles import QuantileMap
from antiphon.soundscape.ensemble.ranks import RankMap


def _fit(columns, most=None):
    values = np.array(columns, float)[None]
    return RankMap.fit(values, np.ones(values.shape, bool), most)


def _ranks(ranks, scores):
    return ranks.doubled_ranks(np.array(scores, float).reshape(1, -1, 1))[0, :, 0].tolist()


def test_doubled_mid_ranks_by_hand():
    ranks = _fit([[0.2], [0.2], [0.5], [0.9]])
    # Of 0.2, 0.2, 0.5, 0.9 the mid-ranks are 1.5, 1.5, 3, 4; 0.3 lies between 2 and 3.
    assert _ranks(ranks, [0.2, 0.5, 0.9]) == [3, 6, 8]
    assert _ranks(ranks, [0.1, 0.3, 0.95]) == [1, 5, 9]
    assert ranks.rows == 5
    assert ranks.bound == 0


def test_equal_to_the_evaluators_map_and_to_scipy():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 40, (3, 60, 5)) / 40
    asked = rng.integers(-5, 90, (3, 33, 5)) / 80
    ranks = RankMap.fit(reference, np.ones(reference.shape, bool))
    assert (ranks.doubled_ranks(asked) == QuantileMap.fit(reference).doubled_ranks(asked)).all()
    own = ranks.doubled_ranks(reference)
    assert (own == 2 * rankdata(reference, axis=1)).all()


def test_thinned_map_by_hand():
    # Of 0..8, every second is kept: 0, 2, 4, 6, 8.
    ranks = _fit(np.arange(9.0)[:, None], most=5)
    assert ranks.values.tolist() == [0, 2, 4, 6, 8]
    assert ranks.bound == pytest.approx(1 / 10)
    # 3 is hidden: 3 or 4 of the reference lie below, doubled ranks from 7 to 9, the middle is 8.
    assert _ranks(ranks, [2, 3, 4]) == [6, 8, 10]
    assert _ranks(ranks, [2.01, 3.99]) == [7, 9]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=120),
    st.integers(2, 20),
    st.lists(st.floats(-5, 65), min_size=2, max_size=30),
)
def test_a_thinned_map_keeps_its_bound_and_the_order(reference, most, asked):
    column = np.array(reference, float)[:, None]
    exact, thin = _fit(column), _fit(column, most)
    asked = np.sort([*asked, *map(float, reference)])
    wanted, found = np.array(_ranks(exact, asked)), np.array(_ranks(thin, asked))
    assert np.abs(wanted - found).max() / (2 * (len(column) + 1)) <= thin.bound + 1e-12
    assert (np.diff(found) >= 0).all()
    assert len(thin.values) <= most


def test_frequent_scores_stay_exact_when_thinned():
    # Half of the windows have the same score, as after a threshold.
    rng = np.random.default_rng(1)
    column = np.concatenate([np.full(500, 0.1), rng.uniform(0.2, 1, 500)])[:, None]
    ranks = _fit(column, most=20)
    assert _ranks(ranks, [0.1]) == [501]
    assert ranks.bound < 0.06


def test_members_with_fewer_windows_are_ranked_among_theirs():
    scores = np.array([[[0.1], [0.2], [0.3], [0.4]], [[0.9], [0.0], [0.8], [0.0]]])
    there = np.ones(scores.shape, bool)
    there[1, [1, 3]] = False
    ranks = RankMap.fit(scores, there)
    position = ranks.doubled_ranks(scores[:, [0, 2]])[..., 0] / (2 * ranks.rows)
    assert position == pytest.approx(np.array([[1 / 5, 3 / 5], [2 / 3, 1 / 3]]), abs=1e-6)


def test_a_part_is_the_map_of_some_members_and_classes():
    rng = np.random.default_rng(2)
    reference = rng.random((3, 20, 4))
    whole = RankMap.fit(reference, np.ones(reference.shape, bool))
    some = whole.part(np.array([2, 0]), np.array([3, 1]))
    asked = reference[:, :5]
    wanted = whole.doubled_ranks(asked)[[2, 0]][:, :, [3, 1]]
    assert (some.doubled_ranks(asked[[2, 0]][:, :, [3, 1]]) == wanted).all()
    with pytest.raises(UserError, match="2 members and 2 classes"):
        some.doubled_ranks(asked)


def test_a_member_without_reference_is_an_error():
    scores = np.zeros((1, 3, 2))
    there = np.ones(scores.shape, bool)
    there[:, :, 1] = False
    with pytest.raises(UserError, match="no reference scores"):
        RankMap.fit(scores, there).doubled_ranks(scores)
