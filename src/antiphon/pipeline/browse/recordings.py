"""All recordings of a project in one table, with what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.pipeline.browse.detections import DetectionFilter, is_in
from antiphon.pipeline.names import recording_names
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import MISSING, REPLACED, UNREADABLE

Int64 = npt.NDArray[np.int64]

_GONE = "Its file is no longer in the audio folder."
_KEPT = (
    "id",
    "site",
    "start_time",
    "duration_s",
    "sample_rate",
    "channels",
    "status",
    "problem",
)


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """Conditions that must all hold.

    Parameters
    ----------
    text
        Part of the name, whatever its case.
    places
        Sites, dates and hours (of the start).
    status
        Any of these states.
    """

    text: str = ""
    places: DetectionFilter = field(default_factory=DetectionFilter)
    status: tuple[str, ...] = ()


def overview(
    folder: ProjectFolder, windows: WindowSet | None = None, found: pa.Table | None = None
) -> pa.Table:
    """Return one row for each recording, also for those that are missing or unreadable.

    Parameters
    ----------
    windows
        Embedded windows to count.
    found
        Detections to count.

    Returns
    -------
    pa.Table
        ``id``, ``name``, ``site``, ``start_time``, ``duration_s``, ``sample_rate``, ``channels``,
        ``status``, ``problem`` (why it is not ``ok``, null otherwise), and how many ``windows``,
        ``labels`` (different labels said to be present), ``labelled`` (annotations of any kind)
        and ``detections`` it has.
    """
    every = folder.catalogue.recordings(all_states=True)
    names = pa.array(recording_names(every), pa.string())
    every = every.select(_KEPT).append_column("name", names)
    rows = every.filter(pc.not_equal(every.column("status"), REPLACED))
    ids = rows.column("id").to_numpy().astype(np.int64)
    said = folder.catalogue.annotations(all_states=True)
    present = said.filter(pc.equal(said.column("presence"), "present")).select(
        ["recording_id", "label"]
    )
    present = present.group_by(["recording_id", "label"]).aggregate([])
    counts = {
        "windows": np.empty(0, np.int64) if windows is None else windows.recording_id,
        "labels": present.column("recording_id").to_numpy(),
        "labelled": said.column("recording_id").to_numpy(),
        "detections": np.empty(0, np.int64)
        if found is None
        else found.column("recording_id").to_numpy(),
    }
    for name, of in counts.items():
        rows = rows.append_column(name, pa.array(_count(ids, of), pa.int64()))
    problem = pc.if_else(
        pc.and_(pc.equal(rows.column("status"), MISSING), pc.is_null(rows.column("problem"))),
        _GONE,
        rows.column("problem"),
    )
    return rows.set_column(rows.schema.get_field_index("problem"), "problem", problem)


def narrow(rows: pa.Table, wanted: RecordingFilter) -> pa.Table:
    """Return the rows of :func:`overview` that a filter lets through."""
    mask = np.ones(rows.num_rows, dtype=bool)
    if wanted.text:
        has = pc.match_substring(rows.column("name"), wanted.text, ignore_case=True)
        mask &= has.to_numpy(zero_copy_only=False).astype(bool)
    if wanted.places.sites:
        mask &= is_in(pc.fill_null(rows.column("site"), ""), wanted.places.sites)
    if wanted.status:
        mask &= is_in(rows.column("status"), wanted.status)
    if wanted.places.by_time:
        start = rows.column("start_time").to_numpy().astype("datetime64[us]")
        mask &= wanted.places.time_mask(start)
    return rows.filter(pa.array(mask))


def sites_and_dates(rows: pa.Table) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return sites and dates, sorted, with the recordings of each; unknown ones as ``""``."""
    sites = pc.fill_null(rows.column("site"), "")
    start = rows.column("start_time").to_numpy().astype("datetime64[D]")
    days = np.where(np.isnat(start), "", start.astype(str))
    return _tally(sites.to_numpy(zero_copy_only=False).astype(str)), _tally(days)


def unusable(rows: pa.Table) -> int:
    """Return how many recordings cannot be heard at all."""
    return int(is_in(rows.column("status"), (MISSING, UNREADABLE)).sum())


def _tally(values: npt.NDArray[Any]) -> list[tuple[str, int]]:
    names, counts = np.unique(values, return_counts=True)
    return [(str(name), int(n)) for name, n in zip(names, counts, strict=True)]


def _count(ids: Int64, of: npt.NDArray[np.integer[Any]]) -> Int64:
    """Return how often each of ``ids`` (ascending) is among ``of``."""
    ordered = np.sort(of)
    last = np.searchsorted(ordered, ids, side="right")
    return (last - np.searchsorted(ordered, ids, side="left")).astype(np.int64)
