"""Windows to label next, as a file that a person fills in: CSV, Raven tables or Audacity labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats import audacity, selections
from antiphon.labels.formats.cells import join_answers, parse_answer
from antiphon.labels.formats.names import file_stems, last_part, recording_of
from antiphon.labels.formats.registry import AnnotationFormat, Parsed
from antiphon.labels.formats.rows import channels, parsed
from antiphon.labels.formats.table import (
    TextTable,
    csv_text,
    first_cells,
    first_titles,
    guess_delimiter,
    key,
    lines_of,
    number_text,
    read_delimited,
    read_tsv,
    tsv_text,
    write_text,
)

KINDS = ("csv", "raven", "audacity")

CSV_COLUMNS = (
    *("recording", "start_s", "end_s", "channel"),
    *("labels", "suggested", "score", "window_id"),
)
_RAVEN_COLUMNS = ("Labels", "Suggested", "Score", "Antiphon Window")
_CSV_KEYS = frozenset(key(title) for title in CSV_COLUMNS)
UNFILLED = "[antiphon]"
"""What stands before this in a label of an Audacity queue is the answer."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One window to label.

    Parameters
    ----------
    recording
        Its recording, as annotations name it.
    start_s, end_s
        The window, seconds from the start of the recording.
    channel
        Zero-based channel; None (or -1) for the mix of all.
    labels
        The answer, if there is one already, in the grammar of
        :func:`~antiphon.labels.formats.cells.parse_answer`.
    suggested
        What the detector thinks, or nothing.
    score
        Its probability, 0 to 1.
    window_id
        The window's number in the store.
    """

    recording: str
    start_s: float
    end_s: float
    channel: int | None = None
    labels: str = ""
    suggested: str = ""
    score: float | None = None
    window_id: int | None = None


def write_queue(rows: Sequence[QueueRow], target: Path | str, kind: str = "csv") -> list[Path]:
    """Write windows for a person to label.

    Parameters
    ----------
    rows
        The windows, the most wanted first.
    target
        For "csv" a file (or a folder that gets ``queue.csv``); for "raven" and "audacity" a folder
        that gets one file per recording, ``<stem>.Table.1.selections.txt`` or
        ``<stem>.antiphon.txt``.
    kind
        "csv", "raven" or "audacity".

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UserError
        If ``kind`` is unknown, or the target is a file where a folder is needed.
    """
    target = Path(target)
    if kind not in KINDS:
        raise UserError(f"A queue is written as {', '.join(KINDS)}, not as {kind!r}.")
    if kind == "csv":
        target = target if target.suffix.casefold() == ".csv" else target / "queue.csv"
        return [write_text(target, csv_text(CSV_COLUMNS, map(_csv_row, rows)))]
    if target.is_file() or target.suffix.casefold() in {".txt", ".csv"}:
        raise UserError(
            f"A {kind} queue is one file per recording, so the target is a folder, not {target}."
        )
    groups: dict[str, list[QueueRow]] = {}
    for row in rows:
        groups.setdefault(row.recording, []).append(row)
    stems = file_stems(groups)
    write_one = _write_raven if kind == "raven" else _write_audacity
    return [write_one(target, stems[name], group) for name, group in groups.items()]


def _csv_row(row: QueueRow) -> list[str]:
    return [
        row.recording,
        number_text(row.start_s),
        number_text(row.end_s),
        "" if row.channel is None or row.channel < 0 else str(row.channel),
        row.labels,
        row.suggested,
        number_text(row.score),
        "" if row.window_id is None else str(row.window_id),
    ]


def _write_raven(folder: Path, stem: str, rows: Sequence[QueueRow]) -> Path:
    path = folder / f"{stem}.Table.1.selections.txt"
    lines = []
    for number, row in enumerate(rows, start=1):
        mix = row.channel is None or row.channel < 0
        start = number_text(row.start_s)
        lines.append(
            [
                *(str(number), "Spectrogram 1", "1" if mix else str((row.channel or 0) + 1)),
                *(start, number_text(row.end_s), "0.0", "12000.0"),
                *(row.recording, start, last_part(row.recording)),
                *(row.labels, row.suggested, number_text(row.score)),
                *("" if row.window_id is None else str(row.window_id), "channel=1" if mix else ""),
            ]
        )
    header = (*selections.SELECTION_COLUMNS, *selections.FILE_COLUMNS, *_RAVEN_COLUMNS, "Unset")
    return write_text(path, tsv_text(path, header, lines))


def _write_audacity(folder: Path, stem: str, rows: Sequence[QueueRow]) -> Path:
    path = folder / f"{stem}.antiphon.txt"
    lines = []
    for row in rows:
        score = "" if row.score is None else f"{row.score:.2f}"
        hint = " ".join(part for part in (UNFILLED, row.suggested, score) if part)
        lines.append(audacity.track_line(path, row.start_s, row.end_s, row.labels or hint))
    return write_text(path, "".join(line + "\n" for line in lines))


def sniff(path: Path, head: str) -> bool:
    """Tell whether the first line has a window number, or labels wait to be replaced."""
    cells = first_cells(head, guess_delimiter(head, _CSV_KEYS.__contains__))
    keys = {key(cell) for cell in cells}
    if "antiphonwindow" in keys or {"windowid", "labels"} <= keys:
        return True
    if not audacity.sniff(path, head):
        return False
    waiting = any(line.split("\t")[2:3] and UNFILLED in line for line in lines_of(head))
    return waiting or path.name.casefold().endswith(".antiphon.txt")


def read(path: Path, *, recording: str | None = None, annotator: str | None = None) -> Parsed:
    """Read a queue that a person filled in; windows without an answer are counted as skipped.

    Parameters
    ----------
    path
        The file, as :func:`write_queue` wrote it and a person changed it.
    recording
        Name of the recording of an Audacity queue, instead of the one it is named for.
    annotator
        Who answered.

    Returns
    -------
    Parsed
        One annotation per window and label, over the window; "antiphon window N" as its note.
        ``reviewed`` is empty: a queue speaks of windows, not of whole recordings.

    Raises
    ------
    FormatError
        If an answer cannot be meant or a cell is wrong; the message names row and column.
    """
    text = path.read_bytes()[:65_536].decode("utf-8-sig", errors="replace")
    if audacity.sniff(path, text):
        table, columns = _from_audacity(path, recording)
        # A label may be typed before the mark as well as in place of it.
        cells = [cell.split(UNFILLED)[0].strip() for cell in table.columns[2]]
        title = "text"
    else:
        titles = first_titles(path, _CSV_KEYS.__contains__)
        in_raven = "begintime" in map(key, titles)
        if in_raven:
            table = selections.one_view(read_tsv(path))
        else:
            table = read_delimited(path, _CSV_KEYS.__contains__)
        window = table.find("antiphonwindow", "windowid")
        answers = table.find("labels")
        if window is None or answers is None:
            raise table.error(
                "row 1: expected a queue with the columns Labels and Antiphon Window (or labels "
                f"and window_id), found {', '.join(table.header)[:80]!r}"
            )
        columns = (_from_raven if in_raven else _from_csv)(table, path)
        columns["note"] = [f"antiphon window {n}" if n else None for n in table.columns[window]]
        cells, title = table.columns[answers], table.header[answers]
    source: list[int] = []
    labels: list[str | None] = []
    presence: list[str] = []
    skipped = 0
    for i, cell in enumerate(cells):
        try:
            said = parse_answer(cell)
        except ValueError as error:
            raise FormatError(
                path,
                f"row {table.rows[i]}, column {title}: {error}",
                "Write 'A; B' for present, '-A' for absent, 'A?' for unsure, 'nothing' for none",
            ) from error
        skipped += not said
        for label, state in said:
            source.append(i)
            labels.append(label)
            presence.append(state)
    chosen = {
        name: [values[i] for i in source] if isinstance(values, list) else values[source]
        for name, values in columns.items()
    }
    chosen |= {"label": labels, "presence": presence, "annotator": [annotator] * len(labels)}
    return parsed(
        path,
        chosen,
        [table.rows[i] for i in source],
        reviewed=(),
        problems=table.problems,
        skipped=skipped,
    )


def _from_csv(table: TextTable, path: Path) -> dict[str, Any]:
    return {
        "recording": table.text(table.find_named("recording")),
        "start_s": table.numbers(table.find_named("start_s"), missing=()),
        "end_s": table.numbers(table.find_named("end_s"), missing=()),
        "channel": channels(table, table.find("channel"), first=0),
    }


def _from_raven(table: TextTable, path: Path) -> dict[str, Any]:
    start, end = selections.times(table)
    columns: dict[str, Any] = {
        "recording": selections.recordings_named(table, None) or [recording_of(path)] * len(table),
        "start_s": start,
        "end_s": end,
        "channel": channels(table, table.find("channel"), first=1),
    }
    selections.forget_unset(table, columns)
    return columns


def _from_audacity(path: Path, recording: str | None) -> tuple[TextTable, dict[str, Any]]:
    table = audacity.read_track(path)
    return table, {
        "recording": [recording or recording_of(path)] * len(table),
        "start_s": table.numbers(0, missing=()),
        "end_s": table.numbers(1, missing=()),
    }


def write(table: pa.Table, target: Path, *, kind: str = "csv") -> list[Path]:
    """Write annotations as answers that a person can go over again.

    Rows of one span are joined in one cell; the score is their largest confidence.

    Raises
    ------
    UserError
        If a row is not about a span, or names the labels that it is absent for in a scope.
    """
    spans: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        if row["start_s"] is None or row["scope"] is not None:
            raise UserError("A queue holds spans and no scopes; write csv or parquet.")
        span = tuple(row[name] for name in ("recording", "start_s", "end_s", "channel"))
        spans.setdefault(span, []).append(row)
    rows = []
    for (recording, start_s, end_s, channel), group in spans.items():
        known = [row["confidence"] for row in group if row["confidence"] is not None]
        answer = "; ".join(_answer(row["label"], row["presence"]) for row in group)
        best = max(known) if known else None
        rows.append(QueueRow(recording, start_s, end_s, channel, answer, score=best))
    return write_queue(rows, target, kind)


def _answer(label: str | None, presence: str) -> str:
    if label is None:
        return "nothing"
    text = join_answers([label])
    return {"absent": f"-{text}", "unsure": f"{text}?"}.get(presence, text)


FORMAT = AnnotationFormat(
    name="queue",
    suffixes=(".csv", ".txt"),
    description="Windows to label next, filled in by a person",
    sniff=sniff,
    read=read,
    write=write,
    order=15,
)
