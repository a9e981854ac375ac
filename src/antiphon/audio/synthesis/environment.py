"""The background of a recording: steady noise, wind, rain, hum.

Levels are in dB re 20 uPa (1 uPa under water); spectral levels per Hz. Noise is white noise sent
through a filter in blocks, so that long recordings cost no more memory than their samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft

from antiphon.audio.synthesis.calls import Curve, Samples
from antiphon.audio.synthesis.sites import Site

_BLOCK = 1 << 16
_TAPS = 2048
_GUST_STEP_S = 0.7


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather during a recording.

    Parameters
    ----------
    wind_ms
        Mean wind speed, m/s; under water the height of the swell on the same scale.
    drops_per_s
        Rain drops that hit near the recorder per second; 0 for none.
    """

    wind_ms: float
    drops_per_s: float

    @property
    def calling(self) -> float:
        """Factor on the activity of animals: fewer call in rain."""
        return 1.0 if self.drops_per_s == 0 else 0.4


def draw_weather(site: Site, hour: float, rng: np.random.Generator) -> Weather:
    """Draw the weather at a site: windiest in the afternoon, rain in about one of 14 cases."""
    afternoon = np.exp(-0.5 * ((hour - 14.5) / 3.5) ** 2)
    wind = float(rng.gamma(2.2, 0.55 + 0.5 * afternoon)) * site.exposure
    wet, amount = rng.random(), rng.uniform(np.log(8.0), np.log(150.0))
    drops = float(np.exp(amount)) if site.in_air and wet < 0.07 else 0.0
    return Weather(min(wind, 9.0), drops)


def make_background(
    site: Site, weather: Weather, n: int, sample_rate: int, rng: np.random.Generator
) -> Samples:
    """Return the background of a recording at the recorder's scale, float32 (n,).

    Parameters
    ----------
    site
        Steady noise, hum, gain.
    weather
        Wind and rain.
    n
        Samples.
    sample_rate
        Hz.
    rng
        Draws the noise.
    """
    out = np.zeros(n, np.float32)
    steady, breeze, rain = rng.spawn(3)
    _add(out, _fir(lambda f: _steady_db(f, site), sample_rate), _white(steady), None)
    if weather.wind_ms > 0.3:
        knots = int(n / sample_rate / _GUST_STEP_S) + 3
        swing = np.convolve(breeze.standard_normal(knots + 4), [0.3, 0.5, 0.6, 0.5, 0.3], "valid")
        gusts = np.exp(0.55 * swing - 0.15)
        step = _GUST_STEP_S * sample_rate
        _add(
            out, _fir(lambda f: _wind_db(f, weather, site), sample_rate), _white(breeze),
            (gusts, step),
        )  # fmt: skip
    if weather.drops_per_s:
        hiss = -14.0 + 11.0 * np.log10(weather.drops_per_s)
        _add(out, _fir(lambda f: _splash_db(f) + hiss, sample_rate), _white(rain), None)
        _add(out, _drop(sample_rate, rain), _drops(rain, weather, sample_rate), None)
    if site.hum_hz:
        out += _hum(site, n, sample_rate)
    out *= np.float32(10.0 ** (-site.full_scale_db / 20.0))
    return out


def _steady_db(f: Curve, site: Site) -> Curve:
    """Flat recorder noise and, below 3 kHz, a far hum of everything."""
    rise = site.slope_db * np.log2(3000.0 / np.clip(f, 40.0, 3000.0))
    return np.asarray(site.floor_db + rise)


def _wind_db(f: Curve, weather: Weather, site: Site) -> Curve:
    """Turbulence at the microphone, falling steeply with frequency, and leaves above 1 kHz."""
    strength = 20.0 * np.log10(weather.wind_ms / 2.0)
    base = 0.0 if site.in_air else 62.0
    rumble = 28.0 + 1.6 * strength - 26.0 * np.log10(np.maximum(f, 20.0) / 60.0)
    leaves = -5.0 + strength - 9.0 * np.log2(np.maximum(f, 50.0) / 2500.0) ** 2 / 4.0
    power = 10.0 ** (rumble / 10.0) + (10.0 ** (leaves / 10.0) if site.in_air else 0.0)
    return np.asarray(base + 10.0 * np.log10(power))


