"""Metrics of many score matrices against scikit-learn, class by class and matrix by matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from antiphon.errors import UserError
from antiphon.evaluation.metrics import many, scores
from antiphon.evaluation.metrics.many import (
    average_precision_many,
    best_f1_many,
    f1_many,
    macro_roc_auc,
    mean_average_precision,
    padded_cmap,
    roc_auc_many,
    top_one_accuracy,
)

CASES = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 12), st.sampled_from("efd")
)


def drawn(case):
    """Three matrices with as many ties as there are distinct values, labels of any prevalence."""
    seed, n, values, kind = case
    rng = np.random.default_rng(seed)
    score = (rng.integers(0, values, (3, n, 4)) / values).astype(kind)
    return score, (rng.random((n, 4)) < rng.random(4)).astype(int)


@settings(max_examples=100, deadline=None)
@given(CASES)
def test_average_precision_and_roc_auc_equal_scikit_learn(case):
    score, target = drawn(case)
    ap, auc = average_precision_many(score, target), roc_auc_many(score, target)
    assert ap.shape == auc.shape == (3, 4)
    for m in range(3):
        for c in range(4):
            y, s = target[:, c], score[m, :, c]
            if not y.any():
                assert np.isnan(ap[m, c])
            else:
                expected = reference.average_precision_score(y, s)
                assert ap[m, c] == pytest.approx(expected, abs=1e-12)
            if y.all() or not y.any():
                assert np.isnan(auc[m, c])
            else:
                expected = reference.roc_auc_score(y, s)
                assert auc[m, c] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(average_precision_many(score[0], target), ap[0])
    np.testing.assert_array_equal(roc_auc_many(score[0], target), auc[0])


@pytest.mark.parametrize("block", [1, 500, 10**9])
def test_blocks_make_no_difference(block, monkeypatch):
    rng = np.random.default_rng(0)
    score, target = rng.random((2, 90, 13)).round(2), rng.random((90, 13)) < 0.2
    monkeypatch.setattr(many, "_BLOCK", block)
    expected = [scores.average_precision(s, target) for s in score]
    np.testing.assert_allclose(average_precision_many(score, target), expected, atol=1e-12)
    expected = [scores.roc_auc(s, target) for s in score]
    np.testing.assert_allclose(roc_auc_many(score, target), expected, atol=1e-12)


def test_macro_means_by_hand():
    # Class 0 is ranked perfectly, class 1 has no positives, class 2 only positives.
    score = np.array([[0.9, 0.1, 0.3], [0.1, 0.2, 0.4]])
    target = np.array([[1, 0, 1], [0, 0, 1]])
    assert mean_average_precision(score, target) == 1.0
    assert mean_average_precision(score, target, absent="zero") == pytest.approx(2 / 3)
    assert macro_roc_auc(score, target) == 1.0
    assert macro_roc_auc(np.stack([score, 1 - score]), target).tolist() == [1.0, 0.0]
    assert np.isnan(macro_roc_auc(score, np.zeros((2, 3))))
    constant = np.ones((4, 1))
    assert macro_roc_auc(constant, [[1], [0], [0], [0]]) == 0.5
    assert mean_average_precision(constant, [[1], [0], [0], [0]]) == 0.25


def test_padded_cmap_equals_its_definition():
    rng = np.random.default_rng(3)
    score, target = rng.random((2, 40, 6)), (rng.random((40, 6)) < 0.1).astype(int)
    target[:, 2] = 0
    for s, found in zip(score, padded_cmap(score, target), strict=True):
        padded = [np.concatenate([a, np.ones((5, 6))]) for a in (target, s)]
        expected = reference.average_precision_score(*padded, average="macro")
        assert found == pytest.approx(expected, abs=1e-12)
    # Alone, a class without positives has five right rows before all others.
    assert padded_cmap(score[0, :, 2:3] * 0.5, target[:, 2:3]) == 1.0
    with pytest.raises(UserError, match="probabilities"):
        padded_cmap([[1.5]], [[1]])


def test_top_one_by_hand():
    score = [[0.9, 0.1, 0.0], [0.2, 0.2, 0.1], [0.1, 0.2, 0.3], [1.0, 0.0, 0.0]]
    target = [[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]]
    # Right, half right by a tie, wrong, and left out.
    assert top_one_accuracy(score, target) == pytest.approx(0.5)
    assert top_one_accuracy([score, score], target).shape == (2,)
    assert np.isnan(top_one_accuracy([[0.5]], [[0]]))


@settings(max_examples=60, deadline=None)
@given(CASES)
def test_f1_equals_scikit_learn(case):
    score, target = drawn(case)
    found = f1_many(score, target, 0.5, absent="zero")
    for m in range(3):
        over = (score[m] >= 0.5).astype(int)
        for average, value in (("macro", found.macro[m]), ("micro", found.micro[m])):
            expected = reference.f1_score(target, over, average=average, zero_division=0)
            assert np.nan_to_num(value) == pytest.approx(expected, abs=1e-12)
        each = reference.f1_score(target, over, average=None, zero_division=0)
        np.testing.assert_allclose(np.nan_to_num(found.per_class[m]), each)


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_best_f1_is_the_best_of_all_thresholds(case):
    score, target = drawn(case)
    found = best_f1_many(score, target)
    for m in range(3):
        expected, at = scores.best_f1(score[m], target)
        np.testing.assert_allclose(found.per_class[m], expected, atol=1e-12)
        np.testing.assert_array_equal(found.threshold[m], at)
        if target.any():
            every = [f1_many(score[m], target, t).micro for t in np.unique(score[m])]
            assert found.micro[m] == pytest.approx(max(every), abs=1e-12)
            again = f1_many(score[m], target, found.micro_threshold[m])
            assert again.micro == pytest.approx(found.micro[m], abs=1e-12)
        else:
            assert np.isnan(found.micro[m])


def test_thresholds_may_differ_between_classes():
    score, target = [[0.4, 0.4], [0.6, 0.6]], [[1, 0], [1, 1]]
    found = f1_many(score, target, [0.3, 0.5])
    assert found.per_class.tolist() == [1.0, 1.0]
    assert found.threshold.tolist() == [0.3, 0.5]
    assert np.isnan(found.micro_threshold)


def test_no_rows_have_no_score():
    score, target = np.zeros((2, 0, 3)), np.zeros((0, 3))
    for of in (average_precision_many, roc_auc_many):
        assert of(score, target).shape == (2, 3)
        assert np.isnan(of(score, target)).all()
    assert np.isnan(best_f1_many(score, target).micro).all()
    assert np.isnan(top_one_accuracy(score, target)).all()


@pytest.mark.parametrize(
    ("score", "target", "match"),
    [
        ([[0.1, np.nan]], [[0, 1]], "row 0, class 1 is nan"),
        ([[[0.1, 0.2]], [[np.nan, 0.2]]], [[0, 1]], "matrix 1, row 0, class 0 is nan"),
        ([[0.1, np.inf]], [[0, 1]], "row 0, class 1 is inf"),
        ([[0.1, 0.2]], [[0, 2]], "label of row 0, class 1 is 2"),
        ([[0.1, 0.2]], [[0, np.nan]], "label of row 0, class 1 is nan"),
        ([[0.1, 0.2]], [[0]], "must be"),
        ([0.1, 0.2], [0, 1], "must be"),
    ],
)
def test_bad_input_is_named(score, target, match):
    for of in (roc_auc_many, average_precision_many, f1_many, best_f1_many, top_one_accuracy):
        with pytest.raises(UserError, match=match):
            of(score, target)


@pytest.mark.parametrize("threshold", [[0.1, 0.2, 0.3], [[0.1, 0.2]], np.nan, [0.1, np.nan]])
def test_thresholds_are_one_or_one_for_each_class(threshold):
    with pytest.raises(UserError, match="one for each of 2 classes"):
        f1_many(np.ones((3, 2)), np.ones((3, 2)), threshold)
