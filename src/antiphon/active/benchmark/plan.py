"""What a benchmark is to run: sets x strategies x repeats, under given settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.active.benchmark.sources import (
    SetSource,
    StrategySource,
    digest,
    source_from_json,
)
from antiphon.active.learner.config import LoopConfig, Schedule
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
    from dataclasses import replace

    from antiphon.active.schedules import SUGGESTED

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


def plan_from_config(
    path: Path,
    *,
    sources: Sequence[SetSource] = (),
    strategies: Sequence[StrategySource] = (),
    custom: Sequence[StrategySource] = (),
    budget: int = 500,
    schedule: Schedule | None = None,
    compat: bool = False,
    exact: bool = False,
    warmup: str | None = None,
    time_limit_s: float | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> list[Group]:
    """Return the experiments of BaseAL's ``config.yml`` as plans.

    Parameters
    ----------
    sources, strategies
        In place of those that the experiments name; theirs when empty.
    custom
        What the strategy ``custom`` stands for.
    schedule, warmup
        In place of the experiments' batches and warm-up, unless None.

    Raises
    ------
    UserError
        If an experiment is ``custom`` and no file is given.
    FileError, FormatError
        If the file cannot be used; see :func:`~antiphon.active.baseal.config.read_config`.
    """
    from dataclasses import replace

    from antiphon.active.baseal.config import read_config
    from antiphon.active.benchmark.sources import ConfigSource

    groups = []
    for index, experiment in enumerate(read_config(path)):
        config = replace(
            experiment.loop_config(budget=budget, compat=compat),
            exact=exact,
            time_limit_s=time_limit_s,
        )
        if schedule is not None:
            config = replace(config, schedule=schedule)
        if warmup is not None:
            config = replace(config, warmup=warmup)
        mine = list(strategies)
        if not mine:
            name = experiment.strategy()
            mine = list(custom) if name is None else [StrategySource.named(name)]
        if not mine:
            raise UserError(
                f"{path}: experiment {index + 1} has the strategy 'custom'. Give its file with "
                "--sampling FILE."
            )
        own = [ConfigSource(str(path.resolve()), index, compat)]
        groups.append(plan(sources or own, mine, config=config, repeats=repeats, seed=seed))
    return list(dict.fromkeys(groups))
