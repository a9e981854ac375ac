"""Bouts: stretches of time in which one individual calls from one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from antiphon.audio.synthesis.model import Activity


class Caller(Protocol):
    """What a kind of animal must state for its bouts to be drawn; see :class:`Species`."""

    @property
    def bout_s(self) -> float:
        """Mean length of a bout, s."""
        ...

    @property
    def gap_s(self) -> float:
        """Mean silence between its calls, s."""
        ...

    @property
    def activity(self) -> Activity:
        """Hours of the day."""
        ...

    @property
    def answer(self) -> float:
        """Probability that a second individual joins."""
        ...

    @property
    def near_m(self) -> float:
        """Least distance, m."""
        ...

    @property
    def far_m(self) -> float:
        """Greatest distance, m."""
        ...


S = TypeVar("S", bound=Caller)


@dataclass(frozen=True, slots=True)
class Bout(Generic[S]):
    """One individual calling from one place for a while.

    Parameters
    ----------
    species
        What it is.
    individual
        Its number.
    start_s, end_s
        Calls begin between these times; the last may end later.
    distance_m
        From the recorder.
    scatter_db
        Energy of the scattered sound relative to the direct sound.
    ongoing
        It was under way before the recording began.
    """

    species: S
    individual: int
    start_s: float
    end_s: float
    distance_m: float
    scatter_db: float
    ongoing: bool


def draw_bouts(
    species: S,
    rate_per_s: float,
    duration_s: float,
    hour: float,
    individuals: Sequence[int],
    rng: np.random.Generator,
) -> list[Bout[S]]:
    """Draw the bouts that are under way at the start and those that begin later.

    Bouts start at random and last an exponential time, so one that is under way has the same
    time left to go, whenever it began.

    Parameters
    ----------
    species
        Whose.
    rate_per_s
        Bouts begun per second at full activity.
    duration_s
        Of the recording.
    hour
        At its start, 0 to 24.
    individuals
        Numbers of those that live there.
    rng
        Draws everything; each bout has a generator of its own.
    """
    starts = [0.0] * int(rng.poisson(rate_per_s * species.bout_s))
    ongoing = len(starts)
    starts += rng.uniform(0.0, duration_s, rng.poisson(rate_per_s * duration_s)).tolist()
    bouts: list[Bout[S]] = []
    for number, start in enumerate(starts):
        own = rng.spawn(1)[0]
        if own.random() > species.activity.at((hour + start / 3600.0) % 24.0):
            continue
        bouts += one_bout(species, start, individuals, own, ongoing=number < ongoing)
    return bouts


def one_bout(
    species: S,
    start_s: float,
    individuals: Sequence[int],
    rng: np.random.Generator,
    *,
    ongoing: bool = False,
) -> list[Bout[S]]:
    """Draw a bout that begins at a time, and with it that of an individual that answers."""
    end = start_s + min(float(rng.exponential(species.bout_s)), 4.0 * species.bout_s)
    callers = rng.permutation(np.array(individuals))
    bouts = []
    for caller in callers[: 2 if rng.random() < species.answer else 1]:
        # Uniform over the area around the recorder, within the bounds of the species.
        near, far = species.near_m**2, species.far_m**2
        bouts.append(
            Bout(
                species=species,
                individual=int(caller),
                start_s=start_s,
                end_s=end,
                distance_m=round(float(np.sqrt(rng.uniform(near, far))), 1),
                scatter_db=float(rng.uniform(-16.0, -8.0)),
                ongoing=ongoing,
            )
        )
        start_s += float(rng.uniform(0.2, 1.0)) * species.gap_s
    return bouts
