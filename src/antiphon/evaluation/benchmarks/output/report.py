"""The report of a run as one HTML file that needs nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from antiphon._version import __version__
from antiphon.evaluation.benchmarks.folder import Failure
from antiphon.evaluation.benchmarks.judging.differences import differences
from antiphon.evaluation.benchmarks.judging.results import Result
from antiphon.evaluation.benchmarks.output.published import MARK, SOURCE, Published
from antiphon.evaluation.benchmarks.output.table import (
    NAMES,
    SHOWN,
    BenchmarkTable,
    Row,
    make_table,
)
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.page import Cell, Column, Section, figure, folded, render_page, switch
from antiphon.plots.page import table as html_table
from antiphon.plots.svg import element

_READING = """
Each encoder is frozen; its windows are averaged by their seconds of audio. A probe is one linear
layer whose L2 is chosen on validation or on folds of the training side. Retrieval: each item asks
for its nearest others by cosine (R-AUC is the mean ROC area). Clustering: k-means with the number
of classes known (NMI).

Intervals are 95 % bootstrap intervals over recordings or sources. The interval of a mean speaks of
these data sets, not of data sets in general.

mAP counts a class without a test example as 0, as in the published tables.
"""


def report_page(
    results: Sequence[Result],
    *,
    failures: Sequence[Failure] = (),
    published: Sequence[Published] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return the whole page.

    Parameters
    ----------
    results
        Of a run.
    failures
        What could not be judged.
    published
        Rows to show beside, marked as published.
    notes
        Further remarks, such as broken files.
    """
    table = make_table(results)
    sections = [
        Section("table", "Table", _table_section(table, published, notes)),
        Section("families", "Families", _families(table)),
        Section("differences", "Which differences are real", _differences(results)),
        Section("sets", "Data sets one by one", _sets(results, table)),
        Section("leakage", "Leakage between sides", _leakage(results)),
    ]
    if failures or any(result.failed for result in results):
        count = len(failures) + sum(len(r.failed) for r in results)
        sections.append(Section("failed", f"What failed ({count})", _failed(results, failures)))
    sections.append(Section("how", "What was run", _how(results)))
    names = ", ".join(table.encoders) or "no encoder"
    return render_page(
        "Encoders compared",
        sections,
        subtitle=f"{names} on {len({(r.name, r.family) for r in results})} data sets",
        footer=f"antiphon {__version__}",
    )


def _table_section(
    table: BenchmarkTable, published: Sequence[Published], notes: Sequence[str]
) -> Markup:
    parts = [_sentences([*_READING.strip().split("\n\n"), *table.notes, *notes])]
    if not table.rows:
        return Markup("").join([*parts, _sentences(["There is no result yet."])])
    columns = [Column("family"), Column("measure"), Column("sets", numeric=True)]
    columns += [Column(name, numeric=True) for name in table.encoders]
    body: list[list[str | Cell]] = []
    for row in table.rows:
        cells = [Cell(m.text(), m.value) for m in row.means]
        sets = Cell(str(len(row.sets)), float(len(row.sets)))
        body.append([NAMES[row.family], row.title, sets, *cells])
    if len(table.encoders) > 1:
        ranks: list[str | Cell] = [Cell(_number(table.ranks[n], 2)) for n in table.encoders]
        body.append(["all", "mean rank, leading measures", "", *ranks])
    caption = "Means over data sets that all encoders have, with 95 % intervals"
    parts.append(html_table(columns, body, caption=caption, show_caption=True))
    if published:
        parts.append(_published(table, published))
    return Markup("").join(parts)


def _published(table: BenchmarkTable, published: Sequence[Published]) -> Markup:
    rows = [r for r in table.rows if any(_same(p, r) for p in published)]
    if not rows:
        return _sentences(["The published table has none of these measures."])
    columns = [Column("encoder"), Column("origin")]
    columns += [Column(f"{NAMES[r.family]}: {r.title}", numeric=True) for r in rows]
    names = dict.fromkeys(p.encoder for p in published)
    body: list[list[str | Cell]] = []
    for name in names:
        cells: list[str | Cell] = []
        for row in rows:
            found = [p.value for p in published if p.encoder == name and _same(p, row)]
            cells.append(Cell(f"{found[0]:.3f}", found[0]) if found else Cell("–"))
        body.append([name, MARK, *cells])
    said = (
        f"Numbers below are from {SOURCE}. They were not measured here, have no intervals, and "
        "are means over the published data sets, which may not be those above."
    )
    return Markup("").join(
        [
            _sentences([said]),
            html_table(columns, body, caption=f"Published rows ({MARK})", show_caption=True),
        ]
    )


def _same(one: Published, row: Row) -> bool:
    return (one.family, one.protocol, one.measure) == (row.family, row.protocol, row.measure)


def _families(table: BenchmarkTable) -> Markup:
    parts = []
    for row in table.rows:
        chart = dots_and_intervals(
            table.encoders,
            [m.value for m in row.means],
            [m.low for m in row.means],
            [m.high for m in row.means],
            label=f"{NAMES[row.family]}: {row.title}",
            x_title=f"{row.title}, mean of {_plural(len(row.sets), 'data set')}",
            notes=[f"rank {_number(m.rank, 1)}" for m in row.means],
        )
        said = f"{NAMES[row.family]}, {row.title}: {', '.join(row.sets) or 'no set in common'}."
        parts.append(figure(chart, said))
    return Markup("").join(parts) if parts else _sentences(["There is no result yet."])


