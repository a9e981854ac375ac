"""The file that is handed in: rows and classes of a sample, written whole or not at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import FormatError
from antiphon.evaluation.blending.files.rows import counted, first_few, split_row_id
from antiphon.evaluation.blending.files.submission import write_scores
from antiphon.evaluation.blending.files.tables import read_table, separated_by_commas

Float64 = npt.NDArray[np.float64]

ROW = "row_id"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample submission asks for; its scores say nothing.

    Parameters
    ----------
    path
        The file.
    rows, classes
        Names in the order of the file. All are text, also those that look like numbers.
    """

    path: Path
    rows: tuple[str, ...]
    classes: tuple[str, ...]


def read_sample(path: Path | str) -> Sample:
    """Read the rows and classes of a sample submission.

    Raises
    ------
    FormatError
        It cannot be read, has no ``row_id`` or no class, or names a row or class twice or a row
        in another form than ``<file stem>_<end second>``.
    """
    path = Path(path)
    header, rows, _ = _read(path)
    for what, names in (("columns", header), ("rows", rows)):
        doubled = _doubled(names)
        if doubled:
            raise FormatError(path, f"{counted(len(doubled), what)} doubled: {first_few(doubled)}")
    classes = tuple(name for name in header if name != ROW)
    if not classes:
        raise FormatError(path, "there is no class column", "Give the challenge's sample file")
    odd = [repr(name) for name in rows if split_row_id(name) is None]
    if odd:
        raise FormatError(
            path,
            f"{counted(len(odd), 'rows')} not named <file stem>_<end second>: {first_few(odd)}",
        )
    return Sample(path, rows, classes)


def write_submission(
    path: Path, rows: Sequence[str], classes: Sequence[str], score: npt.ArrayLike
) -> None:
    """Write scores so that the file is at every moment the last whole one or the new one.

    The new file is on the disk before it takes the place of the old one, so that a power cut
    leaves one of them.

    Parameters
    ----------
    path
        ``.csv``, ``.csv.gz`` or ``.parquet``.
    rows, classes
        Names, in the order wanted.
    score
        ``(n, C)``, finite.

    Raises
    ------
    FileError
        It cannot be written; the cause is the operating system's error.
    UserError
        The shape does not fit or a score is not finite.
    """
    suffix = ".csv.gz" if path.name.endswith(".csv.gz") else path.suffix
    new = path.with_name(f".{path.name}.new{suffix}")
    try:
        write_scores(new, rows, classes, score)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what a killed process left of a submission that it was writing."""
    for left in path.parent.glob(f".*{path.name}.new*"):
        left.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Check:
    """What a submission looks like beside its sample.

    Parameters
    ----------
    rows, classes
        How many it has.
    faults
        What would make it invalid, a sentence each; none for a good one.
    notes
        What is allowed but may not be meant.
    """

    rows: int
    classes: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing makes it invalid."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "good": self.good,
            "rows": self.rows,
            "classes": self.classes,
            "faults": list(self.faults),
            "notes": list(self.notes),
        }


def check_submission(path: Path | str, sample: Path | str | Sample) -> Check:
    """Hold a submission against a sample: rows, classes, their order, and every number.

    Missing, further and doubled rows and classes, another order of classes, and scores that are
    no number, NaN, infinite or outside 0 to 1 are faults. Another order of rows is a note, as rows
    are found by name.

    Parameters
    ----------
    path
        ``.csv``, ``.csv.gz`` or ``.parquet``.
    sample
        The challenge's sample file.

    Raises
    ------
    FormatError
        One of the files cannot be read or has no ``row_id``.
    """
    path = Path(path)
    wanted = sample if isinstance(sample, Sample) else read_sample(sample)
    header, rows, columns = _read(path)
    classes = tuple(name for name in header if name != ROW)
    faults = [*_names("rows", rows, wanted.rows), *_names("classes", classes, wanted.classes)]
    notes = []
    if not faults and classes != wanted.classes:
        first = next(i for i, c in enumerate(classes) if c != wanted.classes[i])
        faults.append(
            f"The classes are in another order than in the sample: column {first + 2} is "
            f"{classes[first]}, the sample has {wanted.classes[first]}."
        )
    if not faults and rows != wanted.rows:
        notes.append("The rows are in another order than in the sample.")
    score = [_numbers(column) for column in columns]
    faults += _values(rows, classes, score, columns)
    constant = [n for n, v in zip(classes, score, strict=True) if len(v) > 1 and np.ptp(v) == 0]
    if constant and not faults:
        notes.append(
            f"{counted(len(constant), 'classes')} with one score in all rows: "
            f"{first_few(constant)}."
        )
    return Check(len(rows), len(classes), tuple(faults), tuple(notes))


def _read(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], list[pa.ChunkedArray]]:
    """Return the header, the values of ``row_id``, and the columns of the classes as text."""
    table = read_table(path, all_text=True)
    header = tuple(table.column_names)
    if ROW not in header:
        raise FormatError(
            path,
            f"there is no column {ROW}, only {first_few(header)}",
            separated_by_commas(header) or "A submission has row_id and a column for each class",
        )
    rows = tuple((t or "").strip() for t in table.column(header.index(ROW)).to_pylist())
    return header, rows, [table.column(i) for i, name in enumerate(header) if name != ROW]


def _doubled(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _names(what: str, given: Sequence[str], wanted: Sequence[str]) -> list[str]:
    here, there = set(given), set(wanted)
    found = {
        "doubled": _doubled(given),
        "missing": [name for name in wanted if name not in here],
        "not in the sample": [name for name in dict.fromkeys(given) if name not in there],
    }
    return [
        f"{counted(len(names), what).capitalize()} {fault}: {first_few(names)}."
        for fault, names in found.items()
        if names
    ]


def _numbers(column: pa.ChunkedArray) -> Float64:
    """Return the numbers of a column of text, NaN for what is none."""
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    except pa.ArrowInvalid:
        return np.array([_number(value) for value in column.to_pylist()])


def _number(value: str | None) -> float:
    try:
        return float(value) if value is not None else float("nan")
    except ValueError:
        return float("nan")


def _values(
    rows: Sequence[str],
    classes: Sequence[str],
    score: Sequence[Float64],
    written: Sequence[pa.ChunkedArray],
) -> list[str]:
    odd: list[str] = []
    outside: list[str] = []
    for name, numbers, texts in zip(classes, score, written, strict=True):
        bad = ~np.isfinite(numbers)
        wrong = ~bad & ((numbers < 0) | (numbers > 1))
        for where, into in ((bad, odd), (wrong, outside)):
            for i in np.flatnonzero(where):
                text = texts[int(i)].as_py()
                into.append(f"row {rows[int(i)]}, class {name} ({text if text else 'nothing'})")
    faults = []
    if odd:
        faults.append(f"{counted(len(odd), 'scores')} not a finite number: {first_few(odd)}.")
    if outside:
        faults.append(f"{counted(len(outside), 'scores')} outside 0 to 1: {first_few(outside)}.")
    return faults
