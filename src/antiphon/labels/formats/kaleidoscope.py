"""Kaleidoscope's cluster and id tables: CSV with an offset and a duration per detection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from antiphon.labels.formats.names import last_part
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import as_rows, channels, hertz, only_present, parsed, span
from antiphon.labels.formats.table import (
    csv_text,
    first_cells,
    guess_delimiter,
    key,
    number_text,
    read_delimited,
    write_text,
)

_KEYS = frozenset(
    {"indir", "folder", "infile", "offset", "duration", "top1match", "top1dist", "manualid"}
)
_HEADER = (
    *("INDIR", "FOLDER", "IN FILE", "CHANNEL", "OFFSET", "DURATION"),
    *("Fmin", "Fmax", "TOP1MATCH", "TOP1DIST", "MANUAL ID"),
)


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line has IN FILE, OFFSET and DURATION."""
    cells = first_cells(head, guess_delimiter(head, _KEYS.__contains__))
    return {"infile", "offset", "duration"} <= {key(cell) for cell in cells}


def read(
    path: Path,
    *,
    label_column: str = "MANUAL ID",
    label: str | None = None,
    frequency_unit: str = "auto",
) -> Parsed:
    """Read a cluster or id table.

    The recording is FOLDER and IN FILE. TOP1DIST is a distance (small is near) and is never taken
    as a confidence. Channels count from 0.

    Parameters
    ----------
    path
        The table.
    label_column
        Title of the column with the label: what a person entered, or "TOP1MATCH".
    label
        Label of the rows that have none.
    frequency_unit
        "Hz", "kHz" or "auto" (Hz for figures above 500, else unknown, with a stated problem).

    Raises
    ------
    FormatError
        If a column is missing or a cell is wrong; the message names row and column.
    """
    table = read_delimited(path, _KEYS.__contains__)
    if not {"infile", "offset", "duration"} <= {key(title) for title in table.header}:
        raise table.error(
            "row 1: expected titles with IN FILE, OFFSET and DURATION, "
            f"found {', '.join(table.header)[:80]!r}"
        )
    start = table.numbers(table.find("offset"), missing=())
    low, high, problems = hertz(table, table.find("fmin"), table.find("fmax"), frequency_unit)
    files = table.text(table.find("infile"))
    folders = table.text(table.find("folder"))
    names = [_path(folder, file) for folder, file in zip(folders, files, strict=True)]
    columns = {
        "recording": names,
        "start_s": start,
        "end_s": start + table.numbers(table.find("duration"), missing=()),
        "low_hz": low,
        "high_hz": high,
        "channel": channels(table, table.find("channel"), first=0),
        "label": table.text(table.find_named(label_column)),
    }
    return parsed(
        path,
        columns,
        table.rows,
        reviewed=names,
        problems=[*table.problems, *problems],
        label=label,
    )


def _path(folder: str, file: str) -> str:
    if not folder or not file:
        return file
    mark = "\\" if "\\" in folder else "/"
    return folder + file if folder.endswith(("/", "\\")) else f"{folder}{mark}{file}"


def write(
    table: pa.Table, target: Path, *, durations: Mapping[str, float] | None = None
) -> list[Path]:
    """Write all annotations to one table, the label as MANUAL ID; TOP1DIST stays empty.

    The table has no place for confidence, annotator and note.

    Parameters
    ----------
    table
        Annotations, all present.
    target
        A file that ends in ``.csv``, or a folder that gets ``cluster.csv``.
    durations
        Seconds by recording, needed for annotations of whole recordings.

    Raises
    ------
    UserError
        If a row says absent or unsure.
    """
    only_present(table, "kaleidoscope")
    if target.suffix.casefold() != ".csv":
        target = target / "cluster.csv"
    lines = []
    for row in as_rows(table):
        start, end = span(row, durations, "kaleidoscope")
        file = last_part(row["recording"])
        folder = row["recording"].removesuffix(file)
        lines.append(
            [
                "",
                folder[:-1] if len(folder) > 1 else folder,
                file,
                "" if row["channel"] is None else str(row["channel"]),
                number_text(start),
                number_text(end - start),
                number_text(row["low_hz"]),
                number_text(row["high_hz"]),
                "",
                "",
                row["label"],
            ]
        )
    return [write_text(target, csv_text(_HEADER, lines))]


FORMAT = AnnotationFormat(
    name="kaleidoscope",
    suffixes=(".csv",),
    description="Kaleidoscope's cluster and id tables",
    sniff=sniff,
    read=read,
    write=write,
    order=20,
)
