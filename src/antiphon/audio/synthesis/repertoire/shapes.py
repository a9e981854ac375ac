"""Drawing the notes of a class: contours of pitch and level, resonances, rhythms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from antiphon.audio.synthesis.calls import Curve
from antiphon.audio.synthesis.repertoire.body import Body
from antiphon.audio.synthesis.repertoire.curves import POINTS, arch, table
from antiphon.audio.synthesis.repertoire.drawing import chance, even, pick, ratio
from antiphon.audio.synthesis.repertoire.score import Notes

CONTOURS = ("flat", "up", "down", "hump", "dip", "hook", "wave", "step", "free")


def pitch_table(rng: np.random.Generator, kind: str, span: float) -> Curve:
    """Return a pitch contour in octaves whose extent is about ``span``, centred near 0.

    Parameters
    ----------
    rng
        Draws the bends.
    kind
        One of :data:`CONTOURS`.
    span
        Octaves from lowest to highest.
    """
    half = span / 2
    mid = even(rng, 0.25, 0.75)
    if kind == "flat":
        small = min(0.06, half)
        out = table((0, even(rng, -small, small)), (mid, 0.0), (1, even(rng, -small, small)))
    elif kind in ("up", "down"):
        bend = np.linspace(0.0, 1.0, POINTS) ** ratio(rng, 0.35, 2.8)
        out = half * (2 * bend - 1) * (1 if kind == "up" else -1)
    elif kind == "hump":
        out = table((0, -half), (mid, half), (1, even(rng, -half, 0.4 * half)))
    elif kind == "dip":
        out = table((0, half), (mid, -half), (1, even(rng, -0.4 * half, half)))
    elif kind == "hook":
        sign = 1 if chance(rng, 0.5) else -1
        out = sign * table((0, half * even(rng, 0.1, 1)), (even(rng, 0.1, 0.35), -half), (1, half))
    elif kind == "wave":
        turns = even(rng, 1.0, 3.5)
        fade = np.linspace(even(rng, 0.3, 1), even(rng, 0.3, 1), POINTS)
        place = np.linspace(0.0, 1.0, POINTS)
        out = half * fade * np.sin(2 * np.pi * (turns * place + rng.random()))
        out = out + even(rng, -0.5, 0.5) * half * (2 * place - 1)
    elif kind == "step":
        count = int(rng.integers(2, 4))
        steps = np.sort(rng.uniform(0.15, 0.85, count))
        levels = rng.uniform(-half, half, count + 1)
        points: list[tuple[float, float]] = [(0.0, levels[0])]
        for at, before, after in zip(steps, levels, levels[1:], strict=False):
            points += [(at - 0.02, before), (at + 0.02, after)]
        out = table(*points, (1.0, levels[-1]))
    else:
        count = int(rng.integers(3, 7))
        places = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 0.9, count - 2)), [1.0]])
        out = table(*zip(places.tolist(), rng.uniform(-half, half, count).tolist(), strict=True))
    return np.asarray(out, np.float64)


def level_table(rng: np.random.Generator, *, hard: float = 0.3) -> Curve:
    """Draw the level of a note; ``hard`` is the share of sharp onsets."""
    if chance(rng, hard):
        return arch(even(rng, 0.01, 0.06), even(rng, 0.3, 0.9), sag=even(rng, 0.0, 3.0))
    if chance(rng, 0.15):
        # Two lobes.
        dent = 1.0 - even(rng, 0.4, 0.95) * np.exp(
            -(((np.linspace(0, 1, POINTS) - even(rng, 0.3, 0.7)) / even(rng, 0.03, 0.12)) ** 2)
        )
        return np.asarray(arch(0.1, 0.15) * dent)
    return arch(
        even(rng, 0.05, 0.5),
        even(rng, 0.1, 0.6),
        sag=even(rng, -1.0, 1.2),
        power=ratio(rng, 0.6, 2),
    )


def draw_notes(
    rng: np.random.Generator,
    hertz: float,
    *,
    types: int = 1,
    contours: Sequence[str] = CONTOURS,
    span: tuple[float, float] = (0.1, 0.8),
    steps: float = 0.0,
    seconds: tuple[float, float] = (0.05, 0.3),
    gap_s: tuple[float, float] = (0.03, 0.2),
    hard: float = 0.3,
    breath: tuple[float, float] | None = None,
    rough: float = 0.0,
    mouths: int = 0,
    plastic: float = 0.03,
) -> Notes:
    """Draw the note types of a class.

    Parameters
    ----------
    rng
        Draws everything.
    hertz
        Pitch around which they lie, Hz.
    types
        How many.
    contours
        Kinds to draw from.
    span
        Least and most octaves within a note, log-even.
    steps
        Octaves of spread between types.
    seconds, gap_s
        Least and most length and gap, log-even.
    hard
        Share of sharp onsets.
    breath
        Least and most noise; its course over a note is drawn too.
    rough
        Chance that a type has a rough stretch.
    mouths
        Number of bodies to move between, 0 for one.
    plastic
        Octaves that individuals bend contours by.
    """
    pitch, level, noise, harsh, mouth = [], [], [], [], []
    base_s, base_gap = ratio(rng, *seconds), ratio(rng, *gap_s)
    long, gaps = [], []
    place = np.linspace(0.0, 1.0, POINTS)
    for _ in range(types):
        offset = steps * even(rng, -1.0, 1.0)
        pitch.append(pitch_table(rng, pick(rng, contours), ratio(rng, *span)) + offset)
        level.append(level_table(rng, hard=hard) * even(rng, 0.55, 1.0))
        long.append(np.clip(base_s * ratio(rng, 0.5, 2.0), seconds[0] * 0.7, seconds[1] * 1.4))
        gaps.append(base_gap * ratio(rng, 0.6, 1.6))
        if breath is not None:
            share = even(rng, *breath)
            ends = table(
                (0, share * even(rng, 0.5, 1.6)), (0.3, share), (1, share * even(rng, 0, 2))
            )
            noise.append(np.clip(ends, 0.0, 1.0))
        if rough:
            stretch: Curve = np.zeros(POINTS, np.float64)
            if chance(rng, rough):
                centre, width = rng.random(), even(rng, 0.1, 0.5)
                inside = even(rng, 0.4, 1.0) * (np.abs(place - centre) < width)
                stretch = np.asarray(np.convolve(inside, np.ones(7) / 7, "same"), np.float64)
            harsh.append(stretch)
        if mouths > 1:
            stops = rng.uniform(0.0, mouths - 1.0, 3)
            mouth.append(table((0, stops[0]), (even(rng, 0.3, 0.7), stops[1]), (1, stops[2])))
    if types == 1:
        long, gaps = [base_s], [base_gap]
    return Notes(
        hertz=hertz,
        pitch=np.array(pitch),
        level=np.array(level),
        seconds=np.array(long, np.float64),
        gap_s=np.array(gaps, np.float64),
        breath=np.array(noise) if noise else None,
        rough=np.array(harsh) if harsh and np.any(harsh) else None,
        mouth=np.array(mouth) if mouth else None,
        plastic=plastic,
    )


def tract(
    rng: np.random.Generator,
    lowest_hz: float,
    *,
    count: int = 4,
    sharp: tuple[float, float] = (4.0, 14.0),
    floor_db: float = -22.0,
    spread: float = 0.25,
    high_hz: float = 20_000.0,
    slope_db: float = 0.0,
) -> Body:
    """Draw resonances of a tube closed at one end, its shape changed at random.

    Parameters
    ----------
    rng
        Draws the changes.
    lowest_hz
        First resonance; those of an even tube lie at its odd multiples.
    count
        Number of resonances.
    sharp
        Range of quality factors.
    floor_db
        Level between resonances.
    spread
        Octaves by which shapes shift each resonance.
    high_hz, slope_db
        As for :class:`Body`.
    """
    odd = lowest_hz * (1.0 + 2.0 * np.arange(count)) * np.exp2(spread * rng.uniform(-1, 1, count))
    q = np.array([ratio(rng, *sharp) for _ in range(count)])
    gains = rng.uniform(-9.0, 6.0, count) - 1.5 * np.arange(count)
    return Body(
        tuple(odd.tolist()),
        tuple((odd / q).tolist()),
        tuple(gains.tolist()),
        floor_db=floor_db,
        low_hz=max(20.0, 0.25 * lowest_hz),
        high_hz=high_hz,
        slope_db=slope_db,
    )


def band(
    rng: np.random.Generator,
    low: tuple[float, float],
    high: tuple[float, float],
    *,
    peaks: int = 0,
    peak_db: float = 14.0,
    slope_db: tuple[float, float] = (-3.0, 2.0),
) -> Body:
    """Draw a band of noise: soft edges, a tilt, perhaps broad peaks."""
    low_hz = ratio(rng, *low)
    high_hz = max(ratio(rng, *high), 1.3 * low_hz)
    centres = np.sort(np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), peaks)))
    return Body(
        tuple(centres.tolist()),
        tuple(float(c / ratio(rng, 1.5, 7.0)) for c in centres),
        tuple(float(g) for g in rng.uniform(3.0, peak_db, peaks)),
        floor_db=0.0,
        low_hz=low_hz,
        high_hz=high_hz,
        slope_db=even(rng, *slope_db),
    )
