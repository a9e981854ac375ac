"""From what a command line asks for to plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.active.baseal.config import read_config
from antiphon.active.baseal.folders import find_subsets
from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.plan import Group, plan
from antiphon.active.benchmark.sources import (
    ConfigSource,
    FolderSource,
    PresetSource,
    SetSource,
)
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.errors import FileError, UserError

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
        return _experiments(asked, asked.config, sources, named, files, schedule)
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
    sources: list[SetSource] = []
    for folder in asked.data:
        if not folder.is_dir():
            raise FileError(folder, "there is no such folder")
        sources += [
            FolderSource(str(path.resolve()), asked.model, asked.compat, asked.by_deployment)
            for path in find_subsets(folder)
        ]
    return [*sources, *(PresetSource.parse(text) for text in asked.presets)]


def _experiments(
    asked: Asked,
    path: Path,
    sources: Sequence[SetSource],
    named: Sequence[StrategySource],
    files: Sequence[StrategySource],
    schedule: Schedule | None,
) -> list[Group]:
    """Return the experiments of BaseAL's ``config.yml`` as plans.

    Sets, strategies, batches and warm-up that were asked for take the place of the experiments'
    own; without named strategies, files stand for the strategy ``custom``.
    """
    groups = []
    for index, experiment in enumerate(read_config(path)):
        config = replace(
            experiment.loop_config(budget=asked.budget, compat=asked.compat),
            exact=asked.exact,
            time_limit_s=asked.time_limit_s,
        )
        if schedule is not None:
            config = replace(config, schedule=schedule)
        if asked.warmup is not None:
            config = replace(config, warmup=asked.warmup)
        mine = [*named, *files] if named else []
        if not mine:
            name = experiment.strategy()
            mine = list(files) if name is None else [StrategySource.named(name)]
        if not mine:
            raise UserError(
                f"{path}: experiment {index + 1} has the strategy 'custom'. Give its file with "
                "--sampling FILE."
            )
        groups.append(
            plan(
                sources or [ConfigSource(str(path.resolve()), index, asked.compat)],
                mine,
                config=config,
                repeats=asked.repeats,
                seed=asked.seed,
                suggested=asked.schedule == SUGGESTED,
            )
        )
    return list(dict.fromkeys(groups))
