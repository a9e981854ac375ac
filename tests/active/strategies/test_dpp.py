from __future__ import annotations

import numpy as np

from antiphon.active.doubt import balanced_entropy
from antiphon.active.geometry.map_dpp import gaussian_kernel
from antiphon.active.registry import select
from antiphon.active.strategies.dpp import WIDTH
from tests.active.strategies.views import view


def test_each_choice_has_the_largest_determinant_given_the_labelled() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    labelled = np.array([0, 1, 2])
    labels = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    pool = view(x, labelled, labels, rng.random((40, 2)))
    rows = select("dpp", pool, 6).rows
    points = pool.cache["whiten:64"]
    quality = 0.05 + balanced_entropy(pool.probabilities, labels)
    quality[labelled] = 1.0
    kernel = quality[:, None] * gaussian_kernel(points, points, WIDTH) * quality
    chosen = labelled.tolist()
    for row in rows:
        left = [i for i in range(40) if i not in chosen]
        value = [np.linalg.det(kernel[np.ix_([*chosen, i], [*chosen, i])]) for i in left]
        assert row == left[int(np.argmax(value))]
        chosen.append(int(row))


def test_copies_of_labelled_and_chosen_windows_are_left() -> None:
    x = np.repeat(np.random.default_rng(0).normal(size=(8, 12)), 5, axis=0)
    rows = select("dpp", view(x, [0, 5, 10]), 5).rows
    assert sorted((rows // 5).tolist()) == [3, 4, 5, 6, 7]
