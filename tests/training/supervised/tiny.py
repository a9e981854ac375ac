"""Tiny encoders, synthetic calls and a bare loop for the tests of supervised training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from antiphon.encoders.manifest import KaldiFrontEnd
from antiphon.training.backbones.config import ConvConfig, PatchSize, ViTConfig
from antiphon.training.model import EncoderModel
from antiphon.training.task import Batch, Task

RATE, SECONDS = 8000, 0.5
SAMPLES = round(RATE * SECONDS)
FRONT_END = KaldiFrontEnd(kind="kaldi_fbank", n_mels=32, normalise="mean_std")
VIT = ViTConfig(dim=32, depth=2, heads=2, patch=PatchSize(time=4, mel=16))
CONV = ConvConfig(width=8, depths=(1, 1), dim=24)


def tiny_model(
    classes: tuple[str, ...] = (), *, seed: int = 0, backbone: ViTConfig | ConvConfig = VIT
) -> EncoderModel:
    torch.manual_seed(seed)
    return EncoderModel(FRONT_END, RATE, SECONDS, backbone, classes)


def calls(kinds: int, per_kind: int, seed: int) -> Batch:
    """Calls of some kinds in noise: direction and rate of a sweep, two base frequencies, trills."""
    rng = np.random.default_rng(seed)
    t = np.arange(SAMPLES) / RATE
    waves, labels = [], []
    for kind in range(kinds):
        for _ in range(per_kind):
            base = (700.0, 1500.0)[kind % 2] * rng.uniform(0.85, 1.18)
            sweep = (0.0, 1600.0, -900.0)[kind // 2 % 3]
            call = np.sin(2 * np.pi * (base * t + sweep * t**2) + rng.uniform(0, 6.28))
            call *= 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (6 + 10 * (kind // 6)) * t))
            call = np.roll(call, rng.integers(SAMPLES)) * rng.uniform(0.1, 0.3)
            waves.append(call + 0.1 * rng.standard_normal(SAMPLES))
            labels.append(np.eye(kinds)[kind])
    return {
        "waveform": torch.from_numpy(np.stack(waves).astype(np.float32)),
        "valid": torch.full((len(waves),), SAMPLES),
        "index": torch.arange(len(waves)),
        "labels": torch.from_numpy(np.stack(labels).astype(np.float32)),
    }


def batch_at(data: Batch, step: int, size: int, seed: int = 0) -> Batch:
    drawn = np.random.default_rng([seed, step]).choice(len(data["index"]), size, replace=False)
    return {name: value[torch.from_numpy(drawn)] for name, value in data.items()}


def batches(data: Batch, count: int, size: int, seed: int = 0) -> Iterator[Batch]:
    return (batch_at(data, step, size, seed) for step in range(count))


def train(
    task: Task,
    data: Batch,
    steps: int,
    *,
    lr: float = 1e-3,
    weight_decay: float = 0.01,
    size: int = 24,
    first: int = 0,
    until: int | None = None,
    optimiser: torch.optim.Optimizer | None = None,
) -> torch.optim.Optimizer:
    """Run steps ``first`` to ``until`` of ``steps`` as the loop does."""
    made = optimiser or torch.optim.AdamW(task.parameter_groups(lr, weight_decay), lr=lr)
    full = [group.setdefault("full_lr", group["lr"]) for group in made.param_groups]
    task.train()
    for step in range(first, steps if until is None else until):
        task.before_step(step, steps)
        for group, rate in zip(made.param_groups, full, strict=True):
            group["lr"] = rate * task.rate_factor(step, steps)
        torch.manual_seed(step)
        generator = torch.Generator().manual_seed(step)
        loss = task.training_loss(batch_at(data, step, size), step, generator)["loss"]
        made.zero_grad()
        loss.backward()
        made.step()
        task.after_step(step, steps)
    return made


def state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Names of the tensors that are not bit for bit the same."""
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}
