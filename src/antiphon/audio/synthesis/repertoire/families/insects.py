"""Insects: files and scrapers, tymbals, wings; and choruses with frogs."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.families.small import cavity, frog_peep, frog_pulsed
from antiphon.audio.synthesis.repertoire.recipe import Call, Many, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes
from antiphon.audio.synthesis.repertoire.source import Source


def _cricket(rng: np.random.Generator) -> Recipe:
    """Groups of pure pulses: a scraper over a file, tuned by the wing."""
    hertz = ratio(rng, 1800.0, 10_000.0)
    pulse_s = ratio(rng, 0.006, 0.035)
    notes = draw_notes(
        rng,
        hertz,
        contours=("down", "flat"),
        span=(0.01, 0.12),
        seconds=(pulse_s, pulse_s * 1.01),
        gap_s=(pulse_s * 0.3, pulse_s * 1.8),
        hard=0.2,
        plastic=0.01,
    )
    group = int(rng.integers(1, 9))
    pause = ratio(rng, 0.04, 0.8)
    length = (2.0 * pulse_s * group + pause) or 0.1
    many = int(np.clip(even(rng, 0.5, 3.0) / length, 1, 80))
    rhythm = Rhythm(
        (0,) * group,
        (max(1, many // 2), many),
        pause_s=pause,
        uneven=0.03,
        off_key=0.002,
        loud=0.7,
        limit_s=4.0,
    )
    source = Source(fall_db=pick(rng, (50.0, 30.0, 22.0)), drift=0.002, irregular=0.004)
    return Call(notes, rhythm, source, (), hertz)


def _tree_cricket(rng: np.random.Generator) -> Recipe:
    """Continuous trills and drones: tree crickets, mole crickets, bush crickets."""
    hertz = ratio(rng, 1500.0, 9000.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("flat",),
        span=(0.005, 0.02),
        seconds=(1.2, 4.0),
        gap_s=(0.1, 0.2),
        hard=0.0,
        plastic=0.01,
    )
    source = Source(
        fall_db=pick(rng, (50.0, 28.0)),
        shake_hz=ratio(rng, 15, 180),
        shake=even(rng, 0.5, 1.0),
        edge=ratio(rng, 0.6, 3),
        drift=0.004,
    )
    return Call(notes, Rhythm(limit_s=4.5), source, (), hertz)


def _katydid(rng: np.random.Generator) -> Recipe:
    """Broad-band rasps of tooth strikes, in syllables: katydids, grasshoppers, beetles."""
    strike = ratio(rng, 60.0, 500.0)
    centre = ratio(rng, 3000.0, 12_000.0)
    notes = draw_notes(
        rng,
        strike,
        types=pick(rng, (1, 2)),
        contours=("flat", "up", "down"),
        span=(0.05, 0.8),
        steps=0.3,
        seconds=(0.03, 0.5),
        gap_s=(0.03, 0.5),
        hard=0.3,
    )
    source = Source(
        "pulse", grit=even(rng, 0.3, 1.0), decay=ratio(rng, 1.0, 7.0), irregular=0.04, shimmer=0.3
    )
    rhythm = Rhythm(
        tuple(range(len(notes.seconds))), (2, int(rng.integers(3, 14))), uneven=0.05, limit_s=3.8
    )
    return Call(notes, rhythm, source, (cavity(rng, centre, (1.2, 6.0)),), centre)


def _cicada(rng: np.random.Generator) -> Recipe:
    """Long buzzing bands, steady or in slow waves."""
    centre = ratio(rng, 2500.0, 11_000.0)
    if chance(rng, 0.5):
        notes = draw_notes(
            rng,
            ratio(rng, 80.0, 400.0),
            contours=("flat", "up", "hump"),
            span=(0.01, 0.2),
            seconds=(1.0, 4.0),
            gap_s=(0.1, 0.3),
            hard=0.0,
        )
        source = Source(
            "pulse",
            grit=even(rng, 0.3, 1.0),
            decay=ratio(rng, 1, 5),
            irregular=0.05,
            shimmer=0.3,
            shake_hz=ratio(rng, 1.5, 30),
            shake=pick(rng, (0.0, 0.4, 0.9)),
        )
    else:
        notes = draw_notes(
            rng,
            centre,
            contours=("flat", "up", "hump"),
            span=(0.01, 0.15),
            seconds=(1.0, 4.0),
            gap_s=(0.1, 0.3),
            hard=0.0,
        )
        source = Source(
            "hiss",
            width_hz=centre * ratio(rng, 0.03, 0.3),
            shake_hz=ratio(rng, 4, 200),
            shake=even(rng, 0.2, 1.0),
        )
    return Call(notes, Rhythm(limit_s=4.5), source, (cavity(rng, centre, (2.0, 9.0)),), centre)


def _wing(rng: np.random.Generator) -> Recipe:
    """Wing beats as a tone that bends as it passes: bees, flies, mosquitoes."""
    hertz = ratio(rng, 70.0, 750.0)
    notes = draw_notes(
        rng,
        hertz,
        types=pick(rng, (1, 2)),
        contours=("hump", "down", "wave", "free"),
        span=(0.04, 0.3),
        seconds=(0.5, 3.0),
        gap_s=(0.05, 0.5),
        hard=0.0,
    )
    source = Source(
        fall_db=ratio(rng, 0.8, 5.0),
        drift=0.03,
        irregular=0.015,
        breath=pick(rng, (0.0, 0.03, 0.1)),
    )
    body = band(rng, (60, 400), (1500, 7000), peaks=2)
    return Call(
        notes, Rhythm(tuple(range(len(notes.seconds))), limit_s=4.5), source, (body,), 500.0
    )


def _flap(rng: np.random.Generator) -> Recipe:
    """Flapping wings: puffs of noise."""
    rate = ratio(rng, 3.0, 28.0)
    notes = draw_notes(
        rng,
        rate,
        contours=("flat", "up", "down"),
        span=(0.05, 0.6),
        seconds=(0.4, 2.0),
        gap_s=(0.1, 0.5),
    )
    source = Source(
        "pulse", grit=even(rng, 0.8, 1.0), decay=ratio(rng, 3, 9), irregular=0.06, shimmer=0.4
    )
    return Call(notes, Rhythm(), source, (band(rng, (80, 600), (1500, 9000), peaks=1),), 600.0)


def _chorus(rng: np.random.Generator) -> Recipe:
    base = pick(rng, (frog_pulsed, frog_peep, _cricket, _katydid))(rng)
    return Many(base, (5, int(rng.integers(8, 50))), 1.3, even(rng, 2.5, 5.0), even(rng, 4, 10))


INSECTS: tuple[Family, ...] = (
    Family("cricket", _cricket, 1.1, 0.7, events=2),
    Family("drone", _tree_cricket, 0.5, 0.7, events=1),
    Family("rasp", _katydid, 1.0, 0.8, events=2),
    Family("cicada", _cicada, 0.8, 0.8, events=1),
    Family("wing-hum", _wing, 0.6, 1.5, events=2),
    Family("flap", _flap, 0.5, 1.5),
    Family("frog-insect-chorus", _chorus, 0.6, 1.0, events=1),
)
"""Insects."""
