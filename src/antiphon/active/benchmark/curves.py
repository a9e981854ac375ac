"""Learning curves with bands, for a report and for a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from antiphon.active.benchmark.figures import Cell, Curve, Figures, SetInfo, SystemInfo
from antiphon.active.benchmark.words import name_cell
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Cell as TableCell
from antiphon.plots.page import Column, figure, folded, switch, table

MOST_LINES = 7
"""Lines in one chart; the others can be unfolded."""


def curves_section(figures: Figures) -> Markup:
    """Return the curves of each set with their bands, the best systems in one chart."""
    panels = []
    for data in figures.sets:
        found = [(s, figures.cell(s, data)) for s in figures.systems]
        known = [(s, c) for s, c in found if c is not None]
        if not known:
            continue
        body = _chart(known[:MOST_LINES], data)
        if len(known) > MOST_LINES:
            rest = f"{len(known) - MOST_LINES} more systems"
            body += folded(rest, _chart(known[MOST_LINES:], data))
        panels.append((data.label, body))
    return switch("Set", panels)


def _chart(known: Sequence[tuple[SystemInfo, Cell]], data: SetInfo) -> Markup:
    lines = [curve_series(s.label, c.curve) for s, c in known]
    last = max(c.curve.n_labelled[-1] for _, c in known)
    chart = line_chart(
        lines,
        label=f"Learning curves on {data.label}",
        x_title="labels",
        y_title="mAP",
        x_range=(0, last),
        width=680,
        height=360,
    )
    columns = [Column("System"), *(Column(f"{n}", True) for n in _marks(known))]
    rows: list[list[str | TableCell]] = [
        [name_cell(s.label), *(_at(c, n) for n in _marks(known))] for s, c in known
    ]
    said = f"{data.label}: mean mAP, with a band of one standard deviation over the repeats"
    return figure(chart, f"{said}.", data=table(columns, rows, caption=said))


def curve_series(name: str, curve: Curve) -> Series:
    """Return a curve with a band of one standard deviation."""
    low = [m - s for m, s in zip(curve.mean, curve.sd, strict=True)]
    high = [m + s for m, s in zip(curve.mean, curve.sd, strict=True)]
    return Series(name, curve.n_labelled, curve.mean, low, high)


def _marks(known: Sequence[tuple[SystemInfo, Cell]]) -> list[int]:
    return sorted({n for _, c in known for n in c.curve.n_labelled})


def _at(cell: Cell, n: int) -> TableCell:
    if n not in cell.curve.n_labelled:
        return TableCell("", None)
    value = cell.curve.mean[cell.curve.n_labelled.index(n)]
    return TableCell(f"{value:.3f}", value)
