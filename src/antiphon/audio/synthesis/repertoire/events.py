"""Splits by individual, and the ends of a single event."""

from __future__ import annotations

from typing import Literal

import numpy as np

from antiphon.audio.synthesis.calls import Samples

Split = Literal["train", "validation", "test"]
INDIVIDUALS: dict[str, tuple[int, int]] = {
    "train": (0, 48),
    "validation": (1000, 12),
    "test": (2000, 12),
}
"""First number and count of the individuals of each split: no individual is in two."""

# An event begins and ends where it passes this share of its peak, and is cut at a lower one.
TRUTH_FLOOR = 0.01
_CUT_FLOOR = 0.003


def trim(sound: Samples, sample_rate: int) -> Samples:
    """Scale a sound to a peak of 1, cut what is 50 dB below at its ends, and fade the cuts."""
    high = float(np.max(np.abs(sound), initial=0.0))
    if not high > 1e-12:
        return np.zeros(16, np.float32)
    loud = np.flatnonzero(np.abs(sound) > _CUT_FLOOR * high)
    out = np.asarray(sound[loud[0] : loud[-1] + 1] / np.float32(high), np.float32)
    n = len(out)
    rise, fall = min(n // 4, sample_rate // 4000), min(n // 4, sample_rate // 200)
    out[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False, dtype=np.float32)
    out[n - fall :] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    # The loudest may have been at a cut.
    out /= max(float(np.max(np.abs(out))), 1e-12)
    return out


def extent(sound: Samples) -> tuple[int, int]:
    """Return first and last sample (exclusive) of what is above 40 dB below the peak."""
    size = np.abs(sound)
    loud = np.flatnonzero(size > TRUTH_FLOOR * float(size.max(initial=0.0)))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(sound))
