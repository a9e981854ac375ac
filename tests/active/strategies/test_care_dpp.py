from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.care_dpp import (
    Settings,
    care_dpp_with,
    mixed_candidates,
    progress,
)
from tests.active.strategies.views import unit, view


def test_novelty_is_annealed_until_half_of_the_budget() -> None:
    settings = Settings()
    assert progress(0, 500, settings) == 0.0
    assert progress(125, 500, settings) == 0.5
    assert progress(400, 500, settings) == 1.0
    assert progress(125, None, settings) == 0.5
    assert progress(125, 1000, settings) == 0.25


def test_candidates_are_the_best_and_random_others() -> None:
    quality = np.arange(100, dtype=np.float32)
    mixed = mixed_candidates(quality, 20, 0.25, np.random.default_rng(0))
    assert len(set(mixed.tolist())) == 20
    assert mixed[:15].tolist() == list(range(99, 84, -1))
    assert (mixed[15:] <= 84).all()
    assert len(mixed_candidates(quality, 600, 0.3, np.random.default_rng(0))) == 100


@pytest.mark.parametrize("labelled", [5, 20])
def test_each_choice_has_the_largest_determinant(labelled: int) -> None:
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(45, 12)))
    labels = (rng.random((labelled, 3)) < 0.5).astype(np.float32)
    probability = rng.random((45, 3))
    # The whole pool is the candidates, so that nothing is random; 20 of 40 labels end the ramp.
    pool = view(x, np.arange(labelled), labels, probability, budget=40)
    rows = care_dpp_with(Settings())(pool, 6).rows
    weight = (1.0 + labels.sum(axis=0)) ** -0.5
    p = probability[labelled:]
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)) @ (weight / weight.sum())
    distance = np.sqrt(2.0 - 2.0 * (x[labelled:] @ x[:labelled].T).max(axis=1))

    def scaled(values: np.ndarray) -> np.ndarray:
        return (values - values.min()) / (values.max() - values.min())

    novelty = 0.65 - 0.4 * labelled / 20
    quality = 0.01 + novelty * scaled(distance) + (1 - novelty) * scaled(entropy)
    kernel = quality[:, None] * (x[labelled:] @ x[labelled:].T) * quality
    chosen: list[int] = []
    for row in rows - labelled:
        left = [i for i in range(45 - labelled) if i not in chosen]
        value = [np.linalg.det(kernel[np.ix_([*chosen, i], [*chosen, i])]) for i in left]
        assert row == left[int(np.argmax(value))]
        chosen.append(int(row))


def test_works_through_the_registry_before_anything_is_labelled() -> None:
    x = np.random.default_rng(0).normal(size=(900, 6))
    assert len(set(select("care-dpp", view(x), 25).rows.tolist())) == 25
