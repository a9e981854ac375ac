from __future__ import annotations

import builtins
from dataclasses import replace

import numpy as np
import pytest

from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.learner.head import Head, NumpyDraws
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.torch_head import TorchHead
from antiphon.errors import MissingExtraError, UserError
from tests.active.learner.making import make_set


def draws(seed: int = 0) -> NumpyDraws:
    return NumpyDraws(np.random.default_rng(seed))


@pytest.mark.parametrize("multilabel", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_both_heads_agree(multilabel, dropout):
    pytest.importorskip("torch")
    data = make_set(5, multilabel=multilabel)
    x, y = data.embeddings, data.targets
    options = {"dropout": dropout, "multilabel": multilabel}
    ours = Head(24, 40, 5, draws(), **options)
    theirs = TorchHead(24, 40, 5, draws(), device="cpu", **options)
    assert theirs.n_parameters == ours.n_parameters
    for n in (50, 90):
        mine, other = (head.train(x[:n], y[:n], epochs=4) for head in (ours, theirs))
        assert mine == pytest.approx(other, rel=1e-4)
    for mine, other in zip(ours.weights(), theirs.weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)
    np.testing.assert_allclose(ours.hidden(x), theirs.hidden(x), atol=1e-3)
    np.testing.assert_allclose(ours.probabilities(x), theirs.probabilities(x), atol=1e-4)
    np.testing.assert_allclose(
        ours.dropout_probabilities(x, 3, 0.4, draws(1)),
        theirs.dropout_probabilities(x, 3, 0.4, draws(1)),
        atol=1e-4,
    )


def test_answers_follow_training():
    pytest.importorskip("torch")
    data = make_set(6)
    head = TorchHead(24, 24, 5, draws(), device="cpu")
    before, weights = head.probabilities(data.embeddings), head.weights()[0]
    head.train(data.embeddings[:60], data.targets[:60])
    assert np.abs(head.probabilities(data.embeddings) - before).max() > 0.01
    assert np.abs(head.weights()[0] - weights).max() > 0.001


@pytest.mark.parametrize("name", ["random", "margin-multilabel", "badge"])
def test_a_run_on_torch_is_that_on_numpy(name):
    pytest.importorskip("torch")
    config = LoopConfig(budget=60, schedule=Schedule((20,)), epochs=3, dropout=0.2)
    plain, torch = (
        run_loop(make_set(7), name, replace(config, device=device)) for device in (None, "cpu")
    )
    assert [set(c.rows) for c in plain.cycles] == [set(c.rows) for c in torch.cycles]
    assert plain.curve()[1] == pytest.approx(torch.curve()[1], abs=1e-3)
    assert plain.parameters == torch.parameters
    assert LoopConfig.from_json(torch.config.to_json()) == torch.config


def test_a_device_that_is_not_there_is_named():
    pytest.importorskip("torch")
    with pytest.raises(UserError, match="device 'toaster'"):
        TorchHead(4, 4, 2, draws(), device="toaster")


def test_without_torch_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == "torch":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"antiphon\[train\]"):
        TorchHead(4, 4, 2, draws(), device="cuda")


def test_exact_and_a_device_exclude_each_other():
    with pytest.raises(UserError, match="exact"):
        LoopConfig(exact=True, device="cpu")
