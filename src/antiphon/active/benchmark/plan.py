"""What a benchmark is to run: sets x strategies x repeats, under given settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.sources import SetSource, digest, source_from_json
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.schedules import SUGGESTED
from antiphon.errors import UserError


@dataclass(frozen=True, slots=True)
class System:
    """A strategy under settings: what is compared."""

    strategy: StrategySource
    config: LoopConfig

    def key(self) -> str:
        """Return a digest of all that decides its choices.

        Schedules that come to the same batches are the same; the time limit is not part of it.
        """
        settings = plain_config(self.config)
        return digest([self.strategy.identity(), settings])

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"strategy": self.strategy.to_json(), "config": self.config.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> System:
        """Read what :meth:`to_json` gave."""
        return cls(StrategySource(**values["strategy"]), LoopConfig.from_json(values["config"]))


@dataclass(frozen=True, slots=True)
class Group:
    """Every one of some systems on every one of some sets, from each of some seeds."""

    sources: tuple[SetSource, ...]
    systems: tuple[System, ...]
    seeds: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "sources": [source.to_json() for source in self.sources],
            "systems": [system.to_json() for system in self.systems],
            "seeds": list(self.seeds),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Group:
        """Read what :meth:`to_json` gave."""
        return cls(
            tuple(source_from_json(source) for source in values["sources"]),
            tuple(System.from_json(system) for system in values["systems"]),
            tuple(int(seed) for seed in values["seeds"]),
        )


def plain_config(config: LoopConfig) -> dict[str, Any]:
    """Return the settings that decide results, with the schedule as the batches it comes to."""
    settings = config.to_json()
    settings.pop("time_limit_s", None)
    settings["schedule"] = batches_text(config)
    return settings


def batches_text(config: LoopConfig) -> str:
    """Return the batches that spend the budget, as ``25x4,50x8``."""
    return str(Schedule(config.schedule.batches(config.budget)))


def plan(
    sources: Sequence[SetSource],
    strategies: Sequence[StrategySource],
    *,
    config: LoopConfig | None = None,
    repeats: int = 5,
    seed: int = 0,
    suggested: bool = False,
) -> Group:
    """Return a plan of sets x strategies x repeats under one setting.

    Parameters
    ----------
    repeats
        Runs of each, from the seeds ``seed``, ``seed + 1``, ...; more can be added later.
    suggested
        Whether each strategy has the batches it was published with
        (:data:`~antiphon.active.schedules.SUGGESTED`), where there are any.

    Raises
    ------
    UserError
        If there is nothing to run.
    """
    if not sources:
        raise UserError("There is no data set. Give --data DIR or --preset NAME.")
    if not strategies:
        raise UserError("There is no strategy. Give --strategy NAME or --sampling FILE.")
    if repeats < 1 or seed < 0:
        raise UserError(f"repeats ({repeats}) must be 1 or more, and the seed ({seed}) 0 or more.")
    config = config or LoopConfig()
    systems = []
    for strategy in dict.fromkeys(strategies):
        mine = config
        if suggested and not strategy.path and strategy.name in SUGGESTED:
            mine = replace(config, schedule=Schedule.parse(SUGGESTED[strategy.name]))
        systems.append(System(strategy, mine))
    return Group(tuple(dict.fromkeys(sources)), tuple(systems), tuple(range(seed, seed + repeats)))
