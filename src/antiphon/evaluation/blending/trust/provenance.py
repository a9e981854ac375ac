"""What each model of an ensemble was trained on, and whether these recordings can judge it.

A model that has seen the recordings it is judged on scores too high by an unknown amount, and so
does every blend it is in. It can be judged on them all the same if its scores are *out of fold*:
it is several models, and each recording was scored by one whose training left that recording out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.rows import file_stem, first_few
from antiphon.evaluation.blending.files.tables import read_table

Status = Literal["held out", "out of fold", "not evaluable", "undeclared"]

_NAMES = ("filename", "file", "recording")
_TABLES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Which of several models scored each recording, and which of them never saw it.

    Parameters
    ----------
    path
        The file it was read from.
    fold
        Fold model that scored each recording.
    excluded
        Fold models whose training left each recording out.
    """

    path: Path
    fold: Mapping[str, str]
    excluded: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a model's owner says of its training.

    Parameters
    ----------
    trained_on
        Recordings (stems of their file names); None when nothing is said.
    out_of_fold
        None when the scores are of one model.
    """

    trained_on: frozenset[str] | None = None
    out_of_fold: OutOfFold | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The finding for one model.

    Parameters
    ----------
    model
        Its name.
    status
        ``held out``: it declares its recordings and none of them judges it. ``out of fold``: it
        was trained on some, and every one was scored by a model that was not. ``not evaluable``:
        its score on these recordings says nothing. ``undeclared``: nothing is known.
    n_trained_on
        Recordings it declares; None when it declares nothing.
    overlap
        Recordings that judge it and that it was trained on, out of fold or not.
    reason
        One sentence.
    """

    model: str
    status: Status
    n_trained_on: int | None
    overlap: tuple[str, ...]
    reason: str

    @property
    def evaluable(self) -> bool:
        """Whether it may take part in blends and searches."""
        return self.status != "not evaluable"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "model": self.model,
            "status": self.status,
            "evaluable": self.evaluable,
            "n_trained_on": self.n_trained_on,
            "overlap": list(self.overlap),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class _Check:
    problems: list[str] = field(default_factory=list)

    def add(self, names: Sequence[str], what: str) -> None:
        if names:
            self.problems.append(f"{len(names)} {what}: {first_few(sorted(names))}")


def check_provenance(
    models: Sequence[str], files: Sequence[str], declared: Mapping[str, Declaration]
) -> tuple[Provenance, ...]:
    """Return the finding for each model, in the order given.

    Parameters
    ----------
    models
        Names.
    files
        Stems of the recordings with truth.
    declared
        By model; one that is not there has declared nothing.

    Raises
    ------
    UserError
        If something is declared of a model that does not exist.
    """
    unknown = sorted(set(declared) - set(models))
    if unknown:
        raise UserError(
            f"Training is declared of {first_few(unknown)}, but the models are "
            f"{', '.join(models)}. A model is named as its score file, without the suffix."
        )
    judged = set(files)
    return tuple(_one(m, judged, declared.get(m, Declaration())) for m in models)


def _one(model: str, judged: set[str], said: Declaration) -> Provenance:
    count = None if said.trained_on is None else len(said.trained_on)
    if said.out_of_fold is not None:
        return _folds(model, judged, said.trained_on, said.out_of_fold)
    if said.trained_on is None:
        return Provenance(
            model, "undeclared", None, (), "Nothing is declared of what it was trained on."
        )
    overlap = tuple(sorted(judged & said.trained_on))
    if not overlap:
        reason = f"None of the {count:,} recordings it was trained on judges it."
        return Provenance(model, "held out", count, (), reason)
    reason = (
        f"It was trained on {len(overlap)} of the {len(judged)} recordings that judge it, and no "
        f"out-of-fold map is given: {first_few(overlap)}."
    )
    return Provenance(model, "not evaluable", count, overlap, reason)


def _folds(
    model: str, judged: set[str], trained_on: frozenset[str] | None, folds: OutOfFold
) -> Provenance:
    """Check a map: each recording it was trained on was scored by a fold that left it out."""
    count = None if trained_on is None else len(trained_on)
    # Without a list of recordings, all that judge the model count as trained on.
    overlap = judged if trained_on is None else judged & trained_on
    check = _Check()
    missing = [f for f in overlap if f not in folds.fold]
    check.add(missing, "recordings that it was trained on are not in the out-of-fold map")
    seen = [f for f in overlap if f in folds.fold and folds.fold[f] not in folds.excluded[f]]
    check.add(seen, "recordings were scored by a fold model that was trained on them")
    names = set(folds.fold.values())
    of_all = overlap and trained_on is not None and not missing
    if of_all and all(names <= folds.excluded[f] for f in overlap):
        check.add(
            sorted(overlap),
            "recordings are left out by every fold, though the list says it was trained on them",
        )
    if check.problems:
        reason = (
            f"Its out-of-fold map {folds.path.name} does not hold: {'; '.join(check.problems)}."
        )
        return Provenance(model, "not evaluable", count, tuple(sorted(overlap)), reason)
    reason = (
        f"Each of the {len(overlap)} recordings was scored by one of {len(names)} fold models that "
        "was not trained on it."
    )
    return Provenance(model, "out of fold", count, tuple(sorted(overlap)), reason)


