from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols.mlp import mlp_probe
from antiphon.evaluation.protocols.probe import linear_probe


def ring(n: int, seed: int):
    """Two classes that no line separates."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def test_it_learns_what_a_linear_probe_cannot() -> None:
    (x, y), (vx, vy), (tx, ty) = ring(600, 0), ring(200, 1), ring(300, 2)
    found = mlp_probe(x, y, tx, ty, validation=(vx, vy), learning_rate=3e-3, epochs=60)
    assert found["accuracy"].low > 0.75
    assert linear_probe(x, y, tx, ty, l2=10.0)["accuracy"].high < 0.7


def test_the_size_is_chosen_on_validation() -> None:
    (x, y), (vx, vy), (tx, ty) = ring(400, 0), ring(200, 1), ring(100, 2)
    found = mlp_probe(x, y, tx, ty, validation=(vx, vy), hidden=(1, 32), epochs=40)
    curve = found.details["validation_curve"]
    assert found.details["hidden"] == 32
    assert curve[32] > curve[1]


def test_without_validation_whole_groups_are_set_aside() -> None:
    (x, y), (tx, ty) = ring(200, 0), ring(50, 1)
    found = mlp_probe(x, y, tx, ty, groups=np.arange(200) // 10, epochs=3)
    assert "40 training items were set aside." in found.notes
    with pytest.raises(UserError, match="one group"):
        mlp_probe(x, y, tx, ty, groups=np.zeros(200), epochs=3)


def test_equal_seeds_give_equal_scores() -> None:
    (x, y), (tx, ty) = ring(100, 0), ring(50, 1)
    one, two = (mlp_probe(x, y, tx, ty, epochs=3, seed=5).details["scores"] for _ in range(2))
    np.testing.assert_array_equal(one, two)
