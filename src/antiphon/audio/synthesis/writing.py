"""Files of a data set that appear only when they are whole."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from antiphon.replacing import replacing

AudioFormat = Literal["wav", "flac"]


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_audio(
    path: Path, audio: npt.NDArray[np.float32], sample_rate: int, audio_format: AudioFormat
) -> None:
    """Write ``(n,)`` samples in [-1, 1] with 16 bits."""
    pcm = np.rint(audio * np.float32(32767.0)).astype(np.int16)
    with whole(path) as part:
        soundfile.write(part, pcm, sample_rate, subtype="PCM_16", format=audio_format.upper())


def whole(path: Path) -> AbstractContextManager[Path]:
    """Give the name to write under; the file gets its own name when the block ends well."""
    return replacing(path, alone=True)