def read_trained_on(path: Path | str) -> frozenset[str]:
    """Read a list of recordings that a model was trained on.

    Parameters
    ----------
    path
        A text file with a name a line (``#`` starts a comment), or a table (``.csv``,
        ``.csv.gz``, ``.parquet``) with a column ``filename``, ``file`` or ``recording``. Folders
        and audio suffixes do not count.

    Raises
    ------
    FormatError
        If it cannot be read, has no such column, or names nothing.
    """
    path = Path(path)
    if path.name.lower().endswith(_TABLES):
        table = read_table(path, all_text=True)
        column = next((c for c in _NAMES if c in table.column_names), None)
        if column is None:
            raise FormatError(
                path,
                f"there is no column {', '.join(_NAMES[:-1])} or {_NAMES[-1]}, only "
                f"{first_few(table.column_names)}",
            )
        given = [name or "" for name in table.column(column).to_pylist()]
    else:
        given = [line.partition("#")[0] for line in _text(path).splitlines()]
    names = frozenset(stem for name in given if (stem := file_stem(name)))
    if not names:
        raise FormatError(
            path,
            "it names no recording",
            "For a model that was trained on none of the kind, write none instead of a file",
        )
    return names


def read_out_of_fold(path: Path | str) -> OutOfFold:
    """Read an out-of-fold map.

    Parameters
    ----------
    path
        A table with ``filename``, ``fold`` (of the model that scored the recording) and, if a
        recording was left out by other folds than that one, ``excluded``: the folds whose
        training left it out, joined by ``;``. Without that column each fold is taken to have left
        out the recordings it scored, as in k-fold cross-validation.

    Raises
    ------
    FormatError
        If it cannot be read, lacks a column or a value, gives a recording two folds, names a fold
        in ``excluded`` that scored nothing, or, without that column, has a single fold.
    """
    path = Path(path)
    table = read_table(path, all_text=True)
    lacking = [c for c in ("filename", "fold") if table.column_names.count(c) != 1]
    if lacking:
        raise FormatError(
            path,
            f"columns missing or doubled: {', '.join(lacking)}",
            "An out-of-fold map has filename, fold and, if needed, excluded",
        )
    names = [file_stem(name or "") for name in table.column("filename").to_pylist()]
    folds = [(fold or "").strip() for fold in table.column("fold").to_pylist()]
    empty = [
        f"row {k}" for k, pair in enumerate(zip(names, folds, strict=True), 1) if not all(pair)
    ]
    if empty or not names:
        what = first_few(empty) if empty else "it has no row"
        raise FormatError(path, f"rows without a recording or a fold: {what}")
    given = defaultdict(set)
    for name, fold in zip(names, folds, strict=True):
        given[name].add(fold)
    double = sorted(name for name, several in given.items() if len(several) > 1)
    if double:
        raise FormatError(path, f"{len(double)} recordings have two folds: {first_few(double)}")
    fold = {name: next(iter(several)) for name, several in given.items()}
    known = set(fold.values())
    if "excluded" not in table.column_names:
        if len(known) < 2:
            raise FormatError(
                path,
                f"all recordings are in one fold ({first_few(sorted(known))})",
                "Such a model would have been trained on none of them; check the column fold",
            )
        return OutOfFold(path, fold, {name: frozenset({f}) for name, f in fold.items()})
    excluded: dict[str, frozenset[str]] = {}
    for name, text in zip(names, table.column("excluded").to_pylist(), strict=True):
        parts = frozenset(p.strip() for p in (text or "").split(";")) - {""}
        if excluded.setdefault(name, parts) != parts:
            raise FormatError(path, f"two rows of {name} differ in excluded")
        odd = sorted(parts - known)
        if odd:
            raise FormatError(
                path, f"{name} is excluded from fold {odd[0]}, which scored no recording"
            )
    return OutOfFold(path, fold, excluded)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(path, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"it cannot be read: {error}") from None
