"""``metadata.csv``: what is known of each row but its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from antiphon.active.baseal.leaks import find_leaks
from antiphon.active.baseal.tables import LabelRows
from antiphon.labels.formats.table import read_delimited

# Columns that name the recording a segment was cut from, the first that there is.
RECORDING_TITLES = ("original_filepath", "original_filename", "recording", "source_file", "source")


def read_metadata(
    path: Path, rows: LabelRows, *, compat: bool = False
) -> tuple[pa.Table, list[str], list[str] | None]:
    """Read ``metadata.csv``, one row for each row of the label table.

    Parameters
    ----------
    compat
        Whether to keep the columns that tell the labels, as BaseAL does.

    Returns
    -------
    table
        Text and number columns in the order of ``rows``; nulls where a row is missing.
    notes
        Which columns were left out and why, which rows are missing.
    sources
        The recording of each row if a column names it.

    Raises
    ------
    FormatError
        If there is no column ``filename``, or two rows of one file differ.
    """
    found = read_delimited(path, {"filename"}.__contains__)
    place = found.find_named("filename")
    cells: dict[str, int] = {}
    for row, name in enumerate(found.columns[place]):
        other = cells.setdefault(name, row)
        if other != row and any(column[row] != column[other] for column in found.columns):
            raise found.error(f"rows {found.rows[other]} and {found.rows[row]} describe {name!r}")
    where = [cells.get(name) for name in rows.filenames]
    texts = {
        title: ["" if row is None else column[row] for row in where]
        for title, column in zip(found.header, found.columns, strict=True)
        if title
    }
    texts[found.header[place]] = list(rows.filenames)
    notes = list(found.problems)
    missing = sum(row is None for row in where)
    if missing:
        notes.append(f"{missing:,} rows have no line in {path.name}; their metadata are empty.")
    by_title = {title.casefold(): title for title in texts}
    source = next((by_title[t] for t in RECORDING_TITLES if t in by_title), None)
    sources = texts[source] if source and "" not in texts[source] else None
    leaks = find_leaks(texts, rows.labels, keep=[found.header[place]])
    said = "; ".join(f"{leak.column} ({leak.reason})" for leak in leaks)
    if leaks and compat:
        notes.append(f"{path.name} tells the labels, as in BaseAL: {said}.")
    elif leaks:
        notes.append(f"Columns of {path.name} that tell the labels are left out: {said}.")
        texts = {t: v for t, v in texts.items() if t not in {leak.column for leak in leaks}}
    if not texts:
        texts = {"row": [str(i) for i in range(len(rows))]}
    return pa.table({title: _typed(column) for title, column in texts.items()}), notes, sources


def _typed(column: Sequence[str]) -> pa.Array:
    """Return truth values, whole numbers, numbers or texts, whichever all cells are."""
    known = {cell for cell in column if cell}
    if known and known <= {"True", "False"}:
        return pa.array([None if not cell else cell == "True" for cell in column], pa.bool_())
    # Python takes "1_000" for a number; in a table it is a name.
    if not any("_" in cell for cell in known):
        for kind, convert in ((pa.int64(), int), (pa.float64(), float)):
            try:
                values = {cell: convert(cell) for cell in known}
                return pa.array([values.get(cell) for cell in column], kind)
            except (ValueError, OverflowError, pa.ArrowInvalid):
                continue
    return pa.array([cell or None for cell in column], pa.string())
