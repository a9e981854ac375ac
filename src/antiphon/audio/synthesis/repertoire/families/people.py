"""People: speech, shouts, song, laughs, coughs, snores, crowds."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Many, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import Grains, Texture


def vowel(rng: np.random.Generator, scale: float, slope_db: float = 0.0) -> Body:
    """Draw a vowel: four formants in the ranges of human voices (Peterson and Barney 1952), times
    ``scale`` for the length of the tract.
    """
    first = ratio(rng, 270.0, 850.0)
    second = max(ratio(rng, 750.0, 2400.0), 1.25 * first)
    third = max(ratio(rng, 2200.0, 3100.0), 1.1 * second)
    hertz = np.array([first, second, third, ratio(rng, 3300.0, 4200.0)]) * scale
    return Body(
        tuple(hertz.tolist()),
        tuple((hertz / rng.uniform(6.0, 16.0, 4)).tolist()),
        (0.0, even(rng, -8, -1), even(rng, -16, -6), even(rng, -24, -12)),
        floor_db=-34.0,
        low_hz=60.0,
        high_hz=9000.0,
        slope_db=slope_db,
    )


def _voice_hz(rng: np.random.Generator) -> tuple[float, float]:
    """Return pitch and scale of the formants of a voice: larger bodies are lower in both."""
    hertz = ratio(rng, 80.0, 380.0)
    return hertz, float((hertz / 120.0) ** 0.25 * ratio(rng, 0.92, 1.08))


def _speech(rng: np.random.Generator) -> Recipe:
    """Babble: syllables between four vowels, with noise at some of their edges."""
    hertz, scale = _voice_hz(rng)
    types = int(rng.integers(5, 10))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("hump", "down", "flat", "up"),
        span=(0.05, 0.4),
        steps=0.2,
        seconds=(0.07, 0.28),
        gap_s=(0.008, 0.07),
        breath=(0.0, 0.25),
        mouths=4,
        hard=0.2,
        plastic=0.05,
    )
    source = Source(fall_db=ratio(rng, 0.9, 2.6), irregular=0.01, drift=0.03, breath=0.01)
    bodies = tuple(vowel(rng, scale) for _ in range(4))
    rhythm = Rhythm(
        tuple(range(int(rng.integers(3, 6)))),
        (1, 4),
        pause_s=ratio(rng, 0.03, 0.4),
        shuffle=0.8,
        uneven=0.3,
        drift=even(rng, -0.4, 0.2),
        loud=2.5,
        limit_s=3.5,
    )
    voiced = Call(notes, rhythm, source, bodies, 400.0)
    if chance(rng, 0.4):
        return voiced
    edges = draw_notes(
        rng, 1000, types=2, seconds=(0.03, 0.12), gap_s=(0.1, 0.3), hard=0.4, mouths=2
    )
    sibilant = Call(
        edges,
        Rhythm((0, 1), (1, 4), uneven=0.4, loud=3, limit_s=3.0),
        Source("noise"),
        (band(rng, (2500, 5000), (6000, 12_000)), band(rng, (800, 2500), (3000, 8000))),
        1500.0,
    )
    return Layers(((voiced, 0.0, 0.0), (sibilant, even(rng, 0.05, 0.3), even(rng, -16, -4))))


def _shout(rng: np.random.Generator) -> Recipe:
    hertz, scale = _voice_hz(rng)
    hertz *= ratio(rng, 1.3, 2.6)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "flat", "up", "down"),
        span=(0.1, 0.7),
        steps=0.2,
        seconds=(0.2, 1.4),
        gap_s=(0.05, 0.4),
        breath=(0.0, 0.2),
        rough=0.5,
        mouths=2,
    )
    source = Source(fall_db=ratio(rng, 0.5, 2.0), subharmonic=pick(rng, (0, 2)), irregular=0.01)
    bodies = (vowel(rng, scale), vowel(rng, scale))
    return Call(notes, Rhythm(tuple(range(len(notes.seconds)))), source, bodies, 400.0)


def _sing(rng: np.random.Generator) -> Recipe:
    hertz, scale = _voice_hz(rng)
    types = int(rng.integers(2, 7))
    notes = draw_notes(
        rng,
        hertz * 1.5,
        types=types,
        contours=("flat", "hump", "step"),
        span=(0.01, 0.15),
        steps=0.5,
        seconds=(0.2, 1.0),
        gap_s=(0.01, 0.1),
        mouths=3,
        hard=0.05,
    )
    source = Source(
        fall_db=ratio(rng, 1.2, 6),
        vibrato_hz=even(rng, 4.5, 7.5),
        vibrato=even(rng, 0.0, 0.05),
        breath=even(rng, 0, 0.06),
    )
    return Call(
        notes,
        Rhythm(tuple(range(types)), limit_s=4.5),
        source,
        tuple(vowel(rng, scale) for _ in range(3)),
        400.0,
    )


def _human_laugh(rng: np.random.Generator) -> Recipe:
    hertz, scale = _voice_hz(rng)
    per_s = ratio(rng, 3.0, 7.0)
    notes = draw_notes(
        rng,
        hertz * ratio(rng, 1.0, 2.2),
        types=2,
        contours=("down", "hump"),
        span=(0.1, 0.6),
        steps=0.15,
        seconds=(0.3 / per_s, 0.6 / per_s),
        gap_s=(0.3 / per_s, 0.6 / per_s),
        breath=(0.2, 0.8),
        mouths=2,
    )
    rhythm = Rhythm(
        (0, 1),
        (2, int(rng.integers(2, 7))),
        drift=even(rng, -0.6, 0.2),
        swell=even(rng, -14, 0),
        uneven=0.12,
        speed=ratio(rng, 0.7, 1.2),
    )
    bodies = (vowel(rng, scale), vowel(rng, scale))
    return Call(notes, rhythm, Source(fall_db=ratio(rng, 1, 3), irregular=0.02), bodies, 500.0)


def _burst(
    rng: np.random.Generator,
    scale: float,
    seconds: tuple[float, float],
    *,
    hard: float,
    dark: bool = False,
) -> Recipe:
    """Return a burst of noise through a throat."""
    notes = draw_notes(rng, 500, seconds=seconds, gap_s=(0.05, 0.3), hard=hard, mouths=2)
    bodies = tuple(
        Body(
            v.hertz,
            tuple(2.5 * w for w in v.width_hz),
            v.gain_db,
            even(rng, -22, -8),
            150 if dark else 400,
            6000 if dark else 12_000,
        )
        for v in (vowel(rng, scale), vowel(rng, scale))
    )
    return Call(notes, Rhythm(), Source("noise"), bodies, 700.0)


def _cough(rng: np.random.Generator) -> Recipe:
    """A burst, a hoarse middle, sometimes a voiced end; often twice or more."""
    hertz, scale = _voice_hz(rng)
    notes = draw_notes(
        rng,
        hertz,
        contours=("down", "hump"),
        span=(0.1, 0.6),
        seconds=(0.1, 0.35),
        gap_s=(0.1, 0.4),
        breath=(0.5, 1.0),
        rough=0.8,
        mouths=2,
        hard=0.8,
    )
    voiced = Call(
        notes,
        Rhythm(),
        Source(fall_db=ratio(rng, 0.8, 3), subharmonic=0, irregular=0.06),
        (vowel(rng, scale), vowel(rng, scale)),
        500.0,
    )
    one = Layers(
        (
            (_burst(rng, scale, (0.03, 0.12), hard=1.0), 0.0, 0.0),
            (voiced, even(rng, 0.02, 0.1), even(rng, -10, 0)),
        )
    )
    count = int(rng.integers(1, 4))
    step = even(rng, 0.25, 0.6)
    return Layers(tuple((one, step * k, -2.0 * k) for k in range(count)), loose=0.15)


def _sneeze(rng: np.random.Generator) -> Recipe:
    """A drawn breath, perhaps voiced, then a sharp wide burst that falls."""
    hertz, scale = _voice_hz(rng)
    draw = _burst(rng, scale, (0.15, 0.7), hard=0.0)
    blow = _burst(rng, scale * 1.4, (0.12, 0.5), hard=1.0)
    notes = draw_notes(
        rng,
        hertz * ratio(rng, 1, 2.2),
        contours=("hump", "down", "up"),
        span=(0.1, 0.8),
        seconds=(0.08, 0.4),
        gap_s=(0.1, 0.2),
        breath=(0.2, 0.9),
        mouths=2,
    )
    voiced = Call(
        notes,
        Rhythm(),
        Source(fall_db=ratio(rng, 0.8, 3), irregular=0.02),
        (vowel(rng, scale), vowel(rng, scale)),
        500.0,
    )
    gap = even(rng, 0.0, 0.15)
    return Layers(
        ((draw, 0.0, even(rng, -26, -10)), (blow, gap, 0.0), (voiced, -0.05, even(rng, -14, 0))),
        chain=True,
    )


def _snore(rng: np.random.Generator) -> Recipe:
    rate = ratio(rng, 20.0, 90.0)
    _, scale = _voice_hz(rng)
    notes = draw_notes(
        rng,
        rate,
        contours=("hump", "up", "wave"),
        span=(0.1, 0.6),
        seconds=(0.5, 1.8),
        gap_s=(0.2, 0.6),
        breath=(0.1, 0.6),
        mouths=2,
        hard=0.0,
    )
    source = Source(
        "pulse", grit=even(rng, 0.1, 0.7), decay=ratio(rng, 1, 5), irregular=0.08, shimmer=0.3
    )
    return Call(
        notes,
        Rhythm(repeats=(1, 2)),
        source,
        (vowel(rng, scale * 0.8, -6.0), vowel(rng, scale, -5.0)),
        350.0,
    )


def _breath(rng: np.random.Generator) -> Recipe:
    bodies = (
        band(rng, (200, 800), (2000, 7000), peaks=3),
        band(rng, (300, 1500), (3000, 10_000), peaks=3),
    )
    return Texture(
        (1.0, 4.0),
        bodies,
        wave_hz=ratio(rng, 0.3, 1.6),
        wave=even(rng, 0.85, 1),
        skew=even(rng, 0.3, 0.7),
        edge=ratio(rng, 0.8, 2),
    )


def _babble(rng: np.random.Generator) -> Recipe:
    base = (
        _speech(rng) if chance(rng, 0.6) else _shout(rng) if chance(rng, 0.6) else _human_laugh(rng)
    )
    return Many(base, (6, int(rng.integers(10, 60))), 3.0, even(rng, 2.5, 5.0), even(rng, 3, 7))


def _clap(rng: np.random.Generator) -> Recipe:
    low = ratio(rng, 500.0, 1600.0)
    few = chance(rng, 0.4)
    claps = Grains(
        "click",
        ratio(rng, 2, 7) if few else ratio(rng, 20, 250),
        low,
        low * 2.2,
        ratio(rng, 0.003, 0.012),
        spread_db=4,
    )
    return Texture(
        (1.0, 4.5),
        (band(rng, (300, 1000), (2500, 8000)),),
        noise=0.02 if few else ratio(rng, 0.1, 1),
        grains=((claps, 1.0),),
        attack=0.1,
        release=0.15,
    )


PEOPLE: tuple[Family, ...] = (
    Family("speech", _speech, 1.3, 1.5, events=2),
    Family("shout", _shout, 0.8, 1.5),
    Family("singing", _sing, 0.7, 1.4, events=1),
    Family("laugh", _human_laugh, 0.8, 1.5, events=2),
    Family("cough", _cough, 0.8, 1.5),
    Family("sneeze", _sneeze, 0.8, 1.5),
    Family("snore", _snore, 0.6, 1.4, events=2),
    Family("breath", _breath, 0.5, 1.3, events=1),
    Family("crowd", _babble, 0.7, 1.3, events=1),
    Family("applause", _clap, 0.5, 1.2, events=1),
)
"""People."""
