"""Rows of a table file as plain values: Parquet, Arrow, JSONL, CSV. Text stays what it is.

"None", "NaN" and "NA" in a CSV file are these words, never a missing value; an empty cell is an
empty text. Of Parquet and Arrow only the columns that are asked for are read, so that audio in a
column of the same file costs nothing.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from antiphon.errors import FileError, FormatError

SUFFIXES = (".parquet", ".arrow", ".jsonl", ".ndjson", ".csv", ".tsv")
"""Endings of the files that can be read."""

_BATCH = 4096

Row = dict[str, Any]


def read_rows(path: Path, columns: Collection[str]) -> Iterator[tuple[str, Row]]:
    """Yield where each row stands, and its values in those of ``columns`` that it has.

    Parameters
    ----------
    path
        A file that ends in one of :data:`SUFFIXES`.
    columns
        Names; others are left out.

    Yields
    ------
    tuple
        Such as ``("line 3", {...})`` or ``("row 3", {...})``, counted from 1.

    Raises
    ------
    FileError
        If there is no such file, or it cannot be opened.
    FormatError
        If a line or the file does not follow its format; the message names the line.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(path, "this kind of table is not known", f"Use {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise FileError(path, "there is no such file", "Check the path")
    wanted = set(columns)
    if suffix in (".parquet", ".arrow"):
        yield from _arrow_rows(path, wanted)
    elif suffix in (".csv", ".tsv"):
        yield from _csv_rows(path, wanted, "\t" if suffix == ".tsv" else ",")
    else:
        yield from _json_rows(path, wanted)


def missing(value: object) -> bool:
    """Return whether a value is no value: null, or a float NaN (never the text "NaN")."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: object) -> str | None:
    """Return a value as text, None where it is missing or empty."""
    if missing(value):
        return None
    return str(value).strip() or None


def tables_in(folder: Path) -> list[Path]:
    """Return all table files below a folder, sorted by their paths; hidden ones are left out."""
    return sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in SUFFIXES and p.is_file() and not _hidden(p.relative_to(folder))
    )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _arrow_rows(path: Path, wanted: set[str]) -> Iterator[tuple[str, Row]]:
    import pyarrow as pa

    try:
        number = 0
        for batch in _batches(path, wanted):
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(path, f"cannot be read ({reason})", "Copy the file again") from error


def _batches(path: Path, wanted: set[str]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix.lower() == ".parquet":
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in wanted]
            yield from file.iter_batches(_BATCH, columns=names)
        return
    with pa.memory_map(str(path)) as source:
        try:
            reader: Any = pa.ipc.open_stream(source)
            batches: Iterator[Any] = iter(reader)
        except pa.ArrowInvalid:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
        names = [name for name in reader.schema.names if name in wanted]
        for batch in batches:
            yield batch.select(names)


def _json_rows(path: Path, wanted: set[str]) -> Iterator[tuple[str, Row]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (json.JSONDecodeError, RecursionError) as error:
                    raise FormatError(
                        path, f"line {number} is not JSON ({error})", "One JSON object a line"
                    ) from None
                if not isinstance(row, dict):
                    raise FormatError(
                        path, f"line {number} is no JSON object", "One JSON object a line"
                    )
                yield f"line {number}", {k: v for k, v in row.items() if k in wanted}
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"cannot be read ({error})", "Save it as UTF-8 text") from error


def _csv_rows(path: Path, wanted: set[str], delimiter: str) -> Iterator[tuple[str, Row]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, delimiter=delimiter)
            names = [name.strip() for name in next(reader, [])]
            doubled = sorted({n for n in names if n and names.count(n) > 1})
            if doubled:
                raise FormatError(path, f"has two columns {doubled[0]!r}", "Rename one of them")
            for cells in reader:
                if not any(cells):
                    continue
                if len(cells) != len(names):
                    raise FormatError(
                        path,
                        f"line {reader.line_num} has {len(cells)} cells where the header has "
                        f"{len(names)}",
                        "Check its commas and quotes",
                    )
                row = dict(zip(names, cells, strict=True))
                yield f"line {reader.line_num}", {k: v for k, v in row.items() if k in wanted}
    except csv.Error as error:
        raise FormatError(path, f"is no table ({error})", "Check its commas and quotes") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"cannot be read ({error})", "Save it as UTF-8 text") from error
