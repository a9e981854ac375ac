"""Draws of numbers, and the individual that renders a class in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
Float64 = npt.NDArray[np.float64]

# Numbers that shape an individual's dialect; notes and resonances take theirs in turn.
_DIALECT = 96


def even(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw evenly between two bounds."""
    return float(rng.uniform(low, high))


def ratio(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw log-evenly between two positive bounds: each factor is equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def jitter(rng: np.random.Generator, spread: float) -> float:
    """Draw a factor around 1, log-normal and held within two deviations."""
    return float(np.exp(spread * min(max(rng.standard_normal(), -2.0), 2.0)))


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """Draw one of several."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: np.random.Generator, share: float) -> bool:
    """Return True in a share of the draws."""
    return bool(rng.random() < share)


@dataclass(frozen=True, slots=True)
class Individual:
    """How one source differs from its class: one bird, one dog, one kettle.

    Parameters
    ----------
    pitch, tempo, length, tract
        Factors on frequencies, on rates, on durations and on resonances.
    timbre
        From -1 (dull, clean) to 1 (bright, breathy).
    dialect
        Standard normal numbers, float64 (96,): small changes to contours, levels and resonances.
    """

    pitch: float = 1.0
    tempo: float = 1.0
    length: float = 1.0
    tract: float = 1.0
    timbre: float = 0.0
    dialect: Float64 = field(default_factory=lambda: np.zeros(_DIALECT))

    @classmethod
    def draw(cls, rng: np.random.Generator, spread: float = 1.0) -> Individual:
        """Draw an individual; ``spread`` scales how much individuals of the class differ."""
        return cls(
            pitch=jitter(rng, 0.07 * spread),
            tempo=jitter(rng, 0.09 * spread),
            length=jitter(rng, 0.13 * spread),
            tract=jitter(rng, 0.06 * spread),
            timbre=even(rng, -1.0, 1.0),
            dialect=spread * np.clip(rng.standard_normal(_DIALECT), -2.5, 2.5),
        )

    def own(self, count: int, offset: int = 0) -> Float64:
        """Return ``count`` numbers of the dialect from ``offset`` on, around and around."""
        return self.dialect[(offset + np.arange(count)) % len(self.dialect)]
