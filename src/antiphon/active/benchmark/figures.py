"""The figures of a report: systems, sets, and what was measured of each on each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from antiphon.active.benchmark.sources import SetFacts
from antiphon.errors import UserError
from antiphon.evaluation.intervals import Interval

Score = Literal["aulc", "aulc_mean", "aulc_grid", "final"]

SCORES: dict[Score, str] = {
    "aulc": "AULC",
    "aulc_mean": "AULC, mean over n",
    "aulc_grid": "AULC, equal grid",
    "final": "final mAP",
}
RANDOM = "random"


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """A strategy under settings, as the report names it.

    Parameters
    ----------
    label
        The strategy, with the settings that differ inside this benchmark.
    strategy
        Its name.
    settings
        All settings that decide results.
    """

    key: str
    label: str
    strategy: str
    settings: Mapping[str, Any]

    @property
    def schedule(self) -> str:
        """The batches, as ``25x4,50x8``."""
        return str(self.settings["schedule"])


@dataclass(frozen=True, slots=True)
class SetInfo:
    """A data set, as the report names it; ``sub_domain`` is what its score is averaged in."""

    key: str
    label: str
    sub_domain: str
    facts: SetFacts


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve: mean and standard deviation (of a sample) over the repeats, each cycle."""

    n_labelled: tuple[int, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one set.

    Parameters
    ----------
    seeds
        Of its repeats.
    scores
        Mean over the repeats with Student's interval, by the names of :data:`SCORES`.
    by_seed
        The same for each repeat, in the order of ``seeds``.
    curve
        Of mAP.
    n_labelled
        Labels spent.
    events
        Annotation cost, mean over the repeats.
    select_s, train_s
        Seconds of all selections, and of all trainings, mean over the repeats.
    select_cycle_s
        Mean seconds of one selection.
    relative_cost
        Training cost over the baseline's.
    without_positives
        Classes that mAP leaves out.
    """

    system: str
    set: str
    seeds: tuple[int, ...]
    scores: Mapping[Score, Interval]
    by_seed: Mapping[Score, tuple[float, ...]]
    curve: Curve
    n_labelled: int
    events: float
    select_s: float
    train_s: float
    select_cycle_s: float
    relative_cost: float
    without_positives: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A system over all sets.

    Parameters
    ----------
    sub_domains
        For each score and sub-domain the mean over its sets, as interval over the repeats.
    overall
        For each score the mean over the sub-domains; None if a set of any is missing.
    n_sets
        Sets with results.
    events, select_cycle_s, most_select_cycle_s, train_s, relative_cost
        Means over sets (the third: the largest).
    """

    system: str
    sub_domains: Mapping[Score, Mapping[str, Interval]]
    overall: Mapping[Score, Interval | None]
    n_sets: int
    events: float
    select_cycle_s: float
    most_select_cycle_s: float
    train_s: float
    relative_cost: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured: systems (the best first), sets, cells and standings."""

    systems: tuple[SystemInfo, ...]
    sets: tuple[SetInfo, ...]
    sub_domains: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    standings: Mapping[str, Standing]
    notes: tuple[str, ...] = ()

    def cell(self, system: SystemInfo, data: SetInfo) -> Cell | None:
        """Return a system's results on a set, or None."""
        return self.cells.get((system.key, data.key))

    def find(self, name: str) -> SystemInfo:
        """Return the system of that label, or the first one of that strategy.

        Raises
        ------
        UserError
            If there is none.
        """
        for system in self.systems:
            if name == system.label:
                return system
        for system in self.systems:
            if name == system.strategy:
                return system
        raise UserError(
            f"There are no results of {name!r}. There are: "
            f"{', '.join(s.label for s in self.systems)}."
        )

    def pairs(
        self, a: SystemInfo, b: SystemInfo, score: Score
    ) -> tuple[list[float], list[float], list[str]]:
        """Return the scores of two systems on the sets and seeds both have, and the sets."""
        left: list[float] = []
        right: list[float] = []
        groups: list[str] = []
        for data in self.sets:
            one, two = self.cell(a, data), self.cell(b, data)
            if one is None or two is None:
                continue
            others = dict(zip(two.seeds, two.by_seed[score], strict=True))
            for seed, value in zip(one.seeds, one.by_seed[score], strict=True):
                if seed in others and math.isfinite(value) and math.isfinite(others[seed]):
                    left.append(value)
                    right.append(others[seed])
                    groups.append(data.key)
        return left, right, groups


def plain(value: Any) -> Any:
    """Return figures as plain JSON values; NaN becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
