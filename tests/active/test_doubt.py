from __future__ import annotations

import numpy as np

from antiphon.active.doubt import (
    balanced_entropy,
    budget_share,
    class_balance,
    positives,
    rank_share,
    unit_range,
)

NAN = float("nan")


def test_unknown_labels_are_not_positives() -> None:
    labels = np.array([[1, NAN, 0], [1, NAN, 1], [1, 0, NAN]], np.float32)
    assert positives(labels).tolist() == [3, 0, 1]
    weight = class_balance(labels)
    np.testing.assert_allclose(weight, np.array([0.5, 1.0, 0.5**0.5]) / (1.5 + 0.5**0.5))


def test_balanced_entropy_worked_by_hand() -> None:
    labels = np.array([[1, 0], [1, 0], [1, 0]], np.float32)
    probability = np.array([[0.5, 0.5], [0.5, 0.0], [0.0, 0.5], [0.25, 1.0]], np.float32)
    # Weights 1/2 and 1 of a sum of 1.5; h(1/4) = 2 - 3/4 log2 3.
    quarter = 2.0 - 0.75 * np.log2(3.0)
    expected = [1.0, 1.0 / 3.0, 2.0 / 3.0, quarter / 3.0]
    np.testing.assert_allclose(balanced_entropy(probability, labels), expected, atol=1e-5)
    even = balanced_entropy(probability, labels, power=0.0)
    np.testing.assert_allclose(even, [1.0, 0.5, 0.5, quarter / 2.0], atol=1e-5)


def test_nothing_labelled_weighs_all_labels_the_same() -> None:
    np.testing.assert_allclose(class_balance(np.empty((0, 4), np.float32)), 0.25)


def test_ranks_share_ties_and_constant_values_are_full() -> None:
    np.testing.assert_allclose(rank_share(np.array([5.0, 1.0, 1.0, 9.0])), [2 / 3, 1 / 6, 1 / 6, 1])
    np.testing.assert_array_equal(rank_share(np.array([2.0, 2.0])), [1, 1])
    np.testing.assert_array_equal(unit_range(np.array([2, 2], np.float32)), [1, 1])
    np.testing.assert_allclose(unit_range(np.array([1, 3, 2], np.float32)), [0, 1, 0.5])


def test_share_of_the_budget_falls_back_on_five_hundred() -> None:
    assert budget_share(50, 200) == 0.25
    assert budget_share(50, None) == 0.1
    assert budget_share(900, None) == 1.0
