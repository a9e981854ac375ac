"""Results files and packages for the challenge, from a benchmark's runs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from antiphon.active.baseal.export import NOTEBOOK, REQUIREMENTS, export_sampling
from antiphon.active.baseal.package import Package, write_package
from antiphon.active.baseal.submission import Header, write_submission
from antiphon.active.benchmark.compute import compute_figures
from antiphon.active.benchmark.figures import SystemInfo
from antiphon.active.benchmark.folder import Result
from antiphon.active.benchmark.plan import System
from antiphon.errors import UserError

DEFAULT_MODEL = "perch_v2"


def write_packages(
    results: Sequence[Result],
    folder: Path,
    *,
    lastname: str,
    institute: str,
    model: str | None = None,
    strategies: Sequence[str] = (),
) -> list[Package]:
    """Write a results file for each set, ``sampling.py`` and the zip of each system.

    Each system has a folder of its own under ``folder``; systems are numbered in the order of
    their AULC, and the number is part of the zip's name.

    Parameters
    ----------
    lastname, institute
        Of the corresponding author.
    model
        Which vectors; as the sets say, else ``perch_v2``, when None.
    strategies
        Only systems of these names; all when empty.

    Raises
    ------
    UserError
        If there is nothing to pack, or a strategy cannot be exported.
    FileError
        If a file cannot be written.
    """
    figures = compute_figures(results)
    wanted = [s for s in figures.systems if not strategies or s.strategy in strategies]
    if not wanted:
        raise UserError(f"There are no results of {', '.join(strategies)} to pack.")
    labels = {data.key: data.label for data in figures.sets}
    packages = []
    for index, info in enumerate(wanted, start=1):
        mine = [r for r in results if r.system_key == info.key]
        place = folder / _folder_name(info)
        by_set: dict[str, list[Result]] = defaultdict(list)
        for result in mine:
            by_set[result.facts.key].append(result)
        files = []
        for key, found in by_set.items():
            # Two ways to write one schedule are one system; the file speaks of one setting.
            first = found[0]
            runs = [replace(r.run, config=first.run.config) for r in found]
            header = Header(
                lastname=lastname,
                institute=institute,
                model=model or first.facts.model or DEFAULT_MODEL,
                dataset=labels[key],
                method=info.strategy,
            )
            compat = first.system.config.compat
            files.append(
                write_submission(
                    sorted(runs, key=lambda run: run.seed),
                    place,
                    header,
                    compat=compat,
                )
            )
        sampling, requirements, notebook = _code(mine[0].system, place)
        packages.append(
            write_package(
                folder,
                files,
                sampling,
                lastname=lastname,
                institute=institute,
                requirements=requirements,
                notebook=notebook,
                index=index,
            )
        )
    return packages


def _code(system: System, place: Path) -> tuple[Path, Path | None, Path | None]:
    """Return ``sampling.py``, and requirements and notebook where there are any."""
    config = system.config
    if not system.strategy.path:
        sampling, *rest = export_sampling(
            system.strategy.name,
            place,
            warm_up=config.warmup,
            schedule=config.schedule,
            budget=config.budget,
        )
        named = {path.name: path for path in rest}
        return sampling, named.get(REQUIREMENTS), named.get(NOTEBOOK)
    path = Path(system.strategy.path)
    beside = [path.parent / REQUIREMENTS, path.parent / NOTEBOOK]
    requirements, notebook = (p if p.is_file() else None for p in beside)
    return path, requirements, notebook


def _folder_name(info: SystemInfo) -> str:
    return re.sub(r"[^\w.-]+", "-", info.label).strip("-.")
