"""Synthetic sounds on which the built-in encoder's features are centred and scaled.

They span what recordings hold, at any rate: coloured noise at many levels, and over it nothing,
tones, sweeps, clicks, harmonic stacks and pulsed tones, repeated at many rates and signal-to-noise
ratios. They are drawn from one seed and are the same on every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.encoders.base import Float32

_SOUNDS = 48
_SEED = 20_190_601

Curve = npt.NDArray[np.float64]


def calibration_sounds(n_samples: int, sample_rate: int, fmin: float, fmax: float) -> Float32:
    """Return the sounds.

    Parameters
    ----------
    n_samples
        Length of each.
    sample_rate
        Hz.
    fmin, fmax
        Hz: the range of their frequencies.

    Returns
    -------
    numpy.ndarray
        ``(48, n_samples)`` float32 in [-1, 1].
    """
    rng = np.random.default_rng(_SEED)
    out = np.empty((_SOUNDS, n_samples), np.float32)
    for number in range(_SOUNDS):
        level = 10 ** (rng.uniform(-65, -25) / 20)
        ratio = 10 ** (rng.uniform(0, 35) / 20)
        sound = _noise(n_samples, sample_rate, fmin, rng)
        for _ in range(int(rng.integers(1, 4))):
            sound += ratio * _call(number % 6, n_samples, sample_rate, fmin, fmax, rng)
        sound *= level
        out[number] = sound / max(1.0, float(np.abs(sound).max()))
    return out


def _noise(n: int, rate: int, fmin: float, rng: np.random.Generator) -> Curve:
    """Noise of unit variance whose amplitude falls with frequency to a power of 0 to 1."""
    length = fft.next_fast_len(n, real=True)
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency = fft.rfftfreq(length, 1 / rate) + max(fmin, 1.0)
    noise: Curve = fft.irfft(spectrum * frequency ** -rng.uniform(0, 1), length)[:n]
    noise /= noise.std()
    return noise


def _call(
    kind: int, n: int, rate: int, fmin: float, fmax: float, rng: np.random.Generator
) -> Curve:
    """One call, repeated over the whole length; kind 0 is silence."""
    # Rhythms follow the window's length, so that windows of any rate hold comparable sounds.
    length = n / rate
    period = float(np.exp(rng.uniform(np.log(0.01), np.log(0.9)))) * length
    duration = period * float(rng.uniform(0.1, 1.0))
    low, high = np.log(max(2 * fmin, 0.01 * fmax)), np.log(0.9 * fmax)
    first, last = np.exp(rng.uniform(low, high, 2))
    pulse_rate = float(np.exp(rng.uniform(np.log(9), np.log(180)))) / length
    decay = float(rng.uniform(5, 40)) / duration
    start = int(rng.integers(0, max(1, round(period * rate))))
    since = np.arange(max(1, round(period * rate))) / rate
    envelope = np.sin(np.pi * np.clip(since / duration, 0, 1)) ** 2
    if kind == 0:
        wave = np.zeros(len(since))
    elif kind == 1:
        wave = envelope * np.sin(2 * np.pi * first * since)
    elif kind == 2:
        sweep = first * since + (last - first) * since**2 / (2 * duration)
        wave = envelope * np.sin(2 * np.pi * sweep)
    elif kind == 3:
        wave = rng.standard_normal(len(since)) * np.exp(-since * decay)
    elif kind == 4:
        partials = [k for k in range(1, 9) if first * k < fmax]
        stack = np.array([np.sin(2 * np.pi * first * k * since) / k for k in partials])
        wave = envelope * stack.sum(axis=0)
    else:
        pulses = 1 + np.sin(2 * np.pi * pulse_rate * since)
        wave = envelope * np.sin(2 * np.pi * first * since) * pulses
    return np.resize(np.roll(wave, start), n)
