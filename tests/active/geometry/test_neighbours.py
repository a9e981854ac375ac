from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry.neighbours import nearest_labelled, neighbour_labels
from tests.active.strategies.views import circle, unit

NAN = float("nan")


def test_agrees_with_scikit_learn_over_several_blocks() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    points = unit(rng.normal(size=(5000, 4)))
    labelled = rng.choice(5000, 100, replace=False)
    rows = np.setdiff1d(np.arange(5000), labelled)
    model = neighbors.NearestNeighbors(n_neighbors=5).fit(points[labelled])
    expected = model.kneighbors(points[rows], return_distance=False)
    assert (nearest_labelled(points, rows, labelled, 5) == expected).mean() > 0.999
    assert (nearest_labelled(points, rows, labelled, 1)[:, 0] == expected[:, 0]).mean() > 0.999


def test_unknown_labels_are_left_out_of_the_mean() -> None:
    points = circle([0, 10, 20, 170, 5])
    labels = np.array([[1, NAN], [0, 1], [1, NAN], [0, 0]], np.float32)
    got = neighbour_labels(points, np.array([4]), np.arange(4), labels, 3)
    np.testing.assert_allclose(got, [[2 / 3, 1.0]])
    first = neighbour_labels(points, np.array([2]), np.array([0, 2]), labels[[0, 2]], 9)
    assert first[0, 0] == 1.0
    assert np.isnan(first[0, 1])
