"""The table as CSV, LaTeX, Markdown and a drawing."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from antiphon.evaluation.benchmarks.judging.results import Result
from antiphon.evaluation.benchmarks.output.published import MARK, SOURCE, Published
from antiphon.evaluation.benchmarks.output.table import NAMES, BenchmarkTable, Row
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.colour import SERIES_ON_WHITE
from antiphon.replacing import write_whole

_TEX = str.maketrans(
    {
        **{mark: f"\\{mark}" for mark in "&%_#${}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
    }
)
_MEASURES = (
    *("set", "suite", "family", "encoder", "protocol", "measure", "value", "low", "high"),
    *("n", "items", "failed", "leakage_errors", "note"),
)


def write_exports(
    folder: Path,
    table: BenchmarkTable,
    results: Sequence[Result],
    published: Sequence[Published] = (),
) -> list[Path]:
    """Write ``table.csv``, ``measures.csv``, ``table.tex``, ``table.md`` and ``table.svg``.

    Raises
    ------
    FileError
        If one cannot be written.
    """
    texts = {
        "table.csv": table_csv(table, published),
        "measures.csv": measures_csv(results),
        "table.tex": latex(table, published),
        "table.md": markdown(table, published),
        "table.svg": picture(table),
    }
    paths = [folder / name for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_whole(path, text)
    return paths


def table_csv(table: BenchmarkTable, published: Sequence[Published] = ()) -> str:
    """Return one line for each family, measure and encoder."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ("family", "protocol", "measure", "encoder", "value", "low", "high", "rank", "sets")
    writer.writerow((*head, "origin"))
    for row in table.rows:
        what = (row.family, row.protocol, row.measure)
        for mean in row.means:
            numbers = (mean.value, mean.low, mean.high, mean.rank)
            sets = _safe(" ".join(row.sets))
            writer.writerow((*what, _safe(mean.encoder), *map(_plain, numbers), sets, "measured"))
        for one in _beside(row, published):
            writer.writerow((*what, one.encoder, _plain(one.value), "", "", "", "", MARK))
    return out.getvalue()


def measures_csv(results: Sequence[Result]) -> str:
    """Return one line for each data set, encoder and measure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_MEASURES)
    for result in results:
        name, encoder = _safe(result.name), _safe(result.encoder.label)
        about = (name, result.suite, result.family, encoder)
        for v in result.values:
            numbers = map(_plain, (v.value, v.low, v.high))
            counts = (v.n, result.counts.get("all", 0), len(result.failed), result.leaks[0])
            writer.writerow((*about, v.protocol, v.measure, *numbers, *counts, _safe(v.note)))
    return out.getvalue()


def markdown(table: BenchmarkTable, published: Sequence[Published] = ()) -> str:
    """Return the table for a Markdown page; the best mean of each row is bold."""
    beside = _columns(table, published)
    heads = [*map(_cell, table.encoders), *(f"{name} ({MARK})" for name in beside)]
    lines = [f"| family | measure | sets | {' | '.join(heads)} |", "|---" * (len(heads) + 3) + "|"]
    for row in table.rows:
        best = _best(row)
        cells = [f"**{m.text()}**" if i == best else m.text() for i, m in enumerate(row.means)]
        cells += [_published_text(row, published, name) for name in beside]
        count = str(len(row.sets))
        lines.append(f"| {NAMES[row.family]} | {row.title} | {count} | {' | '.join(cells)} |")
    if any(math.isfinite(r) for r in table.ranks.values()):
        ranks = [f"{table.ranks[name]:.2f}" for name in table.encoders] + ["–"] * len(beside)
        lines.append(f"| all | mean rank | | {' | '.join(ranks)} |")
    if beside:
        lines += ["", f'Columns marked "{MARK}": {SOURCE}.']
    return "\n".join(lines) + "\n"


def latex(table: BenchmarkTable, published: Sequence[Published] = ()) -> str:
    """Return the table for LaTeX (booktabs): encoders down, measures across."""
    rows = table.rows
    beside = _columns(table, published)
    head = " & ".join(_tex(NAMES[row.family]) for row in rows)
    under = " & ".join(_tex(row.title) for row in rows)
    lines = [
        r"\begin{tabular}{l" + "c" * len(rows) + "r}",
        r"\toprule",
        rf" & {head} & \\",
        rf"encoder & {under} & rank \\",
        r"\midrule",
    ]
    for i, name in enumerate(table.encoders):
        cells = []
        for row in rows:
            text = _tex(row.means[i].text())
            cells.append(rf"\textbf{{{text}}}" if i == _best(row) else text)
        number = table.ranks[name]
        cells.append(f"{number:.2f}" if math.isfinite(number) else "--")
        lines.append(rf"{_tex(name)} & {' & '.join(cells)} \\")
    if beside:
        lines += [r"\midrule", rf"\multicolumn{{{len(rows) + 2}}}{{l}}{{{_tex(MARK)}}} \\"]
        for name in beside:
            cells = [_tex(_published_text(row, published, name)) for row in rows]
            lines.append(rf"{_tex(name)} & {' & '.join(cells)} & -- \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def picture(table: BenchmarkTable) -> str:
    """Return a drawing of the leading measure of each family: a dot and interval per encoder."""
    names, value, low, high, notes = [], [], [], [], []
    seen: set[str] = set()
    for row in table.rows:
        if row.family in seen:
            continue
        seen.add(row.family)
        for mean in row.means:
            names.append(mean.encoder)
            value.append(mean.value)
            low.append(mean.low)
            high.append(mean.high)
            notes.append(f"{NAMES[row.family]}: {row.title}")
    chart = dots_and_intervals(
        names,
        value,
        low,
        high,
        label="Leading measure of each family, mean over data sets with 95 % intervals",
        x_title="mean over data sets",
        notes=notes,
        width=860,
    )
    style = (
        "<style>text{font:12px sans-serif;fill:#333}.note{fill:#777}"
        ".grid,.rule,.axis line,line{stroke:#ccc}.hit{fill:none}"
        f".dot line{{stroke:{SERIES_ON_WHITE[0]};stroke-width:2}}"
        f".dot circle{{fill:{SERIES_ON_WHITE[0]}}}</style>"
    )
    at = chart.index(">") + 1
    return f"{chart[:at]}{style}{chart[at:]}\n"


def _best(row: Row) -> int:
    values = [m.value if math.isfinite(m.value) else -math.inf for m in row.means]
    if len(values) < 2 or max(values) == -math.inf:
        return -1
    return values.index(max(values))


def _beside(row: Row, published: Sequence[Published]) -> list[Published]:
    what = (row.family, row.protocol, row.measure)
    return [p for p in published if (p.family, p.protocol, p.measure) == what]


def _columns(table: BenchmarkTable, published: Sequence[Published]) -> list[str]:
    return list(dict.fromkeys(p.encoder for row in table.rows for p in _beside(row, published)))


def _published_text(row: Row, published: Sequence[Published], name: str) -> str:
    for one in _beside(row, published):
        if one.encoder == name:
            return f"{one.value:.3f}"
    return "–"


def _safe(text: str) -> str:
    """Return a cell that a spreadsheet program takes for text, not for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _cell(text: str) -> str:
    """Return a cell of a Markdown table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _plain(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _tex(text: str) -> str:
    return text.translate(_TEX)
