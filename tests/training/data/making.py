"""Small folders of recordings whose samples say where they are."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.training.data.config import DataConfig
from antiphon.training.data.sources import read_sources
from antiphon.training.data.table import ClipTable

RATE = 2000


def tone(hertz: float, seconds: float, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    """A sine; its frequency tells which recording a crop is from."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def write(path: Path, audio: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


def folder_of_tones(
    root: Path, names: Sequence[str], seconds: float = 3.0, suffix: str = ".wav"
) -> Path:
    """One recording for each name, of 100, 120, 140 Hz and so on."""
    for number, name in enumerate(names):
        write(root / f"{name}{suffix}", tone(100 + 20 * number, seconds))
    return root


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def config(*sources: Mapping[str, object], **settings: object) -> DataConfig:
    values: dict[str, object] = {"sample_rate": RATE, "clip_s": 1.0, "batch": 4, **settings}
    return DataConfig.model_validate({"sources": list(sources), **values})


def table_of(data: DataConfig) -> ClipTable:
    return read_sources(data)[0]


NOTHING = AugmentConfig()

EVERY_STEP = AugmentConfig.model_validate(
    {"mixup": {}, "shift": {}, "low_pass": {}, "noise": {}, "gain": {}, "polarity": 0.5}
)
