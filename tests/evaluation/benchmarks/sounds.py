"""Small recordings, each kind of sound at a pitch of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000
# An encoder for them.
SMALL = {"sample_rate": RATE, "window_s": 0.5, "n_mels": 32, "dim": 32}


def tone(pitch: float, seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * pitch * t) + 0.02 * rng.standard_normal(len(t))).astype("f4")


def write(path: Path, pitch: float = 500.0, seconds: float = 0.6, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(pitch, seconds, seed), RATE)
    return path


def write_calls(path: Path, calls, seconds: float) -> Path:
    """Write noise with tones ``(start_s, end_s, pitch)``."""
    rng = np.random.default_rng(len(calls))
    audio = 0.02 * rng.standard_normal(round(seconds * RATE))
    for start, end, pitch in calls:
        first, last = round(start * RATE), round(end * RATE)
        audio[first:last] += 0.3 * np.sin(2 * np.pi * pitch * np.arange(last - first) / RATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio.astype("f4"), RATE)
    return path
