"""What distance does to a call: spreading, absorption by the air, scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.synthesis.calls import Curve, Samples

# A band reported for a call leaves this share of its energy out at either end.
BAND_TAIL = 0.01


def air_absorption(
    frequency: npt.ArrayLike, temperature_c: float = 15.0, humidity: float = 70.0
) -> Curve:
    """Return the attenuation of sound in air at sea level, dB per metre.

    ISO 9613-1:1993, equations 3 to 5 (relaxation frequencies of oxygen and nitrogen, and the
    attenuation coefficient), with the saturation pressure of its annex B.

    Parameters
    ----------
    frequency
        Hz, any shape.
    temperature_c
        Degrees Celsius.
    humidity
        Relative humidity in percent.
    """
    f2 = np.asarray(frequency, dtype=np.float64) ** 2
    kelvin = temperature_c + 273.15
    relative = kelvin / 293.15
    saturation = 10.0 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    molar = humidity * saturation
    oxygen = 24.0 + 4.04e4 * molar * (0.02 + molar) / (0.391 + molar)
    nitrogen = relative**-0.5 * (9.0 + 280.0 * molar * np.exp(-4.170 * (relative ** (-1 / 3) - 1)))
    relaxation = 0.01275 * np.exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen)
    relaxation = relaxation + 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen)
    classical = 1.84e-11 * relative**0.5
    return np.asarray(8.686 * f2 * (classical + relative**-2.5 * relaxation))


@dataclass(frozen=True, slots=True)
class Path:
    """The way from an animal to the recorder.

    Parameters
    ----------
    distance_m
        Metres, 1 or more.
    in_air
        False under water, where absorption below 1 kHz is under 0.1 dB per km (Ainslie and
        McColm 1998, J. Acoust. Soc. Am. 103:1671) and left out.
    reverberation_s
        Time in which scattered sound falls by 60 dB; 0 for none.
    scatter_db
        Energy of the scattered sound relative to the direct sound, dB.
    """

    distance_m: float
    in_air: bool = True
    reverberation_s: float = 0.0
    scatter_db: float = -12.0


@dataclass(frozen=True, slots=True)
class Received:
    """A call at the recorder.

    Parameters
    ----------
    direct
        The direct sound alone, float32 (n,), as long as the call.
    scattered
        What trees and ground send after it, float32 (n + tail,); empty without reverberation.
    low_hz, high_hz
        Band of the direct sound: 1 % of its energy lies below and 1 % above.
    """

    direct: Samples
    scattered: Samples
    low_hz: float
    high_hz: float


def receive(call: Samples, sample_rate: int, path: Path, rng: np.random.Generator) -> Received:
    """Send a call over a path.

    Spreading is spherical, 20 dB per tenfold distance. Absorption is applied without delay and
    cut to the length of the call, so that the direct sound begins and ends where the call does.

    Parameters
    ----------
    call
        The call at 1 m, float32 (n,).
    sample_rate
        Hz.
    path
        The way.
    rng
        Draws the scatter.
    """
    n = len(call)
    tail = round(path.reverberation_s * sample_rate * 0.75)
    size = fft.next_fast_len(n + tail + 64, real=True)
    spectrum = fft.rfft(call, size)
    bin_hz = sample_rate / size
    gain = np.float32(1.0 / max(path.distance_m, 1.0))
    if path.in_air:
        # Absorption bends slowly, so a coarse curve does for the many bins of a long call.
        coarse = np.linspace(0.0, sample_rate / 2, 257)
        curve = 10.0 ** (-path.distance_m / 20.0 * air_absorption(coarse))
        bins = np.arange(len(spectrum)) * bin_hz
        spectrum *= gain * np.interp(bins, coarse, curve).astype(np.float32)
    else:
        spectrum *= gain
    direct = fft.irfft(spectrum, size)[:n]
    energy = np.cumsum(np.abs(spectrum) ** 2, dtype=np.float64)
    low, high = np.searchsorted(energy, np.array([BAND_TAIL, 1.0 - BAND_TAIL]) * energy[-1])
    scattered = np.empty(0, np.float32)
    if tail:
        decay = np.exp(np.linspace(0.0, np.log(1e-3) * 0.75, tail, dtype=np.float32))
        echo = rng.standard_normal(tail, dtype=np.float32) * decay
        # The first scattered sound comes some metres later than the direct sound.
        echo[: round(0.006 * sample_rate)] = 0.0
        echo *= np.float32(10.0 ** (path.scatter_db / 20.0)) / max(
            float(np.linalg.norm(echo)), 1e-9
        )
        scattered = fft.irfft(spectrum * fft.rfft(echo, size), size)[: n + tail]
    return Received(direct, scattered, low * bin_hz, (high + 1) * bin_hz)
