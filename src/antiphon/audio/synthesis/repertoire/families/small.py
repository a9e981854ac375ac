"""Frogs, fish and other makers of pulses and clicks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.drawing import even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import draw_notes
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import Grains, Texture


def cavity(
    rng: np.random.Generator, hertz: float, sharp: tuple[float, float], count: int = 2
) -> Body:
    """Return a resonator at ``hertz`` with weaker ones above."""
    centres = hertz * np.cumprod([1.0, *rng.uniform(1.4, 2.6, count - 1)])
    return Body(
        tuple(centres.tolist()),
        tuple(float(c / ratio(rng, *sharp)) for c in centres),
        tuple((even(rng, -4, 4) - 8.0 * k) for k in range(count)),
        floor_db=even(rng, -36, -22),
        low_hz=0.2 * hertz,
        high_hz=min(18_000.0, 6.0 * hertz),
    )


def frog_pulsed(rng: np.random.Generator) -> Recipe:
    """Draw a croak or trill: pulses through a vocal sac."""
    sac = ratio(rng, 250.0, 4500.0)
    rate = ratio(rng, 12.0, 220.0)
    notes = draw_notes(
        rng,
        rate,
        types=pick(rng, (1, 1, 2)),
        contours=("flat", "up", "down", "hump"),
        span=(0.05, 0.8),
        steps=0.4,
        seconds=(0.08, 1.2),
        gap_s=(0.08, 0.8),
        hard=0.25,
    )
    source = Source(
        "pulse",
        grit=pick(rng, (0.0, 0.1, 0.3)),
        decay=5.0,
        irregular=ratio(rng, 0.005, 0.06),
        shimmer=even(rng, 0.03, 0.2),
    )
    rhythm = Rhythm(tuple(range(len(notes.seconds))), pick(rng, ((1, 1), (1, 4), (2, 8))))
    return Call(notes, rhythm, source, (cavity(rng, sac, (3.0, 14.0)),), sac)


def frog_peep(rng: np.random.Generator) -> Recipe:
    """Draw a short clear call."""
    hertz = ratio(rng, 500.0, 5500.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("flat", "up", "down", "hump"),
        span=(0.03, 0.4),
        seconds=(0.03, 0.4),
        gap_s=(0.1, 0.7),
        hard=0.4,
    )
    source = Source(
        fall_db=pick(rng, (40.0, 26.0, 16.0)),
        shake_hz=ratio(rng, 25, 160),
        shake=pick(rng, (0.0, 0.0, 0.9)),
    )
    return Call(notes, Rhythm(repeats=(1, int(rng.integers(1, 8)))), source, (), hertz)


def _fish_grunt(rng: np.random.Generator) -> Recipe:
    """Short trains of swim-bladder pulses below 2 kHz: grunts, knocks, croaks, purrs."""
    rate = ratio(rng, 8.0, 160.0)
    bladder = ratio(rng, 80.0, 900.0)
    notes = draw_notes(
        rng,
        rate,
        contours=("flat", "down", "up"),
        span=(0.02, 0.5),
        seconds=(0.04, 0.8),
        gap_s=(0.08, 0.9),
        hard=0.3,
    )
    source = Source(
        "pulse",
        irregular=ratio(rng, 0.01, 0.15),
        shimmer=even(rng, 0.05, 0.4),
        grit=pick(rng, (0.0, 0.1)),
    )
    rhythm = Rhythm(repeats=(1, int(rng.integers(1, 8))), uneven=0.15)
    body = replace(cavity(rng, bladder, (1.5, 6.0)), high_hz=5.0 * bladder)
    return Call(notes, rhythm, source, (body,), max(bladder, 120.0))


def _fish_hum(rng: np.random.Generator) -> Recipe:
    """Sustained harmonic hums and boatwhistles."""
    hertz = ratio(rng, 60.0, 400.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("flat", "down", "hump"),
        span=(0.01, 0.3),
        seconds=(0.2, 2.5),
        gap_s=(0.2, 0.9),
        hard=0.1,
    )
    source = Source(fall_db=ratio(rng, 2.0, 12.0), drift=0.006, breath=pick(rng, (0.0, 0.1)))
    return Call(
        notes,
        Rhythm(repeats=(1, 2)),
        source,
        (cavity(rng, hertz * 2, (0.8, 3.0)),),
        max(hertz, 120),
    )


def _clicks(rng: np.random.Generator) -> Recipe:
    """Trains of clicks, even, speeding up or in groups: dolphins, beetles, shrimps."""
    centre = ratio(rng, 1500.0, 12_000.0)
    rate = ratio(rng, 3.0, 180.0)
    notes = draw_notes(
        rng,
        rate,
        contours=("flat", "up", "down", "hump", "hook"),
        span=(0.02, 2.5),
        seconds=(0.2, 2.0),
        gap_s=(0.1, 0.8),
        hard=0.1,
    )
    source = Source("pulse", irregular=pick(rng, (0.0, 0.03, 0.2)), shimmer=even(rng, 0.05, 0.5))
    body = cavity(rng, centre, (0.7, 5.0), int(rng.integers(1, 3)))
    return Call(notes, Rhythm(repeats=(1, 2)), source, (body,), centre)


def _drumming(rng: np.random.Generator) -> Recipe:
    """Knocks on wood or ground in quick runs: woodpeckers, hares, beetles."""
    wood = ratio(rng, 250.0, 2800.0)
    rate = ratio(rng, 5.0, 32.0)
    notes = draw_notes(
        rng,
        rate,
        contours=("flat", "up", "down"),
        span=(0.05, 1.0),
        seconds=(0.3, 1.8),
        gap_s=(0.2, 0.9),
        hard=0.5,
    )
    source = Source(
        "pulse", irregular=0.015, shimmer=0.1, grit=even(rng, 0.0, 0.4), decay=ratio(rng, 8, 25)
    )
    return Call(notes, Rhythm(), source, (cavity(rng, wood, (3.0, 14.0), 3),), wood)


def _shrimp(rng: np.random.Generator) -> Recipe:
    """Crackle of many small snaps: reefs, beetles in wood, foraging."""
    low = ratio(rng, 1000.0, 6000.0)
    grains = Grains(
        "click",
        ratio(rng, 6.0, 250.0),
        low,
        low * ratio(rng, 1.2, 2.5),
        ratio(rng, 0.0006, 0.004),
        spread_db=even(rng, 4, 10),
        clump=even(rng, 0, 1.0),
    )
    return Texture((1.0, 3.5), (), grains=((grains, 1.0),), attack=0.02, release=0.02)


SMALL: tuple[Family, ...] = (
    Family("croak", frog_pulsed, 1.3),
    Family("peep", frog_peep, 0.7),
    Family("fish-grunt", _fish_grunt, 1.1, 1.2, events=4),
    Family("fish-hum", _fish_hum, 0.6, 1.2, events=2),
    Family("click-train", _clicks, 0.8, 1.0),
    Family("drumming", _drumming, 0.6, 1.0),
    Family("snapping", _shrimp, 0.3, 1.0, events=1),
)
"""Frogs, fish and others."""
