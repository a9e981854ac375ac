"""Thresholds: hand-worked cases, coverage of the intervals, and labels with next to no data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from antiphon.errors import UserError
from antiphon.heads.binomial import clopper_pearson
from antiphon.heads.thresholds import Threshold, choose_thresholds


def one(score, target, groups=None, **options) -> Threshold:
    score, target = np.asarray(score, np.float32)[:, None], np.asarray(target, np.float32)[:, None]
    groups = np.arange(len(score)) if groups is None else groups
    return choose_thresholds(score, target, groups, **options)[0]


def test_lowest_score_of_a_positive_that_reaches_the_precision():
    score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    target = [1, 1, 0, 1, 0, 1]
    found = one(score, target, precision=0.75)
    assert found.value == pytest.approx(0.6)
    assert found.precision == 0.75
    assert found.recall == 0.75
    assert found.reached
    assert one(score, target, precision=0.9).value == pytest.approx(0.8)
    assert one(score, target, precision=0.6).recall == 1.0


def test_numbers_hold_at_the_threshold():
    rng = np.random.default_rng(0)
    target = rng.random(500) < 0.2
    score = (rng.standard_normal(500) + 2 * target).round(1)
    found = one(score, target, np.arange(500) // 10, precision=0.8)
    over = score.astype(np.float32) >= np.float32(found.value)
    assert found.precision == pytest.approx((over & target).sum() / over.sum())
    assert found.recall == pytest.approx((over & target).sum() / target.sum())
    assert found.precision >= 0.8
    assert found.precision_low < found.precision < found.precision_high
    assert found.recall_low < found.recall < found.recall_high


def test_lower_rule_is_stricter():
    rng = np.random.default_rng(1)
    target = rng.random(800) < 0.3
    score = rng.standard_normal(800) + 2 * target
    plain, strict = (
        one(score, target, np.arange(800) // 8, precision=0.8, rule=rule)
        for rule in ("estimate", "lower")
    )
    assert strict.value > plain.value
    assert strict.precision_low >= 0.8


def test_ties_enter_together():
    found = one([0.5, 0.5, 0.5, 0.2], [1, 1, 0, 0], precision=0.9)
    assert not found.reached
    assert found.precision == pytest.approx(2 / 3)
    assert "0.67" in found.note


def test_all_scores_equal():
    found = one([0.6] * 10, [1] + [0] * 9)
    assert not found.reached
    assert "All scores are equal" in found.note
    assert found.precision == pytest.approx(0.1)


def test_unreachable_precision_names_the_best():
    found = one([0.9, 0.8, 0.7, 0.6], [0, 1, 1, 0], precision=0.9)
    assert not found.reached
    assert "best is 0.67" in found.note
    assert found.value == pytest.approx(0.7)


def test_no_positive_is_unchecked_and_above_all_negatives():
    found = one([0.1, 0.7, 0.3], [0, 0, 0])
    assert found.value > np.float32(0.7)
    assert math.isnan(found.precision)
    assert found.more_clips_needed is None
    assert "cannot be checked" in found.note
    assert one([0.1, 0.2], [0, 0]).value == 0.5


def test_nothing_known_is_never_detected():
    found = one([0.1, 0.2], [np.nan, np.nan])
    assert found.value == 1.0
    assert found.n_groups == 0


def test_one_positive():
    found = one([0.9, 0.1, 0.2], [1, 0, 0])
    assert found.value == pytest.approx(0.9)
    assert "one positive" in found.note
    assert (found.precision_low, found.precision_high) == pytest.approx((0.05, 1.0))
    assert found.more_clips_needed > 10


def test_unknown_rows_do_not_count():
    score, target = [0.9, 0.8, 0.7, 0.6], [1, np.nan, 1, 0]
    assert one(score, target).precision == 1.0
    assert one([0.9, np.nan, 0.7, 0.6], [1, 0, 1, 0]).precision == 1.0


def test_few_groups_fall_back_and_say_so():
    found = one([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], ["a", "a", "b", "b"], precision=0.6)
    assert "binomial one over its 2 groups" in found.note
    assert found.precision_low == pytest.approx(clopper_pearson(2 / 3 * 2, 2, 0.9)[0])


def test_no_error_at_all_uses_the_groups_as_sample_size():
    score = np.r_[np.full(100, 0.9), np.full(100, 0.1)]
    target = np.r_[np.ones(100), np.zeros(100)]
    found = one(score, target, np.arange(200) % 10)
    assert found.precision == 1.0
    assert found.precision_low == pytest.approx(0.05 ** (1 / 10))


def test_dependent_windows_widen_the_interval():
    rng = np.random.default_rng(2)
    target = np.repeat(rng.random(40) < 0.6, 20)
    score = np.full(800, 0.5)
    grouped = one(score, target, np.repeat(np.arange(40), 20), precision=0.1)
    single = one(score, target, np.arange(800), precision=0.1)
    ratio = (grouped.precision_high - grouped.precision_low) / (
        single.precision_high - single.precision_low
    )
    # Windows of a recording are copies of each other, so the design effect is 20.
    assert ratio == pytest.approx(np.sqrt(20), rel=0.2)
    assert grouped.more_clips_needed > 10 * max(1, single.more_clips_needed)


def test_more_clips_shrink_with_a_wider_wish():
    rng = np.random.default_rng(3)
    target = rng.random(300) < 0.5
    score = rng.standard_normal(300) + target
    needs = [
        one(score, target, precision=0.5, half_width=w).more_clips_needed for w in (0.02, 0.05, 0.5)
    ]
    assert needs[0] > needs[1] >= needs[2] == 0


def test_interval_covers_the_true_precision():
    """Bootstrap intervals of 90 % hold the truth in about that share of repetitions."""
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(200):
        rates = rng.beta(6, 2, size=40)
        target = rng.random((40, 10)) < rates[:, None]
        found = one(
            np.full(400, 0.5),
            target.ravel(),
            np.repeat(np.arange(40), 10),
            precision=0.1,
            n_resamples=300,
            rng=rng,
        )
        inside += found.precision_low <= 0.75 <= found.precision_high
    assert 0.8 < inside / 200 < 0.97


def test_equal_generators_equal_results_whatever_the_other_labels():
    rng = np.random.default_rng(5)
    y = (rng.random((200, 3)) < 0.4).astype(np.float32)
    p = (rng.random((200, 3)) + y).astype(np.float32)
    groups = np.arange(200) // 4
    a = choose_thresholds(p, y, groups, rng=np.random.default_rng(7))
    b = choose_thresholds(p, y, groups, rng=np.random.default_rng(7))
    assert a == b
    y[:, 1] = 0
    assert choose_thresholds(p, y, groups, rng=np.random.default_rng(7))[2] == a[2]


def test_json_round_trip():
    for found in (one([0.9, 0.1], [1, 0]), one([0.9, 0.1], [0, 0])):
        again = Threshold.from_json(found.to_json())
        assert repr(again) == repr(found)
    with pytest.raises(ValueError, match="fields"):
        Threshold.from_json({})
    with pytest.raises(ValueError, match="value"):
        Threshold.from_json({**found.to_json(), "value": None})


@pytest.mark.parametrize("bad", [{"precision": 0.0}, {"precision": 1.5}, {"level": 1.0}])
def test_bad_parameters(bad):
    with pytest.raises(UserError):
        one([0.5, 0.4], [1, 0], **bad)
    with pytest.raises(UserError, match="shape"):
        choose_thresholds(np.zeros((3, 1)), np.zeros((3, 1)), [1, 2])


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (3, 7), (1, 1), (40, 100)])
def test_clopper_pearson_equals_scipy(k, n):
    wanted = binomtest(k, n).proportion_ci(0.9, "exact")
    assert clopper_pearson(k, n, 0.9) == pytest.approx((wanted.low, wanted.high))


def test_clopper_pearson_of_nothing():
    assert clopper_pearson(0, 0, 0.9) == (0.0, 1.0)


def test_an_unreachable_precision_never_gives_a_threshold_below_one_half():
    # The positive has the fourth highest score of all, far below one half.
    score = np.array([[0.4], [0.3], [0.2], [0.1], [0.05]])
    target = np.array([[0.0], [0.0], [0.0], [1.0], [0.0]])
    (found,) = choose_thresholds(score, target, np.arange(5), precision=0.9)
    assert not found.reached
    assert found.value == 0.5
    assert np.isnan(found.precision)
    assert found.recall == 0.0
    assert "kept at 0.50" in found.note
