"""Things that are struck, dropped or burst."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.calls import Curve
from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.modal import Struck
from antiphon.audio.synthesis.repertoire.recipe import Layers, Many, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band
from antiphon.audio.synthesis.repertoire.texture import Grains, Texture

# Frequencies over the lowest: bars with free ends and round membranes (Fletcher and Rossing, "The
# Physics of Musical Instruments", 2nd ed., sections 2.15 and 3.6), and a tuned church bell (21.4).
_BAR = (1.0, 2.756, 5.404, 8.933, 13.34, 18.64)


_MEMBRANE = (1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 4.06, 4.15)


_BELL = (0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433, 6.796, 8.215)


def mode_ratios(rng: np.random.Generator, kind: str, count: int) -> Curve:
    """Return mode frequencies over the lowest of a ``bar``, ``membrane``, ``bell``, ``string``,
    ``plate`` or ``box``, (M,).
    """
    if kind in ("bar", "membrane", "bell"):
        known = {"bar": _BAR, "membrane": _MEMBRANE, "bell": _BELL}[kind]
        out = np.array(known[:count]) * np.exp2(0.02 * rng.standard_normal(len(known[:count])))
        return np.asarray(out / out[0])
    orders = np.arange(1, count + 1)
    if kind == "string":
        # Stiffness sharpens the high partials: f_k = k f (1 + B k^2)^0.5.
        stiff = ratio(rng, 1e-5, 3e-3)
        return np.asarray(orders * np.sqrt((1 + stiff * orders**2) / (1 + stiff)))
    if kind == "plate":
        # Modes of plates lie evenly in frequency.
        return np.asarray(1.0 + np.sort(rng.uniform(0.0, even(rng, 4, 25), count)) * (orders > 1))
    sides = np.array([1.0, ratio(rng, 1.1, 2.5), ratio(rng, 1.1, 3.0)])
    kinds = rng.integers(0, 4, (count * 2, 3)) + np.array([1, 0, 0])
    out = np.unique(np.round(np.sqrt(np.sum((kinds / sides) ** 2, axis=1)), 3))[:count]
    return np.asarray(out / out[0])


def struck(
    rng: np.random.Generator,
    hertz: float,
    kind: str,
    *,
    count: int,
    ring_s: tuple[float, float],
    damping: tuple[float, float] = (0.3, 1.2),
    slope_db: tuple[float, float] = (-6.0, 0.0),
    knock: tuple[float, float] = (0.05, 1.0),
    rhythm: Rhythm | None = None,
    gap_s: float = 0.5,
    scatter: float = 0.0,
    attack_s: float = 0.0,
) -> Struck:
    """Draw a struck object.

    Parameters
    ----------
    rng
        Draws everything.
    hertz
        Lowest mode, Hz.
    kind
        As for :func:`mode_ratios`.
    count
        Modes.
    ring_s
        Range of the time in s in which the lowest mode falls by 60 dB.
    damping
        Range of the power with which higher modes die faster.
    slope_db
        Range of the fall of modes' levels, dB per octave.
    knock
        Range of the level of the blow, linear.
    rhythm, gap_s, scatter, attack_s
        As for :class:`Struck`.
    """
    ratios = mode_ratios(rng, kind, count)
    modes = len(ratios)
    ring = ratio(rng, *ring_s)
    decay = ring / 6.91 * ratios ** -even(rng, *damping) * np.exp2(0.5 * rng.standard_normal(modes))
    gain = even(rng, *slope_db) * np.log2(ratios) + rng.normal(0.0, 4.0, modes)
    low = ratio(rng, 150.0, 1500.0)
    return Struck(
        hertz=hertz,
        ratios=ratios,
        gain_db=gain,
        decay_s=np.maximum(decay, 0.0015),
        knock=ratio(rng, *knock),
        knock_s=ratio(rng, 0.001, 0.02),
        knock_body=Body(low_hz=low, high_hz=low * ratio(rng, 2.0, 16.0)),
        rhythm=rhythm or Rhythm(loud=2.0),
        gap_s=gap_s,
        ring_s=min(3.0, 1.2 * ring + 0.05),
        scatter=scatter,
        attack_s=attack_s,
    )


def _times(rng: np.random.Generator) -> Rhythm:
    """Return one blow, or a few."""
    return Rhythm(repeats=pick(rng, ((1, 1), (1, 1), (1, 3), (2, 5))), uneven=0.2, loud=2.5)


def _bell(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 180.0, 4500.0)
    return struck(
        rng,
        hertz,
        pick(rng, ("bell", "bell", "bar", "plate")),
        count=int(rng.integers(6, 13)),
        ring_s=(0.8, 5.0),
        damping=(0.3, 0.9),
        slope_db=(-5, 2),
        knock=(0.02, 0.4),
        rhythm=_times(rng),
        gap_s=ratio(rng, 0.15, 1.5),
    )


def _glass(rng: np.random.Generator) -> Recipe:
    return struck(
        rng,
        ratio(rng, 900.0, 7000.0),
        pick(rng, ("plate", "bar", "bell")),
        count=int(rng.integers(4, 12)),
        ring_s=(0.08, 1.2),
        slope_db=(-5, 3),
        knock=(0.05, 0.8),
        rhythm=_times(rng),
        gap_s=ratio(rng, 0.08, 0.8),
        scatter=pick(rng, (0.0, 0.1, 0.3)),
    )


def _wood(rng: np.random.Generator) -> Recipe:
    return struck(
        rng,
        ratio(rng, 120.0, 2200.0),
        pick(rng, ("box", "bar", "plate")),
        count=int(rng.integers(4, 14)),
        ring_s=(0.03, 0.3),
        damping=(0.4, 1.3),
        slope_db=(-8, 0),
        knock=(0.1, 1.5),
        rhythm=Rhythm(repeats=pick(rng, ((1, 1), (2, 4), (3, 8))), uneven=0.15, loud=2),
        gap_s=ratio(rng, 0.09, 0.8),
    )


def _metal(rng: np.random.Generator) -> Recipe:
    return struck(
        rng,
        ratio(rng, 150.0, 2500.0),
        "plate",
        count=int(rng.integers(12, 26)),
        ring_s=(0.15, 3.0),
        damping=(0.1, 0.7),
        slope_db=(-4, 3),
        knock=(0.1, 1.5),
        rhythm=_times(rng),
        gap_s=ratio(rng, 0.05, 0.9),
        scatter=pick(rng, (0.0, 0.05, 0.4)),
    )


def _drum(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 45.0, 500.0)
    kit = struck(
        rng,
        hertz,
        "membrane",
        count=11,
        ring_s=(0.1, 1.0),
        damping=(0.5, 1.5),
        slope_db=(-9, -2),
        knock=(0.1, 2.0),
        rhythm=Rhythm(repeats=(1, int(rng.integers(2, 9))), uneven=0.05, loud=3),
        gap_s=ratio(rng, 0.1, 0.7),
    )
    return (
        Layers(((kit, 0.0, 0.0), (_thud(rng), 0.0, even(rng, -14, -4))), loose=0.0)
        if chance(rng, 0.3)
        else kit
    )


def _thud(rng: np.random.Generator) -> Recipe:
    """Heavy things: doors, falls, knocks on walls."""
    return struck(
        rng,
        ratio(rng, 40.0, 220.0),
        "box",
        count=int(rng.integers(6, 16)),
        ring_s=(0.06, 0.6),
        damping=(0.2, 1.0),
        slope_db=(-9, -2),
        knock=(0.3, 3.0),
        rhythm=_times(rng),
        gap_s=ratio(rng, 0.08, 0.9),
    )


def _tick(rng: np.random.Generator) -> Recipe:
    """Clocks and other even ticks, every other one a little different."""
    first = struck(
        rng,
        ratio(rng, 700.0, 6000.0),
        pick(rng, ("plate", "bar")),
        count=8,
        ring_s=(0.006, 0.08),
        slope_db=(-4, 3),
        knock=(0.3, 2.0),
        rhythm=Rhythm(repeats=(2, 9), uneven=0.004, loud=0.5, limit_s=4.0),
        gap_s=ratio(rng, 0.12, 1.05),
    )
    if chance(rng, 0.4):
        return first
    other = Struck(
        hertz=first.hertz * ratio(rng, 0.7, 1.4),
        ratios=first.ratios,
        gain_db=first.gain_db,
        decay_s=first.decay_s,
        knock=first.knock,
        knock_s=first.knock_s,
        knock_body=first.knock_body,
        rhythm=first.rhythm,
        gap_s=first.gap_s,
        ring_s=first.ring_s,
    )
    return Layers(
        ((first, 0.0, 0.0), (other, first.gap_s * even(rng, 0.4, 0.6), even(rng, -8, 0))), loose=0.0
    )


def _taps(rng: np.random.Generator) -> Recipe:
    """Uneven small clicks: keys, switches, needles, claws, pens."""
    return struck(
        rng,
        ratio(rng, 500.0, 4500.0),
        pick(rng, ("plate", "box")),
        count=8,
        ring_s=(0.008, 0.06),
        slope_db=(-5, 2),
        knock=(0.5, 3.0),
        rhythm=Rhythm(
            repeats=(2, int(rng.integers(4, 22))), uneven=even(rng, 0.2, 0.6), loud=3, limit_s=3.5
        ),
        gap_s=ratio(rng, 0.06, 0.35),
        scatter=even(rng, 0, 0.25),
    )


def _bang(rng: np.random.Generator) -> Recipe:
    """Shots, fireworks, slams, bursting balloons: a sharp edge and a dark tail."""
    body = band(rng, (30, 250), (800, 9000), peaks=1, slope_db=(-5, 0))
    tail = band(rng, (25, 100), (150, 1500), slope_db=(-6, -2))
    boom = Texture(
        (0.15, 1.4), (body, tail), attack=0.001, release=0.999, swell=even(rng, 0, 0.5), swell_hz=12
    )
    click = struck(
        rng, ratio(rng, 60, 400), "plate", count=10, ring_s=(0.03, 0.3), knock=(1.0, 4.0)
    )
    parts: list[tuple[Recipe, float, float]] = [(click, 0.0, 0.0), (boom, 0.003, even(rng, -8, 3))]
    if chance(rng, 0.25):
        crackle = Grains("click", ratio(rng, 10, 80), 1500, 6000, 0.003, spread_db=8)
        spark = Texture((0.4, 1.5), (), grains=((crackle, 1.0),), attack=0.1, release=0.6)
        parts.append((spark, even(rng, 0.2, 0.6), -8.0))
    shot: Recipe = Layers(tuple(parts))
    return Many(shot, (2, 9), 1.0, even(rng, 1.0, 3.0), 6.0) if chance(rng, 0.25) else shot


IMPACTS: tuple[Family, ...] = (
    Family("bell", _bell, 1.1, 1.0, events=2),
    Family("glass", _glass, 1.0, 1.0),
    Family("wood-knock", _wood, 1.1, 1.2),
    Family("metal-clang", _metal, 1.1, 1.0),
    Family("drum", _drum, 0.9, 1.0),
    Family("thud", _thud, 0.8, 1.2),
    Family("tick", _tick, 0.9, 0.8, events=1),
    Family("taps", _taps, 0.8, 1.0),
    Family("bang", _bang, 0.8, 1.3, gap_s=(0.2, 1.5)),
)
"""What is struck."""
