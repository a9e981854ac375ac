"""Curves over time: slow ones are made every half millisecond and drawn out to samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.synthesis.calls import Curve, Samples

POINTS = 128
"""Points of a table that runs from the start of a note (0) to its end."""

_PLACE = np.linspace(0.0, 1.0, POINTS)


def table(*points: tuple[float, float]) -> Curve:
    """Return a table through ``(place, value)`` points, eased like a contour, float64 (128,)."""
    at = np.array([p for p, _ in points])
    values = np.array([v for _, v in points])
    if len(at) == 1:
        return np.full(POINTS, values[0])
    place = np.interp(_PLACE, at, np.arange(len(at), dtype=np.float64))
    left = np.minimum(place.astype(np.int64), len(at) - 2)
    ease = 0.5 - 0.5 * np.cos(np.pi * (place - left))
    return np.asarray(values[left] + (values[left + 1] - values[left]) * ease)


def arch(attack: float, release: float, *, sag: float = 0.0, power: float = 1.0) -> Curve:
    """Return the level of a note over its length: 0 at both ends, 1 at most.

    Parameters
    ----------
    attack, release
        Shares of the length spent rising and falling.
    sag
        Natural logarithm lost from start to end (negative: the note swells).
    power
        Above 1 the note is peakier.
    """
    rise = np.clip(_PLACE / max(attack, 1e-3), 0.0, 1.0)
    fall = np.clip((1.0 - _PLACE) / max(release, 1e-3), 0.0, 1.0)
    out = (0.25 * (1 - np.cos(np.pi * rise)) * (1 - np.cos(np.pi * fall))) ** power
    out *= np.exp(-sag * _PLACE)
    return np.asarray(out / out.max())


def draw_out(curve: npt.NDArray[np.floating], step: int, n: int) -> npt.NDArray[np.floating]:
    """Interpolate a curve given every ``step`` samples along straight lines to ``n`` samples.

    The curve needs ``ceil(n / step) + 1`` points at least; its type is kept.
    """
    if step == 1:
        return curve[:n].copy()
    count = -(-n // step)
    left, right = curve[:count], curve[1 : count + 1]
    ramp = (np.arange(step) / step).astype(curve.dtype)
    out = np.multiply((right - left)[:, None], ramp)
    out += left[:, None]
    return np.asarray(out.reshape(-1)[:n])


def wander(
    n: int, sample_rate: int, rate_hz: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return a smooth random curve of about unit variance that turns ``rate_hz`` times a second."""
    step = max(1, int(sample_rate / (3.0 * max(rate_hz, 1e-3))))
    count = n // step + 3
    knots = rng.standard_normal(count + 4, dtype=np.float32)
    # A binomial filter over knots three times as dense as the turns.
    smooth = np.convolve(knots, np.array([0.12, 0.48, 0.72, 0.48, 0.12], np.float32), "valid")
    if step < 64:
        return np.asarray(draw_out(smooth, step, n), np.float32)
    # Straight lines over long steps would have corners: eased ones in between.
    fine = max(1, step // 16)
    place = np.arange(-(-n // fine) + 1) * (fine / step)
    left = np.minimum(place.astype(np.int64), count - 2)
    ease = 0.5 - 0.5 * np.cos(np.pi * (place - left))
    eased = smooth[left] + (smooth[left + 1] - smooth[left]) * ease
    return np.asarray(draw_out(eased.astype(np.float32), fine, n), np.float32)


def white(n: int, rng: np.random.Generator) -> Samples:
    """Return white noise of unit variance, float32 (n,).

    Its values are spread evenly, which takes a quarter of the time of normal ones; any filter makes
    them normal.
    """
    noise = rng.random(n, dtype=np.float32)
    noise -= np.float32(0.5)
    noise *= np.float32(12.0**0.5)
    return np.asarray(noise, np.float32)


def sine(cycles: Curve) -> Samples:
    """Return the sine of a phase in cycles, float32; the whole cycles are taken off in float64."""
    part = (cycles - np.floor(cycles)).astype(np.float32)
    return np.asarray(np.sin(np.float32(2.0 * np.pi) * part), np.float32)


def quick_size(n: int) -> int:
    """Return a length from ``n`` on that a real Fourier transform takes quickly."""
    return int(fft.next_fast_len(n, real=True))
