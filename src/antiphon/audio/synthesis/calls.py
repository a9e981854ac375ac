"""Building blocks of animal calls: contours, envelopes, tones, pulses, bands of noise.

All functions work on whole arrays and return float32; times are in seconds, frequencies in Hz.
Phases are summed in float64, so that long calls keep their pitch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft

Samples = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]

# Partials are left out from here on, as a share of the sample rate, so that none is aliased.
HIGHEST_PARTIAL = 0.485


def n_samples(duration_s: float, sample_rate: int) -> int:
    """Return the samples in a duration, at least 8."""
    return max(8, round(duration_s * sample_rate))


def contour(n: int, *points: tuple[float, float]) -> Curve:
    """Return a smooth curve through points, such as the pitch of a call.

    Parameters
    ----------
    n
        Length of the curve in samples.
    points
        ``(position, value)`` with positions from 0 (start) to 1 (end), rising. The curve eases
        from one value to the next along half a cosine, flat at each point.

    Returns
    -------
    float64 (n,)
    """
    at = np.array([p for p, _ in points])
    values = np.array([v for _, v in points], dtype=np.float64)
    place = np.interp(np.linspace(0.0, 1.0, n), at, np.arange(len(at), dtype=np.float64))
    left = np.minimum(place.astype(np.int64), max(len(at) - 2, 0))
    ease = 0.5 - 0.5 * np.cos(np.pi * (place - left))
    right = np.minimum(left + 1, len(at) - 1)
    return np.asarray(values[left] + (values[right] - values[left]) * ease)


def glide(n: int, start: float, end: float, curvature: float = 1.0) -> Curve:
    """Return a curve from ``start`` to ``end`` that bends: position to the power ``curvature``."""
    return np.asarray(start + (end - start) * np.linspace(0.0, 1.0, n) ** curvature)


def hyperbolic(n: int, start: float, end: float) -> Curve:
    """Return a sweep of constant period change, as in the echolocation of many bats."""
    return np.asarray(1.0 / np.linspace(1.0 / start, 1.0 / end, n))


def fade(n: int, attack: float, release: float) -> Samples:
    """Return an envelope that rises and falls along half a cosine and is 0 at both ends.

    Parameters
    ----------
    n
        Length in samples.
    attack, release
        Share of the length spent rising and falling; together at most 1.

    Returns
    -------
    float32 (n,)
        Between 0 and 1.
    """
    place = np.linspace(0.0, 1.0, n, dtype=np.float32)
    rise = np.clip(place / max(attack, 1.0 / n), 0.0, 1.0)
    fall = np.clip((1.0 - place) / max(release, 1.0 / n), 0.0, 1.0)
    return np.asarray(0.25 * (1 - np.cos(np.pi * rise)) * (1 - np.cos(np.pi * fall)), np.float32)


def struck(n: int, attack: float, decay: float) -> Samples:
    """Return the envelope of something struck: a quick rise, then an exponential decay.

    ``decay`` is the number of time constants that fit into the length.
    """
    place = np.linspace(0.0, 1.0, n, dtype=np.float32)
    return np.asarray(np.exp(-decay * place) * fade(n, attack, 0.2), np.float32)


def phase_of(frequency: Curve, sample_rate: int) -> Curve:
    """Return the phase in radians, float64 (n,), of an instantaneous frequency in Hz."""
    return np.asarray(np.cumsum(frequency) * (2.0 * np.pi / sample_rate))


def tone(frequency: Curve, sample_rate: int) -> Samples:
    """Return a sine of unit amplitude along a pitch curve, float32 (n,)."""
    return np.sin(phase_of(frequency, sample_rate)).astype(np.float32)


def harmonics(frequency: Curve, amplitudes: Sequence[float], sample_rate: int) -> Samples:
    """Return a stack of partials over a pitch curve.

    Partials that would pass 48.5 % of the sample rate anywhere are left out.

    Parameters
    ----------
    frequency
        Pitch of the fundamental, float64 (n,).
    amplitudes
        Amplitude of partial 1, 2, ...

    Returns
    -------
    float32 (n,)
    """
    phase = phase_of(frequency, sample_rate)
    # sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p): one sine and one cosine for all partials.
    twice = (2.0 * np.cos(phase)).astype(np.float32)
    before = np.zeros(len(phase), np.float32)
    now = np.sin(phase).astype(np.float32)
    out = np.zeros(len(phase), np.float32)
    top = float(frequency.max())
    for order, amplitude in enumerate(amplitudes, start=1):
        if order * top > HIGHEST_PARTIAL * sample_rate:
            break
        if amplitude:
            out += np.float32(amplitude) * now
        before, now = now, twice * now - before
    return out


def tilted(count: int, decay_db: float) -> list[float]:
    """Return amplitudes of ``count`` partials that fall by ``decay_db`` per partial."""
    return [float(10.0 ** (-decay_db * k / 20.0)) for k in range(count)]


def noise_band(
    n: int, low_hz: float, high_hz: float, sample_rate: int, rng: np.random.Generator
) -> Samples:
    """Return Gaussian noise of unit variance within a band with soft edges.

    The spectrum is a raised cosine in log frequency: highest at the geometric mean of the bounds
    and zero at both.

    Returns
    -------
    float32 (n,)
    """
    size = fft.next_fast_len(n, real=True)
    high_hz = min(high_hz, HIGHEST_PARTIAL * sample_rate)
    first = max(1, int(np.ceil(low_hz * size / sample_rate)))
    last = max(first + 2, int(high_hz * size / sample_rate) + 1)
    last = min(last, size // 2)
    bins = np.arange(first, last)
    place = np.log(bins * (sample_rate / size) / low_hz) / np.log(high_hz / low_hz)
    shape = np.sin(np.pi * np.clip(place, 0.0, 1.0)).astype(np.float32)
    spectrum = np.zeros(size // 2 + 1, np.complex64)
    parts = rng.standard_normal((2, last - first), dtype=np.float32)
    spectrum[first:last] = shape * (parts[0] + 1j * parts[1])
    noise = fft.irfft(spectrum, size)[:n]
    return np.asarray(noise / max(float(np.std(noise)), 1e-20), np.float32)


def pulses(rate_hz: Curve, sample_rate: int, duty: float, sharpness: float = 1.0) -> Samples:
    """Return an envelope of repeated pulses with silence between them.

    Parameters
    ----------
    rate_hz
        Pulses per second along the call, float64 (n,).
    duty
        Share of each period in which there is sound, 0 to 1.
    sharpness
        Power of the sine arch of each pulse; above 1 makes it peakier.

    Returns
    -------
    float32 (n,)
        Between 0 and 1, starting with a pulse.
    """
    cycle = np.cumsum(rate_hz) / sample_rate
    place = (cycle - np.floor(cycle)) / duty
    arch = np.where(place < 1.0, np.sin(np.pi * np.minimum(place, 1.0)), 0.0)
    return np.asarray(np.maximum(arch, 0.0) ** sharpness, np.float32)


def sequence(parts: Sequence[Samples], starts_s: Sequence[float], sample_rate: int) -> Samples:
    """Return parts laid down at their start times, added where they overlap, float32."""
    at = [round(s * sample_rate) for s in starts_s]
    out = np.zeros(max(a + len(p) for a, p in zip(at, parts, strict=True)), np.float32)
    for start, part in zip(at, parts, strict=True):
        out[start : start + len(part)] += part
    return out


def trimmed(call: Samples) -> Samples:
    """Return a call scaled to a peak of 1, without what lies more than 60 dB below it at its ends.

    The first and the last sample that remain are above that level, so the call's length is exact.
    """
    peak = float(np.max(np.abs(call)))
    loud = np.flatnonzero(np.abs(call) > 1e-3 * peak)
    return np.asarray(call[loud[0] : loud[-1] + 1] / peak, np.float32)
