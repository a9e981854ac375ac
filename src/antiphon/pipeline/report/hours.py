"""Recordings and events binned by date and hour of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

import numpy as np
import numpy.typing as npt

from antiphon.plots.scales import time_ticks

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Datetime64 = npt.NDArray[np.datetime64]

HOURS = tuple(f"{hour:02d}:00" for hour in range(24))
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The dates of a chart.

    Parameters
    ----------
    days
        ``(n,)`` days since 1970-01-01, ascending: all days from first to last, or, if most of
        them hold nothing, only those that do.
    breaks
        Positions before which days are left out.
    ticks
        Positions at round dates.
    """

    days: Int64
    breaks: tuple[int, ...]
    ticks: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        """The dates as ``YYYY-MM-DD``."""
        return [str(d) for d in self.days.astype("datetime64[D]")]

    def column(self, days: Int64) -> Int64:
        """Return the position of each day, -1 for one that is not there."""
        at = np.searchsorted(self.days, days)
        at[at == len(self.days)] = 0
        found = self.days[at] == days if len(self.days) else np.zeros(len(days), bool)
        return np.where(found, at, -1)


def calendar(*days: Int64) -> Calendar:
    """Return the calendar that holds all the days given.

    Days without anything are kept, so that the axis is a time axis, unless they are more than
    half of a span of over two months.
    """
    some = np.unique(np.concatenate([np.empty(0, np.int64), *days])).astype(np.int64)
    if not len(some):
        return Calendar(some, (), ())
    every = np.arange(some[0], some[-1] + 1, dtype=np.int64)
    if len(every) <= max(62, 2 * len(some)):
        some = every
    breaks = tuple((np.flatnonzero(np.diff(some) > 1) + 1).tolist())
    first, last = (
        datetime.combine(some[k].astype("datetime64[D]").item(), time()) for k in (0, -1)
    )
    epoch = datetime(1970, 1, 1)
    wanted = np.array([(t - epoch).days for t in time_ticks(first, last, 8)], np.int64)
    ticks = np.flatnonzero(np.isin(some, wanted))
    return Calendar(some, breaks, tuple(ticks.tolist()))


def days_and_hours(times: Datetime64) -> tuple[Int64, Int64]:
    """Return the day (since 1970-01-01) and the hour of the day (0 to 23) of known times."""
    hours = times.astype("datetime64[h]").astype(np.int64)
    return hours // 24, hours % 24


def recorded(start: Datetime64, duration_s: Float64) -> tuple[Int64, Int64, Float64]:
    """Spread recordings over the clock hours that they cover.

    Parameters
    ----------
    start
        ``(n,)`` datetime64; NaT is left out.
    duration_s
        ``(n,)`` s; what is not positive is left out.

    Returns
    -------
    tuple
        Day, hour of the day and recorded hours, ``(m,)`` each, one entry for each clock hour that
        a recording touches.
    """
    good = ~np.isnat(start) & (np.asarray(duration_s) > 0)
    begin = start[good].astype("datetime64[us]").astype(np.int64)
    end = begin + np.round(np.asarray(duration_s, np.float64)[good] * 1e6).astype(np.int64)
    cells = np.maximum((end - 1) // _HOUR_US - begin // _HOUR_US + 1, 1)
    which = np.repeat(np.arange(len(begin)), cells)
    within = np.arange(len(which)) - np.repeat(np.cumsum(cells) - cells, cells)
    hour = begin[which] // _HOUR_US + within
    low = np.maximum(begin[which], hour * _HOUR_US)
    high = np.minimum(end[which], (hour + 1) * _HOUR_US)
    return hour // 24, hour % 24, (high - low) / _HOUR_US


def hour_by_day(dates: Calendar, day: Int64, hour: Int64, amount: Float64 | None = None) -> Float64:
    """Sum amounts (1 each when None) into ``(24, n_days)``; other days are left out."""
    grid = np.zeros((24, len(dates.days)))
    column = dates.column(np.asarray(day, np.int64))
    there = column >= 0
    weight = np.ones(len(column)) if amount is None else amount
    np.add.at(grid, (np.asarray(hour)[there], column[there]), weight[there])
    return grid
