"""What lies between a source and a file: air, echoes, noise, microphone, codec."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.synthesis.calls import Curve, Samples
from antiphon.audio.synthesis.propagation import air_absorption
from antiphon.audio.synthesis.repertoire.curves import draw_out, wander, white
from antiphon.audio.synthesis.repertoire.drawing import Individual, chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families import BIO, GENERAL

Complex64 = npt.NDArray[np.complex64]

# Curves that are slow in frequency are drawn at every so many bins.
_STEP = 64
# What may be heard behind everything else; classes of their own are drawn for it.
_BEHIND = tuple(
    family
    for family in (*BIO, *GENERAL)
    if family.name
    in {
        "cicada",
        "cricket",
        "drone",
        "frog-insect-chorus",
        "flock",
        "wing-hum",
        "rain",
        "surf",
        "stream",
        "wind",
        "leaves",
        "fire",
        "rumble",
        "engine",
        "hum",
        "motor",
        "propeller",
        "crowd",
        "machine-cycle",
        "static",
        "rustle",
        "tune",
    }
)
_WEIGHTS = np.array([0.3 if f.name in ("crowd", "tune", "static") else 1.0 for f in _BEHIND])
_BEHIND_SHARES = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip is recorded, and with what.

    Parameters
    ----------
    echo
        Response of the space without the direct sound, spectrum (bins,), energy 1; None outdoors
        without echo.
    microphone
        Gain of microphone and codec at the bins, float32 (bins,).
    size
        Samples of the transform.
    """

    echo: Complex64 | None
    microphone: Samples
    size: int


def echo_seconds(rng: np.random.Generator) -> float:
    """Draw the time in s in which echoes fall by 60 dB; 0 for none."""
    return 0.0 if chance(rng, 0.35) else ratio(rng, 0.08, 1.6)


def make_place(rng: np.random.Generator, sample_rate: int, size: int, tail: int) -> Place:
    """Draw a space and a microphone.

    Parameters
    ----------
    rng
        Draws them.
    sample_rate
        Hz.
    size
        Samples of the transform.
    tail
        Samples in which echoes fall by 45 dB, 0 for none.
    """
    echo: Complex64 | None = None
    if tail:
        response = white(tail, rng)
        response *= np.exp(np.linspace(0.0, np.log(1e-3) * 0.75, tail, dtype=np.float32))
        # First echoes come one by one, from the ground and the nearest walls.
        first = round(ratio(rng, 0.001, 0.02) * sample_rate)
        response[: min(first, tail)] = 0.0
        late = rng.integers(0, max(2, round(0.04 * sample_rate)), int(rng.integers(1, 7)))
        at = np.minimum(first + late, tail - 1)
        np.add.at(response, at, (3.0 * rng.standard_normal(len(at))).astype(np.float32))
        response /= max(float(np.linalg.norm(response)), 1e-9)
        echo = fft.rfft(response, size)
        # Walls and leaves take the high end first.
        corner = ratio(rng, 1200.0, 12_000.0)
        echo *= _fine(1.0 / np.sqrt(1.0 + (_coarse(size, sample_rate) / corner) ** 2), size)
    return Place(echo, _microphone(rng, sample_rate, size), size)


