"""Engines, motors, propellers, saws and other machines."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.families.impacts import struck
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Notes, Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes, tract
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import Texture

_STEADY = ("flat", "flat", "up", "down", "hump", "wave")


def _pattern(rng: np.random.Generator) -> tuple[float, ...]:
    """Return levels of the cylinders of an engine."""
    count = pick(rng, (1, 2, 3, 4, 4, 6))
    return tuple(rng.uniform(0.55, 1.0, count).tolist())


def _long(
    rng: np.random.Generator,
    hertz: float,
    span: tuple[float, float],
    seconds: tuple[float, float] = (1.2, 4.5),
) -> Notes:
    return draw_notes(
        rng,
        hertz,
        contours=_STEADY,
        span=span,
        seconds=seconds,
        gap_s=(0.1, 0.5),
        hard=0.0,
        plastic=0.05,
    )


def _engine(rng: np.random.Generator) -> Recipe:
    """Cars, lorries, tractors, boats, idling or under way."""
    hertz = ratio(rng, 14.0, 160.0)
    source = Source(
        "pulse",
        grit=even(rng, 0.1, 0.6),
        decay=ratio(rng, 1, 5),
        irregular=ratio(rng, 0.005, 0.06),
        shimmer=even(rng, 0.05, 0.3),
        pattern=_pattern(rng),
        drift=0.02,
        breath=even(rng, 0.0, 0.4),
    )
    body = tract(
        rng,
        ratio(rng, 70, 350),
        count=5,
        sharp=(1.5, 8),
        floor_db=-22,
        spread=0.4,
        high_hz=ratio(rng, 700, 6000),
    )
    return Call(_long(rng, hertz, (0.02, 0.7)), Rhythm(limit_s=5.0), source, (body,), 250.0)


def _propeller(rng: np.random.Generator) -> Recipe:
    """Blades that slap the air: helicopters, propeller planes, fans, wind turbines."""
    hertz = ratio(rng, 5.0, 95.0)
    source = Source(
        "pulse",
        grit=even(rng, 0.3, 0.95),
        decay=ratio(rng, 0.8, 6),
        irregular=0.004,
        shimmer=even(rng, 0.05, 0.25),
        pattern=_pattern(rng),
        drift=0.008,
        breath=even(rng, 0.1, 0.6),
    )
    body = band(rng, (25, 120), (500, 5000), peaks=3, slope_db=(-5, 0))
    blades = Call(_long(rng, hertz, (0.005, 0.12)), Rhythm(limit_s=5.0), source, (body,), 150.0)
    if chance(rng, 0.5):
        return blades
    whine = Call(
        _long(rng, ratio(rng, 400, 4000), (0.01, 0.15)),
        Rhythm(limit_s=5.0),
        Source(fall_db=ratio(rng, 3, 20), drift=0.01),
        (),
        400.0,
    )
    return Layers(((blades, 0.0, 0.0), (whine, 0.02, even(rng, -26, -8))))


def _saw(rng: np.random.Generator) -> Recipe:
    """Two-stroke engines that rev up and down: chainsaws, mowers, motorbikes, hedge trimmers."""
    hertz = ratio(rng, 55.0, 300.0)
    types = int(rng.integers(1, 4))
    notes = draw_notes(
        rng,
        hertz,
        types=types,
        contours=("up", "hump", "flat", "wave", "step"),
        span=(0.1, 1.2),
        steps=0.4,
        seconds=(0.5, 2.5),
        gap_s=(0.005, 0.1),
        hard=0.05,
        plastic=0.1,
        breath=(0.1, 0.5),
    )
    source = Source(
        "pulse",
        grit=even(rng, 0.2, 0.8),
        decay=ratio(rng, 0.6, 3),
        irregular=ratio(rng, 0.02, 0.12),
        shimmer=even(rng, 0.1, 0.5),
        pattern=pick(rng, ((1.0,), (1.0, 0.7))),
        drift=0.03,
    )
    body = tract(
        rng,
        ratio(rng, 250, 1200),
        count=5,
        sharp=(1.2, 6),
        floor_db=-16,
        spread=0.5,
        slope_db=even(rng, -6, 0),
    )
    return Call(
        notes, Rhythm(tuple(range(types)), (1, 2), uneven=0.2, limit_s=5.0), source, (body,), 500.0
    )


def _motor(rng: np.random.Generator) -> Recipe:
    """Electric whine and air: drills, vacuum cleaners, mixers, dryers, lifts, shavers."""
    hertz = ratio(rng, 80.0, 2500.0)
    source = Source(
        fall_db=ratio(rng, 0.5, 8.0),
        breath=even(rng, 0.1, 0.7),
        drift=0.006,
        irregular=0.004,
        shake_hz=ratio(rng, 12, 110),
        shake=pick(rng, (0.0, 0.2, 0.5)),
    )
    body = tract(rng, ratio(rng, 300, 1800), count=5, sharp=(1.5, 9), floor_db=-14, spread=0.5)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 1, 2)),
        contours=("flat", "up", "hump", "down", "step"),
        span=(0.01, 0.9),
        seconds=(0.6, 4.0),
        gap_s=(0.02, 0.5),
        hard=0.05,
    )
    return Call(
        notes, Rhythm(tuple(range(len(notes.seconds))), limit_s=5.0), source, (body,), hertz
    )


def _rumble(rng: np.random.Generator) -> Recipe:
    """Traffic, trains, jets: noise that swells, with or without a beat of wheels."""
    bodies = tuple(band(rng, (25, 150), (300, 4000), peaks=2, slope_db=(-7, -1)) for _ in range(2))
    return Texture(
        (2.0, 5.0),
        bodies,
        swell=even(rng, 0.1, 0.6),
        swell_hz=ratio(rng, 0.2, 2),
        wave_hz=ratio(rng, 1.0, 12.0),
        wave=pick(rng, (0.0, 0.0, 0.3, 0.7)),
        edge=ratio(rng, 1, 5),
        attack=even(rng, 0.05, 0.5),
        release=even(rng, 0.05, 0.5),
    )


def _machine(rng: np.random.Generator) -> Recipe:
    """A cycle of a few knocks and puffs: presses, looms, printers, washing machines, trains."""
    cycle = ratio(rng, 0.12, 1.2)
    many = max(2, round(3.0 / cycle))
    parts: list[tuple[Recipe, float, float]] = []
    for k in range(int(rng.integers(2, 4))):
        knock = struck(
            rng,
            ratio(rng, 60, 1500),
            pick(rng, ("box", "plate")),
            count=10,
            ring_s=(0.02, 0.25),
            knock=(0.3, 3),
            rhythm=Rhythm(repeats=(many, many), uneven=0.006, loud=0.8, limit_s=4.0),
            gap_s=cycle,
        )
        parts.append((knock, cycle * even(rng, 0.1, 0.9) * (k > 0), even(rng, -12, 0)))
    if chance(rng, 0.6):
        puff = Texture(
            (3.0, 4.0),
            (band(rng, (60, 800), (800, 8000), peaks=2),),
            wave_hz=1.0 / cycle,
            wave=even(rng, 0.2, 1),
            edge=ratio(rng, 0.7, 3),
            skew=even(rng, 0.2, 0.8),
        )
        parts.append((puff, 0.0, even(rng, -16, -3)))
    return Layers(tuple(parts), loose=0.0)


def _hum(rng: np.random.Generator) -> Recipe:
    """Mains, transformers, fridges: steady low partials."""
    hertz = pick(rng, (50.0, 60.0, 100.0, 120.0, ratio(rng, 40, 250)))
    notes = Notes(
        hertz,
        np.zeros((1, 128)),
        np.minimum(1.0, np.minimum(np.arange(128), np.arange(128)[::-1]) / 12.0)[None],
        np.array([ratio(rng, 1.5, 4.5)]),
        np.array([0.1]),
        plastic=0.001,
    )
    source = Source(
        fall_db=ratio(rng, 0.6, 6.0),
        stride=pick(rng, (1, 2)),
        breath=even(rng, 0, 0.25),
        drift=0.0005,
        irregular=0.0,
        shake_hz=ratio(rng, 0.7, 15),
        shake=pick(rng, (0.0, 0.2)),
    )
    return Call(
        notes,
        Rhythm(limit_s=5.0),
        source,
        (tract(rng, ratio(rng, 80, 500), sharp=(1, 6), floor_db=-15),),
        200.0,
    )


def _steam(rng: np.random.Generator) -> Recipe:
    """Escaping gas: sprays, air brakes, tyres, kettles about to boil."""
    bodies = tuple(
        band(rng, (500, 4000), (5000, 17_000), peaks=2, slope_db=(-2, 3)) for _ in range(2)
    )
    jet = Texture(
        (0.15, 3.0),
        bodies,
        attack=ratio(rng, 0.01, 0.4),
        release=ratio(rng, 0.02, 0.6),
        swell=even(rng, 0, 0.2),
        swell_hz=10,
    )
    if chance(rng, 0.7):
        return jet
    whistle = Call(
        _long(rng, ratio(rng, 900, 5000), (0.02, 0.4), (0.6, 3.0)),
        Rhythm(),
        Source("hiss", width_hz=ratio(rng, 10, 200)),
        (),
        900.0,
    )
    return Layers(((jet, 0.0, 0.0), (whistle, 0.1, even(rng, -10, 6))))


MACHINES: tuple[Family, ...] = (
    Family("engine", _engine, 1.2, 1.4, events=1),
    Family("propeller", _propeller, 1.1, 1.2, events=1),
    Family("saw", _saw, 1.1, 1.4, events=2),
    Family("motor", _motor, 1.1, 1.2, events=2),
    Family("rumble", _rumble, 0.8, 1.3, events=1),
    Family("machine-cycle", _machine, 0.8, 1.0, events=1),
    Family("hum", _hum, 0.5, 0.4, events=1),
    Family("steam", _steam, 0.7, 1.2),
)
"""Machines."""
