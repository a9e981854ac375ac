"""The report of a benchmark as one HTML file that needs nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from antiphon._version import __version__
from antiphon.active.benchmark.comparing import reference_of
from antiphon.active.benchmark.curves import curves_section
from antiphon.active.benchmark.figures import SCORES, Figures, Score, SetInfo, SystemInfo
from antiphon.active.benchmark.folder import Failure, Result
from antiphon.active.benchmark.sections import (
    against_random_section,
    cost_section,
    gains_section,
    tests_section,
)
from antiphon.active.benchmark.words import NOTHING, name_cell, paragraph, plus_minus, sentences
from antiphon.evaluation.intervals import Interval
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.page import Cell as TableCell
from antiphon.plots.page import (
    Column,
    Section,
    facts,
    figure,
    folded,
    render_page,
    switch,
    table,
)
from antiphon.plots.svg import element

Rows = list[list[str | TableCell]]

_READING = """
AULC is the area under the learning curve (mAP against labels spent): by trapezoids from (0, 0),
over the labels spent, as BaseAL reports it. Mean over n is the task page's form: the mean of the
curve at n = 1 to N. Equal grid is the first form with the curve read at 50, 100, 150, ... labels
only, so that smaller batches gain nothing from measuring earlier.

mAP is the mean of the average precision over classes with a positive among the validation rows.

Intervals of a system on a set, of sub-domains and of the overall figure are Student's at 95 % over
the repeats: they say what other random heads would give on the same sets. Bands around curves are
one standard deviation over the repeats.

Overall is the mean over sub-domains; the site-years of ATBFL, and variants of one simulated set,
share one.

Paired tests take the difference of two systems for each set and seed, every set with the same
weight. With six sets or more the sets are the unit: their mean differences are resampled
(percentile bootstrap) and sign-flipped, so that the result speaks about other sets like these.
With fewer, the unit is the pair of set and repeat, and the result speaks about these sets only.

p values are two-sided, from flipping signs and from Wilcoxon's signed ranks, and corrected by Holm
for the number of rows in their table.
"""


def benchmark_page(
    figures: Figures,
    results: Sequence[Result],
    *,
    failures: Sequence[Failure] = (),
    missing: int = 0,
    reference: str | None = None,
    title: str = "Active-learning benchmark",
    when: datetime | None = None,
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    figures, results
        What :func:`~antiphon.active.benchmark.figures.compute_figures` made, and of what.
    failures, missing
        What failed, and how many runs were asked for and are not there.
    reference
        System that the others are tested against; ``antiphon`` or else the best when None.

    Raises
    ------
    UserError
        If there are no results of the reference.
    """
    other = reference_of(figures, reference)
    sections = [
        Section("overview", "Overview", _overview(figures, results, failures, missing)),
        Section("results", "Results by set", _results(figures)),
        Section("curves", "Learning curves", curves_section(figures)),
        Section("random", "Against Random", against_random_section(figures)),
        Section("tests", f"{other.title} against the others", tests_section(figures, other)),
        Section("domains", "By sub-domain", _domains(figures)),
        Section("gains", "Schedule and selection", gains_section(figures)),
        Section("cost", "Cost", cost_section(figures)),
        Section("reading", "How to read it", _reading(figures, failures, results)),
    ]
    moment = (when or datetime.now()).strftime("%Y-%m-%d %H:%M")
    return render_page(
        title,
        [section for section in sections if section.body],
        subtitle=f"Made by Antiphon {__version__} on {moment}",
        footer="Click a heading of a table to sort by it. Point at a chart to read its numbers.",
    )


def _overview(
    figures: Figures, results: Sequence[Result], failures: Sequence[Failure], missing: int
) -> Markup:
    repeats = {len(cell.seeds) for cell in figures.cells.values()}
    budgets = sorted({int(s.settings["budget"]) for s in figures.systems})
    tiles = facts(
        [
            ("Sets", f"{len(figures.sets)}"),
            ("Systems", f"{len(figures.systems)}"),
            ("Runs", f"{len(results):,}" + (f" of {len(results) + missing:,}" if missing else "")),
            ("Repeats", _span(sorted(repeats))),
            ("Budget", f"{_span(budgets)} labels"),
            ("Failed", f"{len(failures)}"),
        ]
    )
    parts = [tiles]
    if failures:
        items = [f"{failure.what}: {failure.reason}" for failure in failures]
        parts.append(folded(f"What failed ({len(failures)})", sentences(items)))
    overall = [(s, figures.standings[s.key].overall["aulc"]) for s in figures.systems]
    complete = [(s, i) for s, i in overall if i is not None]
    if complete:
        parts.append(_dots(complete, "AULC, mean over sub-domains"))
    if len(complete) < len(overall):
        lacking = ", ".join(s.label for s, i in overall if i is None)
        parts.append(paragraph(f"Without an overall figure, as they lack a set: {lacking}."))
    return Markup("").join(parts)


