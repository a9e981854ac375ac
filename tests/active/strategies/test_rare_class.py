from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from antiphon.active.strategies.rare_class import shares
from tests.active.strategies.views import view


def test_shares_are_largest_remainders() -> None:
    # 10 x (1/2, 1/3, 1/6): 5, 3.33 and 1.67.
    assert shares(np.array([3.0, 2.0, 1.0]), 10).tolist() == [5, 3, 2]
    assert shares(np.array([1.0, 1.0, 1.0]), 2).sum() == 2


def clusters() -> np.ndarray:
    """Return three tight groups of 20 far apart, and 20 scattered windows."""
    rng = np.random.default_rng(0)
    centre = 8.0 * np.eye(12)[:3]
    groups = np.repeat(centre, 20, axis=0) + rng.normal(size=(60, 12)) * 0.5
    return np.concatenate([groups, rng.normal(size=(20, 12)) * 4.0])


def test_a_scarce_label_draws_windows_like_its_example() -> None:
    # Label 0 has nine examples in the first group, label 1 one in the second.
    labels = np.repeat([[1.0, 0.0], [0.0, 1.0]], [9, 1], axis=0)
    pool = view(clusters(), np.r_[0:9, 20], labels)
    rows = select("rare-class", pool, 12).rows
    # Shares are 1/10 and 1/2, that is 2 and 10 of 12.
    assert ((rows >= 20) & (rows < 40)).sum() == 10
    assert (rows < 20).sum() == 2


def test_labels_without_examples_send_the_search_away_from_the_known() -> None:
    labels = np.repeat([[1.0, 0.0], [1.0, 0.0]], [9, 1], axis=0)
    pool = view(clusters(), np.arange(10), labels)
    rows = select("rare-class", pool, 11).rows
    # Shares are 1/11 and 1: one window like the examples, ten others.
    assert (rows < 20).sum() == 1
    assert (rows >= 20).sum() == 10


def test_the_detector_has_a_say() -> None:
    labels = np.array([[1.0]])
    x = clusters()
    probability = np.zeros((80, 1))
    probability[25:30] = 0.9
    pool = view(x, [20], labels, probability)
    assert set(select("rare-class", pool, 5).rows.tolist()) == {25, 26, 27, 28, 29}
