"""Sections on where the mean comes from."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from antiphon.evaluation.blending.evaluate import Evaluation
from antiphon.evaluation.blending.report.number_text import area, area_interval, signed
from antiphon.evaluation.blending.report.parts import Rows, name_cell, number, paragraph, span_of
from antiphon.evaluation.blending.resampling.classes import GroupScore
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.page import Cell, Column, figure, table

# Classes drawn.
_WORST = 30
# Classes of which the share of all that is missing is said.
_FEW = 10


def classes_section(found: Evaluation) -> Markup:
    """Return the table of classes, the worst first, and a chart of the worst."""
    rows_of = found.breakdown.classes
    missing = sum(row.room for row in rows_of)
    worst = rows_of[:_FEW]
    body = Markup("")
    if missing > 0 and len(rows_of) > _FEW:
        part = sum(row.room for row in worst) / missing
        body += paragraph(
            f"The {len(worst)} worst of {len(rows_of)} classes hold {part:.0%} of the "
            f"{missing:.4f} that is missing to 1."
        )
    drawn = rows_of[:_WORST]
    chart = dots_and_intervals(
        [row.name for row in drawn],
        [row.auc for row in drawn],
        [row.low for row in drawn],
        [row.high for row in drawn],
        label=f"The {len(drawn)} worst classes",
        x_title="ROC-AUC",
        notes=[f"{row.n_files} rec." for row in drawn],
        x_range=span_of([row.auc for row in drawn], [row.low for row in drawn], [1.0]),
        width=640,
    )
    body += figure(
        chart,
        f"The {len(drawn)} worst classes with 95 % intervals over recordings, and in how many "
        "recordings they are; in one, there is no interval.",
    )
    taxa = any(row.taxon for row in rows_of)
    columns = [
        Column("Class"),
        *([Column("Taxon")] if taxa else []),
        Column("ROC-AUC", True, "with its 95 % interval over recordings"),
        Column("Recordings", True, "with the class"),
        Column("Windows", True, "with the class"),
        Column("Room", True, "what the mean would gain if the class were perfect, thousandths"),
        Column("Swing", True, "how far its uncertainty moves the mean, thousandths"),
        Column("Note"),
    ]
    rows: Rows = [
        [
            row.name,
            *([row.taxon] if taxa else []),
            number(area_interval(row.auc, row.low, row.high), row.auc),
            number(f"{row.n_files}", row.n_files),
            number(f"{row.n_windows}", row.n_windows),
            number(f"{1000 * row.room:.2f}", row.room),
            number("–" if row.swing != row.swing else f"± {1000 * row.swing:.2f}", row.swing),
            row.note,
        ]
        for row in rows_of
    ]
    return body + table(columns, rows, caption=f"Classes of {found.chosen.name}", show_caption=True)


def groups_section(found: Evaluation) -> Markup:
    """Return tables by taxon, site and part of the day, as far as they are known."""
    b = found.breakdown
    body = Markup("")
    if b.taxa:
        body += _taxa(b.taxa)
    for groups, what in ((b.sites, "Site"), (b.hours, "Hours")):
        if groups:
            body += _places(groups, what, found.chosen.auc)
    return body


def _taxa(groups: Sequence[GroupScore]) -> Markup:
    chart = dots_and_intervals(
        [f"{g.name}, {g.n_classes} {'class' if g.n_classes == 1 else 'classes'}" for g in groups],
        [g.auc for g in groups],
        [g.low for g in groups],
        [g.high for g in groups],
        label="Mean ROC-AUC by taxon",
        x_title="mean ROC-AUC over the classes of the taxon",
        notes=[area(g.auc, 3) for g in groups],
        x_range=span_of([g.auc for g in groups], [g.low for g in groups], [1.0]),
        width=640,
    )
    columns = [
        Column("Taxon"),
        Column("ROC-AUC", True, "mean over its classes, with its 95 % interval"),
        Column("Classes", True),
        Column("Recordings", True, "with one of its classes"),
        Column("Positives", True, "windows with a class, summed over classes"),
    ]
    rows: Rows = [
        [
            name_cell(g.name),
            number(area_interval(g.auc, g.low, g.high), g.auc),
            number(f"{g.n_classes}", g.n_classes),
            number(f"{g.n_files}", g.n_files),
            number(f"{g.n_windows}", g.n_windows),
        ]
        for g in groups
    ]
    numbers = table(columns, rows, caption="By taxon")
    return figure(chart, "Taxa, the worst first.", data=numbers)


def _places(groups: Sequence[GroupScore], what: str, whole: float) -> Markup:
    columns = [
        Column(what),
        Column("ROC-AUC inside", True, "over classes with and without windows there"),
        Column("Classes", True, "that could be scored there"),
        Column("ROC-AUC without", True, "all other recordings"),
        Column("Change", True, "of the whole figure when it is left out"),
        Column("Recordings", True),
        Column("Windows", True),
    ]
    rows: Rows = []
    for g in groups:
        change = g.without - whole
        rows.append(
            [
                Cell(g.name),
                number(area(g.auc), g.auc),
                number(f"{g.n_classes}", g.n_classes),
                number(area(g.without), g.without),
                number(signed(change), change),
                number(f"{g.n_files}", g.n_files),
                number(f"{g.n_windows}", g.n_windows),
            ]
        )
    caption = f"By {what.lower()}: inside it, and with it left out"
    return table(columns, rows, caption=caption, show_caption=True)
