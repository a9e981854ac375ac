"""Write detections or annotations for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from antiphon.errors import UserError
from antiphon.labels.annotation import PRESENT, make_annotations
from antiphon.labels.formats.cells import join_labels, split_labels
from antiphon.labels.formats.registry import write_annotations
from antiphon.pipeline.detect import load_detections, merged
from antiphon.pipeline.files import replace_file
from antiphon.pipeline.names import recording_names
from antiphon.store.project import ProjectFolder

FORMATS = ("raven", "audacity", "csv", "parquet")


def export(
    folder: ProjectFolder,
    target: Path,
    *,
    format: str,
    what: str = "detections",
    run: str | None = None,
    merge: bool = True,
    gap_s: float = 0.0,
    min_score: float | None = None,
    labels: tuple[str, ...] = (),
) -> tuple[list[Path], int]:
    """Write detections (or annotations) and return the files and the number of rows.

    Parameters
    ----------
    target
        A folder for ``raven`` and ``audacity`` (one file for each recording), a file otherwise.
    format
        ``raven``, ``audacity``, ``csv`` or ``parquet``.
    what
        ``detections`` or ``annotations``.
    run
        Which detections, by name; the newest when None.
    merge
        Join windows of a label that touch into one span.
    gap_s
        Join across gaps of at most so many seconds.
    min_score
        Leave out detections below this probability.
    labels
        Only these; all when empty.

    Raises
    ------
    UserError
        If there is nothing to export, or a name is unknown.
    """
    _check_format(format)
    if what == "annotations":
        if run is not None or min_score is not None or gap_s:
            raise UserError("--run, --min-score and --gap are for detections, not annotations.")
        table = annotation_table(folder)
        _check_labels(labels, folder.catalogue.label_names())
        if labels:
            keep = np.isin(table.column("label").to_numpy(zero_copy_only=False).astype(str), labels)
            table = table.filter(pa.array(keep))
        return write_annotation_rows(table, target, format), int(table.num_rows)
    if what != "detections":
        raise UserError(f"{what!r} cannot be exported. There are: detections, annotations.")
    found = load_detections(folder, run)
    known = (found.schema.metadata or {}).get(b"labels", b"").decode().split("\n")
    _check_labels(labels, known)
    if labels:
        keep = np.isin(found.column("label").to_numpy(zero_copy_only=False).astype(str), labels)
        found = found.filter(pa.array(keep))
    if min_score is not None:
        found = found.filter(pa.array(found.column("probability").to_numpy() >= min_score))
    if merge:
        found = merged(found, gap_s)
    return write_detections(folder, found, target, format), int(found.num_rows)


def write_detections(
    folder: ProjectFolder, found: pa.Table, target: Path, format: str
) -> list[Path]:
    """Write some detections and return the files.

    Raises
    ------
    UserError
        If the format is unknown.
    """
    _check_format(format)
    if format == "parquet":
        return _parquet(found, target)
    if format == "csv":
        plain = found.drop_columns(["recording_id"])
        # An empty cell is the mix of all channels, as in every other table.
        number = plain.column("channel")
        number = pc.if_else(pc.less(number, 0), pa.scalar(None, number.type), number)
        plain = plain.set_column(plain.schema.get_field_index("channel"), "channel", number)
        cells = [
            name if split_labels(name) == [name] else join_labels([name])
            for name in plain.column("label").to_pylist()
        ]
        plain = plain.set_column(
            plain.schema.get_field_index("label"), "label", pa.array(cells, pa.string())
        )
        replace_file(target, lambda temporary: pa_csv.write_csv(plain, temporary))
        return [target]
    table = as_annotations(found)
    if format == "raven":
        # Detections are not read back to the bit; people look at this table.
        return write_annotations(_with_band(folder, table), target, format, exact=False)
    return write_annotations(table, target, format)


def as_annotations(detections: pa.Table) -> pa.Table:
    """Return detections as an annotation table, the probability as confidence."""
    channel = detections.column("channel").to_pylist()
    return make_annotations(
        {
            "recording": detections.column("path"),
            "start_s": detections.column("start_s"),
            "end_s": detections.column("end_s"),
            "channel": [None if c < 0 else c for c in channel],
            "label": detections.column("label"),
            "presence": [PRESENT] * detections.num_rows,
            "confidence": detections.column("probability").cast(pa.float64()),
        }
    )


def _with_band(folder: ProjectFolder, table: pa.Table) -> pa.Table:
    """Give each span the whole band of its recording, so that Raven's boxes show all of it."""
    rows = folder.catalogue.recordings(all_states=True)
    rates = rows.column("sample_rate").to_pylist()
    half = {n: r / 2 for n, r in zip(recording_names(rows), rates, strict=True) if r}
    high = [half.get(name) for name in table.column("recording").to_pylist()]
    low = [None if h is None else 0.0 for h in high]
    for column, values in (("low_hz", low), ("high_hz", high)):
        place = table.schema.get_field_index(column)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array(values, field.type))
    return table


def annotation_table(folder: ProjectFolder) -> pa.Table:
    """Return all annotations of the project, each with its recording's path."""
    rows = folder.catalogue.annotations()
    recordings = folder.catalogue.recordings()
    name = dict(zip(recordings.column("id").to_pylist(), recording_names(recordings), strict=True))
    there = [i in name for i in rows.column("recording_id").to_pylist()]
    rows = rows.filter(pa.array(there, pa.bool_()))
    names = [name[i] for i in rows.column("recording_id").to_pylist()]
    wanted = (
        "start_s",
        "end_s",
        "low_hz",
        "high_hz",
        "channel",
        "label",
        "presence",
        "scope",
        "confidence",
        "annotator",
        "note",
    )
    return make_annotations({"recording": names, **{name: rows.column(name) for name in wanted}})


def write_annotation_rows(table: pa.Table, target: Path, format: str) -> list[Path]:
    """Write annotations of :func:`annotation_table` and return the files.

    Raises
    ------
    UserError
        If the format is unknown.
    """
    _check_format(format)
    return (
        _parquet(table, target) if format == "parquet" else write_annotations(table, target, format)
    )


def _parquet(table: pa.Table, target: Path) -> list[Path]:
    replace_file(target, lambda temporary: pq.write_table(table, temporary))
    return [target]


def _check_format(format: str) -> None:
    if format not in FORMATS:
        raise UserError(f"--format {format!r} is not known. There are: {', '.join(FORMATS)}.")


def _check_labels(wanted: tuple[str, ...], known: list[str]) -> None:
    for name in wanted:
        if name not in known:
            raise UserError(f"There is no label {name!r}. There are: {', '.join(known) or 'none'}.")
