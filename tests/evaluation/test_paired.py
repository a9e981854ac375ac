"""Paired comparisons against SciPy and cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from antiphon.errors import UserError
from antiphon.evaluation.paired import (
    holm,
    mean_interval,
    paired_difference,
    sign_flip_test,
    wilcoxon_test,
)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("n", [2, 5, 9, 12])
def test_all_sign_patterns_as_in_scipy(rng, n):
    values = rng.normal(0.4, 1.0, n)
    known = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flip_test(values, rng=rng) == pytest.approx(known.pvalue)


def test_many_differences_are_flipped_at_random(rng):
    values = rng.normal(0.25, 1.0, 60)
    known = stats.ttest_1samp(values, 0.0).pvalue
    assert sign_flip_test(values, rng=rng) == pytest.approx(known, abs=0.01)


def test_one_difference_decides_nothing(rng):
    assert sign_flip_test([3.0], rng=rng) == 1.0


def test_weights_make_groups_equal(rng):
    # Two groups: 1 pair of +1, and 4 pairs of -0.25 each weighted a quarter: sums cancel.
    found = paired_difference([1, 0, 0, 0, 0], [0, 1, 1, 1, 1], list("abbbb"), rng=rng)
    assert found.value == pytest.approx(0.0)
    assert found.p_permutation == 1.0
    assert (found.unit, found.n_groups, found.n_pairs) == ("pair", 2, 5)


def test_wilcoxon_as_in_scipy(rng):
    values = rng.normal(0.5, 1.0, 14)
    assert wilcoxon_test(values) == stats.wilcoxon(values).pvalue
    assert wilcoxon_test(np.zeros(5)) == 1.0


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, max(0.03 x 2, 0.06), 0.5 x 1
    assert holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    corrected = holm([0.04, math.nan, 0.9])
    assert corrected[[0, 2]] == pytest.approx([0.08, 0.9])
    assert math.isnan(corrected[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_the_p_and_bonferronis(p):
    corrected = holm(p)
    assert (corrected >= np.array(p) - 1e-12).all()
    assert (corrected <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_groups_are_drawn_when_there_are_enough(rng):
    groups = np.repeat(np.arange(8), 5)
    of_group = rng.normal(0.3, 0.2, 8)
    a = of_group[groups] + rng.normal(0, 0.01, 40)
    found = paired_difference(a, np.zeros(40), groups, rng=rng)
    means = a.reshape(8, 5).mean(axis=1)
    # As wide as 8 groups need: Hesterberg (2015).
    outside = 2.0 * stats.norm.cdf(-np.sqrt(8 / 7) * stats.t.ppf(0.975, 7))
    known = stats.bootstrap(
        (means,),
        np.mean,
        method="percentile",
        n_resamples=50_000,
        confidence_level=1.0 - outside,
    ).confidence_interval
    assert found.unit == "group"
    assert found.value == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx(known, abs=0.01)
    assert found.p_wilcoxon == stats.wilcoxon(means).pvalue
    assert found.note == ""


def test_few_groups_are_said_to_be_all_it_speaks_about(rng):
    groups = np.repeat([0, 1], 5)
    # The sets differ much, the repeats inside them little: only the latter count here.
    a = np.where(groups == 0, 1.0, 0.1) + rng.normal(0, 0.001, 10)
    found = paired_difference(a, np.zeros(10), groups, rng=rng)
    assert found.high - found.low < 0.01
    assert "these groups only" in found.note


def test_a_single_pair_has_no_interval(rng):
    found = paired_difference([0.5], [0.4], ["x"], rng=rng)
    assert found.value == pytest.approx(0.1)
    assert math.isnan(found.low)
    assert "single pair" in found.note


def test_mean_interval_as_in_scipy(rng):
    values = rng.normal(size=5)
    found = mean_interval(values)
    known = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(known)
    assert math.isnan(mean_interval([1.0]).low)


@pytest.mark.parametrize(
    ("a", "b", "groups", "said"),
    [
        ([1.0], [1.0, 2.0], [0], "two equal rows"),
        ([], [], [], "two equal rows"),
        ([math.nan], [1.0], [0], "finite"),
        ([1.0, 2.0], [1.0, 2.0], [0], "one group for each"),
    ],
)
def test_what_cannot_be_paired_is_refused(rng, a, b, groups, said):
    with pytest.raises(UserError, match=said):
        paired_difference(a, b, groups, rng=rng)


def test_parameters_out_of_range_and_no_values(rng):
    with pytest.raises(UserError, match="level"):
        paired_difference([1.0], [0.0], [0], rng=rng, level=1.5)
    with pytest.raises(UserError, match="no values"):
        mean_interval([])
