"""Effort and detections over dates and hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.pipeline.report.data import Detections, Effort
from antiphon.pipeline.report.hours import (
    HOURS,
    Calendar,
    calendar,
    days_and_hours,
    hour_by_day,
    recorded,
)
from antiphon.pipeline.report.words import hours_text, plural
from antiphon.plots.charts import bar_chart
from antiphon.plots.heatmap import heatmap
from antiphon.plots.page import Cell, Column, figure, switch, table
from antiphon.plots.svg import element

Float64 = npt.NDArray[np.float64]

# Panels of charts; the tables hold all sites and all classes.
MOST_PANELS = 30
_MOST_LISTED = 200
_NO_SITE = "(site unknown)"


def shared_calendar(effort: Effort | None, found: Detections | None) -> Calendar:
    """Return one calendar for all charts of a report, so that they can be compared."""
    days = []
    if effort is not None:
        days.append(recorded(effort.start, effort.duration_s)[0])
    if found is not None:
        days.append(days_and_hours(found.time[~np.isnat(found.time)])[0])
    return calendar(*days)


def effort_charts(effort: Effort, dates: Calendar) -> Markup:
    """Return heat maps of recorded time, over all sites and for each."""
    sites = np.array([s or _NO_SITE for s in effort.site], dtype=object)
    names = _by_amount(sites, effort.duration_s)
    panels = [("all sites", _effort_map(effort, dates, np.ones(len(sites), bool), "all sites"))]
    if len(names) > 1:
        panels += [
            (name, _effort_map(effort, dates, sites == name, name)) for name in names[:MOST_PANELS]
        ]
    return switch("Site", panels)


def effort_table(effort: Effort) -> Markup:
    """Return recordings and hours for each site."""
    sites = np.array([s or _NO_SITE for s in effort.site], dtype=object)
    rows: list[list[str | Cell]] = []
    for name in _by_amount(sites, effort.duration_s):
        here = sites == name
        known = here & ~np.isnat(effort.start)
        hours = float(effort.duration_s[here].sum()) / 3600
        rows.append(
            [
                name,
                _count(int(here.sum())),
                Cell(hours_text(hours), hours),
                str(effort.start[known].min().astype("datetime64[D]")) if known.any() else "",
                str(effort.start[known].max().astype("datetime64[D]")) if known.any() else "",
                _count(int((here & ~known).sum())),
            ]
        )
    columns = [
        Column("Site"),
        Column("Recordings", numeric=True),
        Column("Recorded", numeric=True),
        Column("First date"),
        Column("Last date"),
        Column("Without a start time", numeric=True),
    ]
    return table(columns, rows, caption="Recordings by site")


def without_time(effort: Effort) -> tuple[int, list[str]]:
    """Return how many recordings lack a start time, and the first of their names."""
    missing = np.flatnonzero(np.isnat(effort.start))
    return len(missing), [effort.path[i] for i in missing[:_MOST_LISTED]]


def detection_panels(
    found: Detections, effort: Effort | None, dates: Calendar
) -> tuple[Markup, int]:
    """Return charts for each class with detections, most frequent first, and how many of them."""
    counts = np.bincount(found.label, minlength=len(found.labels))
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    if not order:
        return Markup(""), 0
    exposure = None
    if effort is not None:
        exposure = hour_by_day(dates, *recorded(effort.start, effort.duration_s))
    panels = [
        (found.labels[k], _detection_charts(found, k, exposure, dates)) for k in order[:MOST_PANELS]
    ]
    return switch("Class", panels), len(order)


def detection_table(found: Detections, recorded_at: Sequence[str] = ()) -> Markup:
    """Return detections for each class and site; classes and sites without any are there with 0.

    Parameters
    ----------
    found
        The detections.
    recorded_at
        Sites of all recordings; empty where unknown.
    """
    sites = np.array([s or _NO_SITE for s in found.site], dtype=object)
    names = [name for name, _ in Counter(sites.tolist()).most_common()]
    names += sorted({s or _NO_SITE for s in recorded_at} - set(names))
    shown = names[:12]
    counts = {
        name: np.bincount(found.label[sites == name], minlength=len(found.labels)) for name in names
    }
    total = np.bincount(found.label, minlength=len(found.labels))
    rest = names[len(shown) :]
    columns = [Column("Class"), Column("All", numeric=True)]
    columns += [Column(name, numeric=True) for name in shown]
    if rest:
        columns.append(Column(f"{len(rest)} other sites", numeric=True))
    rows = []
    for k, label in enumerate(found.labels):
        row: list[str | Cell] = [label, _count(int(total[k]))]
        row += [_count(int(counts[name][k])) for name in shown]
        if rest:
            row.append(_count(sum(int(counts[name][k]) for name in rest)))
        rows.append(row)
    return table(columns, rows, caption="Detections by class and site")


def _effort_map(effort: Effort, dates: Calendar, here: npt.NDArray[np.bool_], name: str) -> Markup:
    day, hour, amount = recorded(effort.start[here], effort.duration_s[here])
    grid = hour_by_day(dates, day, hour, amount)
    known = here & ~np.isnat(effort.start)
    total = hours_text(float(effort.duration_s[known].sum()) / 3600)
    count = plural(int(known.sum()), "recording")
    said = f"Recorded time by date and hour, {name}: {total} in {count}"
    picture = heatmap(
        np.where(grid > 0, grid, np.nan),
        HOURS,
        dates.names,
        label=said,
        x_title="date",
        y_title="hour of the day",
        unit="h recorded",
        blank="not recorded",
        breaks=dates.breaks,
        ticks=dates.ticks,
    )
    skipped = " Gaps in the axis are dates without recordings." if dates.breaks else ""
    return figure(picture, f"{said}; times by {effort.clock}.{skipped}")


def _detection_charts(
    found: Detections, label: int, exposure: Float64 | None, dates: Calendar
) -> Markup:
    name = found.labels[label]
    times = found.time[found.label == label]
    known = times[~np.isnat(times)]
    grid = hour_by_day(dates, *days_and_hours(known))
    covered = grid > 0 if exposure is None else (exposure > 0) | (grid > 0)
    said = f"Detections of {name} by date and hour: {len(known):,}"
    if len(known) < len(times):
        said += f", and {len(times) - len(known):,} at unknown times that are not drawn"
    picture = heatmap(
        np.where(covered, grid, np.nan),
        HOURS,
        dates.names,
        label=said,
        x_title="date",
        y_title="hour of the day",
        unit="detections",
        blank="none, or not recorded" if exposure is None else "not recorded",
        breaks=dates.breaks,
        ticks=dates.ticks,
    )
    drawn = [figure(picture, f"{said}."), _by_hour(name, grid, exposure)]
    return element("div", *drawn, class_="pair")


def _by_hour(name: str, grid: Float64, exposure: Float64 | None) -> Markup:
    count = grid.sum(axis=1)
    hours = [str(h) for h in range(24)]
    if exposure is None:
        said = f"Detections of {name} by hour of the day"
        chart = bar_chart(
            hours, count, label=said, x_title="hour of the day", y_title="detections", width=500
        )
        return figure(chart, f"{said}; the recorded time is not known, so this is no rate.")
    recorded_h = exposure.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(recorded_h > 0, count / recorded_h, np.nan)
    tips = [
        f"{h}: {plural(int(n), 'detection')} in {hours_text(float(e))} recorded"
        for h, n, e in zip(HOURS, count, recorded_h, strict=True)
    ]
    said = f"Detections of {name} for each recorded hour, by hour of the day"
    chart = bar_chart(
        hours,
        rate,
        label=said,
        x_title="hour of the day",
        y_title="detections per recorded hour",
        tooltips=tips,
        width=500,
    )
    rows: list[list[str | Cell]] = [
        [h, _count(int(n)), Cell(hours_text(float(e)), float(e)), _rate(float(r))]
        for h, n, e, r in zip(HOURS, count, recorded_h, rate, strict=True)
    ]
    columns = [
        Column("Hour"),
        Column("Detections", numeric=True),
        Column("Recorded", numeric=True),
        Column("Per recorded hour", numeric=True),
    ]
    grey = " Grey hours were not recorded." if np.isnan(rate).any() else ""
    return figure(chart, f"{said}.{grey}", data=table(columns, rows, caption=said))


def _rate(value: float) -> Cell:
    return Cell("not recorded", None) if np.isnan(value) else Cell(f"{value:.3g}", value)


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", value)


def _by_amount(names: npt.NDArray[np.object_], amount: Float64) -> list[str]:
    """Return the names by their sums, largest first."""
    unique, index = np.unique(names.astype(str), return_inverse=True)
    sums = np.bincount(index, weights=amount, minlength=len(unique))
    return [str(unique[k]) for k in np.argsort(-sums, kind="stable")]
