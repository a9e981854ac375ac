"""Folds never split a group, and nothing of a held-out group reaches its predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.crossval import (
    choose_l2,
    grouped_folds,
    nested_cross_validation,
    out_of_fold_logits,
)
from antiphon.evaluation.metrics.scores import (
    average_precision,
    expected_calibration_error,
    precision_recall_f1,
    roc_auc,
)
from antiphon.heads.linear import DEFAULT_L2, fit_linear


def linear(x, y, groups):
    return fit_linear(x, y, l2=30.0)


def drawn(n_groups=40, size=6, labels=3, dim=12, seed=0, strength=2.0):
    """Labels that embeddings foretell, and groups that each lie somewhere of their own."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    rate = np.linspace(0.4, 0.15, labels)
    y = (rng.random((len(groups), labels)) < rate).astype(np.float32)
    x = rng.standard_normal((n_groups, dim))[groups] + rng.standard_normal((len(groups), dim))
    x[:, :labels] += strength * y
    return x.astype(np.float32), y, groups


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 5), st.integers(2, 8))
def test_folds_hold_whole_groups_and_none_is_empty(seed, n_groups, labels, n_folds):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, 60)])
    y = (rng.random((len(groups), labels)) < 0.2).astype(float)
    y[rng.random(y.shape) < 0.2] = np.nan
    fold = grouped_folds(groups, y, n_folds, seed=1)
    assert set(fold.tolist()) == set(range(min(n_folds, n_groups)))
    for group in range(n_groups):
        assert len(set(fold[groups == group].tolist())) == 1
    assert np.array_equal(fold, grouped_folds(groups, y, n_folds, seed=1))


