"""What all Raven selection tables share: views, times over several files, recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from antiphon.errors import UserError
from antiphon.labels.formats.names import recording_of
from antiphon.labels.formats.table import Float64, TextTable

SELECTION_COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
)
FILE_COLUMNS = ("Begin Path", "File Offset (s)", "Begin File")
FILE_KEYS = (
    "beginpath",
    "beginfile",
    "filepath",
    "filename",
    "recording",
    "audiofile",
    "wavfile",
    "soundfile",
    "soundfiles",
)
"""Keys of the columns that name the file of a selection; scripts that join tables add others."""

UNSET_COLUMNS = ("start_s", "end_s", "low_hz", "high_hz", "channel")
"""What Raven needs a value for although an annotation may have none."""


def one_view(table: TextTable) -> TextTable:
    """Keep one row of each selection that was written once per view, a spectrogram if there is one.

    Rows are of one selection if number, times, channel and file are the same in text.
    """
    view = table.find("view")
    selection = table.find("selection")
    if view is None or selection is None:
        return table
    same = ("begintime", "endtime", "channel", "fileoffset", "beginfile", "beginpath")
    parts = [selection, *(table.find(name) for name in same)]
    identity = list(zip(*(table.text(part) for part in parts), strict=True))
    views = [text.casefold() for text in table.columns[view]]
    kept: dict[tuple[str, ...], str] = {}
    for row, text in zip(identity, views, strict=True):
        if row not in kept or (kept[row].startswith("waveform") and text[:8] != "waveform"):
            kept[row] = text
    return table.select([kept[row] == text for row, text in zip(identity, views, strict=True)])


def times(table: TextTable, begin_times: str = "sequence") -> tuple[Float64, Float64]:
    """Return start and end within the file, in seconds, ``(n,)`` float64 each.

    Raises
    ------
    FormatError
        If several files are named without saying where each selection lies in its file.
    UserError
        If ``begin_times`` is unknown.
    """
    if begin_times not in ("sequence", "file"):
        raise UserError(f"begin_times is 'sequence' or 'file', not {begin_times!r}.")
    begin = table.numbers(table.find("begintime"), missing=())
    stop = table.find("endtime")
    delta = table.find("deltatime")
    end = table.numbers(stop, ()) if stop is not None else begin + table.numbers(delta, ())
    file = table.find(*FILE_KEYS)
    if file is None or begin_times == "file":
        return begin, end
    offset = table.find("fileoffset")
    if offset is None:
        if len(set(table.columns[file])) > 1:
            raise table.error(
                "it names several files but not where in each a selection begins",
                "Add the column 'File Offset (s)' in Raven and save the table again; or, if Begin "
                "Time counts from the start of each file, read it with begin_times=file",
            )
        return begin, end
    start = table.numbers(offset)
    start = np.where(np.isnan(start), begin, start)
    # Equal text must give an equal number: begin + (end - begin) need not be end.
    return start, np.where(start == begin, end, start + (end - begin))


def recordings_named(table: TextTable, recording: str | None) -> list[str] | None:
    """Return the recording of each row, or None if the table names none.

    Raises
    ------
    FormatError
        If some rows name their file and others do not.
    """
    if recording:
        return [recording] * len(table) if len(table) else None
    found = [table.columns[i] for i in map(table.find, FILE_KEYS) if i is not None]
    names = [next(filter(None, cells), "") for cells in zip(*found, strict=True)]
    if not any(names):
        return None
    if not all(names):
        raise table.error(
            f"row {table.rows[names.index('')]}, column Begin File: a name is missing"
        )
    return names


def forget_unset(table: TextTable, columns: dict[str, Any]) -> None:
    """Put NaN back where the Unset column says that a value was only written for Raven's sake.

    A value that somebody changed since then is kept.
    """
    for i, cell in enumerate(table.text(table.find("unset"))):
        for part in cell.split():
            name, _, value = part.partition("=")
            if name not in UNSET_COLUMNS or name not in columns:
                continue
            now = columns[name][i] + (name == "channel")
            # Raven may save fewer decimals than it was given.
            if is_number(value) and abs(now - float(value)) <= 1e-3:
                columns[name][i] = np.nan


def covered(path: Path, table: TextTable, recording: str | None) -> list[str]:
    """Return the recordings of a table that names none in its rows.

    A table without rows that has columns for files may be one for several recordings; only a name
    that tools give to the table of one recording then tells which it is about.
    """
    name = path.name.casefold()
    several = table.find(*FILE_KEYS) is not None or name.startswith("birdnet_")
    for_one = name.endswith((".selections.txt", ".selection.table.txt"))
    known = recording or len(table) or not several or for_one
    return [recording or recording_of(path)] if known else []


def is_number(cell: str) -> bool:
    """Tell whether a cell can be read as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
