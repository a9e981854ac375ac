"""Results of BirdNET: its CSV, and its Raven tables with their names and confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats import selections
from antiphon.labels.formats.names import file_stems, recording_of
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import (
    Row,
    as_rows,
    by_recording,
    channels,
    hertz,
    only_present,
    parsed,
    span,
)
from antiphon.labels.formats.table import (
    TextTable,
    csv_text,
    first_cells,
    first_titles,
    guess_delimiter,
    key,
    number_text,
    read_delimited,
    read_tsv,
    write_text,
)

NAMES = ("both", "common", "scientific")

_CSV_KEYS = frozenset({"start", "end", "scientificname", "commonname", "confidence", "file"})
_HEADER = ("Start (s)", "End (s)", "Scientific name", "Common name", "Confidence", "File")
# Versions 1 wrote a row of this name for a recording without a detection.
_NO_CALL = "nocall"


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line has BirdNET's names and confidence."""
    keys = {key(cell) for cell in first_cells(head, guess_delimiter(head, _CSV_KEYS.__contains__))}
    return _is_csv(keys) or _is_raven(keys)


def _is_csv(keys: set[str]) -> bool:
    return {"start", "end", "scientificname", "commonname", "confidence"} <= keys


def _is_raven(keys: set[str]) -> bool:
    names = {"begintime", "commonname", "confidence"} <= keys
    return names and bool(keys & {"speciescode", "scientificname"})


def read(path: Path, *, names: str = "both", recording: str | None = None) -> Parsed:
    """Read BirdNET's results, detections with their confidence.

    Parameters
    ----------
    path
        ``X.BirdNET.results.csv``, ``X.BirdNET.selection.table.txt`` or a combined table.
    names
        What becomes the label: "both" (``Turdus merula_Eurasian Blackbird``, as BirdNET writes
        its classes), "common" or "scientific".
    recording
        Name of the recording, instead of what the table or its file name says.

    Raises
    ------
    FormatError
        If it is neither of BirdNET's tables or a cell is wrong; the message names row and column.
    UserError
        If ``names`` is unknown.
    """
    if names not in NAMES:
        raise UserError(f"names is one of {', '.join(NAMES)}, not {names!r}.")
    titles = first_titles(path, _CSV_KEYS.__contains__)
    keys = {key(title) for title in titles}
    if _is_raven(keys):
        table = selections.one_view(read_tsv(path))
        start, end = selections.times(table)
        low, high, _ = hertz(table, table.find("lowfreq"), table.find("highfreq"), "auto")
        columns: dict[str, Any] = {
            "low_hz": low,
            "high_hz": high,
            "channel": channels(table, table.find("channel"), first=1),
        }
        found = selections.recordings_named(table, recording)
    elif _is_csv(keys):
        table = read_delimited(path, _CSV_KEYS.__contains__)
        start = table.numbers(table.find("start"), missing=())
        end = table.numbers(table.find("end"), missing=())
        columns = {}
        at = table.find("file", "filepath")
        found = [recording] * len(table) if recording else None
        found = found or (table.columns[at] if at is not None and len(table) else None)
    else:
        raise FormatError(
            path,
            "row 1: expected BirdNET's 'Start (s),End (s),Scientific name,Common name,Confidence' "
            f"or its Raven table, found {', '.join(titles)[:80]!r}",
        )
    columns |= {
        "recording": found or [recording or recording_of(path)] * len(table),
        "start_s": start,
        "end_s": end,
        "label": _labels(table, names),
        "confidence": table.numbers(table.find("confidence"), missing=("",)),
    }
    keep = [label.casefold() != _NO_CALL for label in columns["label"]]
    reviewed = found or selections.covered(path, table, recording)
    table = table.select(keep)
    columns = {
        name: [value for value, kept in zip(values, keep, strict=True) if kept]
        if isinstance(values, list)
        else values[keep]
        for name, values in columns.items()
    }
    return parsed(path, columns, table.rows, reviewed=reviewed, problems=table.problems)


def _labels(table: TextTable, names: str) -> list[str]:
    scientific = table.text(table.find("scientificname"))
    common = table.text(table.find("commonname"))
    first, second = (common, scientific) if names == "common" else (scientific, common)
    if names != "both":
        return [one or other for one, other in zip(first, second, strict=True)]
    return [
        f"{one}_{other}" if one and other and one != other else one or other
        for one, other in zip(first, second, strict=True)
    ]


def write(
    table: pa.Table,
    target: Path,
    *,
    durations: Mapping[str, float] | None = None,
    recordings: Sequence[str] = (),
) -> list[Path]:
    """Write BirdNET's CSV: one file for all, or ``<stem>.BirdNET.results.csv`` in a folder.

    A label is split at its first "_" into scientific and common name; a label without one is both
    names. The table has no place for band, channel, annotator and note.

    Parameters
    ----------
    table
        Annotations, all present.
    target
        A file that ends in ``.csv``, or a folder.
    durations
        Seconds by recording, needed for annotations of whole recordings.
    recordings
        Recordings that get a file even if it is empty, when writing to a folder.

    Raises
    ------
    UserError
        If a row says absent or unsure.
    """
    only_present(table, "birdnet")
    rows = as_rows(table)
    if target.suffix.casefold() == ".csv":
        return [_write_csv(target, rows, durations)]
    groups = by_recording(rows, recordings)
    stems = file_stems(groups)
    return [
        _write_csv(target / f"{stems[name]}.BirdNET.results.csv", group, durations)
        for name, group in groups.items()
    ]


def _write_csv(path: Path, rows: Sequence[Row], durations: Mapping[str, float] | None) -> Path:
    lines = []
    for row in rows:
        scientific, _, common = row["label"].partition("_")
        lines.append(
            [
                *(number_text(time) for time in span(row, durations, "birdnet")),
                scientific,
                common or scientific,
                number_text(row["confidence"]),
                row["recording"],
            ]
        )
    return write_text(path, csv_text(_HEADER, lines))


FORMAT = AnnotationFormat(
    name="birdnet",
    suffixes=(".csv", ".txt"),
    description="BirdNET's results as CSV, and its Raven tables",
    sniff=sniff,
    read=read,
    write=write,
    order=30,
)
