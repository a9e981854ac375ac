"""Files of a data set that appear only when they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

AudioFormat = Literal["wav", "flac"]


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with _whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_audio(
    path: Path, audio: npt.NDArray[np.float32], sample_rate: int, audio_format: AudioFormat
) -> None:
    """Write ``(n,)`` samples in [-1, 1] with 16 bits."""
    pcm = np.rint(audio * np.float32(32767.0)).astype(np.int16)
    with _whole(path) as part:
        soundfile.write(part, pcm, sample_rate, subtype="PCM_16", format=audio_format.upper())


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
