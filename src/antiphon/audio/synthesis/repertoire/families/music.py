"""Music: notes, chords, plucked strings and bars."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.families.impacts import struck
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Notes, Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes
from antiphon.audio.synthesis.repertoire.source import Source


def _scale(rng: np.random.Generator, types: int) -> np.ndarray:
    """Return pitches of a scale of twelve steps in octaves, (types,)."""
    steps = pick(
        rng, ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))
    )
    wide = np.array([s + 12 * o for o in (0, 1) for s in steps])
    start = int(rng.integers(0, len(wide) - 3))
    return np.asarray(rng.choice(wide[start : start + 8], types) / 12.0)


def _tune(rng: np.random.Generator) -> Recipe:
    """Notes of a scale, blown, bowed or electronic."""
    hertz = ratio(rng, 110.0, 1400.0)
    types = int(rng.integers(2, 8))
    seconds = ratio(rng, 0.08, 0.8)
    made = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("flat",),
        span=(0.001, 0.01),
        seconds=(seconds, seconds * 1.01),
        gap_s=(0.003, 0.1),
        hard=0.3,
        plastic=0.003,
    )
    notes = Notes(
        hertz,
        made.pitch * 0.3 + _scale(rng, types)[:, None],
        made.level,
        made.seconds * pick(rng, (1.0, 1.5)),
        made.gap_s,
        plastic=0.002,
    )
    source = Source(
        pick(rng, ("stack", "stack", "stack", "fm")),
        fall_db=ratio(rng, 1.0, 20),
        stride=pick(rng, (1, 1, 2)),
        ratio=pick(rng, (1, 2, 3, 1.4)),
        index=even(rng, 0.5, 4),
        vibrato_hz=even(rng, 4, 7),
        vibrato=pick(rng, (0.0, 0.01, 0.03)),
        drift=0.002,
        irregular=0.001,
        breath=pick(rng, (0.0, 0.02, 0.1)),
    )
    body = band(rng, (60, 250), (2500, 12_000), peaks=3)
    order = tuple(int(k) for k in rng.integers(types, size=int(rng.integers(3, 12))))
    return Call(
        notes, Rhythm(order, uneven=0.02, off_key=0.002, limit_s=4.0), source, (body,), hertz
    )


def _chord(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 80.0, 600.0)
    count = int(rng.integers(2, 5))
    seconds = ratio(rng, 0.4, 3.0)
    source = Source(
        fall_db=ratio(rng, 1.5, 14),
        stride=pick(rng, (1, 1, 2)),
        vibrato_hz=5.5,
        vibrato=pick(rng, (0.0, 0.008)),
        drift=0.002,
        irregular=0.001,
    )
    body = (band(rng, (60, 250), (2000, 9000), peaks=3),)
    shape = draw_notes(
        rng,
        hertz,
        contours=("flat",),
        span=(0.001, 0.004),
        seconds=(seconds, seconds * 1.01),
        gap_s=(0.05, 0.2),
        hard=0.4,
    )
    parts = tuple(
        (
            Call(
                Notes(
                    hertz * 2.0**step,
                    shape.pitch,
                    shape.level,
                    shape.seconds,
                    shape.gap_s,
                    plastic=0.002,
                ),
                Rhythm(),
                source,
                body,
                hertz,
            ),
            0.0,
            even(rng, -4, 0),
        )
        for step in (0.0, pick(rng, (3, 4)) / 12, 7 / 12, pick(rng, (10, 11, 12)) / 12)[:count]
    )
    return Layers(parts, loose=0.0)


def _plucked(rng: np.random.Generator) -> Recipe:
    """Strings and bars in a sequence: guitars, harps, pianos, marimbas."""
    kind = pick(rng, ("string", "string", "bar"))
    hertz = ratio(rng, 75.0, 900.0)
    pitches = _scale(rng, int(rng.integers(1, 6)))
    step = ratio(rng, 0.12, 0.7)
    seed = int(rng.integers(2**31))
    parts = tuple(
        (
            struck(
                # The same instrument for all notes.
                np.random.default_rng(seed),
                hertz * 2.0**p,
                kind,
                count=18,
                ring_s=(0.4, 3.0),
                damping=(0.4, 1.1),
                slope_db=(-8, -2),
                knock=(0.01, 0.2),
                attack_s=0.001,
            ),
            step * k,
            0.0,
        )
        for k, p in enumerate(pitches)
    )
    return Layers(parts, loose=0.02)


MUSIC: tuple[Family, ...] = (
    Family("tune", _tune, 0.9, 0.7, events=1),
    Family("chord", _chord, 0.6, 0.7, events=2),
    Family("plucked", _plucked, 0.8, 0.8, events=2),
)
"""Music."""
