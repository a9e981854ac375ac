"""Bootstrap intervals: against SciPy's, coverage, pairs, and binomial shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import average_precision_score, precision_score, recall_score

from antiphon.errors import UserError
from antiphon.evaluation.intervals import (
    average_precision_by_label,
    bootstrap,
    bootstrap_difference,
    bootstrap_many,
    mean_average_precision,
    mean_roc_auc,
    precision_at,
    recall_at,
    roc_auc_by_label,
    wilson,
)


def drawn(n_groups=30, size=8, seed=0, labels=2):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    # Groups differ in how common a label is and in an offset of the score.
    rate = rng.beta(1, 2, (n_groups, labels))[groups]
    target = (rng.random(rate.shape) < rate).astype(float)
    offset = rng.standard_normal((n_groups, labels))[groups]
    score = target * 1.5 + offset + rng.standard_normal(target.shape)
    return score, target, groups


def mean_score(score, target, weight):
    return weight @ score / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_single_rows_as_groups_equal_scipy(method):
    values = np.random.default_rng(1).exponential(size=60)
    found = bootstrap(
        mean_score,
        values,
        np.ones(60),
        np.arange(60),
        rng=np.random.default_rng(2),
        n_resamples=20_000,
        method=method,
    )[0]
    wanted = scipy_bootstrap(
        (values,), np.mean, n_resamples=20_000, method=method, rng=np.random.default_rng(3)
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(wanted.low, abs=0.015)
    assert found.high == pytest.approx(wanted.high, abs=0.015)


def test_resamples_equal_reindexing_of_groups():
    score, target, groups = drawn()
    weight = np.bincount([3, 3, 7, 9, 9, 9], minlength=30)[groups][None]
    rows = np.concatenate([np.flatnonzero(groups == g) for g in [3, 3, 7, 9, 9, 9]])
    expected = average_precision_score(target[rows], score[rows], average=None)
    np.testing.assert_allclose(average_precision_by_label(score, target, weight)[0], expected)
    assert mean_average_precision(score, target, weight)[0] == pytest.approx(expected.mean())


def test_one_interval_for_each_label_and_the_estimate_inside():
    score, target, groups = drawn()
    for statistic, count in [
        (average_precision_by_label, 2),
        (roc_auc_by_label, 2),
        (mean_average_precision, 1),
        (mean_roc_auc, 1),
    ]:
        found = bootstrap(statistic, score, target, groups, rng=np.random.default_rng(0))
        assert len(found) == count
        for one in found:
            assert one.low < one.value < one.high
            assert one.n_groups == 30


def test_precision_and_recall_at_a_threshold():
    score, target, groups = drawn()
    for statistic, reference in [(precision_at, precision_score), (recall_at, recall_score)]:
        found = bootstrap(statistic([0.5, 1.0]), score, target, groups, rng=np.random.default_rng())
        for i, threshold in enumerate([0.5, 1.0]):
            assert found[i].value == pytest.approx(
                reference(target[:, i], score[:, i] >= threshold)
            )


def test_equal_generators_equal_intervals():
    score, target, groups = drawn()
    a, b = (
        bootstrap(mean_average_precision, score, target, groups, rng=np.random.default_rng(5))
        for _ in range(2)
    )
    assert a == b


def test_grouped_interval_is_wider_than_one_over_windows():
    score, target, groups = drawn(size=30)
    grouped, single = (
        bootstrap(roc_auc_by_label, score, target, g, rng=np.random.default_rng(0))[0]
        for g in (groups, np.arange(len(score)))
    )
    assert grouped.high - grouped.low > 1.5 * (single.high - single.low)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_interval_covers_the_truth(method):
    truth = np.mean([roc_auc_by_label(*drawn(2000, 4, seed=9, labels=1)[:2], np.ones((1, 8000)))])
    inside = 0
    for seed in range(100):
        score, target, groups = drawn(40, 4, seed=100 + seed, labels=1)
        found = bootstrap(
            roc_auc_by_label,
            score,
            target,
            groups,
            rng=np.random.default_rng(seed),
            n_resamples=300,
            level=0.9,
            method=method,
        )[0]
        inside += found.low <= truth <= found.high
    assert 80 <= inside <= 98


def test_paired_difference_is_narrower_than_two_intervals():
    score, target, groups = drawn()
    better = score + 0.3 * target
    found = bootstrap_difference(
        mean_roc_auc, better, score, target, groups, rng=np.random.default_rng(0)
    )[0]
    alone = bootstrap(mean_roc_auc, score, target, groups, rng=np.random.default_rng(0))[0]
    assert found.low > 0
    assert found.high - found.low < 0.5 * (alone.high - alone.low)
    same = bootstrap_difference(
        mean_roc_auc, score, score, target, groups, rng=np.random.default_rng(0), method="bca"
    )[0]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_many_systems_on_the_same_resamples():
    score, target, groups = drawn()
    systems = [score, score + target, -score]
    found = bootstrap_many(
        roc_auc_by_label, systems, target, groups, rng=np.random.default_rng(4), method="bca"
    )
    for one, each in zip(found, systems, strict=True):
        rng = np.random.default_rng(4)
        assert one == bootstrap(roc_auc_by_label, each, target, groups, rng=rng, method="bca")
    with pytest.raises(UserError, match="at least one"):
        bootstrap_many(roc_auc_by_label, [], target, groups, rng=np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize(("method", "least"), [("percentile", 0.9), ("bca", 0.915)])
def test_coverage_of_a_skewed_mean(method, least):
    """Groups of exponential means, 30 of them: near 0.93 by percentile, nearer 0.95 by BCa."""
    rng = np.random.default_rng(0)
    runs, inside = 1500, 0
    for _ in range(runs):
        values = np.repeat(rng.exponential(size=30), 2) + 0.1 * rng.normal(size=60)
        found = bootstrap(
            mean_score,
            values,
            np.ones(60),
            np.repeat(np.arange(30), 2),
            rng=rng,
            n_resamples=500,
            method=method,
        )[0]
        inside += found.low <= 1.0 <= found.high
    assert least <= inside / runs <= 0.97


def test_no_value_no_interval():
    score, target, groups = drawn()
    target[:, 1] = 0
    found = bootstrap(
        average_precision_by_label, score, target, groups, rng=np.random.default_rng(0)
    )[1]
    assert np.isnan([found.value, found.low, found.high]).all()
    assert "no value" in found.note
    one_group = bootstrap(
        mean_roc_auc, score, target, np.zeros(len(score)), rng=np.random.default_rng(0)
    )[0]
    assert one_group.value > 0
    assert np.isnan(one_group.low)
    assert "at least 2" in one_group.note


def test_positives_in_one_group_are_noted():
    score, target, groups = drawn()
    target[:] = 0
    target[:3] = 1
    found = bootstrap(
        average_precision_by_label, score, target, groups, rng=np.random.default_rng(0)
    )[0]
    assert found.n_resamples == pytest.approx(632, abs=60)
    assert "few groups" in found.note


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (3, 7), (40, 100)])
def test_wilson_equals_scipy(k, n):
    wanted = binomtest(k, n).proportion_ci(0.95, "wilson")
    assert wilson(k, n) == pytest.approx((wanted.low, wanted.high))


def test_wilson_of_nothing():
    low, high = wilson([0, 1], [0, 2])
    assert (low[0], high[0]) == (0.0, 1.0)


def test_bad_input():
    score, target, groups = drawn()
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="one group for each"):
        bootstrap(mean_roc_auc, score, target, groups[:3], rng=rng)
    with pytest.raises(UserError, match="not known"):
        bootstrap(mean_roc_auc, score, target, groups, rng=rng, method="x")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="level"):
        bootstrap(mean_roc_auc, score, target, groups, rng=rng, level=1.0)
    gap = score.copy()
    gap[0] = np.nan
    with pytest.raises(UserError, match="same rows"):
        bootstrap_difference(mean_roc_auc, gap, score, target, groups, rng=rng)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_of_few_groups_are_as_wide_as_they_must_be(method):
    """Means of 6 groups: Student's interval is right, plain percentiles hold the truth in 86 %."""
    rng = np.random.default_rng(0)
    runs, inside = 400, 0
    for _ in range(runs):
        found = bootstrap(
            mean_score,
            rng.normal(size=6),
            np.ones(6),
            np.arange(6),
            rng=rng,
            n_resamples=400,
            method=method,
        )[0]
        inside += found.low <= 0.0 <= found.high
    assert 0.91 <= inside / runs <= 0.98


def test_an_interval_without_width_is_noted():
    perfect = np.tile([0.0, 1.0], 10)
    found = bootstrap(
        mean_roc_auc, perfect, perfect, np.repeat(np.arange(10), 2), rng=np.random.default_rng(0)
    )[0]
    assert (found.low, found.high) == (1.0, 1.0)
    assert "all resamples agree" in found.note
