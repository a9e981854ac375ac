"""Run a benchmark: what is missing of it, beside each other, each run kept as it ends."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from antiphon._version import __version__
from antiphon.active.benchmark.folder import BenchmarkFolder, Failure, read_result
from antiphon.active.benchmark.plan import Group, System
from antiphon.active.benchmark.sources import SetFacts, SetSource
from antiphon.active.benchmark.workers import Task, Workers
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import AntiphonError, UserError

# Room for training and judging beside the time that a selection may take.
_SILENCE_FACTOR, _SILENCE_S = 2.0, 600.0


@dataclass(slots=True)
class BenchmarkReport:
    """How a benchmark went.

    Parameters
    ----------
    done, kept
        Runs finished now, and those that were there already.
    failed
        What could not be run, in the order of failing.
    other_code
        Runs kept that another version of the code made.
    interrupted
        Whether the user stopped it; what was finished is kept.
    """

    done: int = 0
    kept: int = 0
    failed: list[Failure] = field(default_factory=list)
    other_code: int = 0
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    source: SetSource
    facts: SetFacts
    system: System
    seed: int
    path: Path


def run_benchmark(
    groups: Sequence[Group],
    folder: BenchmarkFolder,
    *,
    jobs: int | None = None,
    redo: bool = False,
    reporter: Reporter | None = None,
) -> BenchmarkReport:
    """Do all runs of the plans that are not in the folder yet.

    A run is one file, found by the content of its set, strategy, settings and seed. What fails is
    noted and the rest goes on; it is tried again the next time.

    Parameters
    ----------
    groups
        Plans; they are added to what the folder holds.
    jobs
        Processes; one for each core when None. Seconds of selection are best measured with 1.
    redo
        Whether runs that are there are done again.

    Raises
    ------
    FileError
        If the folder cannot be used or written.
    UserError
        If another process is at work in the folder.
    """
    reporter = reporter or Silent()
    folder.add_groups(groups)
    report = BenchmarkReport()
    limits = [s.config.time_limit_s for group in groups for s in group.systems]
    known = [limit for limit in limits if limit is not None]
    silence = _SILENCE_FACTOR * max(known) + _SILENCE_S if len(known) == len(limits) else None
    lock = FileLock(folder.path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{folder.path}: another process runs a benchmark here.") from None
    try:
        folder.clean()
        with Workers(jobs or os.cpu_count() or 1, folder.logs, silence_s=silence) as workers:
            facts = _read_sets(groups, folder, workers, report, reporter)
            missing = _missing(groups, facts, folder, report, redo=redo)
            if missing:
                _run(missing, folder, workers, report, reporter)
    except KeyboardInterrupt:
        report.interrupted = True
    finally:
        reporter.finish()
        lock.release()
    return report


def _read_sets(
    groups: Sequence[Group],
    folder: BenchmarkFolder,
    workers: Workers,
    report: BenchmarkReport,
    reporter: Reporter,
) -> dict[SetSource, list[SetFacts]]:
    """Return the facts of the sets of each source that can be read."""
    sources = list(dict.fromkeys(source for group in groups for source in group.sources))
    facts: dict[SetSource, list[SetFacts]] = {}
    by_task: dict[Task, SetSource] = {}
    for source in sources:
        known = source.facts()
        if known is not None:
            facts[source] = known
            continue
        values = source.to_json()
        message = {"task": "facts", "source": values, "cache": str(folder.cache)}
        by_task[Task(message, json.dumps(values))] = source
    reporter.start("Reading sets", len(by_task), "sets")

    def heard(task: Task, event: dict[str, Any]) -> None:
        source = by_task[task]
        where = folder.source_failure_path(source.title)
        reporter.advance(1)
        if event["event"] == "failed":
            failure = Failure(source.title, "", None, event["reason"])
            folder.note_failure(where, failure)
            report.failed.append(failure)
            reporter.note(f"{failure.what}: {failure.reason}")
            return
        where.unlink(missing_ok=True)
        facts[source] = [SetFacts.from_json(one) for one in event["facts"]]

    workers.do(list(by_task), heard)
    reporter.finish()
    return facts


def _missing(
    groups: Sequence[Group],
    facts: dict[SetSource, list[SetFacts]],
    folder: BenchmarkFolder,
    report: BenchmarkReport,
    *,
    redo: bool,
) -> list[_Job]:
    """Return the runs to do: first repeats first, so that an early report has a bit of all."""
    jobs: dict[Path, _Job] = {}
    for group in groups:
        for source in group.sources:
            for one in facts.get(source, []):
                for system in group.systems:
                    for seed in group.seeds:
                        path = folder.run_path(one, system, seed)
                        jobs.setdefault(path, _Job(source, one, system, seed, path))
    folder.expect(list(jobs))
    missing = []
    for job in jobs.values():
        there = None if redo else read_result(job.path)
        if there is None:
            missing.append(job)
            continue
        report.kept += 1
        report.other_code += there.made.get("code") != code_digest()
    return sorted(missing, key=lambda job: job.seed)


def _run(
    missing: Sequence[_Job],
    folder: BenchmarkFolder,
    workers: Workers,
    report: BenchmarkReport,
    reporter: Reporter,
) -> None:
    made = provenance()
    tasks: dict[Task, _Job] = {}
    for job in missing:
        source = job.source.to_json()
        message = {
            "task": "run",
            "source": source,
            "set_key": job.facts.key,
            "system": job.system.to_json(),
            "system_key": job.system.key(),
            "seed": job.seed,
            "path": str(job.path),
            "cache": str(folder.cache),
            "made": made,
        }
        tasks[Task(message, json.dumps(source))] = job
    reporter.start("Runs", len(tasks), "runs")
    share: dict[Task, float] = {}

    def heard(task: Task, event: dict[str, Any]) -> None:
        job = tasks[task]
        if event["event"] == "cycle":
            end = min(job.system.config.budget, job.facts.n_pool)
            now = event["n_labelled"] / max(1, end)
            reporter.advance(now - share.get(task, 0.0))
            share[task] = now
            return
        reporter.advance(1.0 - share.get(task, 0.0))
        where = folder.failure_path(job.path)
        if event["event"] == "done":
            report.done += 1
            where.unlink(missing_ok=True)
            return
        failure = Failure(job.facts.name, job.system.strategy.name, job.seed, event["reason"])
        folder.note_failure(where, failure)
        report.failed.append(failure)
        reporter.note(f"{failure.what}: {failure.reason}")

    workers.do(list(tasks), heard)


def provenance() -> dict[str, Any]:
    """Return what made a result: version, digest of the code, machine, date."""
    packages = {}
    for name in ("numpy", "scipy"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "version": __version__,
        "code": code_digest(),
        "packages": packages,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def code_digest() -> str:
    """Return a digest of the code that decides results: all of ``antiphon.active``."""
    import antiphon.active

    root = Path(antiphon.active.__file__).parent
    skip = root / "benchmark"
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*.py")):
        if skip in path.parents:
            continue
        try:
            found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
        except OSError as error:
            raise AntiphonError(f"{path}: it cannot be read: {error.strerror}") from error
    return found.hexdigest()
