"""Voices of mammals and other large animals: barks, howls, cries, squeals, moans."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Many, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source


def throats(
    rng: np.random.Generator,
    low: float,
    high: float,
    count: int,
    slope_db: tuple[float, float] = (-4.0, 0.0),
) -> tuple[Body, ...]:
    """Return shapes of one vocal tract whose first resonance lies in a range of Hz.

    ``slope_db`` is the range of its tilt per octave: steep for sources of equal pulses, as those of
    real folds are rounded.
    """
    tilt = even(rng, *slope_db)
    first = ratio(rng, low, high)
    return tuple(
        tract(
            rng,
            first * ratio(rng, 0.7, 1.5),
            count=int(rng.integers(3, 6)),
            sharp=(3.0, 11.0),
            floor_db=even(rng, -28, -16),
            spread=0.3,
            slope_db=tilt,
        )
        for _ in range(count)
    )


def _bark(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 130.0, 1100.0)
    types = pick(rng, (1, 1, 2))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("hump", "down", "hump", "up"),
        span=(0.15, 1.0),
        steps=0.2,
        seconds=(0.05, 0.35),
        gap_s=(0.1, 0.7),
        breath=(0.1, 0.6),
        rough=0.6,
        mouths=2,
        hard=0.7,
    )
    rhythm = Rhythm(
        tuple(range(types)),
        pick(rng, ((1, 1), (1, 3), (2, 6))),
        uneven=0.18,
        off_key=0.03,
        loud=2.0,
    )
    source = Source(
        fall_db=ratio(rng, 0.7, 5.0),
        subharmonic=pick(rng, (0, 0, 2)),
        irregular=even(rng, 0.01, 0.05),
    )
    return Call(notes, rhythm, source, throats(rng, 300, 1300, 2), hertz * 1.5)


def _howl(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 130.0, 1100.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "wave", "step", "up", "free"),
        span=(0.15, 0.9),
        seconds=(0.6, 2.6),
        gap_s=(0.05, 0.4),
        breath=(0.0, 0.15),
        rough=0.2,
        mouths=2,
        hard=0.05,
    )
    source = Source(
        fall_db=ratio(rng, 4.0, 20.0),
        vibrato_hz=even(rng, 3, 9),
        vibrato=pick(rng, (0.0, 0.02, 0.05)),
        drift=0.03,
    )
    rhythm = Rhythm(tuple(range(len(notes.seconds))), limit_s=4.5)
    return Call(notes, rhythm, source, throats(rng, 300, 1200, 2), hertz)


def _cry(rng: np.random.Generator) -> Recipe:
    """Arched cries with breath between: young mammals, cats, goats, seals."""
    hertz = ratio(rng, 180.0, 1300.0)
    types = int(rng.integers(1, 4))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("hump", "hump", "wave", "down", "step"),
        span=(0.1, 0.8),
        steps=0.2,
        seconds=(0.25, 1.4),
        gap_s=(0.1, 0.5),
        breath=(0.0, 0.25),
        rough=0.5,
        mouths=3,
        hard=0.15,
        plastic=0.06,
    )
    source = Source(
        fall_db=ratio(rng, 0.6, 4.0),
        subharmonic=pick(rng, (0, 2, 2)),
        vibrato_hz=even(rng, 4, 10),
        vibrato=pick(rng, (0.0, 0.01, 0.04)),
        irregular=0.008,
        drift=0.02,
    )
    low = ratio(rng, 450.0, 1400.0)
    rhythm = Rhythm(tuple(range(types)), (1, int(rng.integers(1, 5))), uneven=0.2, off_key=0.03)
    call = Call(notes, rhythm, source, throats(rng, low, 1.2 * low, 3), low)
    if chance(rng, 0.6):
        return call
    gasp = draw_notes(rng, hertz, seconds=(0.1, 0.4), contours=("up", "flat"), gap_s=(0.05, 0.1))
    breath = Call(gasp, Rhythm(), Source("noise"), throats(rng, 500, 1500, 1), 800.0)
    return Layers(((call, 0.0, 0.0), (breath, 0.12, even(rng, -22, -8))), chain=True)


def _bleat(rng: np.random.Generator) -> Recipe:
    """Trembling voices: sheep, goats, some frogs and apes."""
    hertz = ratio(rng, 120.0, 700.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("flat", "hump", "down"),
        span=(0.05, 0.3),
        seconds=(0.3, 1.4),
        gap_s=(0.1, 0.6),
        breath=(0.0, 0.3),
        mouths=2,
        hard=0.3,
    )
    rate = ratio(rng, 6.0, 22.0)
    source = Source(
        fall_db=ratio(rng, 0.5, 3.0),
        vibrato_hz=rate,
        vibrato=ratio(rng, 0.02, 0.15),
        shake_hz=rate,
        shake=even(rng, 0.2, 0.8),
    )
    return Call(notes, Rhythm(repeats=(1, 2)), source, throats(rng, 400, 1200, 2), 700.0)


def _squeal(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 900.0, 7500.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2, 3)),
        span=(0.1, 1.1),
        steps=0.3,
        seconds=(0.04, 0.7),
        gap_s=(0.03, 0.4),
        breath=(0.0, 0.25),
        rough=0.6,
    )
    source = Source(fall_db=ratio(rng, 3.0, 22.0), subharmonic=pick(rng, (0, 2, 3)), drift=0.05)
    order = tuple(range(len(notes.seconds)))
    rhythm = Rhythm(order, (1, int(rng.integers(1, 6))), uneven=0.25, off_key=0.04)
    return Call(notes, rhythm, source, throats(rng, 1200, 3500, 1), hertz)


def _moan(rng: np.random.Generator) -> Recipe:
    """Long low tones: cattle, seals, whales, large cats."""
    hertz = ratio(rng, 45.0, 420.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "up", "down", "wave", "flat"),
        span=(0.1, 1.0),
        steps=0.3,
        seconds=(0.5, 2.8),
        gap_s=(0.05, 0.5),
        breath=(0.0, 0.25),
        rough=0.4,
        mouths=2,
        hard=0.1,
    )
    source = Source(fall_db=ratio(rng, 1.0, 10.0), subharmonic=pick(rng, (2, 3, 0)), drift=0.03)
    rhythm = Rhythm(tuple(range(len(notes.seconds))), limit_s=4.5)
    return Call(notes, rhythm, source, throats(rng, 150, 700, 2), max(150.0, hertz))


def _laugh(rng: np.random.Generator) -> Recipe:
    """Series of like notes that rise or fall: hyenas, apes, kookaburras, whinnies."""
    hertz = ratio(rng, 220.0, 1400.0)
    per_s = ratio(rng, 3.0, 14.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "up", "down"),
        span=(0.1, 0.8),
        steps=0.3,
        seconds=(0.4 / per_s, 0.8 / per_s),
        gap_s=(0.1 / per_s, 0.4 / per_s),
        breath=(0.05, 0.5),
        rough=0.4,
        mouths=2,
    )
    many = max(3, round(per_s * ratio(rng, 0.6, 2.2)))
    rhythm = Rhythm(
        tuple(range(len(notes.seconds))),
        (max(2, many // 2), many),
        drift=even(rng, -0.9, 0.6),
        speed=ratio(rng, 0.6, 1.6),
        swell=even(rng, -12, 4),
        uneven=0.1,
    )
    return Call(notes, rhythm, Source(fall_db=ratio(rng, 1, 8)), throats(rng, 500, 1500, 2), hertz)


def _pack(rng: np.random.Generator) -> Recipe:
    base = _bark(rng) if chance(rng, 0.5) else _howl(rng) if chance(rng, 0.5) else _bleat(rng)
    return Many(base, (3, int(rng.integers(5, 16))), 2.0, even(rng, 2.0, 4.5), even(rng, 4, 10))


ANIMALS: tuple[Family, ...] = (
    Family("bark", _bark, 1.4, 1.6, gap_s=(0.2, 1.5), events=4),
    Family("howl", _howl, 0.9, 1.5, events=1),
    Family("cry", _cry, 1.4, 1.6),
    Family("bleat", _bleat, 0.6, 1.5),
    Family("squeal", _squeal, 1.0, 1.4),
    Family("moan", _moan, 0.9, 1.5, events=2),
    Family("cackle", _laugh, 0.7, 1.4, events=2),
    Family("pack", _pack, 0.5, 1.3, events=1),
)
"""Voices of animals."""
