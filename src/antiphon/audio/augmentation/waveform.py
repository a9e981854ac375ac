"""Steps on one waveform: power, gain, shift, low-pass, polarity, mixture."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import signal

Float32 = npt.NDArray[np.float32]


def power(x: Float32) -> float:
    """Return the mean square of a waveform ``(n,)``; 0 for an empty one."""
    return float(np.dot(x, x)) / len(x) if len(x) else 0.0


def decibels(ratio: float) -> float:
    """Return a ratio of powers in dB."""
    return 10.0 * math.log10(ratio)


def add_at_snr(clip: Float32, noise: Float32, snr_db: float) -> tuple[Float32, float]:
    """Add noise so that the power of the clip is ``snr_db`` above that of the noise.

    Parameters
    ----------
    clip, noise
        ``(n,)`` float32 each.
    snr_db
        Ratio of the mean squares, dB.

    Returns
    -------
    mixed : numpy.ndarray
        ``(n,)`` float32; may exceed ±1.
    scale : float
        Factor of the noise; 0 where the clip or the noise is silent and no ratio exists.
    """
    signal_power, noise_power = power(clip), power(noise)
    if signal_power <= 0 or noise_power <= 0:
        return clip, 0.0
    scale = math.sqrt(signal_power / noise_power / 10.0 ** (snr_db / 10.0))
    return clip + np.float32(scale) * noise, scale


def mix(x: Float32, y: Float32, weight: float, *, equal_power: bool) -> Float32:
    """Return ``weight x + (1 - weight) y`` (Zhang et al. 2018, equation 1, on waveforms).

    Parameters
    ----------
    x, y
        ``(n,)`` and ``(m,)`` float32; the shorter one is followed by silence.
    weight
        In (0, 1).
    equal_power
        Whether ``y`` is first brought to the mean square of ``x``; a silent one stays as it is.
    """
    other = 1.0 - weight
    if equal_power:
        mine, theirs = power(x), power(y)
        if mine > 0 and theirs > 0:
            other *= math.sqrt(mine / theirs)
    out = np.zeros(max(len(x), len(y)), np.float32)
    out[: len(x)] = np.float32(weight) * x
    out[: len(y)] += np.float32(other) * y
    return out


def shift(x: Float32, samples: int) -> Float32:
    """Move a waveform later by ``samples``; what leaves at the end comes in at the start."""
    return np.roll(x, samples)


def low_pass(x: Float32, cut: float, order: int) -> Float32:
    """Filter with a Butterworth low-pass.

    Parameters
    ----------
    x
        ``(n,)`` float32.
    cut
        Frequency of -3 dB as a share of half the sample rate.
    order
        Of the filter.
    """
    sections = signal.butter(order, cut, output="sos").astype(np.float32)
    out: Float32 = signal.sosfilt(sections, x)
    return out


def within_full_scale(x: Float32) -> Float32:
    """Return the waveform, turned down as a whole where it would exceed full scale.

    Ratios within it stay, which clipping would change.
    """
    peak = float(np.max(np.abs(x), initial=0.0))
    return x / np.float32(peak) if peak > 1.0 else x
