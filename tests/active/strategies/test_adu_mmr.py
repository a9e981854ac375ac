from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.adu_mmr import Settings, mean_entropy, uncertainty_weight
from tests.active.strategies.views import circle, unit, view


def test_uncertainty_counts_only_below_the_gate_and_for_half_at_most() -> None:
    settings = Settings()
    assert uncertainty_weight(0.4, settings) == 0.0
    assert uncertainty_weight(0.05, settings) == 0.0
    assert uncertainty_weight(0.025, settings) == pytest.approx(0.25)
    assert uncertainty_weight(0.0, settings) == 0.5


def test_entropy_is_in_nats() -> None:
    got = mean_entropy(np.array([[0.5, 0.5], [0.5, 0.0]], np.float32))
    np.testing.assert_allclose(got, [np.log(2.0), np.log(2.0) / 2.0], rtol=1e-4)


def test_relevance_and_redundancy_worked_by_hand() -> None:
    # Squared distances to 0 degrees over the largest: 1 at 180, 0.97 at 160, 0.5 at 90.
    pool = view(circle([0, 90, 160, 180]), [0])
    chosen = select("adu-mmr", pool, 3)
    # After 180: 160 gives 0.7 x 0.9698 - 0.3 x 0.9397 = 0.397, 90 gives 0.7 x 0.5 = 0.35.
    assert chosen.rows.tolist() == [3, 2, 1]
    np.testing.assert_allclose(chosen.utility[:2], [0.7, 0.39697], atol=1e-3)


@pytest.mark.parametrize("sure", [False, True])
def test_agrees_with_a_plain_loop(sure: bool) -> None:
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(60, 5)))
    probability = rng.random((60, 3)) * (0.004 if sure else 1.0)
    pool = view(x, np.arange(8), np.zeros((8, 3)), probability)
    p = probability[8:]
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean(axis=1)
    squared = (2.0 - 2.0 * (x[8:] @ x[:8].T)).min(axis=1)
    weight = 0.5 * max(0.0, 1.0 - entropy.mean() / 0.05)
    assert (weight > 0) == sure
    scaled = (entropy - entropy.min()) / (entropy.max() - entropy.min())
    worth = (1 - weight) * squared / squared.max() + weight * scaled
    expected: list[int] = []
    for _ in range(20):
        again = np.array([max([0.0, *(x[expected] @ x[row])]) for row in range(8, 60)])
        score = 0.7 * worth - 0.3 * again
        score[[row - 8 for row in expected]] = -np.inf
        expected.append(8 + int(np.argmax(score)))
    assert select("adu-mmr", pool, 20).rows.tolist() == expected
