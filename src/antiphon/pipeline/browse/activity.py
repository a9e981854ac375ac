"""Recorded time and detections by hour of the day and by date, as charts and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from markupsafe import Markup

from antiphon.pipeline.report.hours import (
    HOURS,
    Calendar,
    calendar,
    days_and_hours,
    hour_by_day,
    recorded,
)
from antiphon.plots.charts import bar_chart
from antiphon.plots.heatmap import heatmap

Float64 = npt.NDArray[np.float64]
Datetime64 = npt.NDArray[np.datetime64]

_MOST_NAMED = 50
_SITE_UNKNOWN = "(site unknown)"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the same numbers as a table.

    Parameters
    ----------
    title
        What it shows, a few words.
    svg
        The drawing; its text is escaped.
    columns, rows
        The table; None is a number that is not known.
    """

    title: str
    svg: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """When was recorded, and when detections lie.

    Parameters
    ----------
    charts
        By hour of the day and by date.
    sites
        By site: recordings, recorded hours, detections, detections per recorded hour.
    minutes, detections
        Sums of what the charts show.
    left_out, left_out_names
        Recordings without a start time, which no chart can show, and the first of their names.
    detections_left_out
        Detections in them.
    """

    charts: tuple[Chart, ...]
    sites: Chart
    minutes: float
    detections: int
    left_out: int
    left_out_names: tuple[str, ...]
    detections_left_out: int


def activity(recordings: pa.Table, found: pa.Table, *, what: str = "detections") -> Activity:
    """Count recorded time and detections over the clock.

    Parameters
    ----------
    recordings
        Rows of :func:`~antiphon.pipeline.browse.recordings.overview` that could be heard.
    found
        Detections in them.
    what
        What the detections are called in titles.
    """
    start = recordings.column("start_time").to_numpy().astype("datetime64[us]")
    duration = np.array([d or 0.0 for d in recordings.column("duration_s").to_pylist()])
    time = found.column("time").to_numpy().astype("datetime64[us]")
    known = time[~np.isnat(time)]
    effort, seen = recorded(start, duration), days_and_hours(known)
    dates = calendar(effort[0], seen[0])
    exposure, count = hour_by_day(dates, *effort), hour_by_day(dates, *seen)
    unknown = np.flatnonzero(np.isnat(start))
    names = recordings.column("name")
    return Activity(
        charts=(
            _by_hour(exposure.sum(axis=1), count.sum(axis=1), what),
            _by_date(dates, exposure.sum(axis=0), count.sum(axis=0), what),
            _map(dates, exposure * 60, exposure, "Recorded minutes", "minutes"),
            _map(dates, count, exposure, what[:1].upper() + what[1:], "detected"),
        ),
        sites=_by_site(recordings, duration, found),
        minutes=float(exposure.sum() * 60),
        detections=len(known),
        left_out=len(unknown),
        left_out_names=tuple(names[int(i)].as_py() for i in unknown[:_MOST_NAMED]),
        detections_left_out=len(time) - len(known),
    )


def _by_hour(exposure: Float64, count: Float64, what: str) -> Chart:
    rate = _rate(count, exposure)
    title = f"{what[:1].upper()}{what[1:]} per recorded hour, by hour of the day"
    tips = [
        f"{hour}: {_number(r)} per recorded hour ({n:,.0f} in {60 * h:,.0f} min)"
        for hour, r, n, h in zip(HOURS, rate, count, exposure, strict=True)
    ]
    svg = bar_chart(
        [str(hour) for hour in range(24)],
        rate,
        label=f"{title}. Grey hours were not recorded.",
        x_title="hour of the day",
        y_title="per recorded hour",
        tooltips=tips,
        width=560,
    )
    return _chart(title, svg, "Hour", HOURS, exposure, count, rate)


def _by_date(dates: Calendar, exposure: Float64, count: Float64, what: str) -> Chart:
    rate = _rate(count, exposure)
    title = f"{what[:1].upper()}{what[1:]} per recorded hour, by date"
    names = dates.names
    tips = [
        f"{day}: {_number(r)} per recorded hour ({n:,.0f} in {60 * h:,.0f} min)"
        for day, r, n, h in zip(names, rate, count, exposure, strict=True)
    ]
    svg = bar_chart(
        names,
        rate,
        label=f"{title}. Grey dates were not recorded.",
        x_title="date",
        y_title="per recorded hour",
        tooltips=tips,
        width=560,
    )
    return _chart(title, svg, "Date", names, exposure, count, rate)


def _chart(
    title: str,
    svg: Markup,
    first: str,
    names: Sequence[str],
    exposure: Float64,
    count: Float64,
    rate: Float64,
) -> Chart:
    rows = tuple(
        (name, round(float(60 * h), 1), int(n), None if np.isnan(r) else float(f"{r:.4g}"))
        for name, h, n, r in zip(names, exposure, count, rate, strict=True)
    )
    return Chart(title, svg, (first, "Recorded minutes", "Detections", "Per recorded hour"), rows)


def _map(dates: Calendar, values: Float64, exposure: Float64, title: str, unit: str) -> Chart:
    title = f"{title} by date and hour"
    svg = heatmap(
        np.where((exposure > 0) | (values > 0), values, np.nan),
        HOURS,
        dates.names,
        label=f"{title}. Blank hours were not recorded.",
        x_title="date",
        y_title="hour of the day",
        unit=unit,
        blank="not recorded",
        breaks=dates.breaks,
        ticks=dates.ticks,
        width=560,
    )
    # Only the hours that were recorded: a table of nothing but gaps helps nobody.
    rows = tuple(
        (dates.names[k], HOURS[i], float(f"{values[i, k]:.4g}"))
        for k, i in np.argwhere(((exposure > 0) | (values > 0)).T)
    )
    return Chart(title, svg, ("Date", "Hour", unit[:1].upper() + unit[1:]), rows)


def _by_site(recordings: pa.Table, duration: Float64, found: pa.Table) -> Chart:
    sites = _sites(recordings)
    of_found = _sites(found)
    rows = []
    for name in sorted(set(sites.tolist()) | set(of_found.tolist())):
        here = sites == name
        hours, count = float(duration[here].sum()) / 3600, int((of_found == name).sum())
        rate = float(f"{count / hours:.4g}") if hours > 0 else None
        rows.append((name, int(here.sum()), round(60 * hours, 1), count, rate))
    svg = bar_chart(
        [row[0] for row in rows],
        [np.nan if row[4] is None else row[4] for row in rows],
        label="Detections per recorded hour, by site",
        x_title="site",
        y_title="per recorded hour",
        width=560,
    )
    columns = ("Site", "Recordings", "Recorded minutes", "Detections", "Per recorded hour")
    return Chart("Detections per recorded hour, by site", svg, columns, tuple(rows))


def _sites(rows: pa.Table) -> npt.NDArray[np.str_]:
    names = [s or _SITE_UNKNOWN for s in rows.column("site").to_pylist()]
    return np.array(names, dtype=str)


def _rate(count: Float64, exposure: Float64) -> Float64:
    # Detections at a time that was not recorded have no rate either.
    rate = np.full(len(count), np.nan)
    np.divide(count, exposure, out=rate, where=exposure > 0)
    return rate


def _number(value: float) -> str:
    return "not recorded" if np.isnan(value) else f"{value:,.3g}"
