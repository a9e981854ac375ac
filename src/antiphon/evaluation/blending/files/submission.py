"""Score files in the form of a submission: ``row_id`` and a column for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.align import align
from antiphon.evaluation.blending.files.rows import counted, first_few, row_id, split_row_id
from antiphon.evaluation.blending.files.tables import read_table, separated_by_commas, stem_of
from antiphon.evaluation.blending.files.truth import Truth, read_truth
from antiphon.replacing import replacing

__all__ = ["ScoreFile", "Truth", "align", "read_scores", "read_truth", "write_scores"]

Float64 = npt.NDArray[np.float64]

_ROW = "row_id"


@dataclass(frozen=True, slots=True, eq=False)
class ScoreFile:
    """The scores of one model as its file has them.

    Parameters
    ----------
    path
        The file.
    rows
        Window names in the order of the file, in the form of
        :func:`antiphon.evaluation.blending.files.rows.row_id`.
    classes
        Class names in the order of the file.
    score
        ``(n, C)``, finite.
    name
        Name of the model.
    """

    path: Path
    rows: tuple[str, ...]
    classes: tuple[str, ...]
    score: Float64
    name: str


def read_scores(path: Path | str, *, name: str | None = None) -> ScoreFile:
    """Read a score file: ``.csv``, ``.csv.gz`` or ``.parquet``.

    Parameters
    ----------
    path
        File with a column ``row_id`` (``<file stem>_<end second>``) and one numeric column for
        each class. Scores may be on any scale.
    name
        Name of the model; None takes the file name.

    Raises
    ------
    FormatError
        If it cannot be read, has no ``row_id``, no class or no row, if rows or classes are
        doubled, a row name has another form, or a score is missing, not a number, or infinite:
        the first few are named, with how many there are.
    """
    path = Path(path)
    table = read_table(path, text=(_ROW,))
    doubled = [column for column, k in Counter(table.column_names).items() if k > 1]
    if doubled:
        raise FormatError(path, f"{counted(len(doubled), 'columns')} doubled: {first_few(doubled)}")
    if _ROW not in table.column_names:
        raise FormatError(
            path,
            f"there is no column {_ROW}, only {first_few(table.column_names)}",
            separated_by_commas(table.column_names)
            or "A score file has row_id (<file stem>_<end second>) and a column for each class",
        )
    classes = tuple(column for column in table.column_names if column != _ROW)
    if not classes:
        raise FormatError(path, "there is no class column")
    rows = _row_names(path, table.column(_ROW).to_pylist())
    score = _numbers(path, table, rows, classes)
    return ScoreFile(path, rows, classes, score, name or stem_of(path))


def write_scores(
    path: Path | str, rows: Sequence[str], classes: Sequence[str], score: npt.ArrayLike
) -> None:
    """Write a score matrix in the form of a submission.

    Parameters
    ----------
    path
        ``.csv``, ``.csv.gz`` or ``.parquet``, in a folder that is made if needed; replaced at once
        when all is written.
    rows, classes
        Window names and class names.
    score
        ``(n, C)``; float64 is written so that it reads back the same.

    Raises
    ------
    UserError
        If the shape does not fit or a score is not finite.
    FileError
        If it cannot be written.
    """
    from pyarrow import csv, parquet

    path = Path(path)
    values = np.asarray(score, dtype=np.float64)
    if values.shape != (len(rows), len(classes)):
        raise UserError(
            f"Scores to write must be {(len(rows), len(classes))}, but are {values.shape}."
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UserError(f"The score of row {rows[row]}, class {classes[column]} is not finite.")
    columns = [pa.array(list(rows), pa.string())]
    columns += [pa.array(np.ascontiguousarray(values[:, c])) for c in range(len(classes))]
    table = pa.Table.from_arrays(columns, names=[_ROW, *classes])
    with replacing(path, "it cannot be written", "Check free space and permissions") as part:
        if path.suffix == ".parquet":
            parquet.write_table(table, part)
        else:
            codec = "gzip" if path.suffix == ".gz" else None
            with pa.output_stream(part, compression=codec) as stream:
                csv.write_csv(table, stream)


def _row_names(path: Path, given: list[str | None]) -> tuple[str, ...]:
    if not given:
        raise FormatError(path, "there is no row")
    split = [None if text is None else split_row_id(text) for text in given]
    odd = [f"{given[i]!r} (row {i + 1})" for i, parts in enumerate(split) if parts is None]
    if odd:
        raise FormatError(
            path,
            f"{counted(len(odd), 'values')} of {_ROW} in another form: {first_few(odd)}",
            "A row is named <file stem>_<end second>",
        )
    rows = tuple(row_id(*parts) for parts in split if parts is not None)
    doubled = [row for row, k in Counter(rows).items() if k > 1]
    if doubled:
        raise FormatError(path, f"{counted(len(doubled), 'rows')} doubled: {first_few(doubled)}")
    return rows


def _numbers(
    path: Path, table: pa.Table, rows: tuple[str, ...], classes: tuple[str, ...]
) -> Float64:
    score = np.empty((len(classes), len(rows)))
    for c, name in enumerate(classes):
        score[c] = _column(table.column(name))
    odd = np.argwhere(~np.isfinite(score.T))
    if len(odd):
        named = [
            f"row {rows[r]}, class {classes[c]}: {_as_written(table.column(classes[c])[int(r)])}"
            for r, c in odd[:3]
        ]
        more = len(odd) - len(named)
        raise FormatError(
            path,
            f"{counted(len(odd), 'scores')} not finite, or no number: {'; '.join(named)}"
            + (f"; and {more} more" if more else ""),
            "Scores are never filled in: write the file again with all of them",
        )
    return np.ascontiguousarray(score.T)


def _as_written(value: pa.Scalar) -> str:
    """Return a value as its file has it, as far as that is known."""
    given = value.as_py()
    return "nothing, or NaN" if given is None or given == "" else repr(given)


def _column(column: pa.ChunkedArray) -> Float64:
    """Return a column as float64, NaN for what is not a number."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.array([_number(value) for value in column.to_pylist()])


def _number(value: object) -> float:
    """Return the number that a text is, NaN for anything else."""
    try:
        return float(value) if isinstance(value, str) else float("nan")
    except ValueError:
        return float("nan")
