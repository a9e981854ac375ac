"""A day at a site, or one long recording, as a picture of its overviews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from antiphon.app.media.overview import COLUMN_S, ROWS, Overview, to_db
from antiphon.app.media.resolution import Scale
from antiphon.app.media.sources import MediaError
from antiphon.audio.features.mel import hz_to_mel, mel_to_hz
from antiphon.store.project import ProjectFolder
from antiphon.store.recordings import READABLE
from antiphon.store.schema import Recording

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]

NOTHING = 255
"""Value of the points of a picture for which there is no audio."""

Statistic = Literal["mean", "loudest"]
# No recorder writes longer files; those that began before midnight are looked for so far back.
_LONGEST = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Part:
    """A recording on the axis of time of a picture.

    Parameters
    ----------
    recording
        Its id.
    begin_s, end_s
        Seconds from the beginning of the axis; may lie outside of it.
    """

    recording: int
    begin_s: float
    end_s: float


def day_parts(folder: ProjectFolder, site: str | None, date: dt.date) -> list[Part]:
    """Return the recordings of a day by the recorder's clock, in their order.

    Parameters
    ----------
    site
        Name of the site; None for recordings without one.
    """
    midnight = dt.datetime.combine(date, dt.time())
    columns = (Recording.id, Recording.start_time, Recording.frames, Recording.sample_rate)
    place = Recording.site.is_(None) if site is None else Recording.site == site
    query = (
        select(*columns)
        .where(place, Recording.status.in_(READABLE))
        .where(Recording.start_time >= midnight - _LONGEST)
        .where(Recording.start_time < midnight + dt.timedelta(days=1))
        .order_by(Recording.start_time, Recording.id)
    )
    with folder.catalogue.database.read() as connection:
        rows = connection.execute(query).all()
    parts = []
    for row in rows:
        begin_s = (row.start_time - midnight).total_seconds()
        end_s = begin_s + row.frames / row.sample_rate
        if end_s > 0:
            parts.append(Part(row.id, begin_s, end_s))
    return parts


@dataclass(frozen=True, slots=True)
class LongLook:
    """How a long time is drawn.

    Parameters
    ----------
    begin_s, end_s
        Part of the axis of time, s.
    width, height
        Size of the picture.
    scale, low_hz, high_hz
        Frequency axis; up to the highest of all recordings when ``high_hz`` is None.
    statistic
        ``mean`` power of each ten seconds, for the soundscape, or the ``loudest`` moment.
    """

    begin_s: float
    end_s: float
    width: int = 1440
    height: int = 256
    scale: Scale = "linear"
    low_hz: float = 0.0
    high_hz: float | None = None
    statistic: Statistic = "mean"


@dataclass(frozen=True, slots=True)
class LongPicture:
    """A picture of a long time.

    Parameters
    ----------
    values
        ``(height, width)`` uint8, the highest frequency in row 0: 0 to 254 from ``low_db`` to
        ``high_db``, and :data:`NOTHING`.
    low_hz, high_hz
        Band of the rows.
    low_db, high_db
        Range of the levels, dB below a full-scale sine.
    """

    values: UInt8
    low_hz: float
    high_hz: float
    low_db: float
    high_db: float


def draw_long(
    parts: Sequence[tuple[Part, Overview]], look: LongLook, contrast: tuple[float, float]
) -> LongPicture:
    """Draw the overviews that are there.

    Parameters
    ----------
    parts
        Recordings with their overviews.
    look
        What to draw.
    contrast
        Percentiles of the levels that are drawn as the ends of the range.

    Raises
    ------
    MediaError
        If the band or the span is empty.
    """
    if not look.begin_s < look.end_s:
        raise MediaError("The picture must end after its start.")
    top = max((made.rate / 2 for _, made in parts), default=look.high_hz or 1.0)
    high = top if look.high_hz is None else min(look.high_hz, top)
    if look.low_hz >= high:
        raise MediaError(f"The band from {look.low_hz:g} Hz lies above {high:,.0f} Hz.")
    edges = _edges(look.scale, look.low_hz, high, look.height)
    levels = np.full((look.width, look.height), 0.0 if look.statistic == "mean" else -np.inf)
    counts = np.zeros((look.width, look.height))
    for part, made in parts:
        _add(levels, counts, part, made, edges, look)
    known = counts > 0
    if not known.any():
        nothing = np.full((look.height, look.width), NOTHING, np.uint8)
        return LongPicture(nothing, look.low_hz, high, 0.0, 0.0)
    if look.statistic == "mean":
        levels /= np.maximum(counts, 1)
    low_db, high_db = (float(v) for v in np.percentile(levels[known], contrast))
    share = np.clip((levels[known] - low_db) / max(high_db - low_db, 1e-6), 0, 1)
    values = np.full(levels.shape, NOTHING, np.uint8)
    values[known] = np.round(share * (NOTHING - 1))
    picture = np.ascontiguousarray(values.T[::-1])
    return LongPicture(picture, look.low_hz, high, low_db, high_db)


def _edges(scale: Scale, low: float, high: float, rows: int) -> Float64:
    if scale == "linear":
        return np.linspace(low, high, rows + 1)
    low_mel, high_mel = hz_to_mel([low, high])
    return mel_to_hz(np.linspace(low_mel, high_mel, rows + 1))


def _add(
    levels: Float64, counts: Float64, part: Part, made: Overview, edges: Float64, look: LongLook
) -> None:
    """Add one recording to the points that it covers; a point takes at least one column."""
    n = len(made.mean)
    begin = part.begin_s + np.arange(n) * COLUMN_S
    end = np.minimum(begin + COLUMN_S, part.end_s)
    pixel = look.width / (look.end_s - look.begin_s)
    first = np.floor((begin - look.begin_s) * pixel + 1e-9).astype(np.int64)
    last = np.ceil((end - look.begin_s) * pixel - 1e-9).astype(np.int64)
    last = np.maximum(last, first + 1)
    seen = (last > 0) & (first < look.width)
    first, last = np.clip(first[seen], 0, None), np.clip(last[seen], None, look.width)
    if not len(first):
        return
    rows, there = _rows(made, edges, look, seen)
    count = last - first
    columns = np.repeat(np.arange(len(first)), count)
    at = np.arange(len(columns)) + np.repeat(first - np.cumsum(count) + count, count)
    # Every row that a recording reaches is reached in all of its columns.
    here = np.flatnonzero(there)
    points = (at[:, None], here[None, :])
    if look.statistic == "mean":
        np.add.at(levels, points, rows[columns][:, here])
    else:
        np.maximum.at(levels, points, rows[columns][:, here])
    np.add.at(counts, points, 1.0)


def _rows(
    made: Overview, edges: Float64, look: LongLook, seen: npt.NDArray[np.bool_]
) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """Return levels ``(columns, rows)`` on the picture's axis, and which rows there are."""
    values = made.mean if look.statistic == "mean" else made.loudest
    at = edges / (made.rate / 2) * ROWS
    first = np.clip(np.floor(at[:-1]).astype(np.int64), 0, ROWS - 1)
    there = edges[:-1] < made.rate / 2
    # Several rows of the overview that fall into one are pooled; fewer are repeated.
    band = values[seen, : max(int(np.ceil(at[-1])), int(first[-1]) + 1)]
    pooled = np.maximum.reduceat(band, first, axis=1)
    return to_db(pooled), there
