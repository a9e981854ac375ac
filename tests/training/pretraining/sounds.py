"""A tiny set of synthetic sounds: classes differ in how the pitch moves, not in its height."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from antiphon.encoders.manifest import KaldiFrontEnd
from antiphon.evaluation.metrics.retrieval import retrieval_scores
from antiphon.training.backbones.config import PatchSize, ViTConfig
from antiphon.training.model import EncoderModel

RATE = 8000
KINDS = ("tone", "up", "down", "trill", "pulses", "noise")


def sounds(count: int, seed: int, seconds: float = 1.0) -> tuple[Tensor, np.ndarray]:
    """Return waveforms ``(count, seconds * RATE)`` and the number of each one's kind."""
    time = np.arange(round(seconds * RATE)) / RATE
    kinds = np.arange(count) % len(KINDS)
    waves = []
    for number, kind in enumerate(kinds):
        draw = np.random.default_rng([seed, number])
        start, base, rate = draw.uniform(0.0, 0.2), draw.uniform(900, 1800), draw.uniform(9, 11)
        position = np.clip((time - start) / 0.8, 0, 1)
        course = {
            "up": 0.5 + 1.2 * position,
            "down": 1.7 - 1.2 * position,
            "trill": 1 + 0.4 * np.sign(np.sin(2 * np.pi * rate * time)),
        }.get(KINDS[kind], np.ones_like(time))
        wave = np.sin(2 * np.pi * np.cumsum(base * course) / RATE + draw.uniform(0, 6))
        if KINDS[kind] == "pulses":
            wave = wave * (np.sin(2 * np.pi * rate * time) > 0)
        if KINDS[kind] == "noise":
            wave = 0.5 * draw.standard_normal(len(time)) * (0.3 + 0.7 * wave)
        wave = wave * ((time >= start) & (time < start + 0.8)) * draw.uniform(0.1, 0.4)
        waves.append(wave + draw.uniform(0.005, 0.01) * draw.standard_normal(len(time)))
    return torch.from_numpy(np.stack(waves).astype(np.float32)), kinds


def batch_of(waves: Tensor, rows: Tensor | None = None) -> dict[str, Tensor]:
    rows = torch.arange(len(waves)) if rows is None else rows
    return {
        "waveform": waves[rows],
        "valid": torch.full((len(rows),), waves.shape[1]),
        "index": rows,
    }


def tiny_model(seed: int = 0, **changes: object) -> EncoderModel:
    torch.manual_seed(seed)
    settings = {"dim": 64, "depth": 3, "heads": 2, "patch": PatchSize(time=8, mel=8)} | changes
    return EncoderModel(
        KaldiFrontEnd(kind="kaldi_fbank", n_mels=32, normalise="fixed", mean=-3.8, std=3.3),
        RATE,
        1.0,
        ViTConfig(**settings),
    )


def retrieval(model: EncoderModel, waves: Tensor, kinds: np.ndarray) -> float:
    embeddings = model.embed(waves, torch.full((len(waves),), waves.shape[1]))
    return retrieval_scores(embeddings.numpy(), kinds).roc_auc
