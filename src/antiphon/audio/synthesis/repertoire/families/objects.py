"""Things that are rubbed, shaken, walked on or moved through the air."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.families.impacts import struck
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import GrainKind, Grains, Texture


def _debris(rng: np.random.Generator) -> Recipe:
    """Many pieces: breaking glass, coins, cutlery, gravel, falling stones."""
    low = ratio(rng, 300.0, 6000.0)
    ring = ratio(rng, 0.004, 0.06)
    grains = Grains(
        "ring",
        ratio(rng, 15.0, 150.0),
        low,
        low * ratio(rng, 1.5, 4.0),
        ring,
        spread_db=7.0,
        clump=even(rng, 0.3, 1.2),
        clump_hz=ratio(rng, 2, 8),
    )
    body = band(rng, (low * 0.5, low), (low * 1.5, 16_000), peaks=2)
    return Texture(
        (0.3, 2.2),
        (body,),
        noise=even(rng, 0.1, 0.8),
        grains=((grains, 1.0),),
        attack=ratio(rng, 0.004, 0.1),
        release=even(rng, 0.4, 0.95),
        swell=even(rng, 0.2, 0.8),
        swell_hz=8.0,
    )


def _rustle(rng: np.random.Generator) -> Recipe:
    """Paper, leaves, plastic, clothes."""
    low = ratio(rng, 600.0, 5000.0)
    grains = Grains(
        "click",
        ratio(rng, 40.0, 500.0),
        low,
        low * 2.5,
        ratio(rng, 0.0008, 0.005),
        spread_db=even(rng, 5, 11),
        clump=even(rng, 0.5, 1.8),
        clump_hz=ratio(rng, 3, 14),
    )
    return Texture(
        (0.4, 3.0),
        (band(rng, (400, 2500), (5000, 16_000), peaks=1),),
        noise=even(rng, 0.05, 0.7),
        grains=((grains, 1.0),),
        swell=even(rng, 0.5, 1.2),
        swell_hz=ratio(rng, 2, 9),
        coloured=chance(rng, 0.5),
    )


def _scrape(rng: np.random.Generator) -> Recipe:
    """Rubbing back and forth: sawing, brushing, sanding, scratching, sweeping."""
    bodies = tuple(band(rng, (150, 2500), (2500, 15_000), peaks=3, peak_db=20) for _ in range(2))
    return Texture(
        (0.8, 3.5),
        bodies,
        wave_hz=ratio(rng, 0.7, 9.0),
        wave=even(rng, 0.6, 1.0),
        skew=even(rng, 0.2, 0.8),
        edge=ratio(rng, 0.6, 3.0),
        swell=even(rng, 0, 0.4),
        swell_hz=20,
    )


def _creak(rng: np.random.Generator) -> Recipe:
    """Stick and slip, slow enough to hear each slip: doors, floors, ropes, branches."""
    rate = ratio(rng, 10.0, 180.0)
    notes = draw_notes(
        rng,
        rate,
        types=pick(rng, (1, 2)),
        contours=("hump", "wave", "free", "up", "down"),
        span=(0.4, 2.2),
        seconds=(0.2, 1.8),
        gap_s=(0.05, 0.6),
        hard=0.1,
        plastic=0.15,
    )
    source = Source(
        "pulse", irregular=ratio(rng, 0.02, 0.25), shimmer=even(rng, 0.2, 0.6), drift=0.2
    )
    body = tract(rng, ratio(rng, 250, 1500), count=5, sharp=(5, 30), floor_db=-30, spread=0.5)
    return Call(notes, Rhythm(tuple(range(len(notes.seconds))), (1, 2)), source, (body,), 500.0)


def _squeak(rng: np.random.Generator) -> Recipe:
    """Friction that sings: brakes, hinges, chalk, shoes, bowed edges."""
    hertz = ratio(rng, 350.0, 5500.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("flat", "up", "hump", "wave", "step", "free"),
        span=(0.03, 0.8),
        steps=0.3,
        seconds=(0.1, 2.0),
        gap_s=(0.04, 0.5),
        breath=(0.0, 0.2),
        rough=0.4,
        plastic=0.08,
    )
    source = Source(
        fall_db=ratio(rng, 1.5, 15.0), drift=0.05, irregular=0.015, subharmonic=pick(rng, (0, 2, 3))
    )
    body = tract(rng, ratio(rng, 500, 2500), count=5, sharp=(4, 20), floor_db=-18, spread=0.5)
    return Call(
        notes,
        Rhythm(tuple(range(len(notes.seconds))), (1, int(rng.integers(1, 4)))),
        source,
        (body,),
        hertz,
    )


def _ratchet(rng: np.random.Generator) -> Recipe:
    """Runs of clicks: zips, ratchets, winding, shuffled cards, spokes."""
    rate = ratio(rng, 12.0, 250.0)
    notes = draw_notes(
        rng, rate, span=(0.1, 1.6), seconds=(0.15, 1.2), gap_s=(0.05, 0.5), hard=0.3, plastic=0.1
    )
    source = Source(
        "pulse",
        irregular=ratio(rng, 0.005, 0.1),
        shimmer=even(rng, 0.1, 0.4),
        grit=even(rng, 0, 0.6),
        decay=8,
        pattern=pick(rng, ((1.0,), (1.0, 0.6), (1.0, 0.5, 0.7))),
    )
    body = tract(rng, ratio(rng, 700, 3500), count=4, sharp=(1.5, 10), floor_db=-20, spread=0.5)
    return Call(notes, Rhythm(repeats=(1, int(rng.integers(1, 5)))), source, (body,), 1000.0)


def _steps(rng: np.random.Generator) -> Recipe:
    """Footsteps: a heel, perhaps a toe, on something that crunches or not."""
    pace = ratio(rng, 0.25, 0.9)
    heel = struck(
        rng,
        ratio(rng, 60.0, 350.0),
        "box",
        count=10,
        ring_s=(0.03, 0.2),
        slope_db=(-8, -2),
        knock=(0.3, 3.0),
        rhythm=Rhythm(repeats=(2, int(rng.integers(3, 8))), uneven=0.05, loud=1.5, limit_s=4.0),
        gap_s=pace,
    )
    if chance(rng, 0.5):
        return heel
    low = ratio(rng, 500, 3000)
    crunch = Texture(
        (3.0 * pace, 5.0 * pace),
        (band(rng, (300, 1500), (3000, 12_000), peaks=1),),
        noise=0.6,
        grains=((Grains("click", ratio(rng, 60, 600), low, low * 2, 0.003, spread_db=7), 1.0),),
        wave_hz=1.0 / pace,
        wave=1.0,
        skew=even(rng, 0.15, 0.5),
        edge=ratio(rng, 2, 6),
        attack=0.02,
        release=0.02,
    )
    return crunch if chance(rng, 0.5) else Layers(((crunch, 0.0, 0.0), (heel, 0.03, -6.0)))


def _rattle(rng: np.random.Generator) -> Recipe:
    """Shaken things: keys, maracas, chains, dice."""
    low = ratio(rng, 800.0, 6500.0)
    kind: GrainKind = pick(rng, ("ring", "ring", "click"))
    grains = Grains(
        kind,
        ratio(rng, 40.0, 350.0),
        low,
        low * ratio(rng, 1.2, 2.4),
        ratio(rng, 0.002, 0.03),
        spread_db=6.0,
    )
    return Texture(
        (0.5, 3.0),
        (),
        grains=((grains, 1.0),),
        wave_hz=ratio(rng, 1.5, 11.0),
        wave=even(rng, 0.6, 1.0),
        edge=ratio(rng, 1.0, 4.0),
        skew=even(rng, 0.2, 0.8),
    )


def _whoosh(rng: np.random.Generator) -> Recipe:
    """Something that passes through the air: swings, whips, arrows, cars far off."""
    bodies = tuple(band(rng, (80, 900), (900, 9000), peaks=1, peak_db=18) for _ in range(2))
    return Texture((0.12, 1.2), bodies, attack=even(rng, 0.3, 0.8), release=even(rng, 0.2, 0.7))


OBJECTS: tuple[Family, ...] = (
    Family("debris", _debris, 0.8, 1.2),
    Family("rustle", _rustle, 0.8, 1.2),
    Family("scrape", _scrape, 0.9, 1.3, events=2),
    Family("creak", _creak, 0.8, 1.4),
    Family("squeak", _squeak, 0.8, 1.4),
    Family("ratchet", _ratchet, 0.7, 1.2),
    Family("steps", _steps, 0.8, 1.2, events=1),
    Family("rattle", _rattle, 0.7, 1.2),
    Family("whoosh", _whoosh, 0.6, 1.3),
)
"""What is rubbed, shaken or trodden on."""
