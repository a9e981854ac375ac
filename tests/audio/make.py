"""Recordings for the audio tests."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Float32 = npt.NDArray[np.float32]


def noise(frames: int, channels: int = 1, seed: int = 0) -> Float32:
    """Coloured noise within ±0.5, ``(frames, channels)``; every stretch of it is different."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((frames, channels)).astype(np.float32)
    values[1:] += values[:-1]
    return values * np.float32(0.5 / max(np.abs(values).max(), 1e-9))


def write(path: Path, samples: Float32, rate: int, **options: str) -> Path:
    """Write in pieces: libsndfile overflows its stack on one long write of Ogg Vorbis."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(path, "w", rate, channels, **options) as file:
        for first in range(0, len(samples), 8192):
            file.write(samples[first : first + 8192])
    return path


def cut(path: Path, share: float) -> Path:
    """Write a copy of ``path`` that ends after that share of its bytes."""
    data = path.read_bytes()
    target = path.with_name(f"cut_{path.name}")
    target.write_bytes(data[: int(len(data) * share)])
    return target


def sparse_wav(path: Path, rate: int, frames: int, marks: dict[int, int]) -> Path:
    """Write an 8-bit mono WAV of any length that takes no room on disk.

    Bytes that were never written read as 0, which is -1.0 in 8-bit WAV.
    """
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + frames) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, 1, rate, rate, 1, 8))
        file.write(b"data" + struct.pack("<I", frames))
        for frame, value in marks.items():
            file.seek(44 + frame)
            file.write(bytes([value]))
        file.truncate(44 + frames)
    return path
