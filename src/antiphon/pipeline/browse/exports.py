"""Detections or annotations that a filter lets through, as files of other programs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from antiphon.pipeline.browse.detections import DetectionFilter, is_in, select
from antiphon.pipeline.detect import load_detections
from antiphon.pipeline.export import annotation_table, write_annotation_rows, write_detections
from antiphon.pipeline.names import recording_names
from antiphon.store.project import ProjectFolder

FOLDERS = ("raven", "audacity")
"""Formats of one file for each recording."""


def export_detections(
    folder: ProjectFolder,
    target: Path,
    format: str,
    wanted: DetectionFilter,
    *,
    run: str | None = None,
    spans: bool = True,
) -> tuple[list[Path], int]:
    """Write the detections of a run and return the files and the number of rows.

    Raises
    ------
    UserError
        If there is no such run, or the format is unknown.
    """
    rows = select(load_detections(folder, run), wanted, spans=spans).rows
    return write_detections(folder, rows, target, format), int(rows.num_rows)


def export_annotations(
    folder: ProjectFolder, target: Path, format: str, wanted: DetectionFilter
) -> tuple[list[Path], int]:
    """Write annotations and return the files and the number of rows.

    A filter of labels leaves out absences of unnamed labels; one of dates or hours judges where
    the annotation starts (the recording, where it speaks of all of it).

    Raises
    ------
    UserError
        If the format is unknown.
    """
    rows = annotation_table(folder)
    mask = np.ones(rows.num_rows, dtype=bool)
    if wanted.labels:
        mask &= is_in(rows.column("label"), wanted.labels)
    if wanted.sites or wanted.by_time or wanted.recording is not None:
        recordings = folder.catalogue.recordings()
        place = {name: i for i, name in enumerate(recording_names(recordings))}
        at = np.array([place[name] for name in rows.column("recording").to_pylist()], np.int64)
        if wanted.recording is not None:
            mask &= recordings.column("id").to_numpy()[at] == wanted.recording
        if wanted.sites:
            sites = np.array([s or "" for s in recordings.column("site").to_pylist()], dtype=str)
            mask &= np.isin(sites[at], wanted.sites)
        start = recordings.column("start_time").to_numpy().astype("datetime64[us]")[at]
        offset = np.array([s or 0.0 for s in rows.column("start_s").to_pylist()])
        mask &= wanted.time_mask(start + np.round(offset * 1e6).astype("timedelta64[us]"))
    rows = rows.filter(pa.array(mask))
    return write_annotation_rows(rows, target, format), int(rows.num_rows)


def zip_files(files: Sequence[Path], base: Path, target: Path) -> None:
    """Put files under ``base`` into one zip, named as they lie there."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files):
            archive.write(file, file.relative_to(base).as_posix())