def _splash_db(f: Curve) -> Curve:
    return np.asarray(-1.5 * np.log2(np.maximum(f, 50.0) / 3500.0) ** 2)


def _fir(level_db: Callable[[Curve], Curve], sample_rate: int) -> Samples:
    """Return a linear-phase filter that gives white noise of unit variance a spectral level."""
    frequency = np.linspace(0.0, sample_rate / 2, _TAPS // 2 + 1)
    # Unit variance is spread over half the sample rate.
    amplitude = 10.0 ** (level_db(frequency) / 20.0) * np.sqrt(sample_rate / 2.0)
    amplitude[0] = 0.0
    kernel = np.roll(np.fft.irfft(amplitude), _TAPS // 2) * np.hanning(_TAPS + 1)[:-1]
    return np.asarray(kernel, np.float32)


def _white(rng: np.random.Generator) -> Callable[[int], Samples]:
    return lambda n: rng.standard_normal(n, dtype=np.float32)


def _drops(
    rng: np.random.Generator, weather: Weather, sample_rate: int
) -> Callable[[int], Samples]:
    """Return a source of single drops: impulses whose levels differ by tens of dB."""

    def source(n: int) -> Samples:
        out = np.zeros(n, np.float32)
        count = rng.poisson(weather.drops_per_s * n / sample_rate)
        at = rng.integers(0, n, count)
        np.add.at(out, at, (10.0 ** (rng.normal(30.0, 6.0, count) / 20.0)).astype(np.float32))
        return out

    return source


def _drop(sample_rate: int, rng: np.random.Generator) -> Samples:
    """Return the sound of one drop on a leaf, peak 1: a burst of a few milliseconds."""
    n = max(16, min(_TAPS, round(0.008 * sample_rate)))
    burst = np.convolve(rng.standard_normal(n), [0.25, 0.5, 0.25], "same")
    burst *= np.exp(-np.linspace(0.0, 6.0, n))
    return np.asarray(burst / np.max(np.abs(burst)), np.float32)


def _add(
    out: Samples,
    kernel: Samples,
    source: Callable[[int], Samples],
    envelope: tuple[Curve, float] | None,
) -> None:
    """Add a filtered source to ``out`` in place, block by block (overlap-save).

    ``envelope`` is a curve and the samples from one of its points to the next.
    """
    keep = len(kernel) - 1
    size = fft.next_fast_len(_BLOCK + keep, real=True)
    step = size - keep
    response = fft.rfft(kernel, size)
    block = np.empty(size, np.float32)
    block[step:] = source(keep)
    for start in range(0, len(out), step):
        block[:keep] = block[step:]
        block[keep:] = source(step)
        stop = min(start + step, len(out))
        filtered = fft.irfft(fft.rfft(block) * response, size)[keep : keep + stop - start]
        if envelope is not None:
            curve, knot = envelope
            places = np.arange(start, stop) / knot
            filtered *= np.interp(places, np.arange(len(curve)), curve).astype(np.float32)
        out[start:stop] += filtered


def _hum(site: Site, n: int, sample_rate: int) -> Samples:
    """Return mains hum; whole Hz repeat every second, so one second is made and tiled."""
    time = np.arange(sample_rate) / sample_rate
    second = np.zeros(sample_rate)
    for order, drop in ((1, 6.0), (2, 0.0), (4, 5.0), (6, 9.0), (8, 16.0), (12, 22.0)):
        if order * site.hum_hz < 0.45 * sample_rate:
            level = 10.0 ** ((site.hum_db - drop) / 20.0)
            second += level * np.sin(2 * np.pi * order * site.hum_hz * time + order)
    return np.resize(second.astype(np.float32), n)
