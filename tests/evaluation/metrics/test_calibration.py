"""Calibration errors by hand and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics.calibration import (
    adaptive_reliability,
    classwise_calibration_error,
    top_label_calibration_error,
)
from antiphon.evaluation.metrics.scores import reliability


def test_equal_mass_by_hand():
    prob = [0.1, 0.2, 0.3, 0.9]
    found = adaptive_reliability(prob, [0, 1, 0, 1], bins=2)
    assert found.count.tolist() == [2, 2]
    assert (found.low.tolist(), found.high.tolist()) == ([0.1, 0.3], [0.2, 0.9])
    np.testing.assert_allclose(found.predicted, [0.15, 0.6])
    np.testing.assert_allclose(found.observed, [0.5, 0.5])
    assert found.error == pytest.approx((0.35 + 0.1) / 2)


def test_ties_stay_in_one_bin():
    found = adaptive_reliability([0.2, 0.2, 0.2, 0.8], [0, 1, 1, 1], bins=2)
    assert found.count.tolist() == [3, 1]
    constant = adaptive_reliability(np.full(10, 0.5), [0, 1] * 5, bins=4)
    assert constant.count.tolist() == [10]
    assert constant.error == 0.0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 50), st.integers(1, 12))
def test_bins_hold_every_known_entry_once_whatever_the_order(seed, n, bins):
    rng = np.random.default_rng(seed)
    p, y = rng.integers(0, 9, n) / 8, (rng.random(n) < 0.5).astype(float)
    y[rng.random(n) < 0.2] = np.nan
    found = adaptive_reliability(p.astype(np.float16), y, bins)
    known = ~np.isnan(y)
    assert found.count.sum() == known.sum()
    assert len(found.count) <= bins
    assert (found.high[:-1] < found.low[1:]).all()
    for low, high, said, true in zip(
        found.low, found.high, found.predicted, found.observed, strict=True
    ):
        inside = known & (p >= low) & (p <= high)
        assert said == pytest.approx(p[inside].mean())
        assert true == pytest.approx(y[inside].mean())
    order = rng.permutation(n)
    again = adaptive_reliability(p[order], y[order], bins).error
    assert again == pytest.approx(found.error, nan_ok=True)


def test_classwise_is_the_mean_over_classes():
    prob = np.array([[0.25, 0.75], [0.25, 0.75]])
    target = np.array([[1, 1], [0, 1]], float)
    for adaptive in (False, True):
        assert classwise_calibration_error(prob, target, adaptive=adaptive) == pytest.approx(0.25)
    target[:, 1] = np.nan
    assert classwise_calibration_error(prob, target) == pytest.approx(0.25)


def test_top_label_by_hand():
    prob = [[0.95, 0.05], [0.85, 0.15], [0.35, 0.65], [0.55, 0.45]]
    # Each confidence lies in a bin of its own; all are right but 0.85.
    gap = (0.05 + 0.85 + 0.35 + 0.45) / 4
    assert top_label_calibration_error(prob, [0, 1, 1, 0]) == pytest.approx(gap)
    one = top_label_calibration_error(prob, [0, 1, 1, 0], bins=1, adaptive=True)
    assert one == pytest.approx(abs(0.75 - 0.75))
    assert np.isnan(top_label_calibration_error(np.zeros((0, 2)), np.zeros(0, int)))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: adaptive_reliability([1.5], [1]), "between 0 and 1"),
        (lambda: adaptive_reliability([0.5], [1], bins=0), "at least one bin"),
        (lambda: top_label_calibration_error([[0.5, np.nan]], [0]), "row 0, class 1 is nan"),
        (lambda: top_label_calibration_error([[0.5, np.inf]], [0]), "row 0, class 1 is inf"),
        (lambda: top_label_calibration_error([[0.5, -0.1]], [0]), "row 0, class 1 is -0.1"),
        (lambda: top_label_calibration_error([[0.5, 0.5]], [2]), "Row 0 has class 2"),
        (lambda: reliability([0.5], [1], bins=0), "at least one bin"),
        (lambda: top_label_calibration_error([[0.5, 0.5]], [0, 1]), "must be"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(UserError, match=match):
        call()
