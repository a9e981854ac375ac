"""Throats of animals without a clear pitch: growls, purrs, grunts, hisses, panting."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.animals import throats
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import Texture


def _growl(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 18.0, 110.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("flat", "hump", "wave", "down"),
        span=(0.05, 0.5),
        seconds=(0.3, 2.0),
        gap_s=(0.05, 0.5),
        rough=0.6,
        mouths=2,
        hard=0.1,
    )
    source = Source(
        "pulse",
        grit=even(rng, 0.1, 0.7),
        decay=ratio(rng, 1.0, 6.0),
        irregular=ratio(rng, 0.01, 0.15),
        shimmer=even(rng, 0.05, 0.5),
        subharmonic=pick(rng, (2, 3)),
        breath=even(rng, 0.0, 0.3),
        drift=0.05,
    )
    rhythm = Rhythm(repeats=(1, int(rng.integers(1, 4))), limit_s=4.0)
    return Call(notes, rhythm, source, throats(rng, 200, 900, 2, (-10, -4)), 300.0)


def _purr(rng: np.random.Generator) -> Recipe:
    """Even pulses that come and go with the breath."""
    hertz = ratio(rng, 15.0, 45.0)
    notes = draw_notes(
        rng,
        hertz,
        types=2,
        contours=("flat",),
        span=(0.02, 0.1),
        steps=0.1,
        seconds=(0.4, 1.3),
        gap_s=(0.02, 0.12),
        breath=(0.0, 0.4),
        hard=0.0,
    )
    source = Source(
        "pulse", grit=even(rng, 0.2, 0.7), decay=ratio(rng, 2, 8), irregular=0.03, shimmer=0.2
    )
    return Call(notes, Rhythm((0, 1), (1, 3)), source, throats(rng, 150, 800, 1, (-9, -3)), 250.0)


def _grunt(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 25.0, 180.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("down", "hump", "flat", "up"),
        span=(0.1, 0.7),
        seconds=(0.06, 0.5),
        gap_s=(0.08, 0.6),
        breath=(0.0, 0.5),
        mouths=2,
        hard=0.4,
    )
    source = Source(
        "pulse",
        grit=even(rng, 0.1, 0.8),
        decay=ratio(rng, 1, 6),
        irregular=ratio(rng, 0.01, 0.1),
        shimmer=0.25,
    )
    rhythm = Rhythm(repeats=(1, int(rng.integers(1, 7))), uneven=0.2, off_key=0.05)
    return Call(notes, rhythm, source, throats(rng, 180, 800, 2, (-10, -3)), 250.0)


def _hiss(rng: np.random.Generator) -> Recipe:
    """Breath as a signal: hisses, snorts, blows, spitting."""
    notes = draw_notes(
        rng,
        1000.0,
        types=pick(rng, (1, 2)),
        seconds=(0.06, 1.2),
        gap_s=(0.05, 0.5),
        mouths=2,
        hard=0.4,
    )
    first = ratio(rng, 350.0, 2500.0)
    bodies = tuple(
        tract(
            rng,
            first * ratio(rng, 0.7, 1.5),
            count=3,
            sharp=(0.8, 4.0),
            floor_db=even(rng, -20, -6),
        )
        for _ in range(2)
    )
    shake = pick(rng, (0.0, 0.0, 0.6))
    source = Source("noise", shake_hz=ratio(rng, 12, 60), shake=shake)
    order = tuple(range(len(notes.seconds)))
    return Call(
        notes, Rhythm(order, (1, int(rng.integers(1, 4))), uneven=0.2), source, bodies, first
    )


def _pant(rng: np.random.Generator) -> Recipe:
    """In and out breaths in turn, one brighter than the other."""
    bodies = tuple(band(rng, (150, 700), (1800, 8000), peaks=2) for _ in range(2))
    return Texture(
        (1.0, 3.0),
        bodies,
        wave_hz=ratio(rng, 0.8, 6.0),
        wave=even(rng, 0.85, 1.0),
        skew=even(rng, 0.3, 0.7),
        edge=ratio(rng, 0.8, 2.5),
    )


BREATHS: tuple[Family, ...] = (
    Family("growl", _growl, 0.9, 1.5),
    Family("purr", _purr, 0.4, 1.3, events=1),
    Family("grunt", _grunt, 0.9, 1.5, events=4),
    Family("hiss", _hiss, 0.6, 1.3),
    Family("pant", _pant, 0.4, 1.3, events=1),
)
"""Growls, grunts, breaths."""
