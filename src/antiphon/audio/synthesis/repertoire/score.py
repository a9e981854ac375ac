"""What is sung and when: notes as tables, rhythm as a plan, both as curves over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.audio.synthesis.calls import Curve, Samples
from antiphon.audio.synthesis.repertoire.curves import POINTS, draw_out
from antiphon.audio.synthesis.repertoire.drawing import Individual

LONGEST_S = 6.0
"""No event is longer, in s."""

_MOST_NOTES = 600
_PLACE = np.linspace(0.0, 1.0, POINTS)
# Slow cosines over a note: the ways in which a dialect bends its pitch.
_BENDS = np.stack([np.cos(np.pi * k * _PLACE) for k in range(3)])


@dataclass(frozen=True, slots=True)
class Notes:
    """The note types of a class; ``T`` types with tables of 128 points over their length.

    Parameters
    ----------
    hertz
        Pitch that the tables are relative to, Hz.
    pitch
        Octaves from ``hertz``, (T, 128).
    level
        Amplitude, (T, 128), 0 at both ends.
    seconds, gap_s
        Length of each type and the silence after it, (T,).
    breath
        Share of noise, (T, 128), or None for none.
    rough
        Depth of subharmonics or chaos, (T, 128), or None.
    mouth
        Which resonance (0, 1, ... of the body, in between allowed), (T, 128), or None.
    plastic
        Octaves by which individuals bend the pitch tables.
    """

    hertz: float
    pitch: Curve
    level: Curve
    seconds: Curve
    gap_s: Curve
    breath: Curve | None = None
    rough: Curve | None = None
    mouth: Curve | None = None
    plastic: float = 0.03


@dataclass(frozen=True, slots=True)
class Plan:
    """Notes in order of time: type, start (s), length (s), pitch (octaves), amplitude, all (S,)."""

    kind: np.ndarray
    start: Curve
    seconds: Curve
    pitch: Curve
    level: Curve

    @property
    def end_s(self) -> float:
        """End of the last note in s."""
        return float(self.start[-1] + self.seconds[-1])


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How notes follow each other.

    Parameters
    ----------
    order
        Note types in turn: the motif.
    repeats
        Least and most times the motif is given.
    each
        Least and most times in a row each of its notes is given.
    pause_s
        Silence after each motif, beside the gap of its last note.
    shuffle
        Share of notes that are drawn at random in place of the motif's.
    speed
        Tempo at the end over tempo at the start.
    drift
        Octaves that the pitch changes from first to last note.
    swell
        dB that the level changes from first to last note.
    uneven
        Spread (log) of gaps; notes themselves vary a third of that.
    off_key
        Octaves of spread of pitch from note to note.
    loud
        dB of spread of level from note to note.
    limit_s
        Longest event in s; later notes are left out.
    """

    order: tuple[int, ...] = (0,)
    repeats: tuple[int, int] = (1, 1)
    each: tuple[int, int] = (1, 1)
    pause_s: float = 0.0
    shuffle: float = 0.0
    speed: float = 1.0
    drift: float = 0.0
    swell: float = 0.0
    uneven: float = 0.06
    off_key: float = 0.008
    loud: float = 1.0
    limit_s: float = 4.0

    def plan(
        self,
        seconds: Curve,
        gap_s: Curve,
        individual: Individual,
        rng: np.random.Generator,
    ) -> Plan:
        """Lay out one event.

        Parameters
        ----------
        seconds, gap_s
            Lengths of the note types and silences after them, (T,).
        individual
            Its tempo and length.
        rng
            Draws counts and irregularities.
        """
        low, high = self.repeats
        repeats = int(rng.integers(low, high + 1))
        kind = np.tile(np.array(self.order), repeats)[:_MOST_NOTES]
        last = np.zeros(len(kind), bool)
        last[len(self.order) - 1 :: len(self.order)] = True
        if self.shuffle:
            other = rng.integers(len(seconds), size=len(kind))
            kind = np.where(rng.random(len(kind)) < self.shuffle, other, kind)
        if self.each != (1, 1):
            counts = rng.integers(self.each[0], self.each[1] + 1, len(kind))
            ends = np.cumsum(counts) - 1
            kind = np.repeat(kind, counts)
            mark = np.zeros(len(kind), bool)
            mark[ends[last]] = True
            kind, last = kind[:_MOST_NOTES], mark[:_MOST_NOTES]
        n = len(kind)
        draws = np.clip(rng.standard_normal((4, n)), -2.5, 2.5)
        place = np.linspace(0.0, 1.0, n) if n > 1 else np.zeros(1)
        pace = individual.tempo * self.speed**place
        long = seconds[kind] * individual.length * np.exp(self.uneven / 3.0 * draws[0])
        # Faster notes are shorter too, but less than the gaps between them.
        long = long / np.sqrt(pace)
        gaps = (gap_s[kind] + self.pause_s * last) * np.exp(self.uneven * draws[1]) / pace
        start = np.concatenate([[0.0], np.cumsum(long + gaps)[:-1]])
        keep = max(1, int(np.searchsorted(start + long, self.limit_s)))
        pitch = self.drift * place + self.off_key * draws[2]
        level = 10.0 ** ((self.swell * (place - 1.0) + self.loud * draws[3]) / 20.0)
        long[0] = min(long[0], self.limit_s)
        return Plan(kind[:keep], start[:keep], long[:keep], pitch[:keep], level[:keep])


