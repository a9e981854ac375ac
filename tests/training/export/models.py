"""Small models and recordings for the tests of exporting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from antiphon.encoders.manifest import KaldiFrontEnd, LogMelFrontEnd
from antiphon.training.backbones.config import BackboneConfig, ConvConfig, TimmConfig, ViTConfig
from antiphon.training.model import EncoderModel

RATE = 8000
WINDOW_S = 1.0
SAMPLES = 8000
CLASSES = ("wren", "no", "1.5")
FRONT_END = KaldiFrontEnd(kind="kaldi_fbank", n_mels=32, normalise="fixed", mean=-6.0, std=5.0)
LOG_MEL = LogMelFrontEnd(kind="log_mel", n_fft=256, hop=80, n_mels=32, normalise="mean_std")

BACKBONES: dict[str, BackboneConfig] = {
    "vit": ViTConfig(dim=32, depth=2, heads=2),
    "conv": ConvConfig(width=8, depths=(1, 1, 1), dim=32),
    "timm": TimmConfig(name="mobilenetv3_small_050"),
}


def make_model(
    kind: str = "vit", *, classes: tuple[str, ...] = CLASSES, pooling: str = "mean"
) -> EncoderModel:
    """A model whose embeddings differ from sound to sound as those of a trained one do."""
    torch.manual_seed(3)
    front_end = LOG_MEL if kind == "conv" else FRONT_END
    model = EncoderModel(
        front_end,
        RATE,
        WINDOW_S,
        BACKBONES[kind],
        classes,
        pooling=pooling,  # type: ignore[arg-type]
    )
    # Statistics of batch normalisation as after some training, so that signals do not vanish.
    model.train()
    audio, valid = sounds(16)
    with torch.no_grad():
        for _ in range(30):
            model(torch.from_numpy(audio), torch.from_numpy(valid))
    return model.eval()


def sounds(count: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Windows of tones in noise, some of them cut short: ``(n, N)`` and ``(n,)``."""
    rng = np.random.default_rng(11)
    time = np.arange(SAMPLES) / RATE
    audio = 0.02 * rng.standard_normal((count, SAMPLES))
    for row in range(count):
        low, high = rng.uniform(200, 3500, 2)
        audio[row] += 0.3 * np.sin(2 * np.pi * (low * time + (high - low) * time**2 / 2))
    valid = np.full(count, SAMPLES, np.int64)
    valid[1::3] = rng.integers(SAMPLES // 10, SAMPLES, len(valid[1::3]))
    for row, held in enumerate(valid):
        audio[row, held:] = 0
    return audio.astype(np.float32), valid


def write_recordings(folder: Path, seconds: float = 6.0, count: int = 2) -> Path:
    """Recordings of tones in noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        parts = []
        for _ in range(round(seconds)):
            time = np.arange(RATE) / RATE
            tone = np.sin(2 * np.pi * rng.uniform(200, 3500) * time) * rng.uniform(0.05, 0.5)
            parts.append(tone + 0.01 * rng.standard_normal(RATE))
        soundfile.write(folder / f"site{number}.wav", np.concatenate(parts), RATE)
    return folder
