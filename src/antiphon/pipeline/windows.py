"""The windows of one table of embeddings with what is known of their recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import UserError
from antiphon.labels.disputes import Judged, judge_windows
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.names import recording_names
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable
from antiphon.store.view import View

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

# Share of a window that must be audio for a strategy to ask a person about it.
_SHORTEST = 0.25


@dataclass(frozen=True, slots=True)
class WindowSet:
    """All windows of a table, in the table's stable order, with facts of their recordings.

    Parameters
    ----------
    recording_id, channel, start_s, end_s
        ``(n,)``, one entry for each window; seconds within the recording.
    recordings
        Rows of the catalogue, one for each recording that has windows, and ``name``: what
        :func:`~antiphon.pipeline.names.recording_names` calls it.
    row
        ``(n,)`` row of ``recordings`` for each window.
    view
        The snapshot of the table that the windows were read from.
    place
        ``(n,)`` row of the snapshot for each window.
    """

    recording_id: Int64
    channel: npt.NDArray[np.int16]
    start_s: Float64
    end_s: Float64
    recordings: pa.Table
    row: Int64
    view: View
    place: Int64

    def __len__(self) -> int:
        return len(self.recording_id)

    def take(self, rows: npt.NDArray[Any]) -> WindowSet:
        """Return the windows at ``rows`` (indices or a mask), with the same recordings table."""
        return WindowSet(
            self.recording_id[rows],
            self.channel[rows],
            self.start_s[rows],
            self.end_s[rows],
            self.recordings,
            self.row[rows],
            self.view,
            self.place[rows],
        )

    def vectors(self, rows: npt.NDArray[Any]) -> Float32:
        """Return the embeddings of the windows at ``rows``, ``(len(rows), dim)`` float32.

        They are those of the snapshot, whatever other processes add to the table meanwhile.
        """
        return self.view.vectors(self.place[rows])

    def texts(self, column: str) -> Texts:
        """Return a text column of the recordings for each window, None where unknown."""
        values = np.array(self.recordings.column(column).to_pylist(), dtype=object)
        return values[self.row] if len(values) else np.empty(0, object)

    @property
    def time(self) -> npt.NDArray[np.datetime64]:
        """``(n,)`` local time at which each window begins, NaT where the start is unknown."""
        start = self.recordings.column("start_time").to_numpy(zero_copy_only=False)
        begin = start.astype("datetime64[us]")[self.row]
        step = np.round(self.start_s * 1e6).astype("timedelta64[us]")
        shifted: npt.NDArray[np.datetime64] = begin + step
        return shifted

    @property
    def hour(self) -> Float64:
        """``(n,)`` hour of the day, 0 to 24, NaN where the start is unknown."""
        time = self.time
        day = time.astype("datetime64[D]")
        hours = (time - day) / np.timedelta64(1, "h")
        return np.where(np.isnat(time), np.nan, hours).astype(np.float64)

    def groups(self, by: str) -> tuple[Int64, list[str]]:
        """Return each window's group and the groups' names.

        Parameters
        ----------
        by
            ``recording`` (identical copies of a file are one), ``site``, ``date``, or a column
            of the metadata table such as ``source``.

        Raises
        ------
        UserError
            If no recording has that column.
        """
        if by == "recording":
            names = self.texts("content_key")
        elif by == "site":
            names = self.texts("site")
        elif by == "date":
            days = self.time.astype("datetime64[D]")
            names = np.array([None if np.isnat(d) else str(d) for d in days], dtype=object)
        else:
            extra = self.recordings.column("extra").to_pylist()
            values = [(row or {}).get(by) for row in extra]
            if not any(v is not None for v in values):
                there = sorted({key for row in extra for key in (row or {})})
                raise UserError(
                    f"Recordings have no column {by!r} to group by. There are: "
                    f"{', '.join(['recording', 'site', 'date', *there])}."
                )
            names = np.array(values, dtype=object)[self.row]
        # A recording whose group is unknown stands alone; it must not be lumped with others.
        alone = np.array([f"recording {i}" for i in self.recording_id], dtype=object)
        names = np.where(names == None, alone, names).astype(str)  # noqa: E711
        unique, index = np.unique(names, return_inverse=True)
        return index.astype(np.int64), [str(name) for name in unique]


def load_windows(folder: ProjectFolder, table: VectorTable) -> WindowSet:
    """Read the windows of ``table`` and the recordings they belong to."""
    view = table.view()
    windows = view.windows()
    recording_id = windows.column("recording_id").to_numpy().astype(np.int64)
    unique, row = np.unique(recording_id, return_inverse=True)
    # Another process may rescan in between, so a recording is looked up whatever its state is.
    recordings = folder.catalogue.recordings(all_states=True)
    names = pa.array(recording_names(recordings), pa.string())
    recordings = recordings.append_column("name", names)
    ids = recordings.column("id").to_numpy().astype(np.int64)
    order = np.argsort(ids)
    where = order[np.searchsorted(ids[order], unique)] if len(unique) else np.empty(0, np.int64)
    return WindowSet(
        recording_id,
        windows.column("channel").to_numpy().astype(np.int16),
        windows.column("start_s").to_numpy().astype(np.float64),
        windows.column("end_s").to_numpy().astype(np.float64),
        recordings.take(pa.array(where)),
        row.astype(np.int64),
        view,
        np.arange(windows.num_rows, dtype=np.int64),
    )


def targets(folder: ProjectFolder, windows: WindowSet, labels: list[str]) -> Float32:
    """Return ``(n, n_labels)`` float32: 1 present, 0 absent, NaN where no annotation says.

    NaN as well where people disagree; see :func:`judged`.
    """
    return judged(folder, windows, labels).targets


def judged(folder: ProjectFolder, windows: WindowSet, labels: list[str]) -> Judged:
    """Return what the project's annotations tell of windows, and where people disagree."""
    return judge_windows(
        windows.recording_id,
        windows.start_s,
        windows.end_s,
        windows.channel,
        annotations_of(folder, windows),
        labels,
        min_overlap=folder.config.labels.min_overlap,
        channels=channels_of(windows),
    )


