"""Recipes: what a class keeps, and how one of its individuals sounds once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from antiphon.audio.synthesis.calls import Samples
from antiphon.audio.synthesis.repertoire.body import Body, resonate
from antiphon.audio.synthesis.repertoire.drawing import Individual, jitter
from antiphon.audio.synthesis.repertoire.score import LONGEST_S, Notes, Rhythm, voice
from antiphon.audio.synthesis.repertoire.source import Source


class Recipe(Protocol):
    """Parameters of a class of sounds."""

    @property
    def main_hz(self) -> float:
        """Frequency in Hz that must lie below half the sample rate for the sound to be heard."""
        ...

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event, float32 (n,) of free scale and about ``limit_s`` at most.

        ``rng`` draws what differs each time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """Notes in a rhythm, from a source, through resonances.

    Parameters
    ----------
    notes, rhythm, source
        What is given, when, and what sounds.
    bodies
        Resonances; several if the notes move their mouth between them, none for a bare source.
    main_hz
        See :class:`Recipe`.
    """

    notes: Notes
    rhythm: Rhythm
    source: Source
    bodies: tuple[Body, ...]
    main_hz: float

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event; see :class:`Recipe`."""
        plan = self.rhythm.plan(self.notes.seconds, self.notes.gap_s, individual, rng)
        # Of what is longer a part is heard, from anywhere.
        begin_s = rng.random() * max(0.0, plan.end_s - limit_s)
        voiced = voice(self.notes, plan, individual, sample_rate, (begin_s, limit_s))
        x = self.source.sound(voiced, individual, sample_rate, rng)
        if not self.bodies:
            return x
        return resonate(x, self.bodies, voiced.mouth, individual, sample_rate)


@dataclass(frozen=True, slots=True)
class Layers:
    """Several recipes at once or one after the other, by the same individual.

    Parameters
    ----------
    parts
        ``(recipe, start in s, level in dB)``; starts and levels vary a little each time.
    chain
        Starts count from the end of the part before.
    loose
        Spread of the starts (log).
    """

    parts: tuple[tuple[Recipe, float, float], ...]
    chain: bool = False
    loose: float = 0.1

    @property
    def main_hz(self) -> float:
        """Of the lowest part."""
        return min(recipe.main_hz for recipe, _, _ in self.parts)

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event; see :class:`Recipe`."""
        placed: list[tuple[int, Samples]] = []
        end = 0
        for recipe, start_s, level_db in self.parts:
            sound = recipe.render(individual, sample_rate, rng, limit_s)
            high = float(np.max(np.abs(sound), initial=0.0))
            if high < 1e-9:
                continue
            level = np.float32(10.0 ** ((level_db + rng.normal(0.0, 1.0)) / 20.0) / high)
            at = round(start_s * jitter(rng, self.loose) * sample_rate)
            at = max(0, at + (end if self.chain else 0))
            placed.append((at, sound * level))
            end = at + len(sound)
        out = np.zeros(max([16, *(a + len(s) for a, s in placed)]), np.float32)
        for at, sound in placed:
            out[at : at + len(sound)] += sound
        return out[: round(limit_s * sample_rate)]


@dataclass(frozen=True, slots=True)
class Many:
    """A chorus: several individuals of one recipe, each at its own time and distance.

    Parameters
    ----------
    recipe
        What each of them gives.
    voices
        Least and most of them.
    spread
        How much they differ, as for :meth:`Individual.draw`.
    seconds
        Time within which they start.
    depth_db
        Spread of their levels.
    """

    recipe: Recipe
    voices: tuple[int, int]
    spread: float
    seconds: float
    depth_db: float

    @property
    def main_hz(self) -> float:
        """Of the recipe."""
        return self.recipe.main_hz

    def render(
        self,
        individual: Individual,
        sample_rate: int,
        rng: np.random.Generator,
        limit_s: float = LONGEST_S,
    ) -> Samples:
        """Return one event; see :class:`Recipe`."""
        n = round(min(self.seconds * individual.length, limit_s) * sample_rate)
        out = np.zeros(n, np.float32)
        # Few are rendered, and each is heard several times: a crowd at the price of three.
        total = int(rng.integers(self.voices[0], self.voices[1] + 1))
        kinds = min(3, total)
        for k in range(kinds):
            other = Individual.draw(rng, self.spread)
            other = Individual(
                pitch=individual.pitch * other.pitch,
                tempo=individual.tempo * other.tempo,
                length=individual.length * other.length,
                tract=individual.tract * other.tract,
                timbre=0.5 * (individual.timbre + other.timbre),
                dialect=0.7 * (individual.dialect + other.dialect),
            )
            sound = self.recipe.render(other, sample_rate, rng, limit_s)[:n]
            sound = sound / max(float(np.max(np.abs(sound))), 1e-9)
            for _ in range(-(-(total - k) // kinds)):
                at = int(rng.integers(-len(sound) // 2, max(1, n - len(sound) // 2)))
                level = np.float32(10.0 ** (-abs(rng.normal(0.0, self.depth_db)) / 20.0))
                first, last = max(at, 0), min(at + len(sound), n)
                out[first:last] += level * sound[first - at : last - at]
        return out
