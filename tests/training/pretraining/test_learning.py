"""Tiny runs of each objective learn: the loss falls and retrieval gains on the initialisation."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.pretraining.beats import BEATsPretraining  # noqa: E402
from antiphon.training.pretraining.config import BEATsConfig, EATConfig  # noqa: E402
from antiphon.training.pretraining.eat import EATPretraining  # noqa: E402
from tests.training.pretraining.sounds import (  # noqa: E402
    batch_of,
    retrieval,
    sounds,
    tiny_model,
)

BATCH = 16


@pytest.fixture(scope="module")
def sets():
    return sounds(200, seed=1)[0], *sounds(150, seed=2)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def model(seed=0):
    return tiny_model(seed, depth=2)


def train(task, sets, steps, lr):
    """Train; return loss and retrieval on held-out sounds before and after."""
    waves, held_out, kinds = sets

    def judge():
        result = {k: v.item() for k, v in task.validation_loss(batch_of(held_out)).items()}
        return result | {"r_auc": retrieval(task.encoder(), held_out, kinds)}

    before = judge()
    optimiser = torch.optim.AdamW(task.parameter_groups(lr, 0.05), betas=(0.9, 0.95))
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / 20) * task.rate_factor(step, steps)
        rows = torch.randperm(len(waves), generator=generator)[:BATCH]
        task.before_step(step, steps)
        result = task.training_loss(batch_of(waves, rows), step, generator)
        optimiser.zero_grad(set_to_none=True)
        result["loss"].backward()
        optimiser.step()
        task.after_step(step, steps)
    return before, judge()


def test_a_tiny_eat_run_learns(sets):
    task = EATPretraining(model(), EATConfig.tiny()).train()
    before, after = train(task, sets, steps=240, lr=3e-3)
    # Predicting nothing costs 1.
    assert before["patch_loss"] > 1.0
    assert after["patch_loss"] < 0.6
    assert after["r_auc"] > before["r_auc"] + 0.03
    assert after["prediction_std"] > 0.5
    assert after["spread"] > 0.01


def test_a_tiny_beats_run_learns(sets):
    task = BEATsPretraining(model(), BEATsConfig.tiny()).train()
    before, after = train(task, sets, steps=300, lr=2e-3)
    assert after["loss"] < 0.5 * before["loss"]
    assert after["accuracy"] > after["majority"] + 0.1
    assert after["r_auc"] > before["r_auc"] + 0.03
    assert after["spread"] > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("target", ["mlp", "block"])
def test_a_longer_eat_run_learns_more(sets, target):
    config = EATConfig(**(EATConfig.tiny().model_dump() | {"target": target, "clones": 4}))
    before, after = train(EATPretraining(model(), config).train(), sets, steps=800, lr=2e-3)
    assert after["patch_loss"] < 0.45
    assert after["r_auc"] > before["r_auc"] + 0.06


@pytest.mark.slow
def test_two_iterations_of_beats(sets):
    first = BEATsPretraining(model(), BEATsConfig.tiny()).train()
    before, after = train(first, sets, steps=600, lr=2e-3)
    assert after["r_auc"] > before["r_auc"] + 0.06
    config = BEATsConfig.tiny(teacher="first", tokenizer_steps=300)
    second = BEATsPretraining(model(1), config, teacher=first.encoder()).train()
    before, after = train(second, sets, steps=900, lr=2e-3)
    assert after["codes_used"] > 0.9
    assert after["accuracy"] > after["majority"] + 0.1
    assert after["r_auc"] > before["r_auc"] + 0.05
