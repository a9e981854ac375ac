"""The frame of a chart: axes, grid, titles and legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.plots.scales import Scale, tick_text
from antiphon.plots.svg import element, shorten, text, title

Values = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]
Range = tuple[float, float]

NOTHING = "nothing to draw yet"
COLOURS = 7
# px below a plot for the texts of its horizontal axis.
BOTTOM = 42.0
_DASHES = (None, "7 3", "2 3", "9 3 2 3")
LEGEND_ROW = 17.0
# Mean width of a character at the charts' font size, px.
CHARACTER = 7.0


@dataclass(frozen=True, slots=True)
class Style:
    """Line of one series: a colour class of the page's style sheet and a dash.

    Colours repeat after seven series; the dash then differs, so that no two of 28 look alike.
    """

    colour: str
    dash: str | None


def style(index: int) -> Style:
    """Return the style of the ``index``-th series."""
    return Style(f"s{index % COLOURS + 1}", _DASHES[index // COLOURS % len(_DASHES)])


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Parameters
    ----------
    scale
        Data to pixels.
    title
        What it shows, with its unit.
    ticks
        Where to mark it; round values when None.
    names
        Text of each tick; numbers when None.
    """

    scale: Scale
    title: str
    ticks: Sequence[float] | None = None
    names: Sequence[str] | None = None

    def marks(self) -> list[tuple[float, str]]:
        """Return the pixel and the text of each tick."""
        ticks = list(self.scale.ticks() if self.ticks is None else self.ticks)
        names = [tick_text(t, ticks) for t in ticks] if self.names is None else self.names
        return [(self.scale(t), n) for t, n in zip(ticks, names, strict=True)]


def horizontal_axis(axis: Axis, top: float, bottom: float, *, grid: bool = True) -> Markup:
    """Draw an axis along the bottom of a plot whose ends are at pixels ``top`` and ``bottom``."""
    parts = [element("line", x1=axis.scale.start, x2=axis.scale.end, y1=bottom, y2=bottom)]
    for x, name in axis.marks():
        if grid:
            parts.append(element("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
        parts.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 4))
        parts.append(text(name, x, bottom + 16, text_anchor="middle"))
    middle = (axis.scale.start + axis.scale.end) / 2
    parts.append(text(axis.title, middle, bottom + 33, class_="axis-title", text_anchor="middle"))
    return element("g", *parts, class_="axis")


def vertical_axis(axis: Axis, left: float, right: float, *, grid: bool = True) -> Markup:
    """Draw an axis along the left side of a plot from pixel ``left`` to ``right``.

    The title stands above the axis, where it needs no turned text.
    """
    low, high = sorted((axis.scale.start, axis.scale.end))
    parts = [element("line", x1=left, x2=left, y1=low, y2=high)]
    for y, name in axis.marks():
        if grid:
            parts.append(element("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(element("line", x1=left - 4, x2=left, y1=y, y2=y))
        parts.append(text(name, left - 7, y + 4, text_anchor="end"))
    if axis.title:
        parts.append(text(axis.title, 2, low - 9, class_="axis-title"))
    return element("g", *parts, class_="axis")


def legend(names: Sequence[str], left: float, top: float, width: float) -> Markup:
    """Draw one row of line and name for each series, ``LEGEND_ROW`` px each."""
    room = int((width - 34) / CHARACTER)
    rows = []
    for index, name in enumerate(names):
        look = style(index)
        y = top + index * LEGEND_ROW + LEGEND_ROW / 2
        line = element(
            "line",
            x1=left,
            x2=left + 26,
            y1=y,
            y2=y,
            class_=f"line {look.colour}",
            stroke_dasharray=look.dash,
        )
        words = text(shorten(name, room), left + 33, y + 4)
        rows.append(element("g", title(name), line, words))
    return element("g", *rows, class_="legend")


def interval_text(low: float, high: float) -> str:
    """Write an interval for a tooltip, with a leading space; nothing if an end is unknown."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" [{low:.3f}, {high:.3f}]"
