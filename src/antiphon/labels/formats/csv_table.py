"""Tables separated by comma, semicolon or TAB, with the column titles in common use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from antiphon.labels.annotation import ANNOTATION_SCHEMA
from antiphon.labels.formats.cells import join_labels, split_labels
from antiphon.labels.formats.names import recording_of
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import as_rows, channels, confidences, hertz, parsed, presences
from antiphon.labels.formats.table import (
    Float64,
    TextTable,
    csv_text,
    first_cells,
    guess_delimiter,
    key,
    number_text,
    read_delimited,
    read_text,
    split_rows,
    table_without_header,
    unit,
    write_text,
)
from antiphon.labels.formats.titles import (
    ANNOTATOR,
    CONFIDENCE,
    DURATION,
    END,
    HIGH,
    KNOWN,
    LABEL,
    LOW,
    NOTE,
    PRESENCE,
    RECORDING,
    START,
)

# monitoR writes its frequencies in kHz under these titles.
_KILOHERTZ_TITLES = {"min.frq", "max.frq"}


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line names labels and recordings or times, or is start and end."""
    delimiter = guess_delimiter(head, KNOWN.__contains__)
    cells = first_cells(head, delimiter)
    keys = {key(cell) for cell in cells}
    timed = bool(keys & set(START)) and bool(keys & {*END, *DURATION})
    named = bool(keys & set(RECORDING))
    return timed or (named and bool(keys & set(LABEL))) or _headerless(cells, delimiter)


def _headerless(cells: list[str], delimiter: str) -> bool:
    """Tell whether the first line is data: start and end, perhaps a label, and no titles."""
    if delimiter == "\t" or not 2 <= len(cells) <= 3:
        return False
    try:
        return float(cells[0]) <= float(cells[1])
    except ValueError:
        return False


def read(
    path: Path,
    *,
    recording: str | None = None,
    label: str | None = None,
    label_column: str | None = None,
    frequency_unit: str = "auto",
) -> Parsed:
    """Read a table of labelled recordings or spans.

    Columns are found by title. Labels joined by ";" make one row each; double quotes around a
    label keep its ";". Without times a row speaks of its whole recording. A table without titles
    holds start, end and perhaps a label. Channels count from 0.

    Parameters
    ----------
    path
        The table.
    recording
        Name of the recording of all rows, in place of a column; without both, a table with times
        is about the recording that it is named for.
    label
        Label of the rows that have none.
    label_column
        Title of the column with the label, when it is not one of the usual ones.
    frequency_unit
        "Hz", "kHz", or "auto": as the title says, kHz for monitoR's ``min.frq``, Hz for figures
        above 500, else unknown, with a stated problem.

    Raises
    ------
    FormatError
        If there is no label or no recording to be found or a cell is wrong; the message names
        row and column.
    """
    table = _load(path)
    at = table.find(*RECORDING)
    timed = table.find(*START) is not None
    if at is None and not timed and not recording:
        raise table.error(
            "row 1: expected titles with a recording (recording, filename, path...) or times "
            f"(start, end), found {', '.join(table.header)[:80]!r}",
            "If the table is about one recording, name it with the option recording",
        )
    start, end = _times(table)
    kilohertz = any(title.casefold() in _KILOHERTZ_TITLES for title in table.header)
    low, high, problems = hertz(
        table, table.find(*LOW), table.find(*HIGH), frequency_unit, kilohertz_keys=kilohertz
    )
    confidence, more = confidences(table, table.find(*CONFIDENCE))
    name = recording or (recording_of(path) if at is None else None)
    names = [name] * len(table) if name else table.columns[at or 0]
    columns: dict[str, Any] = {
        "recording": names,
        "start_s": start,
        "end_s": end,
        "low_hz": low,
        "high_hz": high,
        "channel": channels(table, table.find("channel"), first=0),
        "presence": presences(table, table.find(*PRESENCE)),
        "scope": [split_labels(cell) or None for cell in table.text(table.find("scope"))],
        "confidence": confidence,
        "annotator": table.optional_text(table.find(*ANNOTATOR)),
        "note": table.optional_text(table.find(*NOTE)),
    }
    columns, rows = one_label_per_row(columns, _labels(table, label_column, label), table.rows)
    return parsed(
        path,
        columns,
        rows,
        reviewed=[name] if name else names,
        problems=[*table.problems, *problems, *more],
        label=label,
    )


