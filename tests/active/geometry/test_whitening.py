from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry.apart import unit_rows
from antiphon.active.geometry.whitening import (
    leading_eigenvectors,
    principal_axes,
    principal_components,
    unit_components,
    whiten,
)

sklearn_pca = pytest.importorskip("sklearn.decomposition")


def spread(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.linalg.qr(rng.normal(size=(d, d)))[0] * np.geomspace(10, 0.1, d)[:, None]
    return (rng.normal(size=(n, d)) @ mixing + 5.0).astype(np.float32)


def test_components_are_those_of_scikit_learn_up_to_sign() -> None:
    x = spread(300, 40)
    found = principal_components(x, 8)
    wanted = sklearn_pca.PCA(8).fit_transform(x.astype(np.float64))
    sign = np.sign((found * wanted).sum(axis=0))
    np.testing.assert_allclose(found * sign, wanted, atol=2e-3)


def test_unit_components_are_those_of_unit_vectors() -> None:
    x = spread(200, 30)
    wanted = unit_rows(principal_components(unit_rows(x), 8))
    np.testing.assert_allclose(unit_components(x, 8), wanted, atol=1e-4)


def test_the_variance_is_that_along_the_axes() -> None:
    x = spread(400, 20)
    mean, axes, variance = principal_axes(x, 5)
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(((x - mean) @ axes).var(axis=0, ddof=1), variance, rtol=1e-4)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-5)


def test_axes_through_the_origin_are_singular_vectors() -> None:
    x = spread(100, 12)
    mean, axes, _ = principal_axes(x, 3, centred=False)
    assert not mean.any()
    right = np.linalg.svd(x.astype(np.float64), full_matrices=False)[2][:3]
    np.testing.assert_allclose(np.abs((right * axes.T).sum(axis=1)), 1.0, atol=1e-5)


def test_leading_eigenvectors_of_a_large_matrix_are_exact_where_the_spectrum_falls() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(700, 700)))[0]
    value = 1.0 / np.arange(1, 701) ** 2
    vectors, values = leading_eigenvectors(basis * value @ basis.T, 20)
    np.testing.assert_allclose(values, value[:20], rtol=1e-6)
    np.testing.assert_allclose(np.abs((vectors * basis[:, :20]).sum(axis=0)), 1.0, atol=1e-6)


def test_leading_eigenvectors_hold_most_of_a_flat_spectrum() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 600))
    covariance = x.T @ x / 2000
    vectors, values = leading_eigenvectors(covariance, 20)
    exact = np.linalg.eigvalsh(covariance)[::-1][:20]
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(20), atol=1e-10)
    assert values.sum() > 0.95 * exact.sum()
    assert (values <= exact + 1e-9).all()


def test_full_power_makes_all_variances_equal() -> None:
    x = spread(3000, 12)
    white = whiten(x, 12, power=1.0)
    variance = np.linalg.eigvalsh(np.cov(white.T))
    # Scaling to length 1 evens out what is left.
    assert variance[-1] / variance[0] < 1.3
    plain = np.linalg.eigvalsh(np.cov(whiten(x, 12, power=0.0).T))
    assert plain[-1] / plain[0] > 100


def test_whitened_vectors_have_unit_length_and_a_flatter_spectrum() -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(500, 20)) * np.geomspace(100, 1, 20)).astype(np.float32)
    white = whiten(x, dims=10)
    assert white.shape == (500, 10)
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1.0, rtol=1e-5)
    before = np.linalg.eigvalsh(np.cov(x.T))[-10:]
    after = np.linalg.eigvalsh(np.cov(white.T))
    assert after[-1] / after[0] < before[-1] / before[0] / 10


def test_half_power_divides_by_the_fourth_root_of_the_variance() -> None:
    x = spread(300, 10)
    unit = unit_rows(x).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(unit.T))
    order = np.argsort(-values)[:4]
    wanted = (unit - unit.mean(axis=0)) @ (vectors[:, order] * values[order] ** -0.25)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    white = whiten(x, 4)
    np.testing.assert_allclose(white @ white.T, wanted @ wanted.T, atol=2e-3)


def test_identical_and_single_vectors_give_finite_ones() -> None:
    for x in (np.ones((7, 5), np.float32), np.ones((1, 5), np.float32), np.zeros((4, 3), "f4")):
        assert np.isfinite(whiten(x)).all()
        assert np.isfinite(principal_components(x)).all()
