"""Platt scaling against scikit-learn's, shrinkage, and bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import _sigmoid_calibration

from antiphon.errors import UserError
from antiphon.heads.calibration import (
    Calibration,
    fit_calibration,
    fit_platt,
    fit_temperature,
    no_calibration,
)


def drawn(n, slopes, intercepts, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, len(slopes))) * 3
    y = rng.random(z.shape) < expit(z * slopes + intercepts)
    return z.astype(np.float32), y.astype(np.float32)


def test_with_much_data_equals_scikit_learn():
    z, y = drawn(20_000, [0.5, 2.0], [-1.0, 1.0])
    fitted = fit_platt(z, y)
    for column in range(2):
        a, b = _sigmoid_calibration(z[:, column], y[:, column])
        # The prior still weighs as much as a handful of rows.
        assert fitted.slope[column] == pytest.approx(-a, rel=0.01)
        assert fitted.intercept[column] == pytest.approx(-b, abs=0.02)


def test_probabilities_are_calibrated_on_new_rows():
    z, y = drawn(5000, [0.3, 1.5, 1.0], [-2.0, 0.0, -1.0])
    new_z, new_y = drawn(20_000, [0.3, 1.5, 1.0], [-2.0, 0.0, -1.0], seed=1)
    p = fit_platt(z, y).probabilities(new_z)
    for column in range(3):
        for low in (0.1, 0.3, 0.5, 0.7):
            some = (p[:, column] > low) & (p[:, column] < low + 0.2)
            if some.sum() > 400:
                assert new_y[some, column].mean() == pytest.approx(p[some, column].mean(), abs=0.07)


def test_few_positives_are_shrunk_towards_all_labels():
    slopes = np.full(6, 1.0)
    z, y = drawn(400, slopes, np.full(6, -1.0), seed=2)
    y[:, 5] = np.nan
    z[:2, 5] = [4.0, -4.0]
    # Two rows say next to nothing, be they in the right order or in the wrong one.
    for two in ([1.0, 0.0], [0.0, 1.0]):
        y[:2, 5] = two
        fitted = fit_platt(z, y)
        assert 0.2 < fitted.slope[5] / fitted.slope[:5].mean() < 1.5
    y[:, 5] = np.nan
    unknown = fit_platt(z, y)
    assert unknown.slope[5] == pytest.approx(unknown.slope[:5].mean(), rel=0.1)


def test_slope_is_never_negative():
    z, y = drawn(500, [1.0, 1.0, -2.0], [0.0, 0.0, 0.0], seed=3)
    fitted = fit_platt(z, y)
    assert fitted.slope[2] == 0
    p = fitted.probabilities(z)
    assert np.ptp(p[:, 2]) == 0
    assert p[0, 2] == pytest.approx(y[:, 2].mean(), abs=0.05)


def test_all_slopes_negative_is_still_finite():
    z, y = drawn(300, [-1.0, -1.0], [0.0, 0.0], seed=4)
    fitted = fit_platt(z, y)
    assert (fitted.slope == 0).all()
    assert np.isfinite(fitted.probabilities(z)).all()


def test_noise_far_away_is_never_certain():
    z, y = drawn(200, [2.0], [-1.0], seed=5)
    fitted = fit_platt(z, y)
    positives, negatives = (y == 1).sum(), (y == 0).sum()
    far = fitted.probabilities(np.array([[1e6], [-1e6], [50.0], [60.0]], np.float32))[:, 0]
    assert far[0] <= (positives + 1) / (positives + 2) + 1e-6
    assert far[1] >= 1 / (negatives + 2) - 1e-6
    assert far[3] > far[2]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.floats(0, 0.9))
def test_order_is_kept_and_all_is_finite(seed, n, unknown):
    rng = np.random.default_rng(seed)
    z = (rng.standard_normal((n, 3)) * 10 ** rng.uniform(-2, 2)).astype(np.float32)
    y = (rng.random((n, 3)) < rng.random(3)).astype(np.float32)
    y[rng.random(y.shape) < unknown] = np.nan
    fitted = fit_platt(z, y)
    p = fitted.probabilities(z)
    assert ((p > 0) & (p < 1)).all()
    assert (fitted.slope >= 0).all()
    for column in range(3):
        assert (np.diff(p[np.argsort(z[:, column]), column]) >= 0).all()


def test_separated_and_constant_logits():
    y = (np.arange(30) % 2).astype(np.float32)[:, None]
    assert np.isfinite(fit_platt(y * 1e4, y).slope).all()
    same = fit_platt(np.full((30, 1), 3.0), y)
    assert same.probabilities(np.full((1, 1), 3.0))[0, 0] == pytest.approx(0.5, abs=0.05)


def test_temperature_is_one_slope_without_intercept():
    z, y = drawn(20_000, [0.5, 0.5], [0.0, 0.0], seed=6)
    fitted = fit_temperature(z, y)
    assert fitted.slope == pytest.approx([0.5, 0.5], rel=0.05)
    assert (fitted.intercept == 0).all()


def test_none_is_the_plain_sigmoid():
    z = np.linspace(-20, 20, 30, dtype=np.float32)[:, None]
    np.testing.assert_allclose(no_calibration(1).probabilities(z), expit(z), atol=1e-6)


def test_held_out_rows_in_no_fold_are_left_out():
    z, y = drawn(300, [1.0], [0.0], seed=7)
    longer = np.vstack([z, np.full((50, 1), np.nan)])
    fitted = fit_platt(longer, np.vstack([y, np.ones((50, 1))]))
    assert fitted.slope == pytest.approx(fit_platt(z, y).slope)


def test_round_trip_and_bad_input():
    z, y = drawn(100, [1.0, 1.0], [0.0, 0.0])
    fitted = fit_calibration(z, y)
    again = Calibration.from_tensors(fitted.to_tensors(), "platt")
    assert np.array_equal(again.probabilities(z), fitted.probabilities(z))
    with pytest.raises(UserError, match="not known"):
        fit_calibration(z, y, "magic")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="shape"):
        fit_platt(z, y[:, :1])
    with pytest.raises(UserError, match="logits"):
        fitted.probabilities(z[:, :1])
    with pytest.raises(ValueError, match="slope"):
        Calibration.from_tensors({**fitted.to_tensors(), "slope": -fitted.slope}, "platt")
