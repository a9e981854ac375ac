"""A run's detections: narrowed down, joined, sorted, by pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import UserError
from antiphon.pipeline.detect import merged

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
Datetime64 = npt.NDArray[np.datetime64]

Order = Literal["score", "time", "label", "recording", "site"]
NO_SITE = ""
"""Stands for recordings without a site in a list of sites."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "score": ("probability",),
    "time": ("time",),
    "label": ("label",),
    "recording": ("path",),
    "site": ("site",),
}


@dataclass(frozen=True, slots=True)
class DetectionFilter:
    """Conditions that must all hold; an empty filter lets everything through.

    Parameters
    ----------
    labels
        Any of these labels.
    sites
        Any of these sites; :data:`NO_SITE` for recordings without one.
    dates
        ``(first, last)`` day, both included.
    hours
        ``(first, past_the_last)`` hour of the day by the recorder's clock, 0 to 24; (22, 4) goes
        over midnight.
    min_score
        Lowest probability; nothing to annotations.
    recording
        Id of the only recording that is looked at.
    """

    labels: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    dates: tuple[date, date] | None = None
    hours: tuple[float, float] | None = None
    min_score: float | None = None
    recording: int | None = None

    @property
    def by_time(self) -> bool:
        """Whether what has no known time is left out."""
        return self.dates is not None or self.hours is not None

    def time_mask(self, time: Datetime64) -> Bool:
        """Return which of ``(n,)`` local times the dates and hours let through; NaT never."""
        mask = np.ones(len(time), dtype=bool)
        if not self.by_time:
            return mask
        mask &= ~np.isnat(time)
        day = time.astype("datetime64[D]")
        if self.dates is not None:
            mask &= (day >= np.datetime64(self.dates[0])) & (day <= np.datetime64(self.dates[1]))
        if self.hours is not None:
            first, last = self.hours
            hour = (time - day) / np.timedelta64(1, "h")
            inside = (hour >= first, hour < last)
            mask &= inside[0] & inside[1] if first < last else inside[0] | inside[1]
        return mask


@dataclass(frozen=True, slots=True)
class Selection:
    """Detections that a filter lets through.

    Parameters
    ----------
    rows
        :data:`~antiphon.pipeline.detect.DETECTION_SCHEMA`.
    recordings, sites
        How many different ones they lie in; an unknown site is none.
    without_time
        Detections that only their unknown time leaves out.
    """

    rows: pa.Table
    recordings: int
    sites: int
    without_time: int


def select(
    found: pa.Table, wanted: DetectionFilter, *, spans: bool = False, gap_s: float = 0.0
) -> Selection:
    """Return the detections that a filter lets through.

    Parameters
    ----------
    spans
        Join windows of a label that touch into spans, after the filter.
    gap_s
        Join across gaps of at most so many seconds.
    """
    mask = np.ones(found.num_rows, dtype=bool)
    if wanted.recording is not None:
        mask &= found.column("recording_id").to_numpy() == wanted.recording
    if wanted.labels:
        mask &= is_in(found.column("label"), wanted.labels)
    if wanted.sites:
        mask &= is_in(pc.fill_null(found.column("site"), NO_SITE), wanted.sites)
    if wanted.min_score is not None:
        mask &= found.column("probability").to_numpy() >= np.float32(wanted.min_score)
    without_time = 0
    if wanted.by_time:
        time = found.column("time").to_numpy().astype("datetime64[us]")
        without_time = int((mask & np.isnat(time)).sum())
        mask &= wanted.time_mask(time)
    rows = found if mask.all() else found.filter(pa.array(mask))
    if spans:
        rows = merged(rows, gap_s)
    return Selection(
        rows,
        int(pc.count_distinct(rows.column("recording_id")).as_py()),
        int(pc.count_distinct(rows.column("site"), mode="only_valid").as_py()),
        without_time,
    )


def page(
    rows: pa.Table, sort: Order = "time", *, descending: bool = False, offset: int, limit: int
) -> pa.Table:
    """Return some of the rows in an order; equal ones by recording, start and label.

    Raises
    ------
    UserError
        If there is no such order.
    """
    if sort not in _COLUMNS:
        raise UserError(f"Detections cannot be sorted by {sort!r}. There are: {list(_COLUMNS)}.")
    direction = "descending" if descending else "ascending"
    keys = [(name, direction) for name in _COLUMNS[sort]]
    rest = ("recording_id", "start_s", "label", "channel")
    keys += [(name, "ascending") for name in rest if name not in _COLUMNS[sort]]
    order = pc.sort_indices(rows, sort_keys=keys)
    return rows.take(order.slice(offset, limit))


def is_in(column: pa.ChunkedArray, values: tuple[str, ...]) -> Bool:
    """Return where a text column has any of some values."""
    found = pc.is_in(column, value_set=pa.array(values, pa.string()))
    mask: Bool = found.to_numpy(zero_copy_only=False).astype(bool)
    return mask
