"""Reading of CSV, compressed CSV and Parquet as they are, without guesses that lose a value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from antiphon.errors import FormatError

_SUFFIXES = (".csv", ".csv.gz", ".parquet")


def stem_of(path: Path) -> str:
    """Return a file's name without ``.csv``, ``.csv.gz`` or ``.parquet``."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def separated_by_commas(columns: Sequence[str]) -> str:
    """Return advice where a heading that came out as one column is separated otherwise."""
    if len(columns) != 1:
        return ""
    found = [name for mark, name in ((";", "semicolons"), ("\t", "tabs")) if mark in columns[0]]
    return f"It seems to be separated by {found[0]}; save it with commas" if found else ""


def read_table(path: Path, text: Sequence[str] = (), *, all_text: bool = False) -> pa.Table:
    """Read a table.

    Parameters
    ----------
    path
        ``.csv``, ``.csv.gz`` or ``.parquet``.
    text
        Columns that are text even where they look like numbers; the others are float64 where
        all their values are numbers, else all columns of the file are text.
    all_text
        Read every column of a CSV file as text, and turn those of a Parquet file into it.

    Raises
    ------
    FormatError
        If the file is missing, of another kind or broken.
    """
    from pyarrow import parquet

    if not path.is_file():
        raise FormatError(path, "there is no such file")
    if not path.name.lower().endswith(_SUFFIXES):
        raise FormatError(path, f"it is none of {', '.join(_SUFFIXES)}")
    try:
        if path.suffix.lower() == ".parquet":
            table = parquet.read_table(path)
            # Only the text columns are cast, so that a float16 score stays a number.
            wanted = set(table.column_names) if all_text else set(text)
            columns = [
                table.column(i).cast(pa.string()) if name in wanted else table.column(i)
                for i, name in enumerate(table.column_names)
            ]
            return pa.Table.from_arrays(columns, names=table.column_names)
        return _read_csv(path, set(text), all_text)
    except UnicodeDecodeError:
        raise FormatError(
            path, "it cannot be read: its heading is not text in UTF-8", "Save it as UTF-8"
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise FormatError(path, f"it cannot be read: {str(error).splitlines()[0]}") from None


def _read_csv(path: Path, text: set[str], all_text: bool) -> pa.Table:
    from pyarrow import csv

    # The header is read apart, as types can only be given by column name.
    with pa.input_stream(path) as stream:
        first = csv.open_csv(stream).schema.names
    as_text = {name: pa.string() for name in first}
    if not all_text:
        numeric = {name: pa.string() if name in text else pa.float64() for name in first}
        try:
            return _parse(path, numeric)
        except pa.ArrowInvalid:
            # Some value is not a number; as text, the caller can say which.
            pass
    return _parse(path, as_text)


def _parse(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    from pyarrow import csv

    options = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    return csv.read_csv(path, convert_options=options)
