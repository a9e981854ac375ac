"""Tab-separated tables of any size, plain, gzipped or in a ZIP archive, read in batches of text."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import FileError, FormatError
from antiphon.language.taxonomy.checklists.records import BATCH_BYTES
from antiphon.language.taxonomy.rejections import Rejections


@contextmanager
def opened(path: Path, member: str = "") -> Iterator[IO[bytes]]:
    """Open a file, or a member of a ZIP archive or folder, decompressed.

    Raises
    ------
    FileError
        If it is not there or cannot be read.
    """
    with ExitStack() as stack:
        try:
            if member and path.is_dir():
                stream: Any = stack.enter_context((path / member).open("rb"))
            elif member:
                archive = stack.enter_context(zipfile.ZipFile(path))
                stream = stack.enter_context(archive.open(member))
            elif path.suffix == ".gz":
                stream = stack.enter_context(gzip.open(path))
            else:
                stream = stack.enter_context(path.open("rb"))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FileError(path, f"cannot be read: {member} {error}") from error
        yield stream


def members(path: Path) -> list[str]:
    """Return the names of the files in a ZIP archive or folder.

    Raises
    ------
    FormatError
        If it is no ZIP archive.
    """
    if path.is_dir():
        return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise FormatError(path, f"is not a ZIP archive that can be read ({error})") from error


def first_line(stream: IO[bytes], path: Path) -> list[str]:
    """Read the first line of a tab-separated table, the prefixes of its names taken off.

    ``dwc:taxonID`` is ``taxonID``.

    Raises
    ------
    FormatError
        If it is not UTF-8.
    """
    try:
        text = stream.readline().decode("utf-8-sig").rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read as UTF-8 text ({error})") from error
    return [name.strip().rpartition(":")[2] for name in text.split("\t")]


def read_columns(
    stream: IO[bytes],
    columns: Sequence[str],
    wanted: Sequence[str],
    rejections: Rejections,
    path: Path,
    null: str = "",
) -> Iterator[pa.RecordBatch]:
    """Read columns of a tab-separated table in batches of some 8 MB; empty values become nulls.

    Parameters
    ----------
    stream
        Open binary stream that stands behind the line of column names, if there is one.
    columns
        The names of the table's columns.
    wanted
        Those to read, in the order that they are to have; a null column for one that is missing.
    rejections
        Gets the lines with too many or too few values.
    path
        Of the file, for errors.
    null
        What stands for no value, besides nothing.

    Raises
    ------
    FormatError
        If it cannot be read as such a table.
    """
    from pyarrow import csv

    def bad(row: Any) -> str:
        reason = f"the line has {row.actual_columns} values, not {row.expected_columns}"
        rejections.add(reason, [None], [(row.text or "")[:120]])
        return "skip"

    read = [name for name in wanted if name in columns]
    try:
        reader = csv.open_csv(
            stream,
            read_options=csv.ReadOptions(
                column_names=list(columns), block_size=BATCH_BYTES, use_threads=False
            ),
            parse_options=csv.ParseOptions(
                delimiter="\t", quote_char=False, invalid_row_handler=bad
            ),
            convert_options=csv.ConvertOptions(
                include_columns=read,
                column_types=dict.fromkeys(read, pa.string()),
                null_values=sorted({"", null}),
                strings_can_be_null=True,
            ),
        )
        with reader:
            for batch in reader:
                yield _ordered(batch, wanted)
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        raise FormatError(path, f"cannot be read as a table of UTF-8 text ({error})") from error


def _ordered(batch: pa.RecordBatch, wanted: Sequence[str]) -> pa.RecordBatch:
    nothing = pa.nulls(batch.num_rows, pa.string())
    have = set(batch.schema.names)
    columns = [
        pc.utf8_trim_whitespace(batch.column(name)) if name in have else nothing for name in wanted
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(wanted))
