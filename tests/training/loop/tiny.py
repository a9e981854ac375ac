"""A tiny stage with a moving teacher, dropout and masks: all that a resume has to restore."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from antiphon.training.config import RunConfig
from antiphon.training.loop.stages import PreparedStage
from antiphon.training.model import EncoderModel
from antiphon.training.task import Task

Hooks = dict[int, Callable[[torch.Tensor], torch.Tensor]]

RATE, SECONDS, BATCH = 8000, 0.5, 4
FRONT_END = {"kind": "log_mel", "n_fft": 256, "hop": 128, "n_mels": 16, "pad": "zero"}
BACKBONE = {"kind": "conv", "width": 8, "depths": [1], "dim": 16}


def config(tmp_path: Path, **changes: Any) -> RunConfig:
    audio = tmp_path / "audio"
    audio.mkdir(exist_ok=True)
    value: dict[str, Any] = {
        "stage": "supervised",
        "name": "tiny",
        "seed": 5,
        "data": {
            "sources": [{"kind": "folder", "path": str(audio)}],
            "sample_rate": RATE,
            "clip_s": SECONDS,
            "batch": BATCH,
        },
        "front_end": FRONT_END,
        "backbone": BACKBONE,
        "optimiser": {"lr": 1e-2, "warmup": 2},
        "loop": {"steps": 12, "device": "cpu", "threads": 1, "log_every": 3},
        "checkpoint": {"every_minutes": None},
    }
    for key, change in changes.items():
        part = isinstance(change, dict) and key in value and "kind" not in change
        value[key] = {**value[key], **change} if part else change
    return RunConfig.model_validate(value)


def examples(indices: list[int], *, labels: bool = True) -> dict[str, torch.Tensor]:
    """Tones of four pitches, one for each class, in noise; all from the index."""
    rows, hot = [], []
    for i in indices:
        rng = np.random.default_rng([7, i])
        label = int(rng.integers(4))
        t = np.arange(round(RATE * SECONDS)) / RATE
        tone = np.sin(2 * np.pi * 500.0 * 2 ** (label / 2) * t + rng.uniform(0, 6))
        rows.append(0.3 * tone + 0.1 * rng.standard_normal(len(t)))
        hot.append(np.eye(4)[label])
    batch = {
        "waveform": torch.tensor(np.array(rows), dtype=torch.float32),
        "valid": torch.full((len(rows),), len(rows[0])),
        "index": torch.tensor(indices),
    }
    if labels:
        batch["labels"] = torch.tensor(np.array(hot), dtype=torch.float32)
        batch["known"] = torch.ones_like(batch["labels"])
    return batch


class Batches(torch.utils.data.Dataset):
    def __init__(self, first: int, end: int, rank: int = 0, world: int = 1, size: int = BATCH):
        self.first, self.end, self.rank, self.world, self.size = first, end, rank, world, size

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        if i >= len(self):
            raise IndexError
        begin = (self.first + i) * self.size
        return examples(list(range(begin, begin + self.size))[self.rank :: self.world])


class TinyTask(Task):
    """Classifies, and follows a moving teacher; both drop and mask at random."""

    def __init__(self, model: EncoderModel, at: Hooks | None = None, random: float = 0.2) -> None:
        super().__init__()
        self.model = model
        self.random = random
        self.drop = nn.Dropout(random)
        self.teacher = copy.deepcopy(model).requires_grad_(False)
        self.at = at or {}

    def training_loss(self, batch, step, generator):
        seen = batch["waveform"] * (
            torch.rand(batch["waveform"].shape, generator=generator, device=generator.device)
            >= self.random / 2
        )
        out = self.model(self.drop(seen), batch["valid"])
        with torch.no_grad():
            target = self.teacher(batch["waveform"], batch["valid"]).embedding
        entropy = nn.functional.binary_cross_entropy_with_logits(out.logits, batch["labels"])
        follow = (out.embedding - target).square().mean()
        loss = entropy + 0.1 * follow
        if step in self.at:
            loss = self.at[step](loss)
        return {"loss": loss, "entropy": entropy.detach(), "follow": follow.detach()}

    def validation_loss(self, batch):
        out = self.model(batch["waveform"], batch["valid"])
        return {"loss": nn.functional.binary_cross_entropy_with_logits(out.logits, batch["labels"])}

    def after_step(self, step, total):
        for mine, theirs in zip(self.model.parameters(), self.teacher.parameters(), strict=True):
            theirs.lerp_(mine.detach(), 0.1)

    def encoder(self):
        return self.model


def prepare(
    settings: RunConfig, *, at: Hooks | None = None, random: float = 0.2, hold_out: int = 24
) -> PreparedStage:
    """Make the stage; ``at`` changes the loss of a step, or does worse there."""
    model = EncoderModel(
        settings.front_end,
        settings.data.sample_rate,
        settings.data.clip_s,
        settings.backbone,
        classes=("a", "b", "c", "d"),
    )

    def training(first, end, rank, world):
        return torch.utils.data.DataLoader(
            Batches(first, end, rank, world),
            batch_size=None,
            num_workers=settings.data.workers,
        )

    def held_out():
        return Batches(10_000, 10_000 + hold_out // BATCH)

    return PreparedStage(
        TinyTask(model, at, random), training, held_out if hold_out else None, (("clips", "40"),)
    )
