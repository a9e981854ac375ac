"""Benchmark runs that the app may show: those of the project and those named at its start.

A request names a run by an id made from where it lies; nothing that a request says becomes a path.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from antiphon.active.benchmark import folder as strategies
from antiphon.active.benchmark.compute import compute_figures
from antiphon.active.benchmark.figures import Figures
from antiphon.active.benchmark.sources import SetFacts
from antiphon.app.context import AppContext
from antiphon.app.services.stepping import Stepping, load_stepping
from antiphon.app.services.wording import without_paths
from antiphon.errors import AntiphonError, FileError, UserError
from antiphon.evaluation.benchmarks import folder as encoders
from antiphon.evaluation.benchmarks.judging import results as judged

T = TypeVar("T")

STRATEGIES, ENCODERS = "strategies", "encoders"
# How deep runs are looked for below a folder, and in how many folders at most.
_DEEP, _MANY = 3, 2000
_KEPT = 16


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """A folder of ``antiphon bench al`` (``strategies``) or ``antiphon bench encoders``.

    Parameters
    ----------
    id
        Made from where it lies.
    name
        Where it lies below the project, or below the folder that was named.
    mine
        Whether it lies in the project.
    """

    id: str
    kind: str
    name: str
    mine: bool
    path: Path


class UnknownRunError(UserError):
    """An id of which there is no run, or not any more."""


@dataclass(frozen=True, slots=True, eq=False)
class StrategyResults:
    """What some runs hold together.

    Parameters
    ----------
    results
        Finished runs of strategies, each strategy, set and seed once.
    figures
        Made of them.
    failures
        What failed when it was last tried, as sentences.
    missing
        How many results were asked for and are not there.
    notes
        What has to be known.
    """

    results: tuple[strategies.Result, ...]
    figures: Figures
    failures: tuple[str, ...]
    missing: int
    notes: tuple[str, ...]


class Benchmarks:
    """The runs of a running app; may be used from several threads."""

    def __init__(self, root: Path, named: Sequence[Path]) -> None:
        self._root = root
        self._named = tuple(named)
        self._guard = threading.Lock()
        self._locks = [threading.Lock() for _ in range(8)]
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def runs(self) -> list[BenchmarkRun]:
        """Return all runs, those of the project first, by name."""
        found: dict[Path, BenchmarkRun] = {}
        for base in (self._root / "reports", self._root / "benchmarks"):
            for path in _below(base):
                found.setdefault(path, self._run(path, base, mine=True))
        for base in self._named:
            for path in _below(base):
                found.setdefault(path, self._run(path, base, mine=False))
        return sorted(found.values(), key=lambda run: (not run.mine, run.name))

    def find(self, ids: Sequence[str], kind: str) -> list[BenchmarkRun]:
        """Return the runs of some ids, all of a kind.

        Raises
        ------
        UnknownRunError
            If there is none of an id.
        """
        known = {run.id: run for run in self.runs() if run.kind == kind}
        for one in ids:
            if one not in known:
                raise UnknownRunError("This run is not there any more; load the page again.")
        return [known[one] for one in dict.fromkeys(ids)]

    def count(self, run: BenchmarkRun) -> int:
        """Return how many results a run holds."""
        return sum(1 for _ in _files(run))

    def of_strategies(self, ids: Sequence[str]) -> StrategyResults:
        """Return what runs of strategies hold together.

        Raises
        ------
        UserError
            If nothing in them is finished, or one of them cannot be read.
        """
        runs = self.find(ids, STRATEGIES)
        versions = tuple((run.id, _version(run)) for run in runs)
        made: StrategyResults = self._once((STRATEGIES, versions), lambda: _together(runs))
        return made

    def of_encoders(self, ids: Sequence[str]) -> tuple[list[judged.Result], list[str]]:
        """Return the results of runs of encoders, each data set and encoder once, and notes."""
        runs = self.find(ids, ENCODERS)
        versions = tuple((run.id, _version(run)) for run in runs)
        return self._once((ENCODERS, versions), lambda: _encoders_together(runs))

    def stepping(self, ids: Sequence[str], facts: SetFacts) -> Stepping:
        """Return the plane of a data set's embeddings.

        Raises
        ------
        UserError
            If the data set cannot be read, or is another one by now.
        """
        runs = self.find(ids, STRATEGIES)
        sources, cache = [], None
        for run in runs:
            folder = strategies.BenchmarkFolder(run.path)
            cache = cache or (folder.cache if folder.cache.is_dir() else None)
            sources += [source for group in folder.groups() for source in group.sources]
        return self._once(
            ("stepping", facts.key),
            lambda: load_stepping(list(dict.fromkeys(sources)), facts, cache),
        )

    def once(self, ids: Sequence[str], what: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of runs of strategies as they are now, or make it.

        ``make`` must not ask for anything here in its turn.
        """
        versions = tuple((run.id, _version(run)) for run in self.find(ids, STRATEGIES))
        return self._once((what, versions), make)

    def _run(self, path: Path, base: Path, *, mine: bool) -> BenchmarkRun:
        kind = _kind(path) or STRATEGIES
        digest = hashlib.blake2b(f"{kind} {path.resolve()}".encode(), digest_size=8).hexdigest()
        return BenchmarkRun(digest, kind, path.relative_to(base.parent).as_posix(), mine, path)

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key, or make it; only one request makes it."""
        with self._locks[hash(key) % len(self._locks)]:
            with self._guard:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found: T = self._kept[key]
                    return found
            made = make()
            with self._guard:
                self._kept[key] = made
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return made


def _kind(path: Path) -> str | None:
    if (path / "benchmark.json").is_file():
        return STRATEGIES
    if next((path / "results").glob("*/*.json"), None) is not None:
        return ENCODERS
    return None


def _below(base: Path) -> Iterator[Path]:
    """Yield the folders of runs at and below a folder; links are not followed."""
    waiting = [(base, 0)]
    looked = 0
    while waiting and looked < _MANY:
        path, depth = waiting.pop(0)
        looked += 1
        try:
            if not path.is_dir():
                continue
            if _kind(path) is not None:
                yield path
                continue
            if depth < _DEEP:
                inner = [p for p in path.iterdir() if p.is_dir() and not p.is_symlink()]
                waiting += [(p, depth + 1) for p in sorted(inner)]
        except OSError:
            # A folder that may not be read holds nothing to show.
            continue


def _files(run: BenchmarkRun) -> Iterator[Path]:
    if run.kind == STRATEGIES:
        return (run.path / "runs").glob("*/*/*.json")
    return (run.path / "results").glob("*/*.json")


def _version(run: BenchmarkRun) -> tuple[int, int]:
    """Return something that changes whenever a result is added or made anew."""
    times = [path.stat().st_mtime_ns for path in _files(run) if path.is_file()]
    return len(times), max(times, default=0)


def _together(runs: Sequence[BenchmarkRun]) -> StrategyResults:
    results: dict[tuple[str, str, int], strategies.Result] = {}
    failures, notes, missing = [], [], 0
    for run in runs:
        folder = strategies.BenchmarkFolder(run.path)
        try:
            found, broken = folder.results()
            sources = [one.title for group in folder.groups() for one in group.sources]
            missing += folder.missing()
        except FileError as error:
            # Its path is the server's own.
            raise UserError(f"The run {run.name} cannot be read: {error.problem}.") from error
        if broken:
            notes.append(_broken(run, len(broken)))
        for result in found:
            key = (result.system_key, result.facts.key, result.run.seed)
            results.setdefault(key, result)
        failures += [
            without_paths(f"{failure.what}: {failure.reason}", [run.path, *sources])
            for failure in folder.failures()
        ]
    every = tuple(results.values())
    if not every:
        raise UserError("Nothing is finished in this run yet.")
    figures = compute_figures(every)
    return StrategyResults(every, figures, tuple(failures), missing, (*figures.notes, *notes))


def _encoders_together(runs: Sequence[BenchmarkRun]) -> tuple[list[judged.Result], list[str]]:
    results: dict[tuple[str, str, str], judged.Result] = {}
    notes = []
    for run in runs:
        folder = encoders.ResultFolder(run.path)
        try:
            found, broken = folder.results()
        except AntiphonError:
            raise UnknownRunError("This run is not there any more; load the page again.") from None
        if broken:
            notes.append(_broken(run, len(broken)))
        for result in found:
            results.setdefault((result.name, result.family, result.encoder.label), result)
        notes += [
            without_paths(f"{failure.what}: {failure.reason}", [run.path])
            for failure in folder.failures()
        ]
    return list(results.values()), notes


def _broken(run: BenchmarkRun, count: int) -> str:
    files = "1 result is" if count == 1 else f"{count} results are"
    return f"{run.name}: {files} broken and left out; running the same again replaces them."


def benchmarks_of(context: AppContext) -> Benchmarks:
    """Return the benchmarks of a running app, the same ones every time."""
    return context.service(
        Benchmarks, lambda: Benchmarks(context.folder.root, context.settings.benchmarks)
    )
