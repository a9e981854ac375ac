"""Annotations as one Arrow table: who said what about which span of which recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import FormatError

PRESENT = "present"
ABSENT = "absent"
UNSURE = "unsure"
PRESENCES = (PRESENT, ABSENT, UNSURE)

ANNOTATION_SCHEMA = pa.schema(
    [
        # The recording as the source names it: a path, a file name or a stem.
        pa.field("recording", pa.string(), nullable=False),
        # Seconds from the start of the recording; null bounds mean the whole recording.
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        # Hz; null where the source gives no band.
        pa.field("low_hz", pa.float64()),
        pa.field("high_hz", pa.float64()),
        # Zero-based channel; null for all channels.
        pa.field("channel", pa.int16()),
        # The label's name; null (with presence "absent") speaks of every label in ``scope``.
        pa.field("label", pa.string()),
        pa.field("presence", pa.string(), nullable=False),
        # The labels a null label stands for; null means every label there is or will be.
        pa.field("scope", pa.list_(pa.string())),
        # 0 to 1, as the annotator or the source stated it.
        pa.field("confidence", pa.float64()),
        pa.field("annotator", pa.string()),
        pa.field("note", pa.string()),
    ]
)
"""Columns of an annotation table. Present and unsure rows win over absent ones that overlap
them, so "absent over the whole recording" plus boxes says that a recording was fully reviewed."""

Bool = npt.NDArray[np.bool_]


def make_annotations(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Build an annotation table from the columns at hand.

    Parameters
    ----------
    columns
        Values by column name, all of one length: lists (None for null), NumPy or Arrow arrays.
        ``recording`` is needed; ``presence`` is "present" for all rows when left out; every
        other column that is left out is null. NaN stays NaN, for :func:`validate` to find.

    Returns
    -------
    pyarrow.Table
        With :data:`ANNOTATION_SCHEMA`.

    Raises
    ------
    ValueError
        If a column is unknown, ``recording`` is missing or the lengths differ.
    TypeError
        If a column's values do not have the type of the schema.
    """
    unknown = sorted(set(columns) - set(ANNOTATION_SCHEMA.names))
    if unknown:
        raise ValueError(f"not columns of an annotation table: {', '.join(unknown)}")
    if "recording" not in columns:
        raise ValueError("an annotation table needs the column 'recording'")
    n = len(columns["recording"])
    arrays = []
    for field in ANNOTATION_SCHEMA:
        values = columns.get(field.name)
        if values is None:
            fill = PRESENT if field.name == "presence" else None
            arrays.append(pa.array([fill] * n, type=field.type))
            continue
        if len(values) != n:
            raise ValueError(f"column {field.name!r} has {len(values)} values, recording has {n}")
        try:
            if isinstance(values, pa.Array | pa.ChunkedArray):
                array = values.cast(field.type)
            else:
                array = pa.array(values, type=field.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise TypeError(f"column {field.name!r} is not {field.type}: {error}") from error
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=ANNOTATION_SCHEMA)


def validate(
    table: pa.Table, source: Path | str, rows: Sequence[int] | npt.NDArray[Any] | None = None
) -> None:
    """Check every row of an annotation table; an empty table is fine.

    Parameters
    ----------
    table
        The table to check.
    source
        The file it came from, named in the error.
    rows
        ``(n,)`` number of each row in the source, as a spreadsheet counts (the header is row 1);
        left out, rows are counted from 1.

    Raises
    ------
    FormatError
        Naming file, row and column of the first faulty row: another schema, a missing recording or
        presence, a presence that is not one of the three, a number that is NaN or infinite, a
        negative time, frequency or channel, an end before its start, one bound without the other,
        a low frequency above the high one, a confidence outside 0 to 1, an empty label, a missing
        label in a row that does not say absent, an empty scope.
    """
    if not table.schema.equals(ANNOTATION_SCHEMA):
        raise FormatError(
            source,
            f"the columns are {', '.join(table.schema.names)}, not those of an annotation table",
            f"Expected: {', '.join(ANNOTATION_SCHEMA.names)}",
        )

    faults: list[tuple[int, str, str]] = []

    def fail(bad: Bool, column: str, problem: str) -> None:
        if bad.any():
            faults.append((int(np.flatnonzero(bad)[0]), column, problem))

    def numbers(name: str) -> tuple[npt.NDArray[np.float64], Bool]:
        column = table.column(name)
        known = ~nulls(name)
        return column.fill_null(0).to_numpy().astype(np.float64), known

    def nulls(name: str) -> Bool:
        missing: Bool = table.column(name).is_null().to_numpy().astype(bool)
        return missing

    def texts(name: str) -> npt.NDArray[np.object_]:
        values: npt.NDArray[np.object_] = np.array(table.column(name).to_pylist(), dtype=object)
        return values

    fail(nulls("recording") | (texts("recording") == ""), "recording", "a name is missing")
    presence = texts("presence")
    fail(~np.isin(presence, PRESENCES), "presence", f"expected one of {', '.join(PRESENCES)}")
    for name in ("start_s", "end_s", "low_hz", "high_hz", "confidence", "channel"):
        values, known = numbers(name)
        fail(known & ~np.isfinite(values), name, "expected a finite number")
        fail(known & (values < 0), name, "expected a number that is not negative")
    start, has_start = numbers("start_s")
    end, has_end = numbers("end_s")
    fail(has_end & ~has_start, "start_s", "the end is given but not the start")
    fail(has_start & ~has_end, "end_s", "the start is given but not the end")
    fail(has_start & has_end & (end < start), "end_s", "the end lies before the start")
    low, has_low = numbers("low_hz")
    high, has_high = numbers("high_hz")
    fail(has_low & has_high & (low > high), "low_hz", "the low frequency is above the high one")
    confidence, known = numbers("confidence")
    fail(known & (confidence > 1), "confidence", "expected a number from 0 to 1")
    fail(texts("label") == "", "label", "an empty text is no label")
    fail(nulls("label") & (presence != ABSENT), "label", "only an absent row may have no label")
    sizes = pc.list_value_length(table.column("scope")).fill_null(1).to_numpy()
    empty = sizes == 0
    fail(empty, "scope", "an empty scope speaks of no label")
    if faults:
        row, column, problem = min(faults, key=lambda fault: fault[0])
        number = row + 1 if rows is None else int(rows[row])
        value = table.column(column)[row].as_py()
        raise FormatError(source, f"row {number}, column {column}: {problem}, found {value!r}")
