"""Sources made of arrays, without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf

from antiphon.app.media.sources import Source
from antiphon.audio.recording import content_key, probe


def source_of(path: Path, samples: npt.NDArray[Any], rate: int, *, name: str = "a.wav") -> Source:
    """Write ``(n,)`` or ``(n, channels)`` samples as float WAV and return it as a source."""
    file = path / name
    sf.write(file, samples.astype(np.float32), rate, subtype="FLOAT")
    return Source(1, name, content_key(file), probe(file), None)


def tone(rate: int, hz: float, seconds: float, amplitude: float = 0.5) -> npt.NDArray[Any]:
    """Return a sine."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)
