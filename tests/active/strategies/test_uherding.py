from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.uherding import kernel_width, uncertainty
from tests.active.strategies.views import circle, unit, view


def test_with_the_same_doubt_everywhere_it_is_maxherding() -> None:
    x = unit(np.random.default_rng(0).normal(size=(80, 5)))
    probability = np.full((80, 3), 0.3)
    # One labelled window leaves the kernel at its widest.
    rows = [
        select(name, view(x, [3], probability=probability), 10).rows
        for name in ("uherding", "maxherding")
    ]
    np.testing.assert_array_equal(*rows)


def test_certain_regions_are_left_out() -> None:
    x = circle([0, 1, 2, 3, 4, 90, 91, 180, 181])
    probability = np.full((9, 2), 0.999)
    probability[7:] = 0.5
    chosen = select("uherding", view(x, [0, 5], probability=probability, n_labels=2), 1)
    assert chosen.rows[0] in (7, 8)


def test_doubt_is_averaged_over_labels_or_that_of_the_two_best() -> None:
    p = np.array([[0.5, 0.4, 0.1]], np.float32)
    np.testing.assert_allclose(uncertainty(p, multilabel=True), [1 - 2 * 0.5 / 3], atol=1e-6)
    np.testing.assert_allclose(uncertainty(p, multilabel=False), [0.9], atol=1e-6)


def test_the_kernel_narrows_to_the_smallest_distance_between_labels() -> None:
    points = circle([0, 60, 90, 90])
    assert kernel_width(points, np.array([0])) == 1.0
    assert kernel_width(points, np.array([0, 1])) == pytest.approx(1.0)
    assert kernel_width(points, np.array([0, 1, 2])) == pytest.approx(
        2 * np.sin(np.pi / 12), rel=1e-5
    )
    assert kernel_width(points, np.array([2, 3])) == pytest.approx(0.05)


def test_each_choice_has_the_largest_weighted_gain() -> None:
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(40, 4)))
    probability = rng.random((40, 3))
    pool = view(x, [0, 1, 2], probability=probability)
    chosen = select("uherding", pool, 6)
    points = pool.cache["unit components:64"].astype(float)
    width = kernel_width(pool.cache["unit components:64"], pool.labelled)
    kernel = np.exp(-((points[:, None] - points) ** 2).sum(axis=2) / width**2)
    free = list(range(3, 40))
    doubt = 1 - 2 * np.abs(probability[3:] - 0.5).mean(axis=1)
    reach = kernel[:3, 3:].max(axis=0)
    for row in chosen.rows:
        gain = np.maximum(kernel[free, 3:] - reach, 0) @ doubt
        assert row == free[int(np.argmax(gain))]
        reach = np.maximum(reach, kernel[row, 3:])
        free.remove(int(row))
