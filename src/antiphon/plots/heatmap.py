"""Heat maps: a quantity over two axes of names, such as hours and dates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from antiphon.plots.axes import CHARACTER
from antiphon.plots.colour import colour_map, hex_colour
from antiphon.plots.png import data_uri, png_bytes
from antiphon.plots.scales import linear_ticks, tick_text
from antiphon.plots.svg import drawing, element, empty, shorten, text, title

Float64 = npt.NDArray[np.float64]

# Above this many filled cells an image stands in for rectangles with tooltips.
_MOST_CELLS = 600


def heatmap(
    values: Float64,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    x_title: str,
    y_title: str,
    unit: str,
    blank: str = "no data",
    breaks: Sequence[int] = (),
    ticks: Sequence[int] = (),
    highest: float | None = None,
    width: float = 720,
    cell_height: float = 10,
) -> Markup:
    """Draw ``values`` from 0 (dark) to the highest (bright); NaN cells stay blank.

    Parameters
    ----------
    values
        ``(n_rows, n_columns)``, not negative; row 0 is drawn at the bottom.
    rows, columns
        Names along the two axes; as many are written as there is room for.
    label
        What the map shows, one sentence.
    unit
        Of the values, for tooltips and the colour bar.
    blank
        What a blank cell means, for the colour bar.
    breaks
        Columns before which a gap is drawn: the axis leaves something out there.
    ticks
        Columns to be named; as many as there is room for when empty.
    highest
        Value of the brightest colour; that of the data when None. Larger ones are drawn like it.
    width
        Most px in all; few columns take less.
    cell_height
        px of a row.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if values.size == 0 or not known.any():
        return empty(label, "nothing to draw yet")
    n_rows, n_columns = values.shape
    top_value = float(np.nanmax(values)) if highest is None else highest
    scale = top_value if top_value > 0 else 1.0
    whole = bool((values[known] == np.round(values[known])).all())
    left = max(len(r) for r in rows) * CHARACTER + 14
    gap = 5.0
    cell = min(26.0, max((width - left - 12 - gap * len(breaks)) / n_columns, 0.5))
    offset = np.cumsum(np.isin(np.arange(n_columns), list(breaks))) * gap
    x_of = left + np.arange(n_columns) * cell + offset
    top = 24.0
    bottom = top + n_rows * cell_height
    inner = float(x_of[-1]) + cell
    parts = [
        element(
            "rect",
            x=left,
            y=top,
            width=inner - left,
            height=bottom - top,
            class_="blank",
        )
    ]
    for at in breaks:
        x = float(x_of[at]) - gap
        parts.append(
            element("rect", x=x, y=top - 1, width=gap, height=bottom - top + 2, class_="gap")
        )
    if int(known.sum()) > _MOST_CELLS:
        parts += _image(values / scale, x_of, cell, top, bottom, breaks)
    else:
        inset = 0.5 if cell >= 4 else 0.0
        for i, k in np.argwhere(known):
            tip = f"{columns[k]}, {rows[i]}: {_quantity(float(values[i, k]), unit)}"
            parts.append(
                element(
                    "rect",
                    title(tip),
                    x=float(x_of[k]),
                    y=bottom - (i + 1) * cell_height,
                    width=max(cell - inset, 0.5),
                    height=cell_height - inset,
                    fill=hex_colour(float(values[i, k]) / scale),
                )
            )
    parts.append(_row_names(rows, left, bottom, cell_height, y_title, top))
    parts.append(
        _column_names(columns, x_of, cell, bottom, [*breaks, *(ticks or range(n_columns))])
    )
    parts.append(
        text(x_title, (left + inner) / 2, bottom + 33, class_="axis-title", text_anchor="middle")
    )
    bar, end = _colour_bar(
        left, bottom + 46, scale, unit, blank, whole=whole, capped=highest is not None
    )
    parts.append(bar)
    return drawing(max(inner + 12, end), bottom + 84, label, element("g", *parts, class_="axis"))


def _image(
    shares: Float64, x_of: Float64, cell: float, top: float, bottom: float, breaks: Sequence[int]
) -> list[Markup]:
    """Return images, one for each stretch of columns between breaks."""
    palette = np.vstack([colour_map("viridis", 255), np.zeros((1, 3), np.uint8)])
    index = np.full(shares.shape, 255, np.uint8)
    good = np.isfinite(shares)
    index[good] = np.round(np.clip(shares[good], 0, 1) * 254).astype(np.uint8)
    edges = [0, *sorted(set(breaks) - {0}), shares.shape[1]]
    images = []
    for begin, end in pairwise(edges):
        picture = png_bytes(np.ascontiguousarray(index[::-1, begin:end]), palette, transparent=255)
        images.append(
            element(
                "image",
                x=float(x_of[begin]),
                y=top,
                width=(end - begin) * cell,
                height=bottom - top,
                preserveAspectRatio="none",
                style="image-rendering:pixelated",
                href=data_uri(picture),
            )
        )
    return images


def _row_names(
    rows: Sequence[str], left: float, bottom: float, cell: float, y_title: str, top: float
) -> Markup:
    step = max(1, math.ceil(13 / cell))
    # Whole quarters of a day read better than every second hour.
    if len(rows) == 24 and step > 1:
        step = next(s for s in (2, 3, 4, 6, 12, 24) if s >= step)
    names = [
        text(rows[i], left - 6, bottom - (i + 0.5) * cell + 4, text_anchor="end")
        for i in range(0, len(rows), step)
    ]
    return element("g", text(y_title, 2, top - 9, class_="axis-title"), *names)


def _column_names(
    columns: Sequence[str], x_of: Float64, cell: float, bottom: float, wanted: Sequence[int]
) -> Markup:
    """Write the names wanted, the first ones first, where they do not touch."""
    need = (max(len(shorten(c, 12)) for c in columns) + 1.5) * CHARACTER
    placed: list[float] = []
    names = []
    for k in dict.fromkeys([0, *wanted]):
        at = float(x_of[k]) + cell / 2
        if all(abs(at - other) >= need for other in placed):
            placed.append(at)
            names.append(element("line", x1=at, x2=at, y1=bottom, y2=bottom + 4))
            names.append(text(shorten(columns[k], 12), at, bottom + 16, text_anchor="middle"))
    return element("g", *names)


def _colour_bar(
    left: float, top: float, scale: float, unit: str, blank: str, *, whole: bool, capped: bool
) -> tuple[Markup, float]:
    """Return the bar with its words, and where they end on the right."""
    wide, count = 120.0, 24
    parts = [
        element(
            "rect",
            x=left + wide * k / count,
            y=top,
            width=wide / count + 0.3,
            height=10,
            fill=hex_colour((k + 0.5) / count),
        )
        for k in range(count)
    ]
    ticks = linear_ticks(0, scale, 4, whole=whole)
    for tick in ticks:
        at = left + wide * tick / scale
        parts.append(element("line", x1=at, x2=at, y1=top + 10, y2=top + 14))
        more = "≥ " if capped and tick == ticks[-1] else ""
        parts.append(text(more + tick_text(tick, ticks), at, top + 26, text_anchor="middle"))
    parts.append(text(unit, left + wide + 12, top + 9))
    box = left + wide + 20 + len(unit) * CHARACTER
    parts.append(element("rect", x=box, y=top, width=12, height=10, class_="blank"))
    parts.append(text(blank, box + 18, top + 9))
    return element("g", *parts), box + 18 + (len(blank) + 1) * CHARACTER


def _quantity(value: float, unit: str) -> str:
    return f"{value:,.4g} {unit}"
