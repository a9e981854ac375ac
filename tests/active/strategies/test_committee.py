from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.committee import _ridge, member_scores, vote_entropy
from tests.active.strategies.views import view


def test_vote_entropy_of_one_label_is_scikit_activemls() -> None:
    query_by_committee = pytest.importorskip("skactiveml.pool._query_by_committee")
    rng = np.random.default_rng(0)
    score = rng.normal(size=(7, 30, 4)).astype(np.float32)
    votes = score.argmax(axis=2).T
    expected = query_by_committee.vote_entropy(votes, np.arange(4))
    got = vote_entropy(score, multilabel=False)
    # Natural logarithms there, bits here.
    np.testing.assert_allclose(got * np.log(2.0), expected, atol=1e-6)


def test_vote_entropy_of_many_labels_worked_by_hand() -> None:
    score = np.array([[[1, 1]], [[1, -1]], [[1, -1]], [[1, -1]]], np.float32)
    # The first label is unanimous; the second is one vote of four: 2 - 3/4 log2 3 bits.
    np.testing.assert_allclose(vote_entropy(score, multilabel=True), [2.0 - 0.75 * np.log2(3.0)])
    np.testing.assert_array_equal(vote_entropy(score[:1], multilabel=True), [0.0])


def test_members_are_ridge_regressions_and_unknown_labels_are_left_out() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 5))
    labels = (rng.random((40, 3)) < 0.5).astype(np.float32)
    labels[rng.random((40, 3)) < 0.3] = np.nan
    weights = _ridge(np.column_stack([x, np.ones(40)]), labels)
    for j in range(3):
        known = ~np.isnan(labels[:, j])
        model = linear.Ridge(alpha=1.0).fit(x[known], 2.0 * labels[known, j] - 1.0)
        np.testing.assert_allclose(weights[:-1, j], model.coef_, atol=1e-5)
        np.testing.assert_allclose(weights[-1, j], model.intercept_, atol=1e-5)


def test_a_label_never_known_gets_no_votes() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(10, 4)).astype(np.float32)
    labels = np.column_stack([np.ones(10), np.full(10, np.nan)]).astype(np.float32)
    score = member_scores(known, labels, known, rng)
    assert (score[:, :, 1] == 0.0).all()
    assert (score[:, :, 0] > 0.0).all()


def test_windows_between_two_classes_are_chosen() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(size=(60, 8)) + 6.0 * np.eye(8)[0]
    right = rng.normal(size=(60, 8)) - 6.0 * np.eye(8)[0]
    middle = rng.normal(size=(10, 8))
    labelled = np.r_[0:10, 60:70]
    labels = np.repeat([[1.0], [0.0]], 10, axis=0)
    pool = view(np.concatenate([left, right, middle]), labelled, labels)
    chosen = select("committee", pool, 8)
    disputed = chosen.utility > 0.1
    assert disputed.sum() >= 3
    assert (chosen.rows[disputed] >= 120).all()
