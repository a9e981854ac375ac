"""The joint solver against scikit-learn's, and the cases that have no or hardly any data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from antiphon.errors import UserError
from antiphon.heads.base import entry_weights, standardisation
from antiphon.heads.linear import LinearHead, fit_linear, fit_linear_path


def problem(n: int, dim: int, labels: int, seed: int, unknown: float = 0.0):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((n, dim)) @ rng.standard_normal((dim, dim)) / np.sqrt(dim)).astype(
        np.float32
    ) * rng.uniform(0.5, 20, dim).astype(np.float32) + 3
    z = (x - x.mean(0)) / x.std(0) @ rng.standard_normal((dim, labels)) / 2
    z += rng.standard_normal(z.shape) - np.linspace(0, 2, labels)
    y = (z > 0).astype(np.float32)
    hidden = rng.random(y.shape) < unknown
    hidden[:, 0] = False  # so that each row is labelled for something
    y[hidden] = np.nan
    return x, y


def reference(x, y, l2, class_weight, sample_weight=None):
    """One scikit-learn fit for each label on its known rows, standardised like the head."""
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    design = (x.astype(np.float64) - mean) / scale
    weights, biases = [], []
    for column in range(y.shape[1]):
        known = ~np.isnan(y[:, column])
        model = LogisticRegression(
            C=1 / l2, class_weight=class_weight, solver="newton-cholesky", tol=1e-12, max_iter=1000
        )
        weight = None if sample_weight is None else sample_weight[known]
        model.fit(design[known], y[known, column], sample_weight=weight)
        weights.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return np.array(weights), np.array(biases)


@pytest.mark.parametrize("class_weight", ["balanced", None])
@pytest.mark.parametrize(
    ("n", "dim", "l2"), [(300, 12, 1.0), (300, 12, 0.01), (60, 100, 1.0), (400, 60, 30.0)]
)
def test_weights_equal_scikit_learn(class_weight, n, dim, l2):
    x, y = problem(n, dim, 4, seed=n + dim, unknown=0.3)
    head = fit_linear(x, y, l2=l2, class_weight=class_weight, tol=1e-7, max_iter=1000)
    weight, bias = reference(x, y, l2, class_weight)
    np.testing.assert_allclose(head.weight, weight, atol=1e-4 * max(1, np.abs(weight).max()))
    np.testing.assert_allclose(head.bias, bias, atol=2e-4 * max(1, np.abs(bias).max()))
    assert head.unconverged == ()
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    expected = (x - mean) / scale @ weight.T + bias
    np.testing.assert_allclose(head.logits(x), expected, atol=1e-3 * np.abs(expected).max())


def test_sample_weights_count_as_repeated_rows():
    x, y = problem(120, 8, 3, seed=1)
    times = np.random.default_rng(0).integers(1, 4, len(x))
    plain = fit_linear(x, y, l2=2.0, class_weight="balanced", sample_weight=times, tol=1e-7)
    weight, bias = [], []
    # The reference must standardise as the head did, by the rows and not by their repeats.
    mean, scale = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    design = np.repeat((x - mean) / scale, times, axis=0)
    for column in range(3):
        model = LogisticRegression(C=0.5, class_weight="balanced", tol=1e-10, max_iter=5000)
        model.fit(design, np.repeat(y[:, column], times))
        weight.append(model.coef_[0])
        bias.append(model.intercept_[0])
    np.testing.assert_allclose(plain.weight, weight, atol=2e-4)
    np.testing.assert_allclose(plain.bias, bias, atol=2e-4)


def test_rows_of_weight_zero_are_as_if_absent():
    x, y = problem(100, 6, 2, seed=3)
    keep = np.arange(100) < 70
    some = fit_linear(x, y, l2=1.0, sample_weight=keep.astype(float), tol=1e-7)
    alone = fit_linear(x[keep], y[keep], l2=1.0, tol=1e-7)
    np.testing.assert_allclose(some.weight, alone.weight, atol=1e-5)
    np.testing.assert_allclose(some.mean, alone.mean)


def test_path_equals_single_fits_in_the_order_asked_for():
    x, y = problem(150, 40, 3, seed=4)
    strengths = [1.0, 1000.0, 30.0]
    for l2, head in zip(strengths, fit_linear_path(x, y, strengths, tol=1e-7), strict=True):
        alone = fit_linear(x, y, l2=l2, tol=1e-7)
        np.testing.assert_allclose(head.weight, alone.weight, atol=2e-4)


def test_labels_without_two_sides_are_named_and_constant():
    x, y = problem(50, 5, 5, seed=5)
    y[:, 1] = 0
    y[:, 2] = 1
    y[:, 3] = np.nan
    head = fit_linear(x, y, l2=1.0)
    assert sorted(head.untrained) == [1, 2, 3]
    named = head.untrained_reasons(["a", "b", "c", "d", "e"])
    assert "no positive" in named["b"]
    assert "no negative" in named["c"]
    assert "no window" in named["d"]
    logits = head.logits(x)
    np.testing.assert_allclose(logits[:, 1], np.log(0.5 / 50.5), rtol=1e-6)
    np.testing.assert_allclose(logits[:, 2], np.log(50.5 / 0.5), rtol=1e-6)
    np.testing.assert_allclose(logits[:, 3], 0.0)
    assert np.ptp(logits[:, 0]) > 0


def test_no_label_at_all_is_a_head_of_constants():
    x, _ = problem(10, 4, 1, seed=6)
    head = fit_linear(x, np.full((10, 2), np.nan))
    assert set(head.untrained) == {0, 1}
    assert np.all(head.logits(x) == 0)


def test_one_positive_is_enough():
    x, y = problem(80, 100, 1, seed=7)
    y[:] = 0
    y[17] = 1
    logits = fit_linear(x, y, l2=1.0).logits(x)[:, 0]
    assert np.argmax(logits) == 17


def test_perfect_separation_stays_finite():
    rng = np.random.default_rng(8)
    y = (np.arange(40) % 2).astype(np.float32)[:, None]
    x = (y * 100 + rng.standard_normal((40, 3))).astype(np.float32)
    head = fit_linear(x, y, l2=1e-6)
    assert np.isfinite(head.weight).all()
    assert (np.sign(head.logits(x)) == np.sign(y - 0.5)).all()


def test_constant_and_offset_columns_are_safe():
    x, y = problem(100, 6, 2, seed=9)
    with_constant = np.hstack([x, np.full((100, 1), 1e6, np.float32), np.zeros((100, 1), "f4")])
    head = fit_linear(with_constant, y, l2=1.0, tol=1e-7)
    plain = fit_linear(x, y, l2=1.0, tol=1e-7)
    np.testing.assert_allclose(head.weight[:, :6], plain.weight, atol=1e-4)
    assert np.all(head.weight[:, 6:] == 0)


def test_standardisation_of_a_large_offset():
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((5000, 3)) + 1000).astype(np.float32)
    mean, scale = standardisation(x)
    np.testing.assert_allclose(mean, x.mean(0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(scale, x.std(0, dtype=np.float64), rtol=1e-4)


def test_balanced_weights_give_each_side_half():
    y = np.array([[1, 0], [0, np.nan], [0, 1], [0, 1]], np.float32)
    weight = entry_weights(y, "balanced")
    np.testing.assert_allclose(weight[0], [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(weight[1], [1.5, 0, 0.75, 0.75], rtol=1e-6)


def test_tensors_round_trip_and_damage_is_seen():
    x, y = problem(60, 5, 3, seed=10)
    head = fit_linear(x, y)
    again = LinearHead.from_tensors(head.to_tensors(), head.untrained)
    assert np.array_equal(again.logits(x), head.logits(x))
    for name, value in [
        ("weight", head.weight[None]),
        ("bias", np.full(3, np.nan, np.float32)),
        ("scale", np.zeros(5, np.float32)),
        ("mean", head.mean.astype(np.float64)),
    ]:
        with pytest.raises(ValueError, match=name):
            LinearHead.from_tensors({**head.to_tensors(), name: value})
    with pytest.raises(ValueError, match="missing"):
        LinearHead.from_tensors({})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda x, y: (x[:5], y), "shapes"),
        (lambda x, y: (np.where(x == x[3, 0], np.nan, x), y), "row 3"),
        (lambda x, y: (x, y * 2), "Labels are 1"),
    ],
)
def test_bad_data_is_refused(change, match):
    x, y = problem(20, 4, 2, seed=11)
    y[0] = 1
    with pytest.raises(UserError, match=match):
        fit_linear(*change(x, y))


@pytest.mark.parametrize("l2", [0.0, -1.0, np.nan])
def test_l2_must_be_above_zero(l2):
    x, y = problem(20, 4, 2, seed=11)
    with pytest.raises(UserError, match="l2"):
        fit_linear(x, y, l2=l2)


def test_embeddings_of_another_length_are_refused():
    x, y = problem(20, 4, 2, seed=11)
    with pytest.raises(UserError, match="length 4"):
        fit_linear(x, y).logits(x[:, :3])
