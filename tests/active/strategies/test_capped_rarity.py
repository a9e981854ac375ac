from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.capped_rarity import (
    Settings,
    capped_deficit,
    capped_rarity_with,
    density_gate,
    mean_margin,
)
from tests.active.strategies.views import view

NAN = float("nan")


def test_the_gate_closes_as_windows_hold_more_labels() -> None:
    settings = Settings()
    assert density_gate(np.zeros((4, 3), np.float32), settings) == 1.0
    assert density_gate(np.array([[1, 0], [NAN, 1]], np.float32), settings) == pytest.approx(0.5)
    assert density_gate(np.ones((4, 3), np.float32), settings) == pytest.approx(0.25)


def test_deficits_and_margins_worked_by_hand() -> None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [1, 0, NAN], [1, 0, 0]], np.float32)
    around = np.array([[1, 0, 0], [0, 1, 0], [0, 0.5, 1.0]], np.float32)
    # Positives 4, 1 and 0: deficits 0, 0.75 and 1.
    np.testing.assert_allclose(capped_deficit(around, labels, 1.0), [0.0, 0.75, 1.0])
    np.testing.assert_allclose(mean_margin(around), [0.0, 0.0, 1.0 / 3.0], atol=1e-6)


def test_a_scarce_label_nearby_outweighs_a_little_distance() -> None:
    # On a regular simplex all windows are as far from each other; 2 is drawn a bit towards 1.
    x = np.eye(6)
    x[4] += 0.3 * x[1]
    labels = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], np.float32)
    pool = view(x, [0, 1, 2, 3], labels)
    far = capped_rarity_with(Settings(neighbours=1, rarity=0.0, margin=0.0, location=0.0))
    near_rare = capped_rarity_with(Settings(neighbours=1, rarity=5.0, margin=0.0, location=0.0))
    assert far(pool, 1).rows.tolist() == [5]
    assert near_rare(pool, 1).rows.tolist() == [4]


def test_recordings_share_the_batch() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 10))
    recording = np.repeat([0, 1], [50, 10])
    labels = np.zeros((2, 2), np.float32)
    labels[:, 0] = 1.0
    pool = view(x, [0, 1], labels, recording=recording)
    blind = capped_rarity_with(Settings(rarity=0.0, margin=0.0, location=0.0))(pool, 12)
    fair = capped_rarity_with(Settings(rarity=0.0, margin=0.0, location=4.0))(pool, 12)
    assert (recording[fair.rows] == 1).sum() > (recording[blind.rows] == 1).sum()


def test_without_labels_it_is_k_centre() -> None:
    x = np.repeat(np.eye(8), 3, axis=0)
    rows = select("capped-rarity", view(x), 8).rows
    assert sorted((rows // 3).tolist()) == list(range(8))
