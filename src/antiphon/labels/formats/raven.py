"""Raven selection tables: TAB-separated, one row per view of a selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import UserError
from antiphon.labels.annotation import PRESENT
from antiphon.labels.formats.cells import join_labels, split_labels
from antiphon.labels.formats.names import file_stems, last_part, recording_of
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import (
    Row,
    as_rows,
    by_recording,
    channels,
    confidences,
    hertz,
    parsed,
    presences,
    span,
)
from antiphon.labels.formats.selections import (
    FILE_COLUMNS,
    SELECTION_COLUMNS,
    UNSET_COLUMNS,
    covered,
    forget_unset,
    is_number,
    one_view,
    recordings_named,
    times,
)
from antiphon.labels.formats.table import (
    TextTable,
    key,
    lines_of,
    number_text,
    read_tsv,
    short_number_text,
    tsv_text,
    unit,
    write_text,
)

LABEL_COLUMNS = (
    "species",
    "annotation",
    "annotations",
    "label",
    "labels",
    "commonname",
    "scientificname",
    "class",
    "calltype",
    "call",
    "name",
    "tag",
    "tags",
    "speciescode",
)
"""Keys of the columns taken for the label: the first that is there and not empty."""

_EXTRA_COLUMNS = ("Presence", "Scope", "Confidence", "Annotator", "Notes", "Unset")
_OWN_KEYS = {key(title) for title in (*SELECTION_COLUMNS, *FILE_COLUMNS, *_EXTRA_COLUMNS)}


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line is a TAB-separated header as Raven writes it."""
    titles = lines_of(head.lstrip("\ufeff\r\n"))[0].split("\t")
    keys = [key(title) for title in titles]
    if "begintime" not in keys or not {"endtime", "deltatime"} & set(keys):
        return False
    return bool({"selection", "view"} & set(keys)) or unit(titles[keys.index("begintime")]) == "s"


def read(
    path: Path,
    *,
    label_column: str | None = None,
    label: str | None = None,
    recording: str | None = None,
    begin_times: str = "sequence",
) -> Parsed:
    """Read a selection table.

    Columns are found by title, in any case and spacing. Of a selection that has a row for each
    view, one row is kept. The recording is Begin Path, else Begin File or another column of file
    names, else the one that the table is named for. Where File Offset (s) is given it is the start
    (Begin Time counts over all files that were open together), and the end follows from the
    length, in float64.

    Parameters
    ----------
    path
        The table.
    label_column
        Title of the column with the label; otherwise the first of Species, Annotation, Label,
        Common Name, Scientific Name, Class, Call Type and the like, otherwise the only column of
        words that Raven does not write itself.
    label
        Label of the rows that have none.
    recording
        Name of the recording, instead of what the table says.
    begin_times
        "sequence" (as Raven counts) or "file": in a table of several files without File Offset,
        take Begin Time as seconds in each file.

    Raises
    ------
    FormatError
        If it is no selection table or a cell is wrong; the message names row and column.
    """
    table = read_tsv(path)
    begin = table.find("begintime")
    if begin is None or table.find("endtime", "deltatime") is None:
        raise table.error(
            "row 1: expected a TAB-separated header with 'Begin Time (s)' and 'End Time (s)', "
            f"found {' '.join(table.header)[:80]!r}"
        )
    table = one_view(table)
    start, end = times(table, begin_times)
    names = recordings_named(table, recording)
    low, high, problems = hertz(table, table.find("lowfreq"), table.find("highfreq"), "auto")
    confidence, more = confidences(table, table.find("confidence", "score"))
    columns: dict[str, Any] = {
        "recording": names or [recording or recording_of(path)] * len(table),
        "start_s": start,
        "end_s": end,
        "low_hz": low,
        "high_hz": high,
        "channel": channels(table, table.find("channel"), first=1),
        "label": _labels(table, label_column, label),
        "presence": presences(table, table.find("presence")),
        "scope": [split_labels(cell) or None for cell in table.text(table.find("scope"))],
        "confidence": confidence,
        "annotator": table.optional_text(table.find("annotator", "observer", "analyst")),
        "note": table.optional_text(table.find("notes", "note", "comments", "comment")),
    }
    forget_unset(table, columns)
    return parsed(
        path,
        columns,
        table.rows,
        reviewed=names or covered(path, table, recording),
        problems=[*table.problems, *problems, *more],
        label=label,
    )


def _labels(table: TextTable, label_column: str | None, label: str | None) -> list[str]:
    if label_column:
        return table.text(table.find_named(label_column))
    found = [index for index in map(table.find, LABEL_COLUMNS) if index is not None]
    if found:
        return table.text(next((index for index in found if any(table.columns[index])), found[0]))
    unknown = [i for i, title in enumerate(table.header) if key(title) not in _OWN_KEYS]
    words = [i for i in unknown if any(_is_word(cell) for cell in table.columns[i])]
    if len(words) == 1:
        return table.text(words[0])
    if label or not len(table):
        return [""] * len(table)
    raise table.error(
        f"it is not clear which column holds the label; {table.listing()}",
        "Name it with --label-column, or name one label for all rows with the option label",
    )


