"""Two systems on the same items: against SciPy, against cases by hand, and its error rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from antiphon.errors import UserError
from antiphon.evaluation.compare import compare_by_label, compare_systems
from antiphon.evaluation.exchange import exchange_test
from antiphon.evaluation.intervals import (
    bootstrap,
    bootstrap_difference,
    from_rows,
    mean_average_precision,
    mean_roc_auc,
    precision_at,
    roc_auc_by_label,
)


def systems(n_groups=30, size=6, labels=2, gain=0.0, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    target = (rng.random((len(groups), labels)) < 0.4).astype(float)
    shared = target + rng.standard_normal((n_groups, labels))[groups]
    a = shared + gain * target + rng.standard_normal(target.shape)
    b = shared + rng.standard_normal(target.shape)
    return a, b, target, groups


def mean_score(score, target, weight):
    return weight @ score / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n", [4, 9])
def test_all_exchanges_as_in_scipy(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(0.4, 1.0, n), rng.normal(0.0, 1.0, n)
    known = stats.permutation_test(
        (a, b),
        lambda x, y: np.mean(x) - np.mean(y),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    p = exchange_test(a, b, np.ones(n), np.arange(n), statistic=mean_score, rng=rng)
    assert p == pytest.approx([known.pvalue])


def test_exchanges_of_groups_by_hand():
    # Groups of two rows move together: means of a - b in groups are +1 and +1, so of the patterns
    # ++ and +- only the first reaches the observed sum.
    a, b = [1.0, 1.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]
    rng = np.random.default_rng(0)
    p = exchange_test(a, b, np.ones(4), [0, 0, 1, 1], statistic=mean_score, rng=rng)
    assert p == pytest.approx([0.5])


def test_random_exchanges_agree_with_all():
    a, b, target, groups = systems(11, gain=0.8)
    rng = np.random.default_rng(0)
    every, some = (
        exchange_test(a, b, target, groups, statistic=mean_roc_auc, rng=rng, n_exchanges=count)[0]
        for count in (1024, 1023)
    )
    assert some == pytest.approx(every, abs=0.04)


def test_ranks_make_scales_comparable():
    a, b, target, groups = systems(gain=0.5)
    wide = 1000.0 + 50.0 * b
    rng = np.random.default_rng(0)
    same = exchange_test(a, b, target, groups, statistic=mean_roc_auc, rng=rng, n_exchanges=500)
    rng = np.random.default_rng(0)
    scaled = exchange_test(
        a, wide, target, groups, statistic=mean_roc_auc, rng=rng, n_exchanges=500
    )
    assert scaled == same


def test_one_call_gives_what_the_parts_give():
    a, b, target, groups = systems(gain=1.0)
    found = compare_systems(a, b, target, groups, rng=np.random.default_rng(1), method="percentile")
    apart = bootstrap_difference(mean_roc_auc, a, b, target, groups, rng=np.random.default_rng(1))[
        0
    ]
    assert (found.value, found.low, found.high) == (apart.value, apart.low, apart.high)
    assert found.value == pytest.approx(found.a - found.b)
    assert (found.n_groups, found.n_rows) == (30, 180)
    assert found.p < 0.01
    # 2.8 standard errors for many groups, a little more for thirty.
    assert found.detectable / found.standard_error == pytest.approx(2.9, abs=0.05)
    first, second = found.lines("new", "old")[:2]
    assert "new is better" in first
    assert f"{found.detectable:.4f}" in second
    assert found.to_json()["n_groups"] == 30


def test_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(size=40)
    found = compare_systems(
        values,
        np.zeros(40),
        np.ones(40),
        np.arange(40),
        rng=np.random.default_rng(0),
        statistic=mean_score,
        n_resamples=20_000,
    )
    assert found.standard_error == pytest.approx(stats.sem(values), rel=0.02)


def test_equal_systems_have_no_difference():
    a, _, target, groups = systems()
    found = compare_systems(a, a, target, groups, rng=np.random.default_rng(0), n_resamples=100)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert found.detectable == 0.0
    assert "no difference is shown" in found.lines()[0]


def test_labels_are_corrected_for_their_number():
    a, b, target, groups = systems(labels=4, gain=0.5)
    found = compare_by_label(a, b, target, groups, rng=np.random.default_rng(0), n_resamples=100)
    assert [one.label for one in found] == [0, 1, 2, 3]
    smallest = min(found, key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 4 * smallest.p))
    with pytest.raises(UserError, match="4 values"):
        compare_systems(
            a, b, target, groups, rng=np.random.default_rng(0), statistic=roc_auc_by_label
        )


def test_few_groups_are_said_to_be_few():
    a, b, target, groups = systems(4)
    rng = np.random.default_rng(0)
    found = compare_systems(a, b, target, groups, rng=rng, n_resamples=100)
    assert "no p below 0.12" in found.note
    a, b, target, groups = systems(1, size=40)
    alone = compare_systems(a, b, target, groups, rng=rng, n_resamples=100)
    assert math.isnan(alone.low)
    assert alone.p == 1.0
    assert alone.to_json()["low"] is None


def test_a_label_without_positives_has_no_p():
    a, b, target, groups = systems()
    target[:, 1] = 0
    found = compare_by_label(a, b, target, groups, rng=np.random.default_rng(0), n_resamples=50)
    assert math.isnan(found[1].p)
    assert found[0].p_holm == found[0].p


def test_a_statistic_with_a_threshold():
    a, b, target, groups = systems(gain=1.0)
    found = compare_by_label(
        a, b, target, groups, rng=np.random.default_rng(0), statistic=precision_at(0.5)
    )
    over = a[:, 0] >= 0.5
    assert found[0].a == pytest.approx(target[over, 0].mean())


def test_functions_without_weights():
    from sklearn.metrics import roc_auc_score

    a, _, target, groups = systems()
    plain = from_rows(lambda score, truth: roc_auc_score(truth, score, average=None))
    slow, quick = (
        bootstrap(s, a, target, groups, rng=np.random.default_rng(0), n_resamples=50, method="bca")
        for s in (plain, roc_auc_by_label)
    )
    for one, other in zip(slow, quick, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    with pytest.raises(UserError, match="counts"):
        plain(a, target, np.full((1, len(a)), 0.5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scale": "log"}, "not known"),
        ({"n_exchanges": 0}, "exchanges"),
        ({"n_resamples": 0}, "resamples"),
        ({"level": 2.0}, "level"),
        ({"power": 0.01}, "power"),
    ],
)
def test_bad_parameters(change, said):
    a, b, target, groups = systems(8)
    with pytest.raises(UserError, match=said):
        compare_systems(a, b, target, groups, rng=np.random.default_rng(0), **change)


def test_different_rows_are_refused():
    a, b, target, groups = systems(8)
    a[0, 0] = np.nan
    with pytest.raises(UserError, match="same rows"):
        compare_systems(a, b, target, groups, rng=np.random.default_rng(0))


@pytest.mark.slow
def test_error_rates_of_interval_and_test():
    """No difference in truth: about 5 in 100 intervals miss 0, and 5 in 100 tests reject."""
    runs, missed, rejected = 300, 0, 0
    for seed in range(runs):
        a, b, target, groups = systems(25, 4, 1, seed=1000 + seed)
        found = compare_systems(
            a,
            b,
            target,
            groups,
            rng=np.random.default_rng(seed),
            statistic=mean_average_precision,
            n_resamples=400,
            n_exchanges=300,
        )
        missed += found.low > 0 or found.high < 0
        rejected += found.p <= 0.05
    assert stats.binom.cdf(rejected, runs, 0.05) < 0.999
    assert stats.binom.cdf(missed, runs, 0.08) < 0.999


def test_a_verdict_needs_the_test_and_not_the_interval_alone():
    a, b, target, groups = systems(4, size=40, gain=3.0)
    found = compare_systems(a, b, target, groups, rng=np.random.default_rng(0))
    # All four groups agree, and yet no test over four groups can reach 0.05.
    assert found.low > 0
    assert found.p == 0.125
    assert "no difference is shown" in found.lines()[0]
