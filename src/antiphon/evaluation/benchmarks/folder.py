"""The folder of a run: one file for each result, written whole, and what failed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from antiphon.errors import FileError
from antiphon.evaluation.benchmarks.judging.results import Result
from antiphon.replacing import write_whole


@dataclass(frozen=True, slots=True)
class Failure:
    """A data set, an encoder or one on the other that could not be judged.

    Parameters
    ----------
    what
        Which.
    reason
        Why, and what to do.
    """

    what: str
    reason: str


class ResultFolder:
    """The folder of a run: ``results/SET-FAMILY/ENCODER.json``, ``failed/``, ``cache/``.

    Parameters
    ----------
    path
        Made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def cache(self) -> Path:
        """Where embeddings are kept unless another place is given."""
        return self.path / "cache"

    def place(self, name: str, family: str, encoder: str) -> Path:
        """Return where a result is, or would be."""
        return self.path / "results" / f"{slug(name)}-{family}" / f"{slug(encoder)}.json"

    def read(self, path: Path) -> Result | None:
        """Return a result, or None if it is missing or broken."""
        try:
            return Result.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, result: Result) -> Path:
        """Keep a result, and forget that it failed before.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        path = self.place(result.name, result.family, result.encoder.label)
        write_whole(path, json.dumps(result.to_json(), indent=1, allow_nan=False))
        self._failed(path.parent.name, result.encoder.label).unlink(missing_ok=True)
        return path

    def results(self) -> tuple[list[Result], list[str]]:
        """Return all results in a fixed order, and a note on each file that is broken.

        Raises
        ------
        FileError
            If the folder holds no run.
        """
        if not (self.path / "results").is_dir() and not (self.path / "failed").is_dir():
            raise FileError(
                self.path,
                "it holds no run of encoders",
                "Make one: antiphon bench encoders --suite local --data DIR --encoder spectral "
                "--out RUN",
            )
        found, notes = [], []
        for path in sorted((self.path / "results").glob("*/*.json")):
            result = self.read(path)
            if result is None:
                notes.append(f"{path} is broken and was left out; running again replaces it")
            else:
                found.append(result)
        return found, notes

    def note_failure(self, group: str, encoder: str, failure: Failure) -> None:
        """Keep a failure until the same succeeds."""
        write_whole(self._failed(group, encoder), json.dumps(asdict(failure), indent=1))

    def forget_failure(self, group: str, encoder: str) -> None:
        """Forget a failure."""
        self._failed(group, encoder).unlink(missing_ok=True)

    def failures(self) -> list[Failure]:
        """Return what failed when it was last tried."""
        found = []
        for path in sorted((self.path / "failed").glob("*.json")):
            try:
                found.append(Failure(**json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError):
                continue
        return found

    def clean(self) -> None:
        """Remove halves of files that a killed process left."""
        for part in self.path.glob("**/.*.part"):
            part.unlink(missing_ok=True)

    def _failed(self, group: str, encoder: str) -> Path:
        return self.path / "failed" / f"{slug(group)}--{slug(encoder)}.json"


def slug(name: str) -> str:
    """Return a name as part of a path; different names stay different."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "unnamed"
    if plain == name and len(name) <= 60:
        return plain
    return f"{plain[:50]}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"
