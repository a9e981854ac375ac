from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from tests.active.strategies.views import view


def test_labels_take_turns_the_scarcest_first() -> None:
    probability = [[0.9, 0.1], [0.8, 0.7], [0.3, 0.6], [0.2, 0.95], [0.0, 0.0]]
    pool = view(np.eye(5), [4], [[1, 0]], probability)
    # Label 1 has no example: 3, then label 0: 0, label 1: 1 (0.7), label 0: 2 as 1 is gone.
    chosen = select("likely", pool, 4)
    assert chosen.rows.tolist() == [3, 0, 1, 2]
    np.testing.assert_allclose(chosen.utility, [0.95, 0.9, 0.7, 0.3])


def test_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random((80, 7))
    labels = (rng.random((10, 7)) < 0.4).astype(float)
    pool = view(rng.normal(size=(80, 4)), np.arange(10), labels, probability)
    expected: list[int] = []
    order = np.argsort(labels.sum(axis=0), kind="stable")
    for i in range(50):
        left = [row for row in range(10, 80) if row not in expected]
        expected.append(max(left, key=lambda row: pool.probabilities[row, order[i % 7]]))
    assert select("likely", pool, 50).rows.tolist() == expected