def test_labels_are_spread_evenly():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 10)
    # A label in five recordings only gets one of them in each of five folds.
    y = np.zeros((500, 3))
    y[np.isin(groups, [3, 8, 20, 31, 44]), 0] = 1
    y[:, 1] = rng.random(500) < 0.3
    y[np.isin(groups, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 2] = 1
    fold = grouped_folds(groups, y, 5, seed=0)
    counts = np.stack([y[fold == f].sum(axis=0) for f in range(5)])
    assert counts[:, 0].tolist() == [10] * 5
    assert counts[:, 2].tolist() == [20] * 5
    assert np.ptp(counts[:, 1]) <= 0.3 * counts[:, 1].mean()
    assert np.ptp(np.bincount(fold)) <= 20


def test_names_as_groups():
    fold = grouped_folds(["a", "b", "a", "c"], np.ones((4, 1)), 3, seed=0)
    assert fold[0] == fold[2]
    assert len(set(fold.tolist())) == 3


def test_too_few_groups_is_told():
    with pytest.raises(UserError, match="come from 1 group "):
        grouped_folds(["a", "a"], np.ones((2, 1)), 5, seed=0)
    with pytest.raises(UserError, match="at least 2"):
        grouped_folds(["a", "b"], np.ones((2, 1)), 1, seed=0)
    x, y, _ = drawn(n_groups=2)
    with pytest.raises(UserError, match="at least 3"):
        nested_cross_validation(x, y, np.arange(12) // 6, fit=linear)


def test_out_of_fold_logits_come_from_the_other_folds():
    x, y, groups = drawn()
    fold = grouped_folds(groups, y, 4, seed=0)
    seen = []

    def fit(some_x, some_y, some_groups):
        seen.append(set(some_groups.tolist()))
        return linear(some_x, some_y, some_groups)

    logits = out_of_fold_logits(fit, x, y, groups, fold)
    for number in range(4):
        held = fold == number
        assert not seen[number] & set(groups[held].tolist())
        head = fit_linear(x[~held], y[~held], l2=30.0)
        np.testing.assert_array_equal(logits[held], head.logits(x[held]))


def test_a_label_in_one_fold_is_not_predicted_there():
    x, y, groups = drawn()
    y[:, 2] = groups == 5
    fold = grouped_folds(groups, y, 4, seed=0)
    logits = out_of_fold_logits(linear, x, y, groups, fold)
    held = fold == fold[groups == 5][0]
    assert np.isnan(logits[held, 2]).all()
    assert np.isfinite(logits[~held, 2]).all()


def test_shuffled_labels_give_chance_with_grouped_folds_and_not_with_window_folds():
    """Labels drawn for each group say nothing, but windows of a group give each other away."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    x = rng.standard_normal((60, 64))[groups] + 0.3 * rng.standard_normal((600, 64))
    y = (rng.random((60, 2)) < 0.3)[groups].astype(np.float32)
    base = y.mean(axis=0)
    honest = out_of_fold_logits(linear, x, y, groups, grouped_folds(groups, y, 5, seed=0))
    leaking = out_of_fold_logits(linear, x, y, groups, rng.integers(0, 5, 600))
    assert (average_precision(honest, y) < base + 0.12).all()
    assert (np.abs(roc_auc(honest, y) - 0.5) < 0.2).all()
    assert (average_precision(leaking, y) > 0.9).all()


def test_nested_predictions_are_good_calibrated_and_reach_the_precision():
    x, y, groups = drawn(n_groups=120, size=8, strength=3.0)
    found = nested_cross_validation(x, y, groups, fit=linear, precision=0.8, seed=0)
    assert found.prob.shape == found.threshold.shape == y.shape
    assert found.not_evaluable == {}
    assert (average_precision(found.prob, y) > 0.7).all()
    assert (expected_calibration_error(found.prob, y) < 0.06).all()
    precision, recall, _ = precision_recall_f1(found.prob, y, found.threshold)
    assert (np.abs(precision - 0.8) < 0.08).all()
    assert (recall > 0.3).all()
    for number, chosen in enumerate(found.thresholds):
        rows = found.threshold[found.fold == number]
        np.testing.assert_array_equal(rows, np.float32([[t.value for t in chosen]] * len(rows)))


def test_nothing_of_a_held_out_group_reaches_its_predictions():
    """Labels of one outer fold may change as they like: its own predictions stay the same."""
    x, y, groups = drawn(n_groups=12)
    first = nested_cross_validation(x, y, groups, fit=linear, n_folds=3, seed=0)
    held = first.fold == 1
    changed = y.copy()
    # Within groups and labels the number of positives is kept, so the folds stay what they are.
    for group in np.unique(groups[held]):
        rows = np.flatnonzero(groups == group)
        changed[rows] = y[rows[::-1]]
    assert not np.array_equal(changed, y)
    second = nested_cross_validation(x, changed, groups, fit=linear, n_folds=3, seed=0)
    assert np.array_equal(first.fold, second.fold)
    np.testing.assert_array_equal(first.prob[held], second.prob[held])
    np.testing.assert_array_equal(first.threshold[held], second.threshold[held])


def test_tuning_sees_the_training_part_only_once_for_each_fold():
    x, y, groups = drawn(n_groups=9)
    calls = []

    def tune(some_x, some_y, some_groups):
        calls.append(len(some_x))
        return linear

    tuned = nested_cross_validation(x, y, groups, tune=tune, n_folds=3)
    plain = nested_cross_validation(x, y, groups, fit=linear, n_folds=3)
    assert len(calls) == 3
    assert max(calls) < len(x)
    np.testing.assert_array_equal(tuned.prob, plain.prob)
    with pytest.raises(UserError, match="either"):
        nested_cross_validation(x, y, groups)


def test_labels_that_cannot_be_evaluated_are_named():
    x, y, groups = drawn(n_groups=20, labels=4)
    y[:, 1] = groups == 5
    y[:, 2] = 0
    found = nested_cross_validation(x, y, groups, fit=linear)
    assert set(found.not_evaluable) == {1, 2}
    assert "one group" in found.not_evaluable[1]
    assert "no positive" in found.not_evaluable[2]
    assert np.isnan(average_precision(found.prob, y)[[1, 2]]).all()


def test_three_groups_are_enough():
    x, y, groups = drawn(n_groups=3, size=20)
    found = nested_cross_validation(x, y, groups, fit=linear)
    assert len(found.thresholds) == 3
    assert np.isfinite(found.prob).all()


def test_choose_l2_finds_strong_for_noise_and_weaker_for_signal():
    x, y, groups = drawn(n_groups=60, size=10, dim=40, strength=3.0)
    signal = choose_l2(x, y, groups)
    rng = np.random.default_rng(0)
    noise = choose_l2(rng.standard_normal(x.shape), y, groups)
    assert signal < noise
    assert noise >= 1000.0
    assert signal == choose_l2(x, y, groups)


def test_choose_l2_where_nothing_can_be_judged():
    x, y, groups = drawn(n_groups=4)
    assert choose_l2(x, y, np.zeros(len(x))) == DEFAULT_L2
    y[:] = 0
    assert choose_l2(x, y, groups) == DEFAULT_L2
    assert choose_l2(x, y, groups, grid=[5.0]) == 5.0
    with pytest.raises(UserError, match="grid"):
        choose_l2(x, y, groups, grid=[])
