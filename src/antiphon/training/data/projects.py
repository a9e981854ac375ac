"""Antiphon projects as sources."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from antiphon.errors import StoreError
from antiphon.labels.labelset import Label
from antiphon.store.project import ProjectFolder
from antiphon.training.data.config import ProjectSource
from antiphon.training.data.reading import SourceRows, inaudible, recording_groups, said_by
from antiphon.training.data.table import strings


def read_project(source: ProjectSource, name: str, sample_rate: int) -> SourceRows:
    """Read the recordings and annotations of a project; unreadable recordings are left out.

    Raises
    ------
    StoreError
        It is no project, or holds no recording.
    """
    folder = ProjectFolder.open(source.path.expanduser())
    try:
        recordings = folder.catalogue.recordings()
        annotations = folder.catalogue.annotations()
        rows = folder.catalogue.labels()
        roots = {
            root: folder.audio_root(root) for root in recordings.column("root").unique().to_pylist()
        }
        paths = [
            str(folder.recording_path(root, path))
            for root, path in zip(
                recordings.column("root").to_pylist(),
                recordings.column("path").to_pylist(),
                strict=True,
            )
        ]
    finally:
        folder.close()
    if not paths:
        raise StoreError(f"{source.path}: the project holds no readable recording.")
    labels = tuple(
        Label(
            row.name,
            row.kind or "species",  # type: ignore[arg-type]
            row.scientific_name,
            row.common_name,
            row.rank,
            row.synonyms,
        )
        for row in rows
    )
    ids = recordings.column("id").to_numpy()
    order = np.argsort(ids)
    place = np.searchsorted(ids[order], annotations.column("recording_id").to_numpy())
    at = annotations.schema.get_field_index("recording_id")
    annotations = annotations.set_column(at, "recording_id", pa.array(order[place]))
    channels = recordings.column("channels").fill_null(0).to_numpy().astype(np.int64)
    said, dropped = said_by(annotations, [label.name for label in labels], channels)
    labelled = np.zeros(len(paths), bool)
    labelled[said.recording] = True
    if source.group == "site":
        sites = recordings.column("site").to_pylist()
        group = [site or path.rsplit("/", 1)[-1] for site, path in zip(sites, paths, strict=True)]
    elif source.group == "folder":
        group = [str(roots[root]) for root in recordings.column("root").to_pylist()]
    elif source.group == "source":
        group = [name] * len(paths)
    else:
        group = recording_groups(paths)
    durations = recordings.column("duration_s").cast(pa.float64()).fill_null(np.nan)
    notes = inaudible(annotations, sample_rate, source.path)
    if dropped:
        notes.append(
            f"{source.path}: {dropped} absences of single channels say nothing of the mix."
        )
    return SourceRows(
        name=name,
        root="",
        path=strings(paths),
        labels=labels,
        said=said,
        labelled=labelled,
        group=group,
        side=np.full(len(paths), -1, np.int8),
        duration_s=durations.to_numpy().astype(np.float64),
        notes=notes,
    )
