"""Requests about recordings: the list, a day, effort and activity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel

from antiphon.app.api.narrowing import Names, Wanted
from antiphon.app.security.identity import Context, Someone
from antiphon.app.services.browsing import browsing_of
from antiphon.pipeline.browse import activity as clock
from antiphon.pipeline.browse.detections import DetectionFilter
from antiphon.pipeline.browse.recordings import RecordingFilter, narrow, sites_and_dates
from antiphon.store.recordings import READABLE

router = APIRouter(prefix="/api/recordings", tags=["recordings"])

Sort = Literal[
    "name",
    "site",
    "start_time",
    "duration_s",
    "sample_rate",
    "status",
    "windows",
    "labels",
    "detections",
]
_MOST_ON_A_DAY = 5000


class Recording(BaseModel):
    """A recording and what became of it; times are local, ``problem`` says why it is not ok."""

    id: int
    name: str
    site: str | None
    start_time: datetime | None
    duration_s: float | None
    sample_rate: int | None
    channels: int | None
    status: str
    problem: str | None
    windows: int
    labels: int
    labelled: int
    detections: int


class RecordingList(BaseModel):
    """A page of recordings; ``total`` counts all that the filter lets through."""

    total: int
    hours: float
    rows: list[Recording]


class Tally(BaseModel):
    """A name (empty where unknown) and how many recordings have it."""

    name: str
    recordings: int


class Places(BaseModel):
    """What there is to choose from."""

    recordings: int
    hours: float
    sites: list[Tally]
    dates: list[Tally]
    statuses: list[Tally]


class Span(BaseModel):
    """A detection within a recording; ``score`` is the largest of its windows."""

    label: str
    start_s: float
    end_s: float
    channel: int
    score: float


class DayRecording(BaseModel):
    """A recording of a day with its detections."""

    id: int
    name: str
    site: str | None
    start_time: datetime | None
    duration_s: float
    sample_rate: int
    detections: list[Span]


class Day(BaseModel):
    """The recordings of a day in order; ``left_out`` counts those that cannot be read.

    Attributes
    ----------
    more
        Recordings beyond the most that are given.
    """

    date: date | None
    recordings: list[DayRecording]
    labels: list[str]
    left_out: int
    more: int


class Chart(BaseModel):
    """A drawing (SVG, its text escaped) and its numbers."""

    title: str
    svg: str
    columns: list[str]
    rows: list[list[str | float | None]]


class Activity(BaseModel):
    """Recorded time and detections by hour and date.

    ``left_out`` recordings have no start time; ``not_searched`` ones are not embedded, so that
    nothing can be detected in them.
    """

    charts: list[Chart]
    sites: Chart
    minutes: float
    detections: int
    left_out: int
    left_out_names: list[str]
    detections_left_out: int
    not_searched: int


@router.get("")
def recordings(
    context: Context,
    _person: Someone,
    wanted: Wanted,
    text: Annotated[str, Query(max_length=200)] = "",
    status: Names = [],  # noqa: B006 - FastAPI copies defaults
    sort: Sort = "start_time",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RecordingList:
    """Return a page of the recordings, also of those that are missing or cannot be read."""
    rows = narrow(browsing_of(context).recordings(), RecordingFilter(text, wanted, tuple(status)))
    keys: list[tuple[str, str]] = [(sort, "descending" if descending else "ascending")]
    keys += [(name, "ascending") for name in ("name", "id") if name != sort]
    order = pc.sort_indices(rows, sort_keys=keys)
    return RecordingList(
        total=rows.num_rows,
        hours=_hours(rows),
        rows=[Recording(**row) for row in rows.take(order.slice(offset, limit)).to_pylist()],
    )


@router.get("/places")
def places(context: Context, _person: Someone) -> Places:
    """Return sites, dates and states of the recordings, each with how many there are."""
    rows = browsing_of(context).recordings()
    sites, dates = sites_and_dates(rows)
    states, counts = np.unique(
        np.array(rows.column("status").to_pylist(), dtype=str), return_counts=True
    )
    return Places(
        recordings=rows.num_rows,
        hours=_hours(rows),
        sites=[Tally(name=name, recordings=n) for name, n in sites],
        dates=[Tally(name=name, recordings=n) for name, n in dates],
        statuses=[
            Tally(name=str(name), recordings=int(n)) for name, n in zip(states, counts, strict=True)
        ],
    )


@router.get("/day")
def day(
    context: Context,
    _person: Someone,
    wanted: Wanted,
    day: Annotated[date | None, Query(alias="date")] = None,
    run: str | None = None,
) -> Day:
    """Return the readable recordings that begin on a day, with the spans detected in them.

    Without a date: those whose start is not known. The filter's labels and score are those of
    the detections, its sites those of the recordings.
    """
    browsing = browsing_of(context)
    rows = browsing.recordings()
    if wanted.sites:
        rows = narrow(rows, RecordingFilter(places=DetectionFilter(sites=wanted.sites)))
    start = rows.column("start_time").to_numpy().astype("datetime64[D]")
    rows = rows.filter(pa.array(np.isnat(start) if day is None else start == np.datetime64(day)))
    heard = rows.filter(pc.is_in(rows.column("status"), value_set=pa.array(READABLE)))
    order = pc.sort_indices(
        heard, sort_keys=[("start_time", "ascending"), ("site", "ascending"), ("id", "ascending")]
    )
    shown = heard.take(order.slice(0, _MOST_ON_A_DAY))
    every = DetectionFilter(labels=wanted.labels, min_score=wanted.min_score)
    _, chosen = browsing.select(run, every, spans=True)
    ids = shown.column("id")
    found = chosen.rows.filter(pc.is_in(chosen.rows.column("recording_id"), value_set=_array(ids)))
    spans: dict[int, list[Span]] = {}
    names = ("recording_id", "label", "start_s", "end_s", "channel", "probability")
    for i, label, begin, end, channel, score in zip(
        *(found.column(name).to_pylist() for name in names), strict=True
    ):
        spans.setdefault(i, []).append(
            Span(label=label, start_s=begin, end_s=end, channel=channel, score=score)
        )
    return Day(
        date=day,
        recordings=[
            DayRecording(
                id=row["id"],
                name=row["name"],
                site=row["site"],
                start_time=row["start_time"],
                duration_s=row["duration_s"] or 0.0,
                sample_rate=row["sample_rate"] or 0,
                detections=sorted(spans.get(row["id"], []), key=lambda span: span.start_s),
            )
            for row in shown.to_pylist()
        ],
        labels=sorted({span.label for some in spans.values() for span in some}),
        left_out=rows.num_rows - heard.num_rows,
        more=heard.num_rows - shown.num_rows,
    )


@router.get("/activity")
def activity(
    context: Context, _person: Someone, wanted: Wanted, run: str | None = None
) -> Activity:
    """Return recorded time and detections by hour, date and site, as charts and numbers.

    The filter's hours are left aside. Recordings without a start time stand in no chart by time;
    they are counted and named. Beside detections, time that was never searched does not count.
    """
    browsing = browsing_of(context)
    rows = browsing.recordings()
    rows = rows.filter(pc.is_in(rows.column("status"), value_set=pa.array(READABLE)))
    places = DetectionFilter(sites=wanted.sites, dates=wanted.dates)
    known = narrow(rows, RecordingFilter(places=places))
    if wanted.dates is not None:
        # Those without a time stay, to be named as left out.
        undated = narrow(rows, RecordingFilter(places=DetectionFilter(sites=wanted.sites)))
        undated = undated.filter(pc.is_null(undated.column("start_time")))
        known = pa.concat_tables([known, undated])
    # Charts by the hour show all hours: without this, unasked ones would look silent.
    name, chosen = browsing.select(run, replace(wanted, hours=None), spans=False)
    every = known.num_rows
    if name is not None:
        known = known.filter(pc.greater(known.column("windows"), 0))
    what = wanted.labels[0] if len(wanted.labels) == 1 else "detections"
    made = clock.activity(known, chosen.rows, what=what)
    return Activity(
        charts=[_chart(chart) for chart in made.charts],
        sites=_chart(made.sites),
        minutes=made.minutes,
        detections=made.detections,
        left_out=made.left_out,
        left_out_names=list(made.left_out_names),
        detections_left_out=made.detections_left_out + chosen.without_time,
        not_searched=every - known.num_rows,
    )


@router.get("/{recording}")
def recording(
    context: Context, _person: Someone, recording: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> Recording:
    """Return one recording."""
    rows = browsing_of(context).recordings()
    found = rows.filter(pc.equal(rows.column("id"), recording)).to_pylist()
    if not found:
        raise HTTPException(404, f"There is no recording {recording} in this project.")
    return Recording(**found[0])


def _chart(chart: clock.Chart) -> Chart:
    return Chart(
        title=chart.title,
        svg=str(chart.svg),
        columns=list(chart.columns),
        rows=[list(row) for row in chart.rows],
    )


def _hours(rows: pa.Table) -> float:
    return float(pc.sum(rows.column("duration_s")).as_py() or 0.0) / 3600


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
