"""The folder of a benchmark: one file for each finished run, written whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.active.benchmark.plan import Group, System
from antiphon.active.benchmark.sources import SetFacts
from antiphon.active.learner.record import Run
from antiphon.errors import FileError, FormatError
from antiphon.replacing import write_whole

_PLAN, _RUNS, _FAILED, _CACHE, _LOGS = "benchmark.json", "runs", "failed", "cache", "logs"
_EXPECTED = "expected.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run with what it was run on and by.

    Parameters
    ----------
    facts
        Of the data set.
    system
        Strategy and settings.
    system_key
        Digest of them; the content of a participant's file is part of it.
    run
        The run.
    made
        Version, digest of the code, machine, date.
    """

    facts: SetFacts
    system: System
    system_key: str
    run: Run
    made: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": _FORMAT,
            "set": self.facts.to_json(),
            "system": self.system.to_json(),
            "system_key": self.system_key,
            "run": self.run.to_json(),
            "made": dict(self.made),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Result:
        """Read what :meth:`to_json` gave."""
        return cls(
            SetFacts.from_json(values["set"]),
            System.from_json(values["system"]),
            values["system_key"],
            Run.from_json(values["run"]),
            values["made"],
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be run, and why.

    Parameters
    ----------
    set_name, strategy, seed
        What it was; the last two are empty and None when the set itself could not be read.
    reason
        The error's message.
    """

    set_name: str
    strategy: str
    seed: int | None
    reason: str

    @property
    def what(self) -> str:
        """As ``coreset on HSN, seed 3``."""
        if self.seed is None:
            return self.set_name
        return f"{self.strategy} on {self.set_name}, seed {self.seed}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``Failure(**values)`` reads them."""
        return {
            "set_name": self.set_name,
            "strategy": self.strategy,
            "seed": self.seed,
            "reason": self.reason,
        }


class BenchmarkFolder:
    """A benchmark's folder.

    ``benchmark.json`` holds what was asked for, ``expected.json`` the runs it comes to,
    ``runs/SET/SYSTEM/SEED.json`` each finished one, ``failed/`` what failed last time, ``cache/``
    packed embeddings.

    Parameters
    ----------
    path
        The folder; made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def cache(self) -> Path:
        """Folder of packed embeddings."""
        return self.path / _CACHE

    @property
    def logs(self) -> Path:
        """Folder of what strategies print."""
        return self.path / _LOGS

    def exists(self) -> bool:
        """Whether a benchmark was begun here."""
        return (self.path / _PLAN).is_file()

    def check(self) -> None:
        """Raise :class:`~antiphon.errors.FileError` if no benchmark was begun here."""
        if not self.exists():
            raise FileError(
                self.path,
                "it holds no benchmark",
                "Run one: antiphon bench al --data DIR --strategy NAME --out DIR",
            )

    def groups(self) -> list[Group]:
        """Return all that was ever asked for.

        Raises
        ------
        FileError, FormatError
            If there is no benchmark, or its file is broken.
        """
        self.check()
        values = _read_json(self.path / _PLAN)
        try:
            if values["format"] != _FORMAT:
                raise FormatError(
                    self.path / _PLAN,
                    f"it has the format {values['format']}, this version reads {_FORMAT}",
                    "Use the version that wrote it, or another folder",
                )
            return [Group.from_json(group) for group in values["groups"]]
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(
                self.path / _PLAN, f"it is not a benchmark's ({type(error).__name__}: {error})"
            ) from error

    def add_groups(self, groups: Sequence[Group]) -> None:
        """Add to what was asked for.

        Raises
        ------
        FileError
            If the folder holds something else, or cannot be written.
        """
        known = self.groups() if self.exists() else []
        if not known and self.path.is_dir() and any(self.path.iterdir()):
            raise FileError(
                self.path, "it holds other files and no benchmark", "Choose a new or empty folder"
            )
        every = list(dict.fromkeys([*known, *groups]))
        if every != known or not known:
            values = {"format": _FORMAT, "groups": [group.to_json() for group in every]}
            write_whole(self.path / _PLAN, json.dumps(values, indent=1))

    def run_path(self, facts: SetFacts, system: System, seed: int) -> Path:
        """Return where a run's result is, or would be."""
        data = f"{_slug(facts.name)}-{_slug(facts.key)[:12]}"
        name = f"{_slug(system.strategy.name)}-{system.key()[:12]}"
        return self.path / _RUNS / data / name / f"{seed}.json"

    def failure_path(self, run_path: Path) -> Path:
        """Return where it is noted that a run failed."""
        return self.path / _FAILED / run_path.relative_to(self.path / _RUNS)

    def source_failure_path(self, title: str) -> Path:
        """Return where it is noted that a set could not be read."""
        return self.path / _FAILED / "sets" / f"{_slug(title)[-80:]}.json"

    def expect(self, paths: Sequence[Path]) -> None:
        """Remember that results are to be at these paths."""
        every = sorted({*self._expected(), *(str(p.relative_to(self.path)) for p in paths)})
        write_whole(self.path / _EXPECTED, json.dumps(every, indent=0))

    def missing(self) -> int:
        """Return how many expected results are not there."""
        return sum(not (self.path / name).is_file() for name in self._expected())

    def _expected(self) -> list[str]:
        try:
            found = json.loads((self.path / _EXPECTED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [str(name) for name in found]

    def clean(self) -> None:
        """Remove halves of files that a killed process left; only whoever has the lock may."""
        for part in self.path.glob("**/.*.part"):
            part.unlink(missing_ok=True)

    def results(self) -> tuple[list[Result], list[str]]:
        """Return all finished runs in a fixed order, and a note on each file that is broken."""
        found, notes = [], []
        for path in sorted((self.path / _RUNS).glob("*/*/*.json")):
            result = read_result(path)
            if result is None:
                notes.append(f"{path} is broken and was left out; running again replaces it.")
            else:
                found.append(result)
        return found, notes

    def failures(self) -> list[Failure]:
        """Return what failed when it was last tried."""
        return list(self._failures())

    def _failures(self) -> Iterator[Failure]:
        for path in sorted((self.path / _FAILED).glob("**/*.json")):
            try:
                yield Failure(**json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                continue

    def note_failure(self, path: Path, failure: Failure) -> None:
        """Keep a failure until the same succeeds."""
        write_whole(path, json.dumps(failure.to_json(), indent=1))


def read_result(path: Path) -> Result | None:
    """Return a finished run, or None if the file is missing or broken."""
    try:
        return Result.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(path, f"it cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise FormatError(path, f"it is no valid JSON: {error}") from error


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "unnamed"