def _is_word(cell: str) -> bool:
    # "nan" and "inf" are words in a column of labels.
    return bool(cell) and (cell.isalpha() or not is_number(cell))


def write(
    table: pa.Table,
    target: Path,
    *,
    durations: Mapping[str, float] | None = None,
    recordings: Sequence[str] = (),
    high_hz: float = 12_000.0,
    exact: bool = True,
) -> list[Path]:
    """Write one table per recording into a folder, or one table for all into a ``.txt`` file.

    What Raven's own columns cannot say goes into further ones, only where it occurs: Presence,
    Scope, Confidence, Annotator, Notes, and Unset (what had no value and got one because Raven
    needs it: channel 1, 0 Hz, ``high_hz``, the start and end of the recording).

    Parameters
    ----------
    table
        Annotations.
    target
        A folder, or a file whose name ends in ``.txt``.
    durations
        Seconds by recording, in the order in which they are opened in Raven. Needed for one table
        for all: there Begin Time counts over all files, those without a selection included.
    recordings
        Recordings that get a table even if it is empty, when writing to a folder.
    high_hz
        Upper edge of the drawn box of an annotation without a band.
    exact
        Whether reading gives the same annotations bit for bit; otherwise numbers have six decimals
        at most and there is no column Unset.

    Returns
    -------
    list of Path
        The tables, ``<stem>.Table.1.selections.txt`` in a folder.

    Raises
    ------
    UserError
        If a needed duration is missing.
    """
    rows = as_rows(table)
    if target.suffix.casefold() == ".txt":
        begins = _sequence(rows, durations)
        return [_write_table(target, rows, durations, high_hz, begins, exact=exact)]
    groups = by_recording(rows, recordings)
    stems = file_stems(groups)
    return [
        _write_table(
            target / f"{stems[name]}.Table.1.selections.txt",
            group,
            durations,
            high_hz,
            {name: 0.0},
            exact=exact,
        )
        for name, group in groups.items()
    ]


def _sequence(rows: Sequence[Row], durations: Mapping[str, float] | None) -> dict[str, float]:
    missing = sorted({row["recording"] for row in rows} - set(durations or {}))
    if missing:
        raise UserError(
            "One Raven table for several recordings needs the duration of each, since its times "
            f"count over all of them; {missing[0]} has none. "
            "Give the durations, or write to a folder: one table per recording."
        )
    begins: dict[str, float] = {}
    total = 0.0
    for name, duration in (durations or {}).items():
        begins[name] = total
        total += float(duration)
    return begins


def _write_table(
    path: Path,
    rows: Sequence[Row],
    durations: Mapping[str, float] | None,
    high_hz: float,
    begins: Mapping[str, float],
    *,
    exact: bool,
) -> Path:
    write_number = number_text if exact else short_number_text
    said = {
        "Presence": [row["presence"] if row["presence"] != PRESENT else "" for row in rows],
        "Scope": [join_labels(row["scope"] or ()) for row in rows],
        "Confidence": [write_number(row["confidence"]) for row in rows],
        "Annotator": [row["annotator"] or "" for row in rows],
        "Notes": [" ".join((row["note"] or "").split()) for row in rows],
        "Unset": [],
    }
    lines = []
    for i, row in enumerate(rows):
        start, end = span(row, durations, "raven")
        begin = begins[row["recording"]]
        low = row["low_hz"] if row["low_hz"] is not None else 0.0
        high = row["high_hz"] if row["high_hz"] is not None else max(high_hz, low)
        channel = (row["channel"] or 0) + 1
        if exact:
            filled = zip(UNSET_COLUMNS, (start, end, low, high, channel), strict=True)
            unset = [f"{name}={number_text(value)}" for name, value in filled if row[name] is None]
            said["Unset"].append(" ".join(unset))
        lines.append(
            [
                str(i + 1),
                "Spectrogram 1",
                str(channel),
                *map(write_number, (begin + start, begin + end, low, high)),
                row["recording"],
                write_number(start),
                last_part(row["recording"]),
                row["label"] or "",
            ]
        )
    extra = [title for title in _EXTRA_COLUMNS if any(said[title])]
    header = (*SELECTION_COLUMNS, *FILE_COLUMNS, "Annotation", *extra)
    lines = [[*line, *(said[title][i] for title in extra)] for i, line in enumerate(lines)]
    return write_text(path, tsv_text(path, header, lines))


FORMAT = AnnotationFormat(
    name="raven",
    suffixes=(".txt",),
    description="Raven selection tables, one per recording or one for several",
    sniff=sniff,
    read=read,
    write=write,
    order=40,
)