@dataclass(frozen=True, slots=True)
class Voiced:
    """An event as curves over its samples.

    ``hertz`` is float64 (n,); ``level``, ``breath``, ``rough`` and ``mouth`` are float32 (n,),
    the last three None where the notes have none.
    """

    hertz: Curve
    level: Samples
    breath: Samples | None
    rough: Samples | None
    mouth: Samples | None


def voice(
    notes: Notes,
    plan: Plan,
    individual: Individual,
    sample_rate: int,
    part_s: tuple[float, float] = (0.0, LONGEST_S),
) -> Voiced:
    """Turn notes and a plan into curves; nothing loops over notes or samples.

    ``part_s`` is the part of the plan to return: its begin, and its length at most.
    """
    n = max(16, round(min(plan.end_s - part_s[0], part_s[1]) * sample_rate))
    # Short notes need a finer grid than half a millisecond.
    grid_s = min(5e-4, max(float(plan.seconds.min()) / 40.0, 1e-5))
    step = max(1, round(grid_s * sample_rate))
    time = part_s[0] + np.arange(-(-n // step) + 1) * (step / sample_rate)
    note = np.searchsorted(plan.start, time, side="right") - 1
    place = (time - plan.start[note]) / plan.seconds[note]
    sounding = place <= 1.0
    column = np.minimum(place * (POINTS - 1) + 0.5, POINTS - 1).astype(np.int64)
    kind = plan.kind[note]
    at = kind * POINTS + column
    types = len(notes.seconds)
    bends = individual.own(types * 3).reshape(types, 3) * (
        notes.plastic * np.array([0.5, 0.6, 0.4])
    )
    pitch = (notes.pitch + bends @ _BENDS).ravel()[at] + plan.pitch[note]
    hertz = (notes.hertz * individual.pitch) * np.exp2(pitch)
    loud = plan.level * np.exp(0.1 * individual.own(types, 7))[plan.kind]
    level = notes.level.ravel()[at] * loud[note] * sounding

    def other(table: Curve | None) -> Samples | None:
        if table is None:
            return None
        values = table.ravel()[at].astype(np.float32)
        return np.asarray(draw_out(values, step, n), np.float32)

    return Voiced(
        hertz=np.asarray(draw_out(hertz, step, n), np.float64),
        level=np.asarray(draw_out(level.astype(np.float32), step, n), np.float32),
        breath=other(notes.breath),
        rough=other(notes.rough),
        mouth=other(notes.mouth),
    )
