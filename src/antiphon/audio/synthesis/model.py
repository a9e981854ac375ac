"""What a synthetic species is: call types, voices of individuals, hours of activity."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from antiphon.audio.synthesis.calls import Samples, trimmed

Group = Literal["bird", "frog", "insect", "bat", "whale"]
Recipe = Callable[["Voice", int, np.random.Generator], Samples]


@dataclass(frozen=True, slots=True)
class Voice:
    """How one individual differs from its species; every call adds a jitter of its own.

    Parameters
    ----------
    pitch, tempo, length
        Factors on frequencies, on rates (pulses, notes) and on durations.
    timbre
        From -1 (dull) to 1 (bright).
    """

    pitch: float = 1.0
    tempo: float = 1.0
    length: float = 1.0
    timbre: float = 0.0


@dataclass(frozen=True, slots=True)
class CallType:
    """One kind of call of a species.

    Parameters
    ----------
    name
        Such as ``song``.
    share
        Relative frequency among the calls of the species.
    recipe
        Renders a call from a voice, a sample rate and a generator; the scale is free.
    """

    name: str
    share: float
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Activity:
    """Hours of the day at which a species calls.

    Parameters
    ----------
    peaks
        ``(hour, width_h, height)`` of Gaussian bumps on the 24-hour circle.
    """

    peaks: tuple[tuple[float, float, float], ...]

    def at(self, hour: float) -> float:
        """Return the activity at an hour of the day (0 to 24), 0 to 1."""
        total = 0.0
        for centre, width, height in self.peaks:
            away = abs((hour - centre + 12.0) % 24.0 - 12.0)
            total += height * float(np.exp(-0.5 * (away / width) ** 2))
        return min(total, 1.0)


@dataclass(frozen=True, slots=True)
class Species:
    """A species that does not exist, with all that a scene needs to know of it.

    Parameters
    ----------
    name, scientific_name, code
        Made up, like names; the code is the label-safe short form.
    group
        bird, frog, insect, bat or whale.
    call_types
        At least two.
    low_hz, high_hz
        Band that holds all its calls, voices and jitter included.
    level_db
        Peak level at 1 m, dB re 20 uPa (re 1 uPa under water).
    bouts_per_hour
        Bouts of calling begun per hour at full activity at a site where it is common.
    bout_s, gap_s
        Mean length of a bout and mean silence between its calls.
    answer
        Probability that a second individual joins a bout and calls in the gaps and over them.
    near_m, far_m
        Distances at which it calls.
    activity
        Hours of the day.
    habitats
        Abundance by habitat, 1 where it is at home; absent where not named.
    min_sample_rate
        Lowest sample rate, Hz, at which its calls can be recorded.
    pitch_spread, tempo_spread
        Standard deviation, in natural logarithm, between individuals.
    """

    name: str
    scientific_name: str
    code: str
    group: Group
    call_types: tuple[CallType, ...]
    low_hz: float
    high_hz: float
    level_db: float
    bouts_per_hour: float
    bout_s: float
    gap_s: float
    activity: Activity
    habitats: Mapping[str, float] = field(hash=False)
    answer: float = 0.2
    near_m: float = 5.0
    far_m: float = 120.0
    min_sample_rate: int = 24_000
    pitch_spread: float = 0.04
    tempo_spread: float = 0.08

    @property
    def key(self) -> int:
        """A number that stands for the species in seeds; it follows the code alone."""
        return zlib.crc32(self.code.encode())

    def call_type(self, name: str) -> CallType:
        """Return a call type by name.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        for kind in self.call_types:
            if kind.name == name:
                return kind
        known = ", ".join(kind.name for kind in self.call_types)
        raise KeyError(f"{self.name} has no call type {name!r}; it has: {known}")

    def voice(self, individual: int) -> Voice:
        """Return the voice of an individual, the same in every scene and data set."""
        rng = np.random.default_rng(np.random.SeedSequence([self.key, individual]))
        draws = np.clip(rng.standard_normal(4), -2.0, 2.0)
        return Voice(
            pitch=float(np.exp(self.pitch_spread * draws[0])),
            tempo=float(np.exp(self.tempo_spread * draws[1])),
            length=float(np.exp(0.12 * draws[2])),
            timbre=float(0.5 * draws[3]),
        )

    def render(
        self, call_type: str, individual: int, sample_rate: int, rng: np.random.Generator
    ) -> Samples:
        """Return one call as it sounds close by, peak 1, cut to its exact length.

        Raises
        ------
        KeyError
            There is no such call type.
        """
        kind = self.call_type(call_type)
        return trimmed(kind.recipe(self.voice(individual), sample_rate, rng))
