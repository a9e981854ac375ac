"""From what a command line asks for to plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.active.benchmark.plan import Group, plan, plan_from_config
from antiphon.active.benchmark.sources import (
    FolderSource,
    PresetSource,
    SetSource,
    StrategySource,
)
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.errors import FileError

SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as given; names are those of the command's options."""

    data: tuple[Path, ...] = ()
    presets: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    sampling: tuple[Path, ...] = ()
    method: str = "custom"
    config: Path | None = None
    repeats: int = 5
    budget: int = 500
    schedule: str | None = None
    warmup: str | None = None
    model: str | None = None
    by_deployment: bool = False
    compat: bool = False
    exact: bool = False
    seed: int = 0
    time_limit_s: float | None = 600.0

    def anything(self) -> bool:
        """Whether sets or strategies were asked for at all."""
        return bool(
            self.data or self.presets or self.strategies or self.sampling or self.config is not None
        )


def groups_of(asked: Asked) -> list[Group]:
    """Return the plans.

    Raises
    ------
    UserError
        If a name or number is wrong, or sets or strategies are missing.
    FileError, FormatError
        If a folder or file is missing or broken.
    """
    sources = sources_of(asked)
    files = [StrategySource.file(path, asked.method) for path in asked.sampling]
    named = [StrategySource.named(name) for name in asked.strategies]
    if asked.warmup is not None:
        StrategySource.named(asked.warmup)
    suggested = asked.schedule == SUGGESTED
    schedule = None
    if asked.schedule is not None and not suggested:
        schedule = Schedule.parse(asked.schedule)
    if asked.config is not None:
        return plan_from_config(
            asked.config,
            sources=sources,
            strategies=[*named, *files] if named else [],
            custom=files,
            budget=asked.budget,
            schedule=schedule,
            compat=asked.compat,
            exact=asked.exact,
            warmup=asked.warmup,
            time_limit_s=asked.time_limit_s,
            repeats=asked.repeats,
            seed=asked.seed,
        )
    config = LoopConfig(
        budget=asked.budget,
        schedule=schedule or Schedule(),
        warmup=asked.warmup,
        exact=asked.exact,
        compat=asked.compat,
        time_limit_s=asked.time_limit_s,
    )
    return [
        plan(
            sources,
            [*named, *files],
            config=config,
            repeats=asked.repeats,
            seed=asked.seed,
            suggested=suggested,
        )
    ]


def sources_of(asked: Asked) -> Sequence[SetSource]:
    """Return the sets under the folders, and the simulated ones.

    A folder of sets is looked through now; a set that cannot be read is found out when it is.

    Raises
    ------
    FileError
        If a folder is missing or holds no set.
    """
    from antiphon.active.baseal.folders import find_subsets

    sources: list[SetSource] = []
    for folder in asked.data:
        if not folder.is_dir():
            raise FileError(folder, "there is no such folder")
        sources += [
            FolderSource(str(path.resolve()), asked.model, asked.compat, asked.by_deployment)
            for path in find_subsets(folder)
        ]
    return [*sources, *(PresetSource.parse(text) for text in asked.presets)]