def annotations_of(folder: ProjectFolder, windows: WindowSet) -> pa.Table:
    """Return the annotations of the recordings that windows are of."""
    unique = np.unique(windows.recording_id)
    annotations = folder.catalogue.annotations()
    ids = annotations.column("recording_id").to_numpy()
    return annotations.filter(pa.array(np.isin(ids, unique)))


def channels_of(windows: WindowSet) -> Int64:
    """Return ``(n,)`` how many channels the recording of each window has."""
    count = windows.recordings.column("channels").fill_null(1).to_numpy()[windows.row]
    return np.asarray(count, np.int64)


def long_enough(windows: WindowSet) -> Bool:
    """Return which windows are worth a person's time: no mere ends of a recording.

    The last window of a recording may hold a few milliseconds of audio, the rest padding. Kept are
    windows with at least a quarter of the longest one's audio, and the longest of each recording,
    so that no short recording is left out.
    """
    length = windows.end_s - windows.start_s
    if not len(length):
        return np.ones(0, dtype=bool)
    longest = np.zeros(len(windows.recordings), np.float64)
    np.maximum.at(longest, windows.row, length)
    return np.asarray(
        (length >= _SHORTEST * length.max()) | (length >= longest[windows.row] - 1e-9)
    )


def time_mask(windows: WindowSet, wanted: WindowFilter) -> Bool:
    """Return which windows the filter's sites, hours and dates let through."""
    mask = np.ones(len(windows), dtype=bool)
    if wanted.sites:
        sites = windows.texts("site")
        known = sorted({str(s) for s in sites if s is not None})
        for site in wanted.sites:
            if site not in known:
                raise UserError(
                    f"No embedded recording has the site {site!r}. There are: "
                    f"{', '.join(known) or 'none'}."
                )
        mask &= np.isin(sites.astype(str), wanted.sites)
    if wanted.hours is not None:
        first, last = wanted.hours
        hour = windows.hour
        inside = (
            (hour >= first) & (hour < last) if first < last else (hour >= first) | (hour < last)
        )
        mask &= inside
    if wanted.dates is not None:
        day = windows.time.astype("datetime64[D]")
        mask &= (day >= np.datetime64(wanted.dates[0])) & (day <= np.datetime64(wanted.dates[1]))
    return mask


def label_mask(folder: ProjectFolder, windows: WindowSet, wanted: WindowFilter) -> Bool:
    """Return which windows the filter's annotated labels let through."""
    mask = np.ones(len(windows), dtype=bool)
    if not (wanted.labels or wanted.unlabelled):
        return mask
    names = folder.catalogue.label_names()
    for name in wanted.labels:
        if name not in names:
            raise UserError(
                f"The project has no label {name!r}. There are: {', '.join(names) or 'none'}."
            )
    if wanted.labels:
        said = targets(folder, windows, list(wanted.labels))
        mask &= (said == 1.0).any(axis=1)
    if wanted.unlabelled:
        mask &= np.isnan(targets(folder, windows, names)).all(axis=1)
    return mask