def _coarse(size: int, sample_rate: int) -> Curve:
    """Return the frequencies in Hz at which curves are drawn before :func:`_fine`."""
    count = (size // 2 + 1) // _STEP + 2
    return np.asarray(np.arange(count) * (_STEP * sample_rate / size))


def _fine(curve: Curve, size: int) -> Samples:
    """Interpolate a curve from every 64th bin to all bins of a transform."""
    return np.asarray(draw_out(curve.astype(np.float32), _STEP, size // 2 + 1), np.float32)


def _microphone(rng: np.random.Generator, sample_rate: int, size: int) -> Samples:
    """Draw a response: a few dB up and down, a low cut, perhaps a codec's high cut."""
    hertz = _coarse(size, sample_rate)
    knots = np.log(np.array([30.0, 120.0, 400.0, 1200.0, 3500.0, 8000.0, 16_000.0, 48_000.0]))
    swing = ratio(rng, 0.5, 5.0)
    tilt = 1.2 * rng.standard_normal() * (np.arange(len(knots)) - 3.5)
    level = swing * np.clip(rng.standard_normal(len(knots)), -2, 2) + tilt
    gain = 10.0 ** (np.interp(np.log(np.maximum(hertz, 20.0)), knots, level) / 20.0)
    low = ratio(rng, 15.0, 250.0)
    gain *= (hertz / low) ** 2 / np.sqrt(1.0 + (hertz / low) ** 4)
    if chance(rng, 0.25):
        high = ratio(rng, 3400.0, 15_500.0)
        gain *= 1.0 / (1.0 + np.exp(np.clip((hertz - high) / (0.012 * high), -60.0, 60.0)))
    return _fine(gain, size)


def air(distance_m: float, sample_rate: int, size: int) -> Samples:
    """Return the gain of absorption over a distance at the bins; spreading is left to levels."""
    hertz = _coarse(size, sample_rate)
    return _fine(10.0 ** (-distance_m / 20.0 * air_absorption(hertz)), size)


def make_noise(rng: np.random.Generator, n: int, sample_rate: int, size: int) -> Complex64:
    """Draw a background: coloured noise, in gusts or not, and what is heard behind.

    Parameters
    ----------
    rng
        Draws it.
    n
        Samples that it lasts.
    sample_rate
        Hz.
    size
        Samples of the transform.

    Returns
    -------
    complex64 (size // 2 + 1,)
        Spectrum of a background of about unit power.
    """
    colour = _fine(_colour(rng, _coarse(size, sample_rate)), size)
    if chance(rng, 0.3):
        swing = np.float32(even(rng, 0.1, 0.7))
        gusts = wander(n, sample_rate, ratio(rng, 0.3, 4.0), rng)
        spectrum = fft.rfft(white(n, rng) * np.exp(swing * np.minimum(gusts, 2.0)), size)
    else:
        # Noise that is even in time can be drawn bin by bin.
        spectrum = white(2 * len(colour), rng).view(np.complex64)
    spectrum *= colour
    spectrum[0] = 0.0
    # Parseval: the bins but the first stand for two each.
    power = 2.0 * float(np.vdot(spectrum, spectrum).real) / (float(size) * n)
    spectrum *= np.float32(1.0 / max(np.sqrt(power), 1e-12))
    for _ in range(pick(rng, (0, 0, 0, 0, 0, 1, 1, 2))):
        family = _BEHIND[int(rng.choice(len(_BEHIND), p=_BEHIND_SHARES))]
        recipe = family.draw(rng)
        if recipe.main_hz > 0.4 * sample_rate:
            continue
        who = Individual.draw(rng, family.spread)
        # A loop of at most two seconds with a cross-fade fills the clip, from any place on.
        sound = recipe.render(who, sample_rate, rng, min(n / sample_rate, 2.0))
        sound = _filled(sound, n, int(rng.integers(n)))
        level = 10.0 ** (even(rng, -14.0, 6.0) / 20.0)
        level /= max(float(np.sqrt(np.mean(np.square(sound)))), 1e-9)
        spectrum += fft.rfft(np.float32(level) * sound, size)
    return np.asarray(spectrum)


def _colour(rng: np.random.Generator, hertz: Curve) -> Curve:
    """Draw the amplitude spectrum of steady noise.

    From white through pink to brown, levelled off above some kHz by the recorder's own hiss, with
    up to three broad bumps.
    """
    octaves = np.log2(np.maximum(hertz, 30.0) / 1000.0)
    slope = pick(rng, (0.0, -1.5, -3.0, -3.0, -4.5, -6.0, -9.0)) + even(rng, -1.0, 1.0)
    db = slope * octaves
    if slope < 0:
        db = np.maximum(db, slope * np.log2(ratio(rng, 1500.0, 30_000.0) / 1000.0))
    for _ in range(int(rng.integers(0, 4))):
        centre, width = even(rng, -4.5, 4.0), even(rng, 0.2, 1.5)
        db = db + even(rng, -6.0, 12.0) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
    return np.asarray(10.0 ** (db / 20.0))


def _filled(sound: Samples, n: int, shift: int) -> Samples:
    """Repeat a sound with cross-fades to ``n`` samples, turned by ``shift``."""
    fade = min(len(sound) // 3, 8000)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    loop = sound.copy()
    loop[:fade] = loop[:fade] * ramp + loop[len(loop) - fade :] * (1.0 - ramp)
    loop = loop[: len(loop) - fade]
    return np.asarray(np.resize(np.roll(loop, shift), n), np.float32)
