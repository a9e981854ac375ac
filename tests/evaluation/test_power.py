"""Power against the published tables, against SciPy's distributions, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from antiphon.errors import UserError
from antiphon.evaluation.intervals import bootstrap_difference, roc_auc_by_label
from antiphon.evaluation.power import (
    groups_needed,
    groups_to_separate,
    power_at,
    smallest_detectable_difference,
)


@pytest.mark.parametrize(
    ("effect", "power", "count"),
    # G*Power 3.1, t test, difference from constant, two-sided at 0.05.
    [(0.5, 0.80, 34), (0.5, 0.95, 54), (0.2, 0.80, 199), (0.8, 0.80, 15)],
)
def test_published_numbers_of_groups(effect, power, count):
    assert groups_needed(effect, 1.0, power=power) == count


def test_power_of_no_difference_is_the_size_of_the_test():
    assert power_at(0.0, 1.0, [2, 5, 50, 9000]) == pytest.approx([0.05] * 4)


def test_power_as_scipys_noncentral_t():
    count, shift = 12, 0.6
    limit = stats.t.ppf(0.975, count - 1)
    nct = stats.nct(count - 1, shift * math.sqrt(count))
    assert power_at(shift, 1.0, count) == pytest.approx(nct.sf(limit) + nct.cdf(-limit))
    assert power_at(-shift, 1.0, count) == pytest.approx(power_at(shift, 1.0, count))


def test_power_grows_everywhere():
    counts = np.unique(np.round(np.geomspace(2, 2e6, 300)))
    for effect in (0.001, 0.03, 0.5, 5.0):
        power = power_at(effect, 1.0, counts)
        assert (np.diff(power) > -1e-4).all()
        assert (power <= 1.0).all()


@pytest.mark.parametrize("count", [3, 10, 60, 20_000])
def test_the_smallest_difference_has_the_power(count):
    found = smallest_detectable_difference(0.01, count, power=0.9)
    assert power_at(found, 0.01 * math.sqrt(count), count) == pytest.approx(0.9, abs=1e-6)


def test_four_times_the_groups_halve_it():
    now = smallest_detectable_difference(0.01, 500)
    then = smallest_detectable_difference(0.01, 500, at_groups=2000)
    assert then / now == pytest.approx(0.5, abs=0.001)
    assert now == pytest.approx(2.8 * 0.01, rel=0.01)


def test_what_has_no_answer():
    assert math.isnan(smallest_detectable_difference(0.1, 1))
    assert math.isnan(smallest_detectable_difference(math.nan, 9))
    assert smallest_detectable_difference(0.0, 9) == 0.0
    assert groups_needed(0.0, 1.0) == math.inf
    assert groups_needed(1e-9, 1.0) == math.inf


def test_groups_for_a_measured_difference():
    found = groups_to_separate(0.02, 0.01, 20)
    spread = 0.01 * math.sqrt(20)
    assert power_at(0.02, spread, found.needed) >= 0.8 > power_at(0.02, spread, found.needed - 1)
    assert found.low < found.needed < found.high
    assert found.more == found.needed - 20
    said = " ".join(found.lines())
    assert f"{found.more:,.0f} more than the 20" in said
    assert "same sites" in said


def test_a_difference_that_may_be_zero_has_no_upper_limit():
    found = groups_to_separate(0.01, 0.02, 20)
    assert found.high == math.inf
    assert math.isfinite(found.needed)
    assert "may be 0" in found.note
    assert found.to_json()["high"] is None
    none = groups_to_separate(0.0, 0.02, 20)
    assert none.needed == math.inf
    assert "no number of" in none.lines()[0]


def test_a_difference_worth_finding_depends_on_the_spread_alone():
    one, other = (groups_to_separate(d, 0.01, 20, worth=0.02) for d in (0.0001, 0.05))
    assert one == other
    assert one.low < one.needed < one.high < math.inf
    # The interval is that of a standard deviation from 20 groups, squared.
    ratio = 19 / stats.chi2.ppf(0.025, 19)
    assert one.high / one.needed == pytest.approx(ratio, rel=0.1)


def test_enough_groups_need_no_more():
    assert groups_to_separate(0.1, 0.01, 50).more == 0
    same = groups_to_separate(0.1, 0.0, 50)
    assert (same.needed, same.more) == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((0.1, 0.1, 2), {}, "At least 3"),
        ((math.nan, 0.1, 9), {}, "not one to plan from"),
        ((0.1, 0.1, 9), {"worth": 0.0}, "worth finding"),
        ((0.1, 0.1, 9), {"power": 0.04}, "power"),
        ((0.1, 0.1, 9), {"level": 1.0}, "level"),
    ],
)
def test_bad_parameters(arguments, options, said):
    with pytest.raises(UserError, match=said):
        groups_to_separate(*arguments, **options)


def test_power_needs_two_groups_and_a_spread():
    with pytest.raises(UserError, match="2 groups"):
        power_at(0.1, 1.0, 1)
    with pytest.raises(UserError, match="above 0"):
        power_at(0.1, 0.0, 5)


def test_simulated_power_at_the_number_that_was_said():
    """Differences with heavy tails: at the number said, about 80 in 100 tests find them."""
    rng = np.random.default_rng(0)
    shift = 0.3
    count = int(groups_needed(shift, math.sqrt(2.0)))
    draws = shift + rng.laplace(size=(5_000, count))
    p = stats.ttest_1samp(draws, 0.0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.05)


def test_simulated_interval_of_the_number():
    """Pilots of 15 groups: the interval holds the true number 95 times in 100."""
    rng = np.random.default_rng(1)
    truth = groups_needed(0.8, 1.0)
    inside, runs = 0, 400
    for _ in range(runs):
        pilot = rng.normal(0.8, 1.0, 15)
        found = groups_to_separate(pilot.mean(), stats.sem(pilot), 15)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / runs <= 0.98


def test_simulated_recordings_for_a_difference_of_areas():
    """Pilots of 30 recordings say how many show a difference in ROC area; these many do show it."""
    rng = np.random.default_rng(2)

    def errors(n_groups):
        groups = np.repeat(np.arange(n_groups), 6)
        target = (rng.random(len(groups)) < 0.4).astype(float)
        ease = rng.normal(size=n_groups)[groups]
        a, b = (
            target * (gain + 0.5 * ease) + rng.normal(size=len(groups)) + 0.5 * ease
            for gain in (1.4, 0.9)
        )
        found = bootstrap_difference(
            roc_auc_by_label, a, b, target, groups, rng=rng, n_resamples=200
        )[0]
        return found.value, (found.high - found.low) / 3.92

    pilots = np.array([errors(30) for _ in range(150)])
    truth = pilots[:, 0].mean()
    said = [groups_needed(truth, se * math.sqrt(30)) for _, se in pilots]
    count = round(float(np.median(said)))
    shown = np.array([errors(count) for _ in range(300)])
    power = (np.abs(shown[:, 0]) > stats.t.ppf(0.975, count - 1) * shown[:, 1]).mean()
    assert 30 < count < 300
    assert power == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("count", [3, 8, 66, 300])
def test_every_measured_difference_has_an_answer(count):
    # SciPy's noncentral t has no value in places far out in its tails.
    needed = [groups_to_separate(d, 0.015, count).needed for d in np.linspace(0.002, 0.45, 120)]
    assert np.isfinite(needed).all()
    assert (np.diff(needed) <= 0).all()