def _differences(results: Sequence[Result]) -> Markup:
    found = differences(results)
    if not found:
        said = "There are no two encoders with a probe on the same items with one label each."
        return _sentences([said])
    columns = [
        Column("data set"),
        Column("family"),
        Column("best"),
        Column("against"),
        Column("accuracy gained", numeric=True),
        Column("groups", numeric=True),
        Column("verdict"),
    ]
    rows: list[list[str | Cell]] = [
        [
            d.name,
            NAMES[d.family],
            d.best,
            d.other,
            Cell(f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]", d.value),
            Cell(str(d.groups), float(d.groups)),
            d.verdict,
        ]
        for d in found
    ]
    said = (
        "Both encoders are judged on the same items, drawn by recording or source, so what both "
        "find hard cancels. Of several encoders one is best by chance, too: the more are compared, "
        "the less a small gain says."
    )
    caption = "The best encoder of each data set against the others, probe accuracy"
    return Markup("").join([_sentences([said]), html_table(columns, rows, caption=caption)])


def _sets(results: Sequence[Result], table: BenchmarkTable) -> Markup:
    panels = []
    for family in (f for f in NAMES if isinstance(f, str)):
        mine = [r for r in results if r.family == family]
        if not mine:
            continue
        measures = [m for m in SHOWN[family] if any(r.value(*m) for r in mine)]
        columns = [Column("data set"), Column("encoder"), Column("items", numeric=True)]
        columns += [Column(NAMES[m], numeric=True) for m in measures]
        rows: list[list[str | Cell]] = []
        for result in mine:
            cells: list[str | Cell] = []
            for measure in measures:
                value = result.value(*measure)
                cells.append(Cell("–") if value is None else Cell(value.text(), value.value))
            count = Cell(f"{result.counts.get('all', 0):,}", float(result.counts.get("all", 0)))
            rows.append([result.name, result.encoder.label, count, *cells])
        notes = [f"{r.name}, {r.encoder.label}: {n}." for r in mine for n in r.notes]
        body = html_table(columns, rows, caption=f"{NAMES[family]}, data set by data set")
        panels.append(
            (
                NAMES[family],
                Markup("").join([body, folded("What has to be known", _sentences(notes))]),
            )
        )
    return switch("Family", panels) if panels else _sentences(["There is no result yet."])


def _leakage(results: Sequence[Result]) -> Markup:
    parts = []
    seen: set[tuple[str, ...]] = set()
    for result in results:
        key = (result.name, result.family, *result.leakage)
        if key in seen:
            continue
        seen.add(key)
        errors, warnings = result.leaks
        mark = f"{_plural(errors, 'error')}, {_plural(warnings, 'warning')}"
        if not errors and not warnings:
            mark = "nothing found" if len(result.leakage) > 1 else result.leakage[0]
        title = f"{result.name}, {NAMES[result.family]} ({result.encoder.label}): {mark}"
        parts.append(folded(title, _sentences(result.leakage)))
    return Markup("").join(parts) if parts else _sentences(["There is no result yet."])


def _failed(results: Sequence[Result], failures: Sequence[Failure]) -> Markup:
    rows: list[list[str | Cell]] = [[f.what, "", f.reason] for f in failures]
    for result in results:
        what = f"{result.name}, {result.encoder.label}"
        rows += [[what, item, reason] for item, reason in result.failed]
    columns = [Column("what"), Column("item"), Column("why")]
    return html_table(columns, rows, caption="What failed")


def _how(results: Sequence[Result]) -> Markup:
    encoders = {r.encoder.label: r.encoder for r in results}
    columns = [
        Column("encoder"),
        Column("numbers", numeric=True),
        Column("Hz", numeric=True),
        Column("window, s", numeric=True),
        Column("fingerprint"),
    ]
    rows: list[list[str | Cell]] = [
        [
            e.label,
            Cell(f"{e.dim:,}", float(e.dim)),
            Cell(f"{e.sample_rate:,}", float(e.sample_rate)),
            Cell(f"{e.window_s:g}", e.window_s),
            e.fingerprint[:16],
        ]
        for e in encoders.values()
    ]
    sets = {(r.name, r.family): r for r in results}
    set_columns = [
        Column("data set"),
        Column("family"),
        Column("items on each side"),
        Column("classes", numeric=True),
        Column("licence"),
        Column("source"),
    ]
    set_rows: list[list[str | Cell]] = [
        [
            r.title,
            NAMES[r.family],
            ", ".join(f"{n:,} {s}" for s, n in r.counts.items()),
            Cell(str(r.classes), float(r.classes)),
            r.licence or "your own",
            r.page or "–",
        ]
        for r in sets.values()
    ]
    dates = sorted(str(r.made.get("date", "")) for r in results)
    made = [f"Judged between {dates[0]} and {dates[-1]}."] if dates else []
    return Markup("").join(
        [
            _sentences(made),
            html_table(columns, rows, caption="Encoders", show_caption=True),
            html_table(set_columns, set_rows, caption="Data sets", show_caption=True),
        ]
    )


def _sentences(texts: Sequence[str]) -> Markup:
    return Markup("").join(element("p", text) for text in dict.fromkeys(texts))


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
