"""Small pieces of the report's page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from antiphon.evaluation.blending.report.wording import Verdict
from antiphon.plots.axes import Range
from antiphon.plots.page import Cell
from antiphon.plots.svg import element

Rows = list[list[str | Cell]]

# The first is for browsers that do not know light-dark().
_RED = "color:#d32f2f;color:light-dark(#b71c1c,#ff8a80);font-weight:600"
_RED_EDGE = "border-left-color:#d32f2f"


def paragraph(text: str) -> Markup:
    """Return a paragraph."""
    return element("p", text)


def red(text: str) -> Markup:
    """Return a warning in red."""
    return element("span", text, style=_RED)


def verdict_list(items: Sequence[Verdict]) -> Markup:
    """Return findings as a list, the lead of warnings in red."""
    rows = []
    for one in items:
        lead = red(one.lead) if one.warning else element("b", one.lead)
        parts = [lead, " ", one.text] if one.lead else [one.text]
        rows.append(element("li", *parts, style=_RED_EDGE if one.warning else None))
    return element("ul", *rows, class_="verdicts")


def name_cell(name: str, *, strong: bool = False, warning: bool = False) -> Cell:
    """Return a name as a cell that is not broken into lines."""
    inner = red(name) if warning else element("b", name) if strong else name
    return Cell(element("span", inner, style="white-space:nowrap"))


def number(text: str, value: float) -> Cell:
    """Return a cell that sorts by its number."""
    return Cell(text, value)


def span_of(*series: Sequence[float], zero: bool = False) -> Range:
    """Return ends for an axis that holds all finite values, and 0 if asked for."""
    known = [v for values in series for v in values if math.isfinite(v)]
    if zero:
        known.append(0.0)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    margin = 0.05 * (high - low or 0.1)
    return low - margin, high + margin
