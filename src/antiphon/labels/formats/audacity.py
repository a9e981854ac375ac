"""Audacity label tracks: start, end and text between TABs, a second line for the band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats.names import file_stems, recording_of
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import Row, as_rows, by_recording, only_present, parsed, span
from antiphon.labels.formats.table import TextTable, lines_of, number_text, read_text, write_text

_COLUMNS = ("start", "end", "text", "confidence", "low", "high")


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line is two numbers and perhaps a text between TABs."""
    line = next((line for line in lines_of(head.lstrip("\ufeff")) if line.strip()), "")
    cells = line.split("\t")
    if not 2 <= len(cells) <= 4:
        return False
    try:
        float(cells[0])
        float(cells[1])
    except ValueError:
        return False
    return True


def read(path: Path, *, recording: str | None = None, label: str | None = None) -> Parsed:
    """Read a label track; a label at a point has equal start and end.

    Parameters
    ----------
    path
        The exported labels. A file of 0 bytes is a track without labels.
    recording
        Name of the recording, instead of the one that the file is named for.
    label
        Label of the rows without text.

    Raises
    ------
    FormatError
        If a line is not start TAB end TAB text; the message names the row.
    """
    name = recording or recording_of(path)
    table = read_track(path)
    start = table.numbers(0, missing=())
    end = table.numbers(1, missing=())
    columns = {
        "recording": [name] * len(table),
        "start_s": start,
        "end_s": end,
        "label": table.columns[2],
        "confidence": table.numbers(3, missing=("",)),
        # Audacity writes -1 for an edge that is not set.
        "low_hz": table.numbers(4, missing=_UNDEFINED),
        "high_hz": table.numbers(5, missing=_UNDEFINED),
    }
    return parsed(path, columns, table.rows, reviewed=[name], problems=table.problems, label=label)


_UNDEFINED = ("", "-1", "-1.0", "-1.00", "-1.000000", "-1.00000")


def read_track(path: Path) -> TextTable:
    """Return a label track as a table of start, end, text, confidence, low and high.

    Raises
    ------
    FormatError
        If a line has another number of cells, or a band stands without its label.
    """
    text, problems = read_text(path) if path.stat().st_size else ("", ())
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if cells[0] == "\\":
            if len(cells) != 3 or not rows or rows[-1][4:] != ["", ""]:
                raise FormatError(
                    path,
                    f"row {number}: expected a low and a high frequency after the label they "
                    f"belong to, found {line[:80]!r}",
                )
            rows[-1][4:] = cells[1:]
            continue
        if not 2 <= len(cells) <= 4:
            raise FormatError(
                path,
                f"row {number}: expected start, end and text between TABs, found {line[:80]!r}",
            )
        rows.append(cells + [""] * (6 - len(cells)))
        numbers.append(number)
    columns = tuple(list(column) for column in zip(*rows, strict=True)) or tuple(
        [] for _ in range(6)
    )
    return TextTable(path, _COLUMNS, columns, numbers, problems)


def write(
    table: pa.Table,
    target: Path,
    *,
    durations: Mapping[str, float] | None = None,
    recordings: Sequence[str] = (),
) -> list[Path]:
    """Write one label track per recording into a folder, or one recording to a ``.txt`` file.

    The confidence goes into a fourth column. A label track has no place for channel, annotator
    and note.

    Parameters
    ----------
    table
        Annotations, all present.
    target
        A folder, or a file whose name ends in ``.txt``.
    durations
        Seconds by recording, needed for annotations of whole recordings.
    recordings
        Recordings that get a file even if it is empty, when writing to a folder.

    Raises
    ------
    UserError
        If a row says absent or unsure, or several recordings should go into one file.
    FormatError
        If a label holds a TAB or a line end.
    """
    only_present(table, "audacity")
    groups = by_recording(as_rows(table), recordings)
    if target.suffix.casefold() != ".txt":
        stems = file_stems(groups)
        paths = {name: target / f"{stem}.txt" for name, stem in stems.items()}
    elif len(groups) <= 1:
        paths = dict.fromkeys(groups, target)
        groups = groups or {"": []}
        paths = paths or {"": target}
    else:
        raise UserError(
            f"An Audacity label track is about one recording, and these are {len(groups)}. "
            "Give a folder: it gets one file per recording."
        )
    return [
        write_text(paths[name], _track(paths[name], group, durations))
        for name, group in groups.items()
    ]


def _track(path: Path, rows: Sequence[Row], durations: Mapping[str, float] | None) -> str:
    lines = []
    for row in rows:
        start, end = span(row, durations, "audacity")
        lines.append(track_line(path, start, end, row["label"], row["confidence"]))
        if row["low_hz"] is not None or row["high_hz"] is not None:
            edges = (number_text(row[name]) or "-1" for name in ("low_hz", "high_hz"))
            lines.append("\t".join(("\\", *edges)))
    return "".join(line + "\n" for line in lines)


def track_line(
    path: Path, start: float, end: float, text: str, confidence: float | None = None
) -> str:
    """Return the line of one label.

    Raises
    ------
    FormatError
        If the text holds a TAB or a line end.
    """
    if any(mark in text for mark in "\t\r\n"):
        raise FormatError(
            path,
            f"the label {text[:80]!r} holds a TAB or a line end, which a label track cannot hold",
            "Rename the label",
        )
    cells = [number_text(start), number_text(end), text]
    return "\t".join(cells + [number_text(confidence)] * (confidence is not None))


FORMAT = AnnotationFormat(
    name="audacity",
    suffixes=(".txt",),
    description="Audacity label tracks, one per recording",
    sniff=sniff,
    read=read,
    write=write,
    order=70,
)
