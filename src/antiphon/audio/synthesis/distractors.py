"""Sounds that belong to no species: clicks, creaks, squeaks, rustle, voices, engines.

They are part of the background: no table lists them, and calls are measured against them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from antiphon.audio.synthesis.calls import (
    Samples,
    contour,
    fade,
    harmonics,
    n_samples,
    noise_band,
    sequence,
    struck,
    tilted,
)

Maker = Callable[[int, np.random.Generator], Samples]


def _clicks(rate: int, rng: np.random.Generator) -> Samples:
    """Insects or twigs that hit the microphone."""
    parts = []
    for _ in range(int(rng.integers(1, 7))):
        n = n_samples(float(rng.uniform(0.003, 0.01)), rate)
        hit = noise_band(n, 800.0, 12_000.0, rate, rng) * struck(n, 0.05, 5.0)
        parts.append(hit * np.float32(rng.uniform(0.3, 1.0)))
    return sequence(parts, np.sort(rng.uniform(0.0, 1.2, len(parts))).tolist(), rate)


def _creak(rate: int, rng: np.random.Generator) -> Samples:
    """A branch that sticks and slips: struck resonances at an uneven pace."""
    resonance = rng.uniform(350.0, 1300.0)
    n = n_samples(0.05, rate)
    curve = np.full(n, resonance)
    knock = harmonics(curve, [1.0, 0.4, 0.3, 0.15], rate) * struck(n, 0.03, 5.0)
    count = int(rng.integers(10, 36))
    steps = np.exp(rng.normal(np.log(0.032), 0.25, count))
    parts = [knock * np.float32(loud) for loud in rng.uniform(0.3, 1.0, count)]
    return sequence(parts, np.cumsum(steps).tolist(), rate)


def _squeak(rate: int, rng: np.random.Generator) -> Samples:
    """A gate or a cable: a wavering tone in the band of birds."""
    n = n_samples(float(rng.uniform(0.25, 0.9)), rate)
    pitch = rng.uniform(1500.0, 4200.0) * np.exp(rng.normal(0.0, 0.12, 5))
    curve = contour(n, *zip(np.linspace(0.0, 1.0, 5).tolist(), pitch.tolist(), strict=True))
    return harmonics(curve, [1.0, 0.4, 0.2], rate) * fade(n, 0.2, 0.3)


def _rustle(rate: int, rng: np.random.Generator) -> Samples:
    """Something walks through leaves."""
    n = n_samples(float(rng.uniform(0.6, 2.5)), rate)
    steps = np.exp(rng.normal(0.0, 0.9, max(4, int(n / rate * 14))))
    walk = np.interp(np.linspace(0, len(steps) - 1, n), np.arange(len(steps)), steps)
    return noise_band(n, 900.0, 11_000.0, rate, rng) * walk.astype(np.float32) * fade(n, 0.2, 0.2)


def _voice(rate: int, rng: np.random.Generator) -> Samples:
    """Syllables with two formants each, like speech too far to be understood."""
    base = rng.uniform(105.0, 220.0)
    parts, starts, at = [], [], 0.0
    for _ in range(int(rng.integers(4, 12))):
        n = n_samples(float(rng.uniform(0.1, 0.26)), rate)
        pitch = base * float(np.exp(rng.normal(0.0, 0.1)))
        first, second = rng.uniform(300.0, 800.0), rng.uniform(900.0, 2400.0)
        orders = pitch * np.arange(1, 21)
        weights = np.exp(-0.5 * ((orders - first) / 150.0) ** 2)
        weights += 0.5 * np.exp(-0.5 * ((orders - second) / 220.0) ** 2)
        curve = contour(n, (0.0, pitch), (1.0, 0.9 * pitch))
        parts.append(harmonics(curve, weights.tolist(), rate) * fade(n, 0.2, 0.3))
        starts.append(at)
        at += n / rate + float(rng.choice([0.02, 0.06, 0.3]))
    return sequence(parts, starts, rate)


def _engine(rate: int, rng: np.random.Generator) -> Samples:
    """A vehicle, a boat or a propeller that comes and goes."""
    n = n_samples(float(rng.uniform(8.0, 22.0)), rate)
    base = rng.uniform(28.0, 75.0)
    curve = contour(n, (0.0, 1.04 * base), (0.4, 1.03 * base), (0.7, 0.96 * base), (1.0, base))
    roar = noise_band(n, 40.0, 1500.0, rate, rng) * np.float32(0.5)
    return (harmonics(curve, tilted(16, 1.5), rate) + roar) * fade(n, 0.45, 0.5)


# Name, relative frequency on land and under water, range of levels at the recorder in dB.
_KINDS: tuple[tuple[str, Maker, float, float, tuple[float, float]], ...] = (
    ("clicks", _clicks, 0.3, 0.5, (44.0, 74.0)),
    ("creak", _creak, 0.16, 0.1, (42.0, 64.0)),
    ("squeak", _squeak, 0.1, 0.0, (34.0, 58.0)),
    ("rustle", _rustle, 0.2, 0.0, (42.0, 62.0)),
    ("voice", _voice, 0.1, 0.0, (42.0, 62.0)),
    ("engine", _engine, 0.14, 0.4, (46.0, 66.0)),
)
_WATER_DB = 55.0


def draw_distractor(
    sample_rate: int, in_air: bool, rng: np.random.Generator
) -> tuple[str, Samples]:
    """Return the kind of a sound that is no species' and its samples.

    Returns
    -------
    str, float32 (n,)
        Peak in units of 20 uPa, or 1 uPa under water.
    """
    weights = np.array([kind[2] if in_air else kind[3] for kind in _KINDS])
    name, maker, _, _, (low, high) = _KINDS[rng.choice(len(_KINDS), p=weights / weights.sum())]
    sound = maker(sample_rate, rng)
    level = rng.uniform(low, high) + (0.0 if in_air else _WATER_DB)
    peak = max(float(np.max(np.abs(sound))), 1e-9)
    return name, sound * np.float32(10.0 ** (level / 20.0) / peak)
