"""Bars, calibration, and dots with intervals as SVG.

Colours are classes (``s1`` to ``s7``) that the page's style sheet sets for light and dark. Every
chart has a sentence for screen readers and tooltips with the numbers; a table beside it is the
caller's part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.plots.axes import (
    BOTTOM,
    CHARACTER,
    NOTHING,
    Axis,
    Range,
    Values,
    horizontal_axis,
    interval_text,
    vertical_axis,
)
from antiphon.plots.scales import Scale
from antiphon.plots.svg import drawing, element, empty, shorten, text, title

# A list of dots with more rows has its axis at the top too.
_LONG_LIST = 24


def bar_chart(
    names: Sequence[str],
    values: Values,
    *,
    label: str,
    x_title: str,
    y_title: str,
    tooltips: Sequence[str] | None = None,
    width: float = 420,
    height: float = 210,
) -> Markup:
    """Draw upright bars, one for each name; a NaN is a grey column without a bar.

    Parameters
    ----------
    tooltips
        What a bar says; name and value when None.
    """
    heights = np.asarray(values, dtype=np.float64)
    if not np.isfinite(heights).any():
        return empty(label, NOTHING, width)
    tips = tooltips or [f"{n}: {v:,.4g}" for n, v in zip(names, heights, strict=True)]
    left, right, top, bottom = 48.0, width - 8, 24.0, height - BOTTOM
    x = Scale(0, len(heights), left, right)
    y = Scale(min(0.0, float(np.nanmin(heights))), float(np.nanmax(heights)) or 1.0, bottom, top)
    slot = (right - left) / len(heights)
    longest = max(len(n) for n in names)
    step = max(1, math.ceil((longest + 1) * CHARACTER / slot))
    some = range(0, len(names), step)
    axis = Axis(x, x_title, [i + 0.5 for i in some], [shorten(names[i], 24) for i in some])
    parts = [
        vertical_axis(Axis(y, y_title, y.ticks(whole=_whole(heights))), left, right),
        horizontal_axis(axis, top, bottom, grid=False),
    ]
    for index, value in enumerate(heights):
        if not math.isfinite(value):
            parts.insert(
                0,
                element(
                    "rect",
                    title(tips[index]),
                    x=x(index),
                    y=top,
                    width=slot,
                    height=bottom - top,
                    class_="blank",
                ),
            )
        if math.isfinite(value):
            upper, lower = sorted((y(value), y(0.0)))
            parts.append(
                element(
                    "rect",
                    title(tips[index]),
                    x=x(index) + 0.1 * slot,
                    y=upper,
                    width=0.8 * slot,
                    height=lower - upper,
                    class_="bar s1",
                )
            )
    return drawing(width, height, label, *parts)


def histogram(
    values: Values,
    *,
    label: str,
    x_title: str,
    y_title: str = "count",
    bins: int = 20,
    value_range: Range | None = None,
    mark: tuple[str, float] | None = None,
    width: float = 420,
    height: float = 210,
) -> Markup:
    """Draw counts in equal bins; values that are not finite are left out and said to be.

    Parameters
    ----------
    value_range
        Ends of the axis; those of the data when None.
    mark
        Name and place of a dashed upright line.
    """
    every = np.asarray(values, dtype=np.float64)
    data = every[np.isfinite(every)]
    if not len(data):
        return empty(label, NOTHING, width)
    left_out = len(every) - len(data)
    if left_out:
        label = f"{label} ({left_out} values that are no numbers are left out)"
    low, high = value_range or (float(data.min()), float(data.max()))
    left, right, top, bottom = 48.0, width - 14, 24.0, height - BOTTOM
    x = Scale(low, high, left, right)
    counts, edges = np.histogram(data, bins=bins, range=(x.low, x.high))
    y = Scale(0, float(counts.max()) or 1.0, bottom, top)
    parts = [
        horizontal_axis(Axis(x, x_title), top, bottom, grid=False),
        vertical_axis(Axis(y, y_title, y.ticks(whole=True)), left, right),
    ]
    for count, begin, end in zip(counts, edges[:-1], edges[1:], strict=True):
        if count:
            parts.append(
                element(
                    "rect",
                    title(f"{begin:.3g} to {end:.3g}: {count}"),
                    x=x(begin) + 0.5,
                    y=y(count),
                    width=max(x(end) - x(begin) - 1, 0.5),
                    height=bottom - y(count),
                    class_="bar s1",
                )
            )
    if mark is not None and x.low <= mark[1] <= x.high:
        at = x(mark[1])
        parts.append(element("line", x1=at, x2=at, y1=top, y2=bottom, class_="reference"))
        parts.append(text(mark[0], at + 4, top + 10, class_="note"))
    return drawing(width, height, label, *parts)


def reliability(
    predicted: Values,
    observed: Values,
    low: Values,
    high: Values,
    count: Values,
    *,
    label: str,
    width: float = 360,
) -> Markup:
    """Draw predicted probabilities against observed shares, with the windows in each bin below.

    A dot on the diagonal is a probability to be taken at its word. Bins without windows are left
    out.
    """
    rows = np.stack([np.asarray(v, np.float64) for v in (predicted, observed, low, high, count)])
    rows = rows[:, (rows[4] > 0) & np.isfinite(rows[0]) & np.isfinite(rows[1])]
    if not rows.shape[1]:
        return empty(label, NOTHING, width)
    left, right, top = 48.0, width - 14, 24.0
    bottom = top + (right - left)
    x, y = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    strip_top = bottom + 60
    strip_bottom = strip_top + 48
    n = Scale(0, float(rows[4].max()), strip_bottom, strip_top)
    diagonal = element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="reference")
    parts = [
        horizontal_axis(Axis(x, "predicted probability"), top, bottom),
        vertical_axis(Axis(y, "share of windows with the class"), left, right),
        diagonal,
        vertical_axis(Axis(n, "windows in the bin", [0.0, n.high]), left, right, grid=False),
        element("line", x1=left, x2=right, y1=strip_bottom, y2=strip_bottom, class_="rule"),
    ]
    for p, o, lower, upper, windows in rows.T:
        found = f"observed {o:.3f}{interval_text(lower, upper)}"
        tip = f"predicted {p:.3f}, {found}, {windows:,.0f} windows"
        mark = [title(tip)]
        if math.isfinite(lower) and math.isfinite(upper):
            mark.append(element("line", x1=x(p), x2=x(p), y1=y(lower), y2=y(upper)))
        mark.append(element("circle", cx=x(p), cy=y(o), r=4))
        parts.append(element("g", *mark, class_="dot s1"))
        tall = strip_bottom - n(windows)
        parts.append(
            element(
                "rect",
                title(tip),
                x=x(p) - 5,
                y=strip_bottom - tall,
                width=10,
                height=tall,
                class_="bar s1",
            )
        )
    return drawing(width, strip_bottom + 8, label, *parts)


def dots_and_intervals(
    names: Sequence[str],
    value: Values,
    low: Values,
    high: Values,
    *,
    label: str,
    x_title: str,
    notes: Sequence[str] | None = None,
    x_range: Range = (0.0, 1.0),
    width: float = 520,
) -> Markup:
    """Draw one row with a dot and its interval for each name; no value says "not computed".

    Parameters
    ----------
    notes
        Short texts at the right end of the rows, such as counts.
    """
    if not len(names):
        return empty(label, NOTHING, width)
    row = 20.0
    notes = notes or [""] * len(names)
    room = max(8, min(26, max(len(n) for n in names)))
    left = room * CHARACTER + 12
    right = width - max(len(n) for n in notes) * CHARACTER - 16
    long = len(names) > _LONG_LIST
    top = 22.0 if long else 8.0
    bottom = top + row * len(names)
    x = Scale(*x_range, left, right)
    axis = Axis(x, x_title)
    parts = [horizontal_axis(axis, top, bottom)]
    if long:
        parts += [text(tick, at, top - 6, text_anchor="middle") for at, tick in axis.marks()]
    numbers = zip(value, low, high, strict=True)
    for index, (name, note, (v, lower, upper)) in enumerate(
        zip(names, notes, numbers, strict=True)
    ):
        y = top + row * (index + 0.5)
        known = math.isfinite(v)
        said = f"{v:.3f}{interval_text(lower, upper)}" if known else "not computed"
        parts_of_row = [
            title(f"{name}: {said}" + (f" ({note})" if note else "")),
            element("rect", x=0, y=y - row / 2, width=width, height=row, class_="hit"),
            text(shorten(name, room), left - 8, y + 4, text_anchor="end"),
            text(note, width - 2, y + 4, class_="note", text_anchor="end"),
        ]
        if not known:
            parts_of_row.append(text("not computed", left + 6, y + 4, class_="note"))
        else:
            if math.isfinite(lower) and math.isfinite(upper):
                parts_of_row.append(element("line", x1=x(lower), x2=x(upper), y1=y, y2=y))
            parts_of_row.append(element("circle", cx=x(v), cy=y, r=4.5))
        parts.append(element("g", *parts_of_row, class_="dot s1"))
    return drawing(width, bottom + BOTTOM, label, *parts)


def _whole(values: npt.NDArray[np.float64]) -> bool:
    """Whether all known values are whole numbers, as counts are."""
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())