def one_label_per_row(
    columns: dict[str, Any], cells: list[str], rows: list[int]
) -> tuple[dict[str, Any], list[int]]:
    """Repeat each row for every label of its cell; a row without a label stays once."""
    split = [split_labels(cell) for cell in cells]
    if all(len(labels) <= 1 for labels in split):
        return {**columns, "label": [labels[0] if labels else "" for labels in split]}, rows
    source = np.repeat(np.arange(len(cells)), [max(1, len(labels)) for labels in split])
    repeated = {
        name: values[source] if isinstance(values, np.ndarray) else [values[i] for i in source]
        for name, values in columns.items()
    }
    repeated["label"] = [label for labels in split for label in labels or [""]]
    return repeated, [rows[i] for i in source]


def _load(path: Path) -> TextTable:
    text, problems = read_text(path)
    delimiter = guess_delimiter(text, KNOWN.__contains__)
    cells = first_cells(text, delimiter)
    if not _headerless(cells, delimiter):
        return read_delimited(path, KNOWN.__contains__)
    rows = split_rows(path, text, delimiter)
    return table_without_header(path, rows, ("start", "end", "label")[: len(cells)], problems)


def _labels(table: TextTable, label_column: str | None, label: str | None) -> list[str]:
    if label_column:
        return table.text(table.find_named(label_column))
    found = [index for index in map(table.find, LABEL) if index is not None]
    if found:
        return table.text(next((index for index in found if any(table.columns[index])), found[0]))
    if label or not len(table):
        return [""] * len(table)
    raise table.error(
        f"no column holds the label; {table.listing()}",
        "Name it with --label-column, or name one label for all rows with the option label",
    )


def _times(table: TextTable) -> tuple[Float64, Float64]:
    def seconds(index: int | None) -> Float64:
        # Only an empty cell stands for the whole recording; "NA" in a time is an error.
        values = table.numbers(index, missing=("",))
        return values / 1000 if index is not None and unit(table.header[index]) == "ms" else values

    start = seconds(table.find(*START))
    end, duration = table.find(*END), table.find(*DURATION)
    if end is None and duration is not None and table.find(*START) is not None:
        return start, start + seconds(duration)
    # "offset" is an end only beside an onset or a start.
    return start, seconds(end if table.find(*START) is not None else None)


def write(table: pa.Table, target: Path) -> list[Path]:
    """Write all annotations to one CSV file (TAB-separated if it ends in ``.tsv``), lossless.

    Parameters
    ----------
    table
        Annotations.
    target
        A file that ends in ``.csv`` or ``.tsv``, or a folder that gets ``annotations.csv``.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    if target.suffix.casefold() not in FORMAT.suffixes:
        target = target / "annotations.csv"
    rows = []
    for row in as_rows(table):
        cells = []
        for name in ANNOTATION_SCHEMA.names:
            value = row[name]
            if name == "label":
                cells.append(join_labels([value]) if value is not None else "")
            elif name == "scope":
                cells.append(join_labels(value or ()))
            elif isinstance(value, float):
                cells.append(number_text(value))
            else:
                cells.append("" if value is None else str(value))
        rows.append(cells)
    delimiter = "\t" if target.suffix.casefold() == ".tsv" else ","
    return [write_text(target, csv_text(ANNOTATION_SCHEMA.names, rows, delimiter))]


FORMAT = AnnotationFormat(
    name="csv",
    suffixes=(".csv", ".tsv"),
    description="CSV or TSV tables with usual column titles; lossless for Antiphon's own",
    sniff=sniff,
    read=read,
    write=write,
    order=60,
)
