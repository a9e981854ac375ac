from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.surrogate import believe


def unit(rng, n, d):
    x = rng.normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_it_is_the_posterior_of_scikit_learns_gaussian_process():
    process = pytest.importorskip("sklearn.gaussian_process")
    rng = np.random.default_rng(0)
    points = unit(rng, 90, 6)
    labelled, rows = np.arange(40), np.arange(40, 90)
    labels = (rng.random((40, 3)) < 0.4).astype(np.float32)
    found = believe(points, rows, labelled, labels, width=0.7, noise=0.2)
    share = (labels.sum(axis=0) + 0.5) / 41
    kernel = process.kernels.RBF(0.7, "fixed")
    for i in range(3):
        reference = process.GaussianProcessRegressor(kernel, alpha=0.2, optimizer=None)
        reference.fit(points[labelled], labels[:, i] - share[i])
        mean, deviation = reference.predict(points[rows], return_std=True)
        np.testing.assert_allclose(
            found.probability[:, i], np.clip(share[i] + mean, 1e-3, 1 - 1e-3), atol=1e-5
        )
    np.testing.assert_allclose(found.variance, deviation**2, atol=1e-5)


def test_it_is_sure_beside_labels_and_knows_nothing_far_away():
    points = np.eye(4, dtype=np.float32)
    points[1] = points[0]
    labels = np.array([[1.0, np.nan]], np.float32)
    found = believe(points, np.array([1, 3]), np.array([0]), labels, width=0.2, noise=0.01)
    assert found.variance[0] < 0.02
    assert found.variance[1] > 0.99
    # One window of one has the label; beside it that is believed, far away the prior is.
    assert found.probability[0, 0] > 0.95
    assert found.probability[1, 0] == pytest.approx(0.75, abs=0.01)
    # A label of which nothing is known stays at one half.
    np.testing.assert_allclose(found.probability[:, 1], 0.5, atol=1e-6)


def test_copies_among_the_labelled_windows_do_no_harm():
    points = np.ones((50, 3), np.float32) / np.sqrt(np.float32(3))
    labels = np.tile(np.array([[1.0], [0.0]], np.float32), (20, 1))
    found = believe(points, np.arange(40, 50), np.arange(40), labels, width=0.7, noise=0.1)
    np.testing.assert_allclose(found.probability, 0.5, atol=1e-3)
