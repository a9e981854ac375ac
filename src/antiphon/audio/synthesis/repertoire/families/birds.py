"""Calls of birds: harsh, hollow, crowing, quacking, screaming, and flocks of them."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.families.songs import sweep, whistle
from antiphon.audio.synthesis.repertoire.recipe import Call, Many, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source


def _chatter(rng: np.random.Generator) -> Recipe:
    """Broad harsh pulses in a run: scolds, rattles, chatters."""
    hertz = ratio(rng, 700.0, 4500.0)
    per_s = ratio(rng, 5.0, 35.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 1, 2)),
        contours=("hump", "down", "up", "hook"),
        span=(0.2, 1.5),
        seconds=(0.3 / per_s, 0.75 / per_s),
        gap_s=(0.2 / per_s, 0.6 / per_s),
        breath=(0.1, 0.8),
        rough=0.5,
        hard=0.6,
    )
    many = max(3, round(per_s * ratio(rng, 0.3, 2.0)))
    rhythm = Rhythm(
        tuple(range(len(notes.seconds))),
        (max(2, many // 2), many),
        swell=even(rng, -6, 6),
        speed=ratio(rng, 0.7, 1.4),
        uneven=even(rng, 0.03, 0.2),
        loud=2.0,
    )
    body = tract(rng, hertz * ratio(rng, 0.8, 2.0), count=3, sharp=(1.2, 4.0), floor_db=-12)
    source = Source(fall_db=ratio(rng, 2.0, 10.0), subharmonic=pick(rng, (0, 2)), irregular=0.03)
    return Call(notes, rhythm, source, (body,), hertz)


def _caw(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 180.0, 1100.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 1, 2)),
        contours=("hump", "flat", "down", "wave"),
        span=(0.08, 0.6),
        steps=0.2,
        seconds=(0.12, 0.7),
        gap_s=(0.1, 0.6),
        breath=(0.1, 0.6),
        rough=0.8,
        hard=0.35,
        mouths=2,
    )
    rhythm = Rhythm(
        tuple(range(len(notes.seconds))), pick(rng, ((1, 1), (1, 3), (2, 5))), uneven=0.12
    )
    low = ratio(rng, 500.0, 1600.0)
    bodies = tuple(tract(rng, low * ratio(rng, 0.8, 1.3), sharp=(2.0, 8.0)) for _ in range(2))
    source = Source(
        fall_db=ratio(rng, 0.8, 4.0),
        irregular=even(rng, 0.01, 0.08),
        subharmonic=pick(rng, (0, 0, 2)),
        shake_hz=ratio(rng, 25, 90),
        shake=pick(rng, (0.0, 0.4, 0.8)),
    )
    return Call(notes, rhythm, source, bodies, low)


def _coo(rng: np.random.Generator) -> Recipe:
    """Hollow low tones: doves, owls, cuckoos."""
    hertz = ratio(rng, 140.0, 1000.0)
    types = int(rng.integers(1, 4))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("flat", "hump", "down", "up"),
        span=(0.03, 0.35),
        steps=0.2,
        seconds=(0.1, 0.8),
        gap_s=(0.05, 0.45),
        hard=0.1,
    )
    order = tuple(int(k) for k in rng.integers(types, size=int(rng.integers(1, 6))))
    rhythm = Rhythm(order, (1, int(rng.integers(1, 4))), pause_s=ratio(rng, 0.1, 0.6), uneven=0.08)
    source = Source(
        fall_db=pick(rng, (45.0, 30.0, 20.0)),
        breath=pick(rng, (0.0, 0.03, 0.1)),
        shake_hz=ratio(rng, 8, 35),
        shake=pick(rng, (0.0, 0.0, 0.7)),
    )
    return Call(notes, rhythm, source, (), hertz)


def _crow(rng: np.random.Generator) -> Recipe:
    """Long loud calls of joined notes with strong formants: cocks, peafowl, gulls, geese."""
    hertz = ratio(rng, 220.0, 1400.0)
    types = int(rng.integers(2, 6))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("hump", "up", "flat", "wave", "down"),
        span=(0.1, 0.9),
        steps=0.45,
        seconds=(0.12, 0.8),
        gap_s=(0.01, 0.12),
        breath=(0.0, 0.3),
        rough=0.45,
        mouths=3,
        hard=0.25,
    )
    low = ratio(rng, 600.0, 1800.0)
    bodies = tuple(tract(rng, low * ratio(rng, 0.7, 1.5), sharp=(2.0, 7.0)) for _ in range(3))
    source = Source(fall_db=ratio(rng, 0.6, 3.5), subharmonic=pick(rng, (0, 2, 3)), drift=0.02)
    order = tuple(range(types))
    return Call(notes, Rhythm(order, pick(rng, ((1, 1), (1, 2))), uneven=0.1), source, bodies, low)


def _quack(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 110.0, 600.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("down", "hump", "flat"),
        span=(0.05, 0.4),
        seconds=(0.06, 0.35),
        gap_s=(0.05, 0.35),
        breath=(0.0, 0.35),
        mouths=2,
        hard=0.5,
    )
    rhythm = Rhythm(
        repeats=(1, int(rng.integers(3, 10))), swell=even(rng, -10, 2), drift=even(rng, -0.2, 0.1)
    )
    bodies = tuple(tract(rng, ratio(rng, 700, 2200), count=3, sharp=(2.0, 9.0)) for _ in range(2))
    return Call(
        notes, rhythm, Source(fall_db=ratio(rng, 0.4, 2.0), irregular=0.015), bodies, 1000.0
    )


def _squawk(rng: np.random.Generator) -> Recipe:
    """Screams, squawks and shrieks: high stacks with chaos (parrots, raptors, herons, terns)."""
    hertz = ratio(rng, 600.0, 3200.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "down", "wave", "step"),
        span=(0.1, 0.9),
        steps=0.3,
        seconds=(0.1, 1.0),
        gap_s=(0.08, 0.5),
        breath=(0.0, 0.5),
        rough=0.9,
    )
    body = tract(rng, ratio(rng, 1200, 3000), count=3, sharp=(1.5, 5.0), floor_db=-14)
    source = Source(
        fall_db=ratio(rng, 1.0, 6.0),
        subharmonic=pick(rng, (0, 0, 2, 3)),
        irregular=0.02,
        vibrato_hz=even(rng, 8, 40),
        vibrato=pick(rng, (0.0, 0.02, 0.08)),
    )
    return Call(notes, Rhythm(repeats=pick(rng, ((1, 1), (1, 3), (3, 6)))), source, (body,), hertz)


def _twitter(rng: np.random.Generator) -> Recipe:
    """A flock or a colony: short calls of many birds."""
    base = sweep(rng) if chance(rng, 0.6) else whistle(rng) if chance(rng, 0.5) else _squawk(rng)
    return Many(base, (4, int(rng.integers(8, 40))), 1.6, even(rng, 1.5, 4.0), even(rng, 4, 10))


BIRDS: tuple[Family, ...] = (
    Family("chatter", _chatter, 1.0),
    Family("caw", _caw, 1.0),
    Family("coo", _coo, 1.0),
    Family("crow", _crow, 1.0),
    Family("quack", _quack, 0.8),
    Family("squawk", _squawk, 0.9),
    Family("flock", _twitter, 0.7, 1.3, events=1),
)
"""Calls of birds."""
