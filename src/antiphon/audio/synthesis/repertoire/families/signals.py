"""Signals and electric noise: sirens, horns, beeps, static."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Notes, Rhythm
from antiphon.audio.synthesis.repertoire.shapes import draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source


def _siren(rng: np.random.Generator) -> Recipe:
    hertz = ratio(rng, 350.0, 2800.0)
    span = even(rng, 0.15, 1.2)
    shape = pick(rng, (("wave",), ("step",), ("up",), ("hump",)))
    notes = draw_notes(
        rng,
        hertz,
        contours=shape,
        span=(span, 1.05 * span),
        seconds=(0.2, 2.5),
        gap_s=(0.001, 0.01),
        hard=0.0,
        plastic=0.01,
    )
    source = Source(
        fall_db=ratio(rng, 1.0, 14.0), stride=pick(rng, (1, 1, 2)), drift=0.002, irregular=0.001
    )
    many = max(1, round(3.5 / float(notes.seconds[0])))
    body = tract(rng, ratio(rng, 500, 1800), count=3, sharp=(1, 4), floor_db=-10)
    return Call(
        notes,
        Rhythm(repeats=(1, many), uneven=0.01, off_key=0.001, loud=0.3),
        source,
        (body,),
        hertz,
    )


def _beep(rng: np.random.Generator) -> Recipe:
    """Electronic signals: alarms, timers, lorries in reverse, microwaves, phones, toys."""
    hertz = ratio(rng, 400.0, 5500.0)
    types = pick(rng, (1, 1, 2, 3, 5))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("flat", "flat", "flat", "up", "down"),
        span=(0.001, 0.01),
        steps=0.6,
        seconds=(0.03, 0.7),
        gap_s=(0.02, 0.6),
        hard=0.0,
        plastic=0.0,
    )
    # Electronic tones are switched on and off.
    square = np.clip(np.minimum(np.arange(128), np.arange(128)[::-1]) / even(rng, 1, 8), 0.0, 1.0)
    notes = Notes(
        notes.hertz,
        notes.pitch * (1.0 if types > 1 else 0.2),
        np.tile(square, (types, 1)),
        notes.seconds,
        notes.gap_s,
        plastic=0.0,
    )
    order = tuple(int(k) for k in rng.integers(types, size=max(types, int(rng.integers(1, 7)))))
    source = Source(
        pick(rng, ("stack", "stack", "fm")),
        fall_db=pick(rng, (60.0, ratio(rng, 1, 12))),
        stride=pick(rng, (1, 2)),
        ratio=pick(rng, (1.0, 2.0, 0.5, 1.41)),
        index=even(rng, 0.3, 4),
        drift=0.0,
        irregular=0.0,
        shake_hz=ratio(rng, 8, 45),
        shake=pick(rng, (0.0, 0.0, 1.0)),
        edge=0.5,
    )
    rhythm = Rhythm(
        order,
        (1, int(rng.integers(1, 6))),
        pause_s=ratio(rng, 0.02, 0.6),
        uneven=0.002,
        off_key=0.0,
        loud=0.1,
        limit_s=3.8,
    )
    return Call(notes, rhythm, source, (), hertz * 0.7)


def _horn(rng: np.random.Generator) -> Recipe:
    """Horns of cars, ships and trains: one to three steady rough tones."""
    hertz = ratio(rng, 90.0, 700.0)
    count = int(rng.integers(1, 4))
    seconds = ratio(rng, 0.2, 2.5)
    body = tract(rng, ratio(rng, 300, 1500), count=4, sharp=(1, 5), floor_db=-14)
    rhythm = Rhythm(repeats=pick(rng, ((1, 1), (1, 3))), uneven=0.05)
    fall = ratio(rng, 0.5, 3.5)
    parts = [
        (
            Call(
                draw_notes(
                    rng,
                    hertz * f,
                    contours=("flat",),
                    span=(0.002, 0.03),
                    seconds=(seconds, seconds * 1.01),
                    gap_s=(0.1, 0.3),
                    hard=0.0,
                ),
                rhythm,
                Source(fall_db=fall, drift=0.002, irregular=0.004),
                (body,),
                300.0,
            ),
            0.0,
            even(rng, -4, 0),
        )
        for f in (1.0, pick(rng, (1.2, 1.25, 1.335, 1.5)), pick(rng, (1.5, 1.68, 2.0)))[:count]
    ]
    return Layers(tuple(parts), loose=0.0)


def _static(rng: np.random.Generator) -> Recipe:
    """Electric noise: radio static, sparks, modems, buzzing lamps."""
    if chance(rng, 0.5):
        body = Body(
            (), (), (), 0.0, ratio(rng, 50, 1500), ratio(rng, 2500, 14_000), even(rng, -4, 3)
        )
        notes = draw_notes(
            rng,
            ratio(rng, 40.0, 400.0),
            contours=("flat", "step", "wave"),
            span=(0.01, 1.5),
            seconds=(0.05, 1.0),
            gap_s=(0.01, 0.3),
            hard=0.3,
        )
        source = Source(
            "pulse",
            grit=even(rng, 0.3, 1),
            decay=ratio(rng, 0.5, 8),
            irregular=pick(rng, (0.002, 0.1)),
            shimmer=0.3,
        )
        return Call(notes, Rhythm(repeats=(1, 6), uneven=0.4), source, (body,), 1000.0)
    hertz = ratio(rng, 600.0, 4000.0)
    types = int(rng.integers(2, 7))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("flat",),
        span=(0.001, 0.01),
        steps=0.7,
        seconds=(0.008, 0.08),
        gap_s=(0.0005, 0.01),
        plastic=0.0,
    )
    source = Source(
        pick(rng, ("stack", "fm")),
        fall_db=ratio(rng, 4, 40),
        ratio=ratio(rng, 0.3, 3),
        index=even(rng, 0.5, 5),
        drift=0,
        irregular=0,
    )
    return Call(
        notes, Rhythm((0,) * 4, (4, 30), shuffle=1.0, uneven=0.01, limit_s=3.0), source, (), hertz
    )


SIGNALS: tuple[Family, ...] = (
    Family("siren", _siren, 0.8, 0.9, events=1),
    Family("beep", _beep, 1.0, 0.5),
    Family("horn", _horn, 0.7, 1.0),
    Family("static", _static, 0.6, 1.0),
)
"""Signals."""
