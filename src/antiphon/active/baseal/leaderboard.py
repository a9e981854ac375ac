"""A leaderboard of results files: a page without network, and tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from markupsafe import Markup

from antiphon.active.baseal.results import read_submission
from antiphon.active.baseal.standings import (
    INTERVALS,
    Entry,
    Estimate,
    Standings,
    compile_standings,
    find_results,
)
from antiphon.errors import FileError
from antiphon.labels.formats.table import write_text
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Cell, Column, Section, figure, render_page, switch, table
from antiphon.plots.svg import element

PAGE, OVERALL_CSV, CURVES_CSV = "leaderboard.html", "leaderboard.csv", "learning_curves.csv"


def write_leaderboard(
    sources: Sequence[Path], out: Path, *, budget: int | None = 500, title: str = "Leaderboard"
) -> list[Path]:
    """Write ``leaderboard.html``, ``leaderboard.csv`` and ``learning_curves.csv``.

    Parameters
    ----------
    sources
        Results files, and folders that hold them.
    out
        A folder, made if missing.
    budget
        Labels at which curves are cut; None takes each whole.

    Returns
    -------
    files
        The three paths.

    Raises
    ------
    FileError
        If a source is missing or holds no results, or a file cannot be written.
    FormatError
        If a results file contradicts itself; fields that are not known are only noted.
    """
    paths: list[Path] = []
    for source in sources:
        found = find_results(source) if source.is_dir() else [source]
        if not found:
            raise FileError(source, "it holds no .yaml files")
        paths += found
    standings = compile_standings([read_submission(p, strict=False) for p in paths], budget)
    files = {
        out / PAGE: leaderboard_page(standings, title),
        out / OVERALL_CSV: leaderboard_csv(standings),
        out / CURVES_CSV: curves_csv(standings),
    }
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def leaderboard_page(standings: Standings, title: str = "Leaderboard") -> str:
    """Return the page: overall, by domain and set, by cycle, quality against cost."""
    spent = "all labels" if standings.budget is None else f"the first {standings.budget} labels"
    sections = [
        Section("overall", "Overall", _overall(standings)),
        Section("domains", "By set", _domains(standings)),
        Section("cycles", "By cycle", _cycles(standings)),
        Section("cost", "Quality and cost", _cost(standings)),
        Section("reading", "How to read it", _reading(standings)),
    ]
    subtitle = f"{len(standings.entries)} methods; area under the learning curve of {spent}"
    return render_page(title, sections, subtitle=subtitle)


def _overall(standings: Standings) -> Markup:
    columns = [
        Column("method"),
        Column("author"),
        Column("AULC", True, "mean over domains; mAP by trapezoids from (0, 0)"),
        Column("±", True, "half the 95 % interval"),
        Column("AULC, mean over n", True, "the task page's form: mean of mAP(n), n = 1..N"),
        *(Column(domain, True) for domain in standings.domains),
        Column("training cost", True, "relative to the baseline"),
        Column("selection, s", True, "seconds for each cycle"),
        Column("annotation cost", True, "events in the clips that were labelled"),
    ]
    rows = [
        [
            entry.method,
            entry.author,
            _cell(entry.overall.mean, 4),
            _cell(entry.overall.half_width, 4),
            _cell(entry.page_overall, 4),
            *(_cell(_mean(entry, domain), 4) for domain in standings.domains),
            _cell(entry.relative_cost, 2),
            _cell(entry.sampling_s, 3),
            _cell(entry.annotation_cost, 1),
        ]
        for entry in standings.entries
    ]
    chart = _dots(standings, [entry.overall for entry in standings.entries], "AULC, all domains")
    return table(columns, rows, caption="Methods, the best first") + figure(
        chart, "Mean area over domains with its 95 % interval."
    )


def _domains(standings: Standings) -> Markup:
    panels = []
    for domain in standings.domains:
        found = [entry.domains.get(domain, Estimate(math.nan)) for entry in standings.entries]
        panels.append(
            (
                domain,
                figure(
                    _dots(standings, found, f"AULC, {domain}"),
                    f"AULC on {domain}, with 95 % intervals.",
                ),
            )
        )
    rows = [
        [
            result.set,
            entry.title,
            _cell(result.area.mean, 4),
            _cell(result.area.half_width, 4),
            _cell(result.quality, 4),
            str(result.n_labelled),
            str(result.submission.repeats),
        ]
        for entry in standings.entries
        for result in entry.results
    ]
    columns = [
        Column("set"),
        Column("method"),
        Column("AULC", True),
        Column("±", True),
        Column("mAP", True, "at the last label"),
        Column("labels", True),
        Column("repeats", True),
    ]
    return switch("domain", panels) + table(columns, rows, caption="Each method on each set")


def _cycles(standings: Standings) -> Markup:
    names = dict.fromkeys(r.set for entry in standings.entries for r in entry.results)
    panels = []
    for name in sorted(names):
        lines = []
        for entry in standings.entries:
            for result in entry.results:
                if result.set != name:
                    continue
                curve, repeats = result.submission.curve, result.submission.repeats
                half = [
                    Estimate(p.mAP, p.mAP_sd**2 / (repeats - 1), repeats - 1).half_width
                    if repeats > 1
                    else math.nan
                    for p in curve
                ]
                y = [p.mAP for p in curve]
                low = [v - h for v, h in zip(y, half, strict=True)]
                high = [v + h for v, h in zip(y, half, strict=True)]
                x = [p.n_labelled for p in curve]
                lines.append(Series(entry.title, x, y, low, high))
        chart = line_chart(
            lines,
            label=f"Learning curves on {name}",
            x_title="labels",
            y_title="mAP (macro)",
            width=640,
            height=340,
        )
        panels.append((name, figure(chart, f"{name}: mean mAP with its 95 % interval.")))
    return switch("set", panels)


def _cost(standings: Standings) -> Markup:
    charts = []
    for title, attribute, log in (
        ("seconds of selection for each cycle", "sampling_s", True),
        ("training cost relative to the baseline", "relative_cost", False),
        ("annotation cost, events", "annotation_cost", False),
    ):
        points = [
            Series(
                entry.title,
                [getattr(entry, attribute)],
                [entry.overall.mean],
                [entry.overall.mean - entry.overall.half_width],
                [entry.overall.mean + entry.overall.half_width],
            )
            for entry in standings.entries
        ]
        chart = line_chart(
            points,
            label=f"AULC against {title}",
            x_title=title,
            y_title="AULC",
            x_range=_around([getattr(entry, attribute) for entry in standings.entries], log),
            x_log=log,
            width=560,
            height=320,
        )
        charts.append(figure(chart, f"AULC against {title}; better is higher and further left."))
    return Markup("").join(charts)


def _around(values: Sequence[float], log: bool) -> tuple[float, float] | None:
    """Return ends of an axis with room on both sides, or None without any value to show."""
    known = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    if not known:
        return None
    low, high = min(known), max(known)
    if log:
        return low / 2, high * 2
    room = 0.1 * (high - low or abs(high) or 1.0)
    return low - room, high + room


def _reading(standings: Standings) -> Markup:
    parts = [element("p", INTERVALS)]
    if standings.notes:
        parts.append(element("ul", *(element("li", note) for note in standings.notes)))
    return Markup("").join(parts)


def _dots(standings: Standings, found: Sequence[Estimate], label: str) -> Markup:
    means = [e.mean for e in found]
    half = [e.half_width for e in found]
    low = [m - h for m, h in zip(means, half, strict=True)]
    high = [m + h for m, h in zip(means, half, strict=True)]
    ends = [v for v in (*means, *low, *high) if math.isfinite(v)]
    margin = 0.05 * (max(ends) - min(ends) or 0.1)
    return dots_and_intervals(
        [entry.title for entry in standings.entries],
        means,
        low,
        high,
        label=label,
        x_title="AULC",
        x_range=(min(ends) - margin, max(ends) + margin),
    )


def _mean(entry: Entry, domain: str) -> float:
    return entry.domains[domain].mean if domain in entry.domains else math.nan


def _cell(value: float, digits: int) -> str | Cell:
    if not math.isfinite(value):
        return Cell("–", None)
    return Cell(f"{value:,.{digits}f}", value)


def leaderboard_csv(standings: Standings) -> str:
    """Return one row for each method: overall, by domain, costs; empty where not known."""
    header = ["rank", "method", "author", "aulc", "aulc_half_width", "aulc_mean_over_n"]
    for domain in standings.domains:
        header += [f"aulc_{domain}", f"aulc_{domain}_half_width"]
    header += ["relative_cost", "sampling_s_per_cycle", "annotation_cost"]
    rows: list[list[object]] = []
    for rank, entry in enumerate(standings.entries, start=1):
        row: list[object] = [rank, entry.method, entry.author]
        row += [entry.overall.mean, entry.overall.half_width, entry.page_overall]
        for domain in standings.domains:
            found = entry.domains.get(domain, Estimate(math.nan))
            row += [found.mean, found.half_width]
        rows.append([*row, entry.relative_cost, entry.sampling_s, entry.annotation_cost])
    return _csv(header, rows)


def curves_csv(standings: Standings) -> str:
    """Return one row for each method, set and cycle."""
    header = ["method", "author", "set", "cycle", "n_labelled", "mAP", "mAP_sd", "aulc", "aulc_sd"]
    header += ["repeats", "annotation_cost", "sampling_s"]
    rows = [
        [
            entry.method,
            entry.author,
            result.set,
            cycle,
            point.n_labelled,
            point.mAP,
            point.mAP_sd,
            point.aulc,
            point.aulc_sd,
            result.submission.repeats,
            point.annotation_cost,
            point.sampling_s,
        ]
        for entry in standings.entries
        for result in entry.results
        for cycle, point in enumerate(result.submission.curve, start=1)
    ]
    return _csv(header, rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    return text.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return value
