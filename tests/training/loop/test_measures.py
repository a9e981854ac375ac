# ruff: noqa: E402
"""Measures of steps, seeds, and what a plan says."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.loop.config import LoopConfig
from antiphon.training.loop.errors import LossError
from antiphon.training.loop.measures import Measures, check_finite
from antiphon.training.loop.plan import make_plan
from antiphon.training.loop.seeding import seed_everything, step_seed
from antiphon.training.loop.trainer import device_of, precision_of, process_rank, processes_of
from tests.training.loop import tiny


def test_values_arrive_in_the_order_of_their_steps():
    measures = Measures()
    for step in range(3):
        measures.push(step, {"loss": torch.tensor(step + 0.5)}, {"lr": 0.1})
    found = measures.take()
    assert [(one.step, one.values) for one in found] == [
        (step, {"loss": step + 0.5, "lr": 0.1}) for step in range(3)
    ]
    assert measures.take(all_of_them=True) == []


def test_fp16_may_skip_a_step_but_has_no_loss_that_is_no_number():
    values = {"loss": 1.0, "gradient_norm": float("inf")}
    check_finite(3, values, lenient=True)
    with pytest.raises(LossError, match="Step 3: the gradient"):
        check_finite(3, values)
    with pytest.raises(LossError, match="Step 4: the loss is"):
        check_finite(4, {"loss": float("nan"), "gradient_norm": 1.0}, lenient=True)
    with pytest.raises(LossError, match="the loss and the gradient"):
        check_finite(4, {"loss": float("nan"), "gradient_norm": float("nan")})


def test_a_step_has_its_own_seed():
    seeds = {step_seed(0, s, p, r) for s in range(20) for p in range(3) for r in range(3)}
    assert len(seeds) == 180
    assert step_seed(0, 5) == step_seed(0, 5)
    assert step_seed(0, 5) != step_seed(1, 5)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_libraries_that_draw_from_numpy_are_seeded_as_well():
    import random

    import numpy as np

    drawn = []
    for _ in range(2):
        seed_everything(2**40 + 3)
        drawn.append((float(torch.rand(())), np.random.rand(), random.random()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_of(LoopConfig(steps=1)) == "cpu"
    assert processes_of(LoopConfig(steps=1)) == 1
    assert processes_of(LoopConfig(steps=1, processes=3)) == 3
    assert precision_of(LoopConfig(steps=1)) == "32-true"
    with pytest.raises(UserError, match="torch finds none"):
        device_of(LoopConfig(steps=1, device="gpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert processes_of(LoopConfig(steps=1)) == 2
    assert precision_of(LoopConfig(steps=1)) == "bf16-mixed"
    assert precision_of(LoopConfig(steps=1, device="cpu")) == "32-true"
    with pytest.raises(UserError, match="there are 2 GPUs"):
        processes_of(LoopConfig(steps=1, processes=3))


def test_the_rank_is_known_before_the_processes_meet(monkeypatch):
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert process_rank() == 0
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert process_rank() == 2
    monkeypatch.setenv("RANK", "6")
    assert process_rank() == 6


def test_a_plan_counts_what_a_run_does(tmp_path):
    config = tiny.config(tmp_path, loop={"accumulate": 3, "processes": 2})
    stage = tiny.prepare(config)
    plan = dict(make_plan(config, stage))
    n = sum(p.numel() for p in stage.task.parameters())
    assert plan["parameters"] == f"{n:,}"
    assert plan["parameters of the encoder"] == f"{n // 2:,}"
    assert plan["steps"] == "12, 2 of warm-up"
    # 12 steps of 3 batches of 4 half seconds.
    assert plan["examples"] == "144, 0.0 h of audio"
    assert plan["examples of a step"] == "12 in 3 batches, 2 processes of 6"
    assert plan["clips"] == "40"


def test_the_memory_of_a_plan_is_what_autograd_keeps():
    from antiphon.training.loop.plan import _activations
    from antiphon.training.loop.stages import PreparedStage
    from antiphon.training.task import Task

    class Squares(Task):
        def training_loss(self, batch, step, generator):
            # Twice the same storage, and one view of it: kept once each.
            x = batch["x"].requires_grad_()
            return {"loss": (x * x).sum() + (x[:2] * x[:2]).exp().sum()}

        def validation_loss(self, batch):
            raise NotImplementedError

        def encoder(self):
            raise NotImplementedError

    kept, _ = _activations({"x": torch.zeros(8, 100)}, PreparedStage(Squares(), lambda *a: []))
    # x itself (8 x 100), and the result of exp (2 x 100), in float32.
    assert kept == 4 * (800 + 200)
