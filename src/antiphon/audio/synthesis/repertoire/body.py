"""Resonances that a source passes: vocal tracts, shells, wood, engines' pipes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.repertoire.curves import quick_size
from antiphon.audio.synthesis.repertoire.drawing import Individual

Complex64 = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Body:
    """Parallel resonances over a floor, between a soft low and a soft high edge.

    Parameters
    ----------
    hertz, width_hz, gain_db
        Centre, 3 dB bandwidth and peak gain of each resonance, (F,) each.
    floor_db
        Gain between resonances; ``-inf`` would silence everything else.
    low_hz, high_hz
        Edges, 12 dB per octave below and above.
    slope_db
        Tilt in dB per octave around 1 kHz.
    """

    hertz: tuple[float, ...] = ()
    width_hz: tuple[float, ...] = ()
    gain_db: tuple[float, ...] = ()
    floor_db: float = 0.0
    low_hz: float = 30.0
    high_hz: float = 20_000.0
    slope_db: float = 0.0

    def ringing_s(self) -> float:
        """Return the time in s in which the narrowest resonance falls by 60 dB."""
        if not self.width_hz:
            return 0.004
        return min(0.6, max(0.004, 2.2 / min(self.width_hz)))

    def response(self, size: int, sample_rate: int, individual: Individual) -> Complex64:
        """Return the response at the bins of a real transform of ``size`` samples."""
        f = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(sample_rate / size)
        f[0] = f[1] * 0.5
        inverse = np.float32(1.0) / f
        # Real and imaginary part apart: half the work of complex arithmetic.
        real = np.full(len(f), 10.0 ** (self.floor_db / 20.0), np.float32)
        imag = np.zeros(len(f), np.float32)
        own = individual.own(2 * len(self.hertz), 40)
        for k, (centre, width, gain) in enumerate(
            zip(self.hertz, self.width_hz, self.gain_db, strict=True)
        ):
            centre = centre * individual.tract * float(np.exp(0.015 * own[2 * k]))
            high = 10.0 ** ((gain + own[2 * k + 1]) / 20.0)
            q = centre / width
            # high / (1 + j y) with y = q (f / centre - centre / f)
            y = f * np.float32(q / centre)
            y -= inverse * np.float32(q * centre)
            part = np.float32(high) / (1.0 + y * y)
            real += part
            part *= y
            imag -= part
        out = np.empty(len(f), np.complex64)
        out.real, out.imag = real, imag
        out *= _edge(inverse * np.float32(self.low_hz), 1.0)
        if self.high_hz < 0.5 * sample_rate:
            out *= _edge(f * np.float32(1.0 / self.high_hz), -1.0)
        if self.slope_db:
            power = np.float32(self.slope_db / 6.0206)
            np.multiply(f, np.float32(1e-3), out=f)
            out *= np.exp(power * np.log(f))
        return out


def _edge(x: Samples, sign: float) -> Complex64:
    """Return ``1 / (1 - sign j x)^2``: an edge of 12 dB per octave where ``x`` is above 1."""
    x2 = x * x
    weight = np.float32(1.0) / np.square(1.0 + x2)
    out = np.empty(len(x), np.complex64)
    out.real = (1.0 - x2) * weight
    out.imag = np.float32(2.0 * sign) * x * weight
    return out


def resonate(
    x: Samples,
    bodies: tuple[Body, ...],
    mouth: Samples | None,
    individual: Individual,
    sample_rate: int,
) -> Samples:
    """Send a source through its resonances.

    Parameters
    ----------
    x
        Source, float32 (n,).
    bodies
        One, or several between which ``mouth`` moves.
    mouth
        0 for the first body, 1 for the second and so on, in between allowed, float32 (n,).
    individual
        Shifts the resonances.
    sample_rate
        Hz.

    Returns
    -------
    float32 (n + ringing,)
    """
    ring = round(max(b.ringing_s() for b in bodies) * sample_rate)
    size = quick_size(len(x) + ring)
    if mouth is None or len(bodies) == 1:
        spectrum = fft.rfft(x, size) * bodies[0].response(size, sample_rate, individual)
    else:
        spectrum = np.zeros(size // 2 + 1, np.complex64)
        for k, body in enumerate(bodies):
            share = np.clip(1.0 - np.abs(mouth - np.float32(k)), 0.0, 1.0)
            if share.any():
                spectrum += fft.rfft(x * share, size) * body.response(size, sample_rate, individual)
    return np.asarray(fft.irfft(spectrum, size)[: len(x) + ring], np.float32)
