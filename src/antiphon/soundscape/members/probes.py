"""Sounds to try a network with, where no recordings are at hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


def probe_sounds(count: int, samples: int, sample_rate: int, seed: int = 0) -> Float32:
    """Return noise of different colour and level with sweeps and trills in it.

    Different enough from each other for a network to tell them apart, so that runtimes can be
    compared by how they rank them.

    Parameters
    ----------
    count, samples, sample_rate
        Windows, samples in each, and Hz.
    seed
        Of the random numbers.

    Returns
    -------
    numpy.ndarray
        ``(count, samples)`` float32 in [-1, 1].
    """
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / sample_rate
    out = np.empty((count, samples), np.float32)
    for row in range(count):
        level, colour = 10 ** rng.uniform(-4, -1), rng.uniform(0, 1)
        noise = rng.standard_normal(samples)
        noise = (1 - colour) * noise + colour * np.cumsum(noise) / np.sqrt(samples)
        low, high = np.sort(rng.uniform(0.01, 0.45, 2)) * sample_rate
        calls_per_s = rng.uniform(0.5, 20) / max(samples / sample_rate, 1e-3)
        phase = np.mod(time * calls_per_s, 1.0)
        cycles = low * time + (high - low) * np.cumsum(phase) / sample_rate
        envelope = np.clip(np.sin(np.pi * phase), 0, 1) ** 4
        sound = level * noise + rng.uniform(0.01, 0.5) * envelope * np.sin(2 * np.pi * cycles)
        out[row] = np.clip(sound, -1, 1)
    return out
