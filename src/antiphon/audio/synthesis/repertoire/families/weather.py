"""Water, wind and fire."""

from __future__ import annotations

import numpy as np

from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.families.family import Family
from antiphon.audio.synthesis.repertoire.recipe import Call, Layers, Recipe
from antiphon.audio.synthesis.repertoire.score import Rhythm
from antiphon.audio.synthesis.repertoire.shapes import band, draw_notes
from antiphon.audio.synthesis.repertoire.source import Source
from antiphon.audio.synthesis.repertoire.texture import GrainKind, Grains, Texture


def _rain(rng: np.random.Generator) -> Recipe:
    """Hiss of many drops far off, and single drops near by on leaves, roofs, water."""
    low = ratio(rng, 500.0, 5000.0)
    surface: GrainKind = pick(rng, ("click", "click", "ring", "bubble"))
    drops = Grains(
        surface,
        ratio(rng, 15.0, 600.0),
        low,
        low * ratio(rng, 1.5, 3.5),
        ratio(rng, 0.001, 0.006) if surface == "click" else ratio(rng, 0.002, 0.02),
        spread_db=even(rng, 5, 9),
    )
    hiss = band(rng, (150, 2500), (6000, 18_000), peaks=2, peak_db=9, slope_db=(-3, 2))
    return Texture(
        (2.0, 5.0),
        (hiss,),
        noise=ratio(rng, 0.1, 3.0),
        grains=((drops, 1.0),),
        swell=even(rng, 0, 0.2),
        swell_hz=0.6,
        attack=0.02,
        release=0.02,
        coloured=chance(rng, 0.5),
    )


def _surf(rng: np.random.Generator) -> Recipe:
    """Waves that swell, break and draw back."""
    dark = band(rng, (40, 250), (400, 2500), peaks=1, slope_db=(-6, -1))
    bright = band(rng, (100, 700), (3000, 14_000), peaks=1, slope_db=(-3, 1))
    foam = Grains("bubble", ratio(rng, 40, 300), ratio(rng, 700, 3000), 7000, 0.004, spread_db=7)
    return Texture(
        (2.5, 5.5),
        (dark, bright),
        noise=1.0,
        grains=((foam, ratio(rng, 0.03, 0.4)),),
        wave_hz=ratio(rng, 0.1, 0.5),
        wave=even(rng, 0.5, 0.98),
        skew=even(rng, 0.2, 0.6),
        edge=ratio(rng, 0.8, 3),
        swell=even(rng, 0.1, 0.4),
        swell_hz=2,
        attack=0.03,
        release=0.03,
    )


def _stream(rng: np.random.Generator) -> Recipe:
    """Running and poured water: bubbles over a hush."""
    low = ratio(rng, 250.0, 1800.0)
    bubbles = Grains(
        "bubble",
        ratio(rng, 30.0, 400.0),
        low,
        low * ratio(rng, 2, 6),
        ratio(rng, 0.004, 0.03),
        spread_db=7,
        clump=even(rng, 0, 0.8),
        clump_hz=ratio(rng, 1, 8),
        rise=ratio(rng, 0.03, 0.4),
    )
    return Texture(
        (1.0, 4.5),
        (band(rng, (150, 1500), (2500, 12_000), peaks=2),),
        noise=ratio(rng, 0.1, 2.0),
        grains=((bubbles, 1.0),),
        swell=even(rng, 0, 0.4),
        swell_hz=ratio(rng, 0.5, 6),
        attack=even(rng, 0.02, 0.2),
        release=even(rng, 0.02, 0.3),
    )


def _drip(rng: np.random.Generator) -> Recipe:
    """Single drops into water or on a floor, even or not."""
    low = ratio(rng, 350.0, 3500.0)
    drops = Grains(
        pick(rng, ("bubble", "bubble", "ring")),
        ratio(rng, 0.8, 9.0),
        low,
        low * ratio(rng, 1.1, 2.2),
        ratio(rng, 0.008, 0.05),
        spread_db=3,
        rise=ratio(rng, 0.05, 0.6),
    )
    return Texture((0.6, 3.0), (), grains=((drops, 1.0),), attack=0.001, release=0.001)


def _gurgle(rng: np.random.Generator) -> Recipe:
    """Large bubbles in turn: drains, bottles, boiling, stomachs."""
    low = ratio(rng, 90.0, 700.0)
    drops = Grains(
        "bubble",
        ratio(rng, 6.0, 45.0),
        low,
        low * ratio(rng, 1.3, 4),
        ratio(rng, 0.015, 0.07),
        spread_db=5,
        clump=even(rng, 0, 0.6),
        rise=ratio(rng, 0.05, 0.5),
    )
    return Texture(
        (0.6, 3.0),
        (band(rng, (100, 600), (1000, 6000), peaks=2),),
        noise=ratio(rng, 0.05, 0.6),
        grains=((drops, 1.0),),
        wave_hz=ratio(rng, 2, 9),
        wave=even(rng, 0, 0.8),
        swell=0.3,
        swell_hz=2,
    )


def _splash(rng: np.random.Generator) -> Recipe:
    bodies = (
        band(rng, (200, 1200), (4000, 15_000), peaks=1),
        band(rng, (100, 500), (1200, 5000), peaks=1),
    )
    low = ratio(rng, 300, 1500)
    drops = Grains(
        "bubble", ratio(rng, 30, 200), low, low * 5, ratio(rng, 0.006, 0.03), spread_db=7
    )
    return Texture(
        (0.25, 1.6),
        bodies,
        noise=1.0,
        grains=((drops, ratio(rng, 0.3, 1.5)),),
        attack=ratio(rng, 0.005, 0.15),
        release=even(rng, 0.6, 0.95),
        swell=0.3,
        swell_hz=10,
    )


