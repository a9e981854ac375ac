"""Metrics against scikit-learn, with ties, unknown labels and labels without one side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import (
    average_precision,
    best_f1,
    brier,
    expected_calibration_error,
    macro_average,
    precision_recall_curve,
    precision_recall_f1,
    reliability,
    roc_auc,
)
from antiphon.evaluation.ranking import weighted_average_precision, weighted_roc_auc

CASES = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 12))


def drawn(case, unknown=0.0):
    """Scores with as many ties as there are distinct values, and labels of any prevalence."""
    seed, n, values = case
    rng = np.random.default_rng(seed)
    score = rng.integers(0, values, (n, 4)) / values
    target = (rng.random((n, 4)) < rng.random(4)).astype(float)
    target[rng.random(target.shape) < unknown] = np.nan
    return score, target, rng


@settings(max_examples=100, deadline=None)
@given(CASES)
def test_average_precision_and_roc_auc_equal_scikit_learn(case):
    score, target, _ = drawn(case, unknown=0.2)
    ap, auc = average_precision(score, target), roc_auc(score, target)
    for i in range(4):
        known = ~np.isnan(target[:, i])
        y, s = target[known, i], score[known, i]
        if y.sum() == 0:
            assert np.isnan(ap[i])
        else:
            assert ap[i] == pytest.approx(reference.average_precision_score(y, s), abs=1e-12)
        if y.sum() in (0, len(y)):
            assert np.isnan(auc[i])
        else:
            assert auc[i] == pytest.approx(reference.roc_auc_score(y, s), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(CASES)
def test_weights_equal_scikit_learn(case):
    score, target, rng = drawn(case)
    weight = rng.integers(0, 4, (3, len(score)))
    ap = weighted_average_precision(score, target, weight)
    auc = weighted_roc_auc(score, target, weight)
    for b in range(3):
        for i in range(4):
            w, y, s = weight[b], target[:, i], score[:, i]
            if (w * y).sum() == 0:
                assert np.isnan(ap[b, i])
                continue
            expected = reference.average_precision_score(np.repeat(y, w), np.repeat(s, w))
            assert ap[b, i] == pytest.approx(expected, abs=1e-12)
            if (w * (1 - y)).sum() == 0:
                assert np.isnan(auc[b, i])
                continue
            expected = reference.roc_auc_score(np.repeat(y, w), np.repeat(s, w))
            assert auc[b, i] == pytest.approx(expected, abs=1e-12)


def test_half_precision_scores_and_nan_scores():
    rng = np.random.default_rng(0)
    score = rng.random((200, 2)).astype(np.float16)
    target = (rng.random((200, 2)) < 0.3).astype(np.float32)
    expected = reference.average_precision_score(target, score, average=None)
    np.testing.assert_allclose(average_precision(score, target), expected, atol=1e-12)
    score[:50] = np.nan
    expected = reference.average_precision_score(target[50:], score[50:], average=None)
    np.testing.assert_allclose(average_precision(score, target), expected, atol=1e-12)


def test_macro_average_skips_or_counts_absent_labels():
    values = np.array([[0.5, np.nan, 1.0], [np.nan] * 3])
    np.testing.assert_allclose(macro_average(values), [0.75, np.nan])
    np.testing.assert_allclose(macro_average(values, absent="zero"), [0.5, 0.0])


@settings(max_examples=50, deadline=None)
@given(CASES)
def test_curve_equals_scikit_learn(case):
    score, target, _ = drawn(case)
    y, s = target[:, 0], score[:, 0]
    curve = precision_recall_curve(s, y)
    if y.sum() == 0:
        assert np.isnan(curve.recall).all()
        return
    precision, recall, threshold = reference.precision_recall_curve(y, s)
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
    np.testing.assert_allclose(curve.threshold[::-1], threshold)
    assert curve.detections[-1] == len(s)


def test_curve_of_nothing_known():
    curve = precision_recall_curve([0.5], [np.nan])
    assert len(curve.threshold) == 0


@settings(max_examples=50, deadline=None)
@given(CASES)
def test_f1_equals_scikit_learn(case):
    score, target, _ = drawn(case)
    precision, recall, f1 = precision_recall_f1(score, target, [0.2, 0.4, 0.6, 0.8])
    best, at = best_f1(score, target)
    for i, threshold in enumerate([0.2, 0.4, 0.6, 0.8]):
        y, over = target[:, i], score[:, i] >= threshold
        if y.sum() == 0:
            assert np.isnan(best[i])
            assert np.isnan(f1[i])
            continue
        assert f1[i] == pytest.approx(reference.f1_score(y, over, zero_division=0))
        assert recall[i] == pytest.approx(reference.recall_score(y, over))
        assert np.isnan(precision[i]) == (not over.any())
        every = [reference.f1_score(y, score[:, i] >= t) for t in np.unique(score[:, i])]
        assert best[i] == pytest.approx(max(every))
        assert reference.f1_score(y, score[:, i] >= at[i]) == pytest.approx(best[i])


def test_threshold_may_differ_from_row_to_row():
    precision, recall, _ = precision_recall_f1(
        [[0.5], [0.5], [0.9]], [[1], [0], [1]], [[0.4], [0.6], [0.95]]
    )
    assert (precision[0], recall[0]) == (1.0, 0.5)


def test_reliability_by_hand():
    prob = np.array([0.05, 0.05, 0.55, 0.95, 1.0])
    target = np.array([0, 1, 1, 1, 1])
    found = reliability(prob, target, bins=10)
    assert found.count.tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert found.observed[0] == 0.5
    assert np.isnan(found.observed[1])
    assert found.error == pytest.approx((2 * 0.45 + 0.45 + 2 * 0.025) / 5)
    assert expected_calibration_error(prob, target)[0] == pytest.approx(found.error)
    with pytest.raises(UserError, match="between 0 and 1"):
        reliability([1.5], [1])


def test_brier_equals_scikit_learn():
    rng = np.random.default_rng(1)
    p, y = rng.random(50), (rng.random(50) < 0.5).astype(float)
    assert brier(p, y)[0] == pytest.approx(reference.brier_score_loss(y, p))
    y[:] = np.nan
    assert np.isnan(brier(p, y)[0])


@pytest.mark.parametrize(
    ("score", "target", "match"),
    [
        ([0.5], [1, 0], "one shape"),
        ([np.inf, 0.1], [1, 0], "row 0"),
        ([0.5, 0.1], [1, 2], "row 1"),
    ],
)
def test_bad_input(score, target, match):
    with pytest.raises(UserError, match=match):
        average_precision(score, target)


def test_of_equal_f1_the_highest_threshold_is_taken():
    # 1 of 1 with 2 positives, and 2 of 4 with 2 positives: both 2 / 3.
    score, target = [0.9, 0.8, 0.7, 0.6], [1, 0, 0, 1]
    assert best_f1(score, target) == (pytest.approx(2 / 3), 0.9)
