"""From a text table's rows to annotations, and back to a tool's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import UserError
from antiphon.labels.annotation import ABSENT, PRESENT, UNSURE, make_annotations, validate
from antiphon.labels.formats.registry import Parsed
from antiphon.labels.formats.table import Float64, TextTable, unit

FREQUENCY_UNITS = ("auto", "Hz", "kHz")

# 500 kHz would need a sampling rate above 1 MHz, so a larger figure can only be in Hz.
_LARGEST_KHZ = 500.0

_PRESENCE_WORDS = {
    **dict.fromkeys(("", "present", "positive", "true", "yes", "1"), PRESENT),
    **dict.fromkeys(("absent", "negative", "false", "no", "0"), ABSENT),
    **dict.fromkeys(("unsure", "uncertain", "possible", "?"), UNSURE),
}

Row = dict[str, Any]


def parsed(
    path: Path,
    columns: Mapping[str, Any],
    rows: Sequence[int],
    *,
    reviewed: Sequence[str],
    problems: Sequence[str] = (),
    skipped: int = 0,
    label: str | None = None,
) -> Parsed:
    """Check the columns that a reader found and make them its result.

    Numbers come as float arrays with NaN for missing ones. A row that is not "absent" and has no
    label gets ``label``; without one it is left out, counted and named.

    Raises
    ------
    FormatError
        Naming the row and column of the first fault.
    """
    columns = dict(columns)
    problems = list(problems)
    labels = [text or None for text in columns["label"]]
    presence = columns.get("presence") or [PRESENT] * len(rows)
    bare = [i for i, text in enumerate(labels) if text is None and presence[i] != ABSENT]
    if label:
        for i in bare:
            labels[i] = label
        bare = []
    columns["label"] = labels
    columns["presence"] = presence
    if bare:
        shown = ", ".join(str(rows[i]) for i in bare[:5]) + (", ..." if len(bare) > 5 else "")
        which = f"row {shown} has" if len(bare) == 1 else f"rows {shown} have"
        problems.append(
            f"{len(bare)} of {len(rows)} rows left out: {which} no label; fill in the label, or "
            "name one for all of them with the option label"
        )
    for name in ("start_s", "end_s", "low_hz", "high_hz", "confidence", "channel"):
        values = columns.get(name)
        if isinstance(values, np.ndarray):
            columns[name] = _nullable(values, whole=name == "channel")
    table = make_annotations(columns)
    if bare:
        keep = np.ones(len(rows), dtype=bool)
        keep[bare] = False
        table = table.filter(pa.array(keep))
        rows = [row for row, kept in zip(rows, keep, strict=True) if kept]
    validate(table, path, rows)
    return Parsed(
        table, tuple(dict.fromkeys(reviewed)), tuple(problems), skipped=skipped + len(bare)
    )


def channels(table: TextTable, index: int | None, first: int) -> Float64:
    """Return zero-based channels from a column whose first channel is ``first``.

    Raises
    ------
    FormatError
        Naming the row, if a channel is no whole number or lies below ``first``.
    """
    values = table.numbers(index)
    known = ~np.isnan(values)
    bad = known & ((values != np.floor(values)) | (values < first) | (values > 32_767))
    if bad.any() and index is not None:
        row = int(np.flatnonzero(bad)[0])
        raise table.error(
            f"row {table.rows[row]}, column {table.header[index]}: expected a whole channel number "
            f"from {first}, found {table.columns[index][row]!r}"
        )
    return values - first


def confidences(table: TextTable, index: int | None) -> tuple[Float64, list[str]]:
    """Return a column as confidences from 0 to 1, or none of them with a stated problem.

    Scores on another scale (a distance, a logit, stars from 1 to 5) are no confidences.
    """
    try:
        values = table.numbers(index)
    except UserError:
        values = np.full(len(table), np.nan)
        text = "holds words"
    else:
        text = "goes beyond 0 to 1"
        if not ((values < 0) | (values > 1)).any():
            return values, []
    title = table.header[index] if index is not None else ""
    return np.full(len(table), np.nan), [
        f"column {title!r} {text} and was not taken as a confidence"
    ]


def presences(table: TextTable, index: int | None) -> list[str]:
    """Return a column as presences; "present" where it is empty or missing.

    Raises
    ------
    FormatError
        Naming the row of a word that is none of those in use.
    """
    said = []
    for cell, row in zip(table.text(index), table.rows, strict=True):
        presence = _PRESENCE_WORDS.get(cell.casefold())
        if presence is None:
            title = table.header[index] if index is not None else "presence"
            raise table.error(
                f"row {row}, column {title}: expected present, absent or unsure, found {cell!r}"
            )
        said.append(presence)
    return said


def hertz(
    table: TextTable,
    low: int | None,
    high: int | None,
    frequency_unit: str,
    *,
    kilohertz_keys: bool = False,
) -> tuple[Float64, Float64, list[str]]:
    """Return the frequency columns in Hz.

    The unit is ``frequency_unit`` unless that is "auto"; then the one in the header's brackets;
    then kHz if ``kilohertz_keys`` (a tool that always writes kHz); then Hz if a figure is above
    500. A header without a unit and small figures may be whales in Hz or birds in kHz: the band is
    then left empty with a stated problem, for a guess would be wrong by a factor of 1000.

    Raises
    ------
    UserError
        If ``frequency_unit`` is unknown.
    """
    if frequency_unit not in FREQUENCY_UNITS:
        raise UserError(
            f"Frequency unit {frequency_unit!r} is not known. "
            f"There are: {', '.join(FREQUENCY_UNITS)}."
        )
    lows, highs = table.numbers(low), table.numbers(high)
    both = np.concatenate([lows, highs])
    titles = [table.header[i] for i in (low, high) if i is not None]
    written = {unit(title) for title in titles} & {"hz", "khz"}
    if not written and titles:
        ends = [title.casefold() for title in titles]
        written = {"khz"} if ends[0].endswith("khz") else set()
        written = {"hz"} if not written and ends[0].endswith("hz") else written
    if frequency_unit != "auto":
        scale = 1000.0 if frequency_unit == "kHz" else 1.0
    elif written:
        scale = 1000.0 if written == {"khz"} else 1.0
    elif kilohertz_keys:
        scale = 1000.0
    elif not (both > 0).any() or np.nanmax(both) > _LARGEST_KHZ:
        scale = 1.0
    else:
        nothing = np.full(len(table), np.nan)
        problem = (
            f"the frequencies in {' and '.join(map(repr, titles))} name no unit and reach only "
            f"{np.nanmax(both):g}, so the band was left empty; say Hz or kHz with the option "
            "frequency_unit"
        )
        return nothing, nothing, [problem]
    if scale == 1.0:
        return lows, highs, []
    # Without the rounding 6.3526 kHz would be 6352.599999999999 Hz.
    return np.round(lows * scale, 6), np.round(highs * scale, 6), []


def as_rows(table: pa.Table) -> list[Row]:
    """Return the annotations as one dictionary per row."""
    rows: list[Row] = table.to_pylist()
    return rows


def only_present(table: pa.Table, format: str) -> None:
    """Refuse a table with absent or unsure rows, for a format that cannot say so.

    Raises
    ------
    UserError
        Naming the number of such rows.
    """
    others = sum(presence != PRESENT for presence in table.column("presence").to_pylist())
    if others:
        raise UserError(
            f"The format {format} can only say that a label is present, and {others} of "
            f"{table.num_rows} annotations say absent or unsure. "
            "Leave them out, or write csv, raven or parquet."
        )


def span(row: Row, durations: Mapping[str, float] | None, format: str) -> tuple[float, float]:
    """Return start and end in seconds; 0 and the duration for a whole recording.

    Raises
    ------
    UserError
        If the duration is needed and not given.
    """
    if row["start_s"] is not None:
        return row["start_s"], row["end_s"]
    duration = (durations or {}).get(row["recording"])
    if duration is None:
        raise UserError(
            f"An annotation speaks of all of {row['recording']}, and the format {format} needs an "
            "end: give the recording's duration, or write csv or parquet."
        )
    return 0.0, float(duration)


def by_recording(rows: Sequence[Row], also: Sequence[str] = ()) -> dict[str, list[Row]]:
    """Group rows by recording in order of appearance; ``also`` names recordings without rows."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["recording"], []).append(row)
    for name in also:
        groups.setdefault(name, [])
    return groups


def _nullable(values: npt.NDArray[Any], *, whole: bool) -> pa.Array:
    missing = np.isnan(values)
    if whole:
        return pa.array(np.where(missing, 0, values).astype(np.int16), mask=missing)
    return pa.array(values, mask=missing)
