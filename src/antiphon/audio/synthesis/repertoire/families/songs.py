"""Songs of birds: whistles, sweeps, trills, buzzes, songs of many syllables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source

SHAPES = ("up", "down", "hump", "dip", "hook", "wave", "free")


def beak(rng: np.random.Generator, hertz: float) -> tuple[Body, ...]:
    """Return the broad resonance of a throat and beak that follow the pitch, or none."""
    if chance(rng, 0.5):
        return ()
    centre = hertz * ratio(rng, 0.8, 1.8)
    return (Body((centre,), (centre / ratio(rng, 0.8, 3.0),), (6.0,), -8.0, 0.3 * hertz, 14_000.0),)


def purity(rng: np.random.Generator) -> float:
    """Return the fall of partials in dB: most birds sing nearly pure tones."""
    return pick(rng, (60.0, 45.0, 30.0, 24.0, 18.0, ratio(rng, 6.0, 30.0)))


def whistle(rng: np.random.Generator) -> Recipe:
    """Draw clear notes, nearly level."""
    hertz = ratio(rng, 700.0, 8000.0)
    types = int(rng.integers(1, 5))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("flat", "flat", "up", "down", "hump", "step"),
        span=(0.02, 0.35),
        steps=0.35,
        seconds=(0.1, 0.9),
        gap_s=(0.03, 0.3),
        hard=0.1,
    )
    rhythm = Rhythm(
        order=tuple(range(types)),
        repeats=(1, int(rng.integers(1, 4))),
        pause_s=ratio(rng, 0.05, 0.5),
    )
    source = Source(
        fall_db=purity(rng),
        vibrato_hz=even(rng, 5, 25),
        vibrato=pick(rng, (0.0, 0.0, 0.01, 0.03)),
        breath=pick(rng, (0.0, 0.02, 0.08)),
    )
    return Call(notes, rhythm, source, beak(rng, hertz), hertz)


def sweep(rng: np.random.Generator) -> Recipe:
    """Draw notes that change their pitch fast."""
    hertz = ratio(rng, 900.0, 9500.0)
    notes = draw_notes(
        rng,
        hertz,
        types=1 + int(chance(rng, 0.3)),
        contours=SHAPES,
        span=(0.3, 1.6),
        steps=0.2,
        seconds=(0.025, 0.5),
        gap_s=(0.05, 0.6),
    )
    rhythm = Rhythm(
        order=tuple(range(len(notes.seconds))), repeats=pick(rng, ((1, 1), (1, 3), (2, 6)))
    )
    source = Source(fall_db=purity(rng), drift=0.02)
    return Call(notes, rhythm, source, beak(rng, hertz), hertz)


def _trill(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 1200.0, 9000.0)
    per_s = ratio(rng, 4.0, 50.0)
    duty = even(rng, 0.35, 0.9)
    long = duty / per_s
    types = pick(rng, (1, 1, 1, 2, 3))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=SHAPES,
        span=(0.15, 1.2),
        steps=0.25,
        seconds=(long * 0.95, long * 1.05),
        gap_s=((1 - duty) / per_s, (1 - duty) / per_s * 1.02),
    )
    length = ratio(rng, 0.4, 3.0)
    most = max(3, round(length * per_s / types))
    rhythm = Rhythm(
        order=tuple(range(types)),
        repeats=(max(2, round(0.6 * most)), max(3, round(1.3 * most))),
        speed=pick(rng, (1.0, 1.0, ratio(rng, 0.5, 2.0))),
        drift=pick(rng, (0.0, even(rng, -0.4, 0.4))),
        swell=even(rng, -8, 10),
        uneven=even(rng, 0.01, 0.08),
        limit_s=3.8,
    )
    return Call(notes, rhythm, Source(fall_db=purity(rng)), beak(rng, hertz), hertz)


def _warble(rng: np.random.Generator) -> Recipe:
    """A song of many syllable types: a fixed motif, phrases of repeats, or free variation."""
    hertz = ratio(rng, 1600.0, 6000.0)
    types = int(rng.integers(4, 10))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=SHAPES,
        span=(0.15, 1.4),
        steps=even(rng, 0.2, 0.7),
        seconds=(0.03, 0.22),
        gap_s=(0.012, 0.12),
        plastic=0.04,
    )
    order = tuple(int(k) for k in rng.integers(types, size=int(rng.integers(4, 14))))
    style = pick(rng, ("motif", "phrases", "free"))
    if style == "phrases":
        rhythm = Rhythm(
            order, (1, 2), each=(2, int(rng.integers(3, 8))), pause_s=ratio(rng, 0.02, 0.3)
        )
    elif style == "free":
        rhythm = Rhythm(order, (1, 3), shuffle=even(rng, 0.4, 1.0), uneven=0.25)
    else:
        rhythm = Rhythm(order, (1, 2), pause_s=ratio(rng, 0.03, 0.4), shuffle=0.05)
    source = Source(
        fall_db=purity(rng), buzz_hz=ratio(rng, 60, 250), buzz=pick(rng, (0.0, 0.0, 0.0, 0.08))
    )
    return Call(notes, replace(rhythm, limit_s=3.8), source, beak(rng, hertz), hertz)


def _stack_song(rng: np.random.Generator) -> Recipe:
    """A stereotyped motif of harmonic stacks, sweeps and noisy syllables, as of some finches."""
    hertz = ratio(rng, 380.0, 1600.0)
    types = int(rng.integers(3, 8))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        span=(0.05, 1.3),
        steps=0.6,
        seconds=(0.03, 0.22),
        gap_s=(0.008, 0.08),
        breath=(0.0, pick(rng, (0.1, 0.5, 0.9))),
        rough=0.25,
        mouths=2,
    )
    order = tuple(int(k) for k in rng.permutation(types))
    rhythm = Rhythm(
        order, (1, int(rng.integers(2, 5))), pause_s=ratio(rng, 0.02, 0.2), shuffle=0.03
    )
    low = ratio(rng, 1500.0, 3500.0)
    bodies = tuple(
        tract(
            rng,
            low * ratio(rng, 0.7, 1.5),
            count=3,
            sharp=(1.2, 5.0),
            floor_db=-14.0,
            slope_db=even(rng, -4, 0),
        )
        for _ in range(2)
    )
    source = Source(fall_db=ratio(rng, 1.0, 6.0), subharmonic=pick(rng, (2, 0)))
    return Call(notes, rhythm, source, bodies, 2.0 * hertz)


def _buzz(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 1800.0, 8000.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 1, 2, 3)),
        contours=("flat", "up", "down", "hump"),
        span=(0.03, 0.7),
        steps=0.35,
        seconds=(0.1, 1.2),
        gap_s=(0.04, 0.4),
        hard=0.15,
    )
    rate = ratio(rng, 35.0, 320.0)
    if chance(rng, 0.5):
        source = Source(
            fall_db=purity(rng), shake_hz=rate, shake=even(rng, 0.7, 1.0), edge=ratio(rng, 0.8, 3)
        )
    else:
        source = Source(fall_db=purity(rng), buzz_hz=rate, buzz=ratio(rng, 0.04, 0.35))
    rhythm = Rhythm(tuple(range(len(notes.seconds))), pick(rng, ((1, 1), (1, 3), (2, 5))))
    return Call(notes, rhythm, source, beak(rng, hertz), hertz)


def _two_voiced(rng: np.random.Generator) -> Recipe:
    """Both sides of the syrinx at once, at pitches that make no harmony."""
    hertz = ratio(rng, 1000.0, 4500.0)
    types = int(rng.integers(1, 4))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=SHAPES,
        span=(0.05, 0.8),
        steps=0.3,
        seconds=(0.08, 0.5),
        gap_s=(0.03, 0.25),
    )
    source = Source(fall_db=purity(rng), second=ratio(rng, 0.05, 0.9))
    rhythm = Rhythm(tuple(range(types)), (1, int(rng.integers(1, 5))))
    first = Call(notes, rhythm, source, beak(rng, hertz), hertz)
    if chance(rng, 0.5):
        return first
    other = draw_notes(
        rng,
        hertz * ratio(rng, 0.5, 1.9),
        contours=SHAPES,
        span=(0.1, 1.0),
        seconds=(0.1, 0.6),
        gap_s=(0.03, 0.2),
    )
    second = Call(other, Rhythm(repeats=(1, 2)), Source(fall_db=purity(rng)), (), hertz)
    return Layers(
        ((replace(first, source=replace(source, second=0.0)), 0.0, 0.0), (second, 0.05, -3.0))
    )


SONGS: tuple[Family, ...] = (
    Family("whistle", whistle, 1.3),
    Family("sweep", sweep, 1.3, gap_s=(0.1, 1.5), events=4),
    Family("trill", _trill, 1.4, events=2),
    Family("warble", _warble, 2.0, events=2),
    Family("stack-song", _stack_song, 1.3, events=2),
    Family("buzz-note", _buzz, 1.1),
    Family("two-voiced", _two_voiced, 0.8),
)
"""Songs of birds."""
