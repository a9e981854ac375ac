"""A tiny detector, calls to train it on, and folders of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from antiphon.training.backbones.config import ConvConfig, SedHeadConfig
from antiphon.training.config import RunConfig
from antiphon.training.model import EncoderModel
from tests.training.supervised.tiny import FRONT_END, RATE, SECONDS

CONV = ConvConfig(width=8, depths=(1, 1), dim=24, frequency="keep")
SED = SedHeadConfig(kind="sed", dropout=0.1)
CLASSES = ("high", "low", "sweep")


def detector(classes: tuple[str, ...] = CLASSES, *, seed: int = 0, seconds: float = SECONDS) -> Any:
    torch.manual_seed(seed)
    return EncoderModel(FRONT_END, RATE, seconds, CONV, classes, SED)


def call(kind: str, rng: np.random.Generator, seconds: float) -> np.ndarray:
    """A call of a quarter of a second at a drawn place, in noise; no call for another kind."""
    n = round(seconds * RATE)
    audio = 0.03 * rng.standard_normal(n)
    t = np.arange(RATE // 4) / RATE
    low, high = {"high": (2600, 2600), "low": (600, 600), "sweep": (800, 2400)}.get(kind, (0, 0))
    if high:
        tone = np.sin(2 * np.pi * (low * t + (high - low) * 2 * t**2) + rng.uniform(0, 6))
        begin = int(rng.integers(0, n - len(t) + 1))
        audio[begin : begin + len(t)] += 0.3 * np.hanning(len(t)) * tone
    return audio.astype(np.float32)


def write_folder(root: Path, per_class: int = 6, seconds: float = 1.0, silent: int = 0) -> Path:
    """Recordings ``CLASS/CLASS-NUMBER_SITE_DATE.wav`` with ``train.csv``, and ``silent/``."""
    rng = np.random.default_rng(7)
    rows = []
    for kind in CLASSES:
        (root / kind).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            stem = f"{kind}-{number}_S{number % 3:02d}_20250101_060000"
            soundfile.write(root / kind / f"{stem}.wav", call(kind, rng, seconds), RATE)
            others = [k for k in CLASSES if k != kind][: number % 2]
            rows.append((f"{kind}/{stem}.wav", kind, f"{others!r}"))
    with (root / "train.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("filename", "primary_label", "secondary_labels"))
        writer.writerows(rows)
    for number in range(silent):
        (root / "silent").mkdir(exist_ok=True)
        soundfile.write(root / "silent" / f"rain{number}.wav", call("", rng, seconds), RATE)
    return root


def config(root: Path, **changes: Any) -> RunConfig:
    """Settings of a short run over :func:`write_folder`."""
    value: dict[str, Any] = {
        "stage": "detector",
        "name": "tiny",
        "seed": 3,
        "data": {
            "sources": [
                {
                    "kind": "folder",
                    "path": str(root),
                    "labels": "train.csv",
                    "label_column": "primary_label",
                    "exhaustive": "all",
                }
            ],
            "sample_rate": RATE,
            "clip_s": SECONDS,
            "batch": 6,
        },
        "augment": {"mixup": {"p": 0.5}, "spec": {}},
        "front_end": FRONT_END.model_dump(),
        "backbone": CONV.model_dump(),
        "head": SED.model_dump(),
        "detector": {"averaging": {"kind": "ema", "decay": 0.9}},
        "optimiser": {"lr": 5e-3, "warmup": 0},
        "loop": {"steps": 8, "device": "cpu", "threads": 1, "log_every": 3},
        "checkpoint": {"every_minutes": None},
        "validation": {"retrieval": False, "probe": False},
    }
    for key, change in changes.items():
        part = isinstance(change, dict) and key in value and "kind" not in change
        value[key] = {**value[key], **change} if part else change
    return RunConfig.model_validate(value)
