"""Lists of names in files: read, resolved and written batch by batch, whatever their length."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import FileError, FormatError, UserError
from antiphon.language.taxonomy.lookup import Taxonomy
from antiphon.replacing import replacing

COLUMNS = ("scientific_name", "scientificname", "name", "taxon", "species")
"""Columns that are taken for the names, the first that a table has (in any case)."""
ROWS = 65536


def read_names(path: Path, column: str | None = None) -> Iterator[pa.Array]:
    """Read names from a text file with one a line, a CSV, TSV or Parquet table.

    Parameters
    ----------
    path
        The file; ``.csv``, ``.tsv`` and ``.parquet`` are tables.
    column
        The column that holds them; by default the first of :data:`COLUMNS` that there is.

    Yields
    ------
    pyarrow.Array
        At most 65,536 names, text.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If the table has no such column.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".parquet":
            yield from _parquet(path, column)
        elif kind in (".csv", ".tsv"):
            yield from _table(path, column, "\t" if kind == ".tsv" else ",")
        else:
            with path.open(encoding="utf-8-sig") as file:
                yield from _held(line.rstrip("\r\n") for line in file)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise FileError(path, f"cannot be read ({error})") from error


def resolve_file(
    taxonomy: Taxonomy, names: Path, out: Path, *, column: str | None = None, **options: Any
) -> dict[str, int]:
    """Resolve the names of a file and write a table with one row per name.

    Parameters
    ----------
    taxonomy
        The compiled taxonomy.
    names, column
        See :func:`read_names`.
    out
        ``.csv`` (lists are joined by ``"; "``) or ``.parquet``; it appears whole or not at all.
    options
        Of :meth:`~antiphon.language.taxonomy.lookup.Taxonomy.resolve`.

    Returns
    -------
    dict
        How many names have each status.

    Raises
    ------
    UserError
        If ``out`` is neither.
    FileError
        If a file cannot be read or written.
    """
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise UserError(f"{out} has to end in .csv or .parquet.")
    counts: Counter[str] = Counter()
    writer: Any = None
    with replacing(out, "it cannot be written", "Check free space and permissions") as part:
        for given in read_names(names, column):
            found = taxonomy.resolve(given, **options)
            counts.update(found.counts())
            for batch in found.batches(ROWS):
                batch = batch.drop_columns(["row"])
                if out.suffix.lower() == ".csv":
                    batch = _flat(batch)
                writer = writer or _writer(part, out.suffix.lower(), batch.schema)
                writer.write_batch(batch)
        if writer is None:
            raise FileError(names, "holds no names")
        writer.close()
    return dict(counts)


def _writer(part: Path, kind: str, schema: pa.Schema) -> Any:
    if kind == ".csv":
        from pyarrow.csv import CSVWriter

        return CSVWriter(str(part), schema)
    from pyarrow.parquet import ParquetWriter

    return ParquetWriter(part, schema, compression="zstd")


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pc.binary_join(column, "; ") if pa.types.is_list(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _table(path: Path, column: str | None, delimiter: str) -> Iterator[pa.Array]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=delimiter)
        place = _place(next(lines, []), column, path)
        yield from _held(line[place] if place < len(line) else "" for line in lines if line)


def _parquet(path: Path, column: str | None) -> Iterator[pa.Array]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        names = file.schema_arrow.names
        wanted = names[_place(names, column, path)]
        for batch in file.iter_batches(ROWS, columns=[wanted]):
            yield batch.column(0).cast(pa.string())


def _place(header: list[str], column: str | None, path: Path) -> int:
    names = [name.strip().lower() for name in header]
    wanted = COLUMNS if column is None else (column.lower(),)
    for name in wanted:
        if name in names:
            return names.index(name)
    what = repr(column) if column else f"for names ({', '.join(COLUMNS)})"
    raise FormatError(path, f"has no column {what}; it has {', '.join(header)}", "Name it")


def _held(names: Iterator[str]) -> Iterator[pa.Array]:
    held: list[str] = []
    for name in names:
        held.append(name)
        if len(held) == ROWS:
            yield pa.array(held, pa.string())
            held = []
    if held:
        yield pa.array(held, pa.string())
