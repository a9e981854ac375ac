"""Lines with bands: learning curves, precision against recall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.plots.axes import (
    BOTTOM,
    LEGEND_ROW,
    NOTHING,
    Axis,
    Range,
    Values,
    horizontal_axis,
    interval_text,
    legend,
    style,
    vertical_axis,
)
from antiphon.plots.scales import Scale
from antiphon.plots.svg import drawing, element, empty, path, text, title


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One line of a chart.

    Parameters
    ----------
    name
        For legend and tooltips.
    x, y
        ``(n,)`` points, in the order of ``x``.
    low, high
        ``(n,)`` band around the line, or None.
    """

    name: str
    x: Values
    y: Values
    low: Values | None = None
    high: Values | None = None


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_title: str,
    y_title: str,
    x_range: Range | None = None,
    y_range: Range | None = None,
    x_log: bool = False,
    reference: tuple[str, float] | None = None,
    width: float = 420,
    height: float = 270,
) -> Markup:
    """Draw lines with bands.

    Parameters
    ----------
    series
        Drawn in this order; a legend appears for two and more.
    label
        What the chart shows, one sentence.
    x_range, y_range
        Ends of the axes; those of the data when None.
    x_log
        Whether the horizontal axis is logarithmic; points at or below 0 are left out then.
    reference
        Name and height of a dashed horizontal line.
    width, height
        px, without the legend, which is added on top.
    """
    named = [s.name for s in series]
    lines = [_finite(s, positive=x_log) for s in series]
    x_all = np.concatenate([rows[:, 0] for rows in lines] or [np.empty(0)])
    if not len(x_all):
        return empty(label, NOTHING, width)
    x_low, x_high = x_range or (float(x_all.min()), float(x_all.max()))
    y_low, y_high = y_range or _ends([rows[:, 1:] for rows in lines], reference)
    show_legend = len(series) > 1
    rows_above = len(series) * LEGEND_ROW + 6 if show_legend else 0.0
    top, left, right = rows_above + 24, 48.0, width - 20
    bottom = rows_above + height - BOTTOM
    x = Scale(x_low, x_high, left, right, log=x_log)
    y = Scale(y_low, y_high, bottom, top)
    parts = [
        horizontal_axis(Axis(x, x_title), top, bottom),
        vertical_axis(Axis(y, y_title), left, right),
    ]
    if reference is not None and y_low <= reference[1] <= y_high:
        parts.append(_reference(*reference, y, left, right))
    for index, rows in enumerate(lines):
        parts.append(_band(rows, x, y, index))
    for index, (one, rows) in enumerate(zip(series, lines, strict=True)):
        parts.append(_line(one.name, rows, x, y, index))
    if show_legend:
        parts.append(legend(named, 2, 0, width - 4))
    return drawing(width, height + rows_above, label, *parts)


def _finite(series: Series, *, positive: bool) -> npt.NDArray[np.float64]:
    """Return x, y, low, high as ``(n, 4)`` of the rows with a drawable x; NaN y marks a gap."""
    x = np.asarray(series.x, np.float64)
    columns = [x] + [
        np.full(len(x), np.nan) if v is None else np.asarray(v, np.float64)
        for v in (series.y, series.low, series.high)
    ]
    rows = np.stack(columns, axis=1)
    rows[~np.isfinite(rows)] = np.nan
    good = np.isfinite(rows[:, 0]) & ((rows[:, 0] > 0) if positive else True)
    if not np.isfinite(rows[good, 1]).any():
        return np.empty((0, 4))
    drawable: npt.NDArray[np.float64] = rows[good]
    return drawable


def _ends(values: list[npt.NDArray[np.float64]], reference: tuple[str, float] | None) -> Range:
    every = np.concatenate([v.ravel() for v in values])
    every = every[np.isfinite(every)]
    if reference is not None:
        every = np.append(every, reference[1])
    low, high = float(every.min()), float(every.max())
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _runs(good: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the stretches without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2):
        yield slice(int(begin), int(end))


def _band(rows: npt.NDArray[np.float64], x: Scale, y: Scale, index: int) -> Markup:
    parts = []
    for run in _runs(np.asarray(np.isfinite(rows).all(axis=1))):
        some = rows[run]
        upper = [(x(r[0]), y(r[3])) for r in some]
        lower = [(x(r[0]), y(r[2])) for r in some[::-1]]
        if len(some) > 1:
            parts.append(element("path", d=path(upper + lower, closed=True)))
        else:
            (at, above), (_, below) = upper[0], lower[0]
            parts.append(element("line", x1=at, x2=at, y1=above, y2=below))
    return element("g", *parts, class_=f"band {style(index).colour}")


def _line(name: str, rows: npt.NDArray[np.float64], x: Scale, y: Scale, index: int) -> Markup:
    look = style(index)
    parts = []
    good = np.isfinite(rows[:, 1])
    for run in _runs(good):
        some = rows[run]
        if len(some) > 1:
            points = [(x(r[0]), y(r[1])) for r in some]
            parts.append(
                element(
                    "path",
                    d=path(points),
                    class_=f"line {look.colour}",
                    stroke_dasharray=look.dash,
                )
            )
    # With few points each is a measurement; many are a curve, and only lone ones need a dot.
    alone = [r.start for r in _runs(good) if r.stop - r.start == 1]
    dots = np.flatnonzero(good).tolist() if good.sum() <= 25 else alone
    for k in dots:
        at, value, lower, upper = rows[k]
        tip = f"{name}: {value:.3f}{interval_text(lower, upper)} at {at:,.4g}"
        dot = element("circle", title(tip), cx=x(at), cy=y(value), r=3.5)
        parts.append(element("g", dot, class_=f"dot {look.colour}"))
    return element("g", *parts)


def _reference(name: str, value: float, y: Scale, left: float, right: float) -> Markup:
    at = y(value)
    above = at - 4 if abs(at - y.end) > 16 else at + 13
    line = element("line", x1=left, x2=right, y1=at, y2=at, class_="reference")
    words = text(name, right - 2, above, class_="note", text_anchor="end")
    return element("g", title(f"{name}: {value:.3g}"), line, words)
