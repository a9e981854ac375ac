"""Numbers and sentences of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from antiphon.evaluation.intervals import Interval
from antiphon.plots.page import Cell
from antiphon.plots.svg import element

NOTHING = "–"


def plus_minus(interval: Interval, digits: int = 3) -> str:
    """Return ``0.574 ± 0.004``: a value and half of its interval, if there is one."""
    if not math.isfinite(interval.value):
        return NOTHING
    half = (interval.high - interval.low) / 2
    if not math.isfinite(half):
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} ± {half:.{digits}f}"


def signed(value: float, digits: int = 3) -> str:
    """Return ``+0.021`` or ``−0.004``."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '−'}{text}"


def signed_interval(value: float, low: float, high: float) -> str:
    """Return ``+0.021 [+0.010, +0.032]``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return signed(value)
    return f"{signed(value)} [{signed(low)}, {signed(high)}]"


def p_text(p: float) -> str:
    """Return a p value with the digits that matter."""
    if not math.isfinite(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def seconds_text(seconds: float) -> str:
    """Return seconds, milliseconds below one tenth."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:,.2f} s"


def name_cell(name: str) -> Cell:
    """Return a name as a cell that is not broken into lines."""
    return Cell(element("span", name, style="white-space:nowrap"))


def paragraph(text: str) -> Markup:
    """Return a paragraph."""
    return element("p", text)


def sentences(items: Sequence[str]) -> Markup:
    """Return a list of sentences."""
    return element("ul", *(element("li", item) for item in items))
