"""The hidden layer: it learns what a line cannot, equal seeds give equal heads."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.heads import mlp
from antiphon.heads.linear import fit_linear
from antiphon.heads.mlp import MLPHead, fit_mlp


def exclusive_or(n: int = 600, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6)).astype(np.float32)
    y = np.stack([(x[:, 0] * x[:, 1] > 0), x[:, 2] > 0], axis=1).astype(np.float32)
    return x, y, np.arange(n) // 20


def accuracy(head, x, y):
    return ((head.logits(x) > 0) == (y > 0)).mean(axis=0)


def test_learns_what_a_line_cannot():
    x, y, groups = exclusive_or()
    test_x, test_y, _ = exclusive_or(seed=1)
    head = fit_mlp(x, y, hidden=32, groups=groups, learning_rate=1e-2, seed=0)
    assert accuracy(fit_linear(x, y), test_x, test_y)[0] < 0.65
    assert accuracy(head, test_x, test_y).min() > 0.85


def test_equal_seeds_equal_heads():
    x, y, groups = exclusive_or(200)
    a, b, c = (fit_mlp(x, y, hidden=8, groups=groups, epochs=3, seed=s) for s in (1, 1, 2))
    assert np.array_equal(a.logits(x), b.logits(x))
    assert not np.array_equal(a.logits(x), c.logits(x))


def test_gradients_equal_finite_differences():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 4)).astype(np.float32)
    y = (rng.random((12, 2)) < 0.5).astype(np.float32)
    cost = rng.random((12, 2)).astype(np.float32)
    cost[0] = 0
    weights = [
        w.astype(np.float64)
        for w in (
            rng.standard_normal((5, 4)),
            rng.standard_normal(5),
            rng.standard_normal((2, 5)),
            rng.standard_normal(2),
        )
    ]
    gradients = mlp._gradients(weights, x, y, cost, 0.0, rng)
    for w, g in zip(weights, gradients, strict=True):
        for place in np.ndindex(w.shape):
            ends = []
            for step in (1e-5, -1e-5):
                w[place] += step
                ends.append(mlp._loss(weights, x, y, cost) * cost.sum(dtype=np.float64) / len(x))
                w[place] -= step
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(g[place], abs=1e-5)


def test_unknown_labels_say_nothing():
    x, y, groups = exclusive_or(200)
    y[::3, 0] = np.nan
    masked = fit_mlp(x, y, hidden=8, epochs=3, class_weight=None, dropout=0, seed=0)
    assert np.isfinite(masked.logits(x)).all()
    y[:, 0] = np.nan
    head = fit_mlp(x, y, hidden=8, epochs=3, groups=groups)
    assert set(head.untrained) == {0}
    assert np.ptp(head.logits(x)[:, 0]) == 0


def test_stops_early_on_labels_that_cannot_be_learnt():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 20)).astype(np.float32)
    y = (rng.random((200, 1)) < 0.5).astype(np.float32)
    held = np.arange(200) < 60
    head = fit_mlp(x, y, validation=held, epochs=100, patience=3, learning_rate=1e-2)
    assert head.epochs < 20


def test_one_group_trains_without_early_stopping():
    x, y, _ = exclusive_or(100)
    assert fit_mlp(x, y, groups=np.zeros(100), epochs=4, hidden=4).epochs == 4


def test_round_trip():
    x, y, _ = exclusive_or(100)
    head = fit_mlp(x, y, epochs=2, hidden=4)
    again = MLPHead.from_tensors(head.to_tensors())
    assert np.array_equal(again.logits(x), head.logits(x))
    assert (head.n_labels, head.dim) == (2, 6)
    with pytest.raises(ValueError, match="weight"):
        MLPHead.from_tensors({**head.to_tensors(), "weight": head.weight[:, :2]})


@pytest.mark.parametrize("bad", [{"hidden": 0}, {"dropout": 1.0}, {"epochs": 0}])
def test_bad_parameters(bad):
    x, y, _ = exclusive_or(20)
    with pytest.raises(UserError):
        fit_mlp(x, y, **bad)
