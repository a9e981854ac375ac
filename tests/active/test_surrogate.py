from __future__ import annotations

import numpy as np
import pytest

from antiphon.active import surrogate
from antiphon.active.surrogate import believe, representatives


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


def test_representatives_are_the_rarest_labels_and_a_sample_of_the_rest():
    labels = np.zeros((1000, 3), np.float32)
    labels[:600, 0] = 1.0
    labels[600:603, 1] = 1.0
    labels[603:613, 2] = np.nan
    labels[613:620, 2] = 1.0
    kept = representatives(labels, 100)
    assert len(set(kept.tolist())) == 100
    assert (np.diff(kept) > 0).all()
    assert {600, 601, 602, *range(613, 620)} <= set(kept.tolist())
    # The other half keeps empty windows and common labels alike.
    assert 10 <= (kept >= 620).sum() <= 40
    np.testing.assert_array_equal(representatives(labels, 1000), np.arange(1000))


def test_many_labels_are_thinned_but_the_prior_is_that_of_all(monkeypatch):
    rng = np.random.default_rng(0)
    points = unit(rng, 300, 5)
    labels = np.zeros((200, 2), np.float32)
    labels[:150, 0] = 1.0
    monkeypatch.setattr(surrogate, "MOST_LABELLED", 60)
    rows, labelled = np.arange(200, 300), np.arange(200)
    found = believe(points, rows, labelled, labels, width=0.05, noise=0.1)
    kept = representatives(labels, 60)
    # So narrow a kernel says nothing of other windows: all have the prior.
    np.testing.assert_allclose(np.median(found.probability[:, 0]), 150.5 / 201, atol=1e-3)
    again = believe(points, np.arange(200), labelled, labels, width=0.05, noise=0.1)
    sure = np.flatnonzero(again.variance < 0.5)
    np.testing.assert_array_equal(sure, kept)
