from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.safe_rarity import Settings, gate, rarity, top_entropy
from tests.active.strategies.views import circle, unit, view


def test_only_the_most_doubtful_labels_count() -> None:
    probability = np.array([[0.5, 0.5, 0.0, 1.0], [0.5, 0.0, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(top_entropy(probability, 2), [1.0, 0.5], atol=1e-4)
    np.testing.assert_allclose(top_entropy(probability, 9), [0.5, 0.25], atol=1e-4)


def test_a_label_predicted_nowhere_else_makes_a_window_rare() -> None:
    probability = np.array([[0.8, 0.0], [0.8, 0.0], [0.8, 0.0], [0.0, 0.8]], np.float32)
    # Means 0.6 and 0.2: 0.8 over their roots.
    expected = [0.8 / 0.6**0.5] * 3 + [0.8 / 0.2**0.5]
    np.testing.assert_allclose(rarity(probability), expected, rtol=1e-5)


def test_the_gate_closes_early_and_for_degenerate_predictions() -> None:
    useful = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
    settings = Settings()
    assert gate(useful, 0.05, settings) == 0.0
    assert gate(useful, 0.25, settings) == pytest.approx(0.5)
    assert gate(useful, 0.9, settings) == 1.0
    assert gate(np.full((5, 2), 0.3, np.float32), 0.9, settings) == 0.0


def test_before_training_it_is_k_centre() -> None:
    pool = view(circle([0, 10, 45, 90, 180]), [0])
    assert select("safe-rarity", pool, 4).rows.tolist() == [4, 3, 2, 1]


def test_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(50, 4)))
    probability = rng.random((50, 3))
    pool = view(x, np.arange(10), np.zeros((10, 3)), probability, budget=20)
    p = probability[10:]
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)).mean(axis=1)
    rare = p @ (1.0 / np.sqrt(p.mean(axis=0)))
    base = 0.4 * np.argsort(np.argsort(entropy)) / 39
    base = base + 0.2 * (rare - rare.min()) / (rare.max() - rare.min())
    distance = np.linalg.norm(x[:, None] - x[None], axis=2)
    scale = distance[10:, :10].min(axis=1).max()
    covered = list(range(10))
    for row in select("safe-rarity", pool, 12).rows:
        score = base + 0.4 * distance[10:, covered].min(axis=1) / scale
        score[[c - 10 for c in covered if c >= 10]] = -np.inf
        assert row == 10 + int(np.argmax(score))
        covered.append(int(row))