def _wind(rng: np.random.Generator) -> Recipe:
    """Gusts: rumble at the microphone, hiss of leaves, or a howl round a corner."""
    bodies = (
        band(rng, (25, 100), (150, 900), slope_db=(-8, -2)),
        band(rng, (40, 400), (500, 6000), peaks=2, slope_db=(-5, 0)),
    )
    gust = Texture(
        (2.0, 5.0),
        bodies,
        swell=even(rng, 0.4, 1.1),
        swell_hz=ratio(rng, 0.2, 3),
        attack=0.08,
        release=0.08,
    )
    if chance(rng, 0.55):
        return gust
    hertz = ratio(rng, 180.0, 1600.0)
    notes = draw_notes(
        rng,
        hertz,
        contours=("wave", "free", "hump"),
        span=(0.2, 0.9),
        seconds=(1.5, 4.0),
        gap_s=(0.1, 0.3),
        hard=0.0,
        plastic=0.15,
    )
    howl = Call(
        notes,
        Rhythm(limit_s=5.0),
        Source("hiss", width_hz=hertz * ratio(rng, 0.02, 0.15), drift=0.1),
        (),
        hertz,
    )
    return Layers(((gust, 0.0, 0.0), (howl, 0.05, even(rng, -12, 4))))


def _leaves(rng: np.random.Generator) -> Recipe:
    """Trees and grass in the wind."""
    bodies = (
        band(rng, (300, 1500), (2500, 7000), peaks=1),
        band(rng, (600, 3000), (5000, 16_000), peaks=1),
    )
    grains = Grains(
        "click", ratio(rng, 60, 500), 1500, 6000, 0.002, spread_db=6, clump=0.8, clump_hz=2
    )
    return Texture(
        (2.0, 5.0),
        bodies,
        grains=((grains, ratio(rng, 0.05, 0.6)),),
        swell=even(rng, 0.3, 0.8),
        swell_hz=ratio(rng, 0.3, 3),
    )


def _thunder(rng: np.random.Generator) -> Recipe:
    bodies = (
        band(rng, (20, 60), (80, 400), slope_db=(-8, -3)),
        band(rng, (30, 100), (300, 4000), slope_db=(-6, -1)),
    )
    return Texture(
        (1.5, 5.0),
        bodies,
        swell=even(rng, 0.5, 1.2),
        swell_hz=ratio(rng, 1, 7),
        attack=ratio(rng, 0.005, 0.3),
        release=even(rng, 0.5, 0.9),
    )


def _fire(rng: np.random.Generator) -> Recipe:
    """Crackle in bursts over a low breath."""
    low = ratio(rng, 700.0, 4500.0)
    small = Grains(
        "click",
        ratio(rng, 8.0, 120.0),
        low,
        low * 3,
        ratio(rng, 0.0008, 0.005),
        spread_db=even(rng, 6, 11),
        clump=even(rng, 0.5, 1.6),
        clump_hz=ratio(rng, 2, 10),
    )
    large = Grains(
        "click", ratio(rng, 0.5, 6), 0.4 * low, low, ratio(rng, 0.004, 0.02), spread_db=5
    )
    return Texture(
        (1.5, 5.0),
        (band(rng, (30, 200), (300, 3000), peaks=1, slope_db=(-5, 0)),),
        noise=ratio(rng, 0.03, 1.0),
        grains=((small, 1.0), (large, ratio(rng, 0.2, 1.2))),
        swell=0.3,
        swell_hz=2,
        attack=0.02,
        release=0.02,
    )


def _frying(rng: np.random.Generator) -> Recipe:
    """Dense fizz: frying, carbonated drinks, sizzling."""
    low = ratio(rng, 1500.0, 6000.0)
    grains = Grains(
        pick(rng, ("click", "bubble")),
        ratio(rng, 150, 500),
        low,
        low * 2,
        ratio(rng, 0.0008, 0.003),
        spread_db=6,
        clump=0.4,
    )
    return Texture(
        (0.8, 4.0),
        (band(rng, (800, 3500), (7000, 17_000), peaks=1),),
        noise=ratio(rng, 0.2, 2),
        grains=((grains, 1.0),),
        attack=even(rng, 0.01, 0.2),
        release=even(rng, 0.05, 0.7),
        swell=0.15,
        swell_hz=3,
    )


WEATHER: tuple[Family, ...] = (
    Family("rain", _rain, 1.1, 1.2, events=1),
    Family("surf", _surf, 1.0, 1.3, events=1),
    Family("stream", _stream, 0.9, 1.2, events=1),
    Family("drip", _drip, 0.7, 1.2),
    Family("gurgle", _gurgle, 0.6, 1.2),
    Family("splash", _splash, 0.6, 1.3),
    Family("wind", _wind, 0.9, 1.3, events=1),
    Family("leaves", _leaves, 0.5, 1.2, events=1),
    Family("thunder", _thunder, 0.5, 1.4, events=1),
    Family("fire", _fire, 1.0, 1.2, events=1),
    Family("sizzle", _frying, 0.5, 1.1, events=1),
)
"""Water, wind and fire."""