def _dots(rows: Sequence[tuple[SystemInfo, Interval]], said: str) -> Markup:
    values = [i.value for _, i in rows]
    low, high = [i.low for _, i in rows], [i.high for _, i in rows]
    ends = [v for v in (*values, *low, *high) if math.isfinite(v)]
    margin = 0.05 * (max(ends) - min(ends) or 0.1)
    chart = dots_and_intervals(
        [s.label for s, _ in rows],
        values,
        low,
        high,
        label=said,
        x_title="AULC",
        x_range=(min(ends) - margin, max(ends) + margin),
        notes=[f"{v:.3f}" for v in values],
        width=640,
    )
    return figure(chart, f"{said}, with its 95 % interval over the repeats; the best first.")


def _results(figures: Figures) -> Markup:
    panels = [(name, _matrix(figures, score, name)) for score, name in SCORES.items()]
    return switch("Score", panels)


def _matrix(figures: Figures, score: Score, name: str) -> Markup:
    """Return systems x sets, whichever are more as rows."""
    caption = f"{name}: mean over the repeats and half of its 95 % interval"
    best = {data.key: _best(figures, data, score) for data in figures.sets}

    def cell(system: SystemInfo, data: SetInfo) -> TableCell:
        found = figures.cell(system, data)
        if found is None:
            return TableCell(NOTHING, None)
        interval = found.scores[score]
        text = plus_minus(interval)
        if interval.value == best[data.key]:
            return TableCell(element("b", text), interval.value)
        return TableCell(text, interval.value)

    def overall(system: SystemInfo) -> TableCell:
        interval = figures.standings[system.key].overall[score]
        if interval is None:
            return TableCell(NOTHING, None)
        return TableCell(plus_minus(interval), interval.value)

    if len(figures.sets) > max(6, len(figures.systems)):
        columns = [Column("Set"), *(Column(s.label, True) for s in figures.systems)]
        rows: Rows = [
            [name_cell(d.label), *(cell(s, d) for s in figures.systems)] for d in figures.sets
        ]
        rows.append(["overall", *(overall(s) for s in figures.systems)])
    else:
        columns = [Column("System"), Column("Overall", True, "mean over sub-domains")]
        columns += [Column(d.label, True) for d in figures.sets]
        rows = [
            [name_cell(s.label), overall(s), *(cell(s, d) for d in figures.sets)]
            for s in figures.systems
        ]
    return table(columns, rows, caption=caption, show_caption=True)


def _best(figures: Figures, data: SetInfo, score: Score) -> float:
    found = [figures.cell(s, data) for s in figures.systems]
    return max((c.scores[score].value for c in found if c is not None), default=math.nan)


def _domains(figures: Figures) -> Markup:
    if len(figures.sub_domains) == len(figures.sets):
        return Markup("")
    panels = []
    for score, name in SCORES.items():
        columns = [Column("System"), Column("Overall", True)]
        for domain in figures.sub_domains:
            count = sum(s.sub_domain == domain for s in figures.sets)
            columns.append(Column(domain, True, f"mean over {count} sets"))
        rows: Rows = []
        for system in figures.systems:
            standing = figures.standings[system.key]
            values = [standing.overall[score]]
            values += [standing.sub_domains[score].get(d) for d in figures.sub_domains]
            rows.append(
                [
                    name_cell(system.label),
                    *(
                        TableCell(NOTHING, None) if v is None else TableCell(plus_minus(v), v.value)
                        for v in values
                    ),
                ]
            )
        caption = f"{name} by sub-domain: mean over its sets, and half of its 95 % interval"
        panels.append((name, table(columns, rows, caption=caption, show_caption=True)))
    counts = ", ".join(
        f"{domain} {sum(s.sub_domain == domain for s in figures.sets)}"
        for domain in figures.sub_domains
    )
    return switch("Score", panels) + paragraph(f"Sets in each sub-domain: {counts}.")


def _reading(figures: Figures, failures: Sequence[Failure], results: Sequence[Result]) -> Markup:
    machines = {str(r.made.get("machine", "")) for r in results} - {""}
    versions = {str(r.made.get("version", "")) for r in results} - {""}
    made = [f"Made by version {', '.join(sorted(versions))} on: {'; '.join(sorted(machines))}."]
    columns = [
        Column("Set"),
        Column("Sub-domain"),
        Column("Pool", True),
        Column("Judging rows", True),
        Column("Classes", True),
        Column("Dimensions", True),
        Column("Labels"),
    ]
    rows: Rows = [
        [
            data.label,
            data.sub_domain,
            *(
                TableCell(f"{n:,}", n)
                for n in (
                    data.facts.n_pool,
                    data.facts.n_judges,
                    data.facts.n_labels,
                    data.facts.dim,
                )
            ),
            "several each" if data.facts.multilabel else "one each",
        ]
        for data in figures.sets
    ]
    remarks = [f"{d.label}: {note}" for d in figures.sets for note in d.facts.notes]
    parts = [sentences([*_READING.strip().split("\n\n"), *made, *figures.notes])]
    parts.append(table(columns, rows, caption="Sets", show_caption=True))
    if remarks:
        parts.append(folded("What was noted when the sets were read", sentences(remarks)))
    return Markup("").join(parts)


def _span(values: Sequence[int]) -> str:
    if len(values) == 1:
        return f"{values[0]}"
    return f"{values[0]} to {values[-1]}"
