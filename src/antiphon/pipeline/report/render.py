"""From the facts of a report to one self-contained HTML file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader
from markupsafe import Markup

from antiphon.pipeline.files import replace_file
from antiphon.pipeline.report import activity, quality
from antiphon.pipeline.report.clips import clip_gallery
from antiphon.pipeline.report.data import (
    ClassQuality,
    Provenance,
    Quality,
    ReportData,
    Summary,
    Uncovered,
)
from antiphon.pipeline.report.hours import Calendar
from antiphon.pipeline.report.words import (
    estimate_text,
    hours_text,
    is_weak,
    percent,
    plural,
    verdict,
)
from antiphon.plots.page import Column, Section, environment, facts, render_page, table

_TITLES = {
    "summary": "Summary",
    "effort": "Effort",
    "quality": "Quality",
    "detections": "Detections by hour and date",
    "clips": "Clips to look at and listen to",
    "learning": "Labels spent against quality",
    "uncovered": "What was not covered",
    "provenance": "Provenance",
}
# Verdicts shown at once; the others can be unfolded.
_MOST_VERDICTS = 20


def render_report(data: ReportData) -> str:
    """Return the report as HTML that needs nothing from outside.

    All names from the user (files, labels, sites, settings) are escaped.
    """
    dates = activity.shared_calendar(data.effort, data.detections)
    contexts: dict[str, dict[str, Any]] = {
        "summary": _summary(data),
        "effort": _effort(data, dates),
        "quality": {"evaluations": [_evaluation(q) for q in data.quality]},
        "detections": _detections(data, dates),
        "clips": {"gallery": clip_gallery(data.clips) if data.clips else None},
        "learning": _learning(data),
        "uncovered": _uncovered(data.uncovered, data.effort is not None, data),
        "provenance": _provenance(data.provenance),
    }
    templates = environment(PackageLoader("antiphon.pipeline.report", "templates"))
    templates.globals["plural"] = plural
    sections = [
        Section(
            name, title, Markup(templates.get_template(f"{name}.html.j2").render(contexts[name]))
        )
        for name, title in _TITLES.items()
    ]
    made = _moment(data.provenance.created)
    return render_page(
        f"{data.summary.project}: report",
        sections,
        subtitle=f"Made by Antiphon on {made}",
        footer="Click a heading of a table to sort by it. Point at a chart to read its numbers.",
    )


def write_report(data: ReportData, path: Path | str) -> Path:
    """Write the report; ``path`` holds the whole of it or what was there before.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    text = render_report(data)
    replace_file(target, lambda part: part.write_text(text, encoding="utf-8"))
    return target


def _summary(data: ReportData) -> dict[str, Any]:
    judged = next((q for q in data.quality if q.verdicts), None)
    verdicts = []
    if judged is not None:
        ranked = sorted(judged.classes, key=_trust)
        verdicts = [(c.label, verdict(c, judged.group_by), is_weak(c)) for c in ranked]
    return {
        "tiles": _tiles(data.summary, judged),
        "summary": data.summary,
        "judged": judged,
        "level": percent(judged.level) if judged is not None else "",
        "verdicts": verdicts[:_MOST_VERDICTS],
        "more_verdicts": verdicts[_MOST_VERDICTS:],
    }


def _tiles(summary: Summary, judged: Quality | None) -> list[tuple[str, str, str]]:
    """Return name, value and small print of each tile."""
    tiles = [
        ("Recordings", f"{summary.recordings:,}", plural(summary.sites, "site")),
        ("Audio", hours_text(summary.hours), ""),
        ("Windows", f"{summary.windows:,}", "embedded"),
        ("Labels spent", f"{summary.labels_spent:,}", plural(summary.annotations, "annotation")),
    ]
    if judged is not None:
        tiles.append(("Classes", f"{len(judged.classes):,}", judged.title))
        macro = judged.macro_average_precision
        if macro is not None and math.isfinite(macro.value):
            interval = estimate_text(macro).removeprefix(f"{macro.value:.2f} ")
            tiles.append(("Macro average precision", f"{macro.value:.2f}", interval))
    return tiles


def _trust(c: ClassQuality) -> tuple[bool, float]:
    """Order classes for the summary: trusted ones first, each part by its average precision."""
    value = c.average_precision.value if c.average_precision is not None else math.nan
    return is_weak(c), -value if math.isfinite(value) else math.inf


def _effort(data: ReportData, dates: Calendar) -> dict[str, Any]:
    effort = data.effort
    if effort is None or not effort.path:
        return {"effort": None}
    missing, listed = activity.without_time(effort)
    return {
        "effort": effort,
        "charts": activity.effort_charts(effort, dates) if missing < len(effort.path) else None,
        "sites": activity.effort_table(effort),
        "n_sites": len(set(effort.site)),
        "most": activity.MOST_PANELS,
        "missing": missing,
        "listed": listed,
    }


def _evaluation(q: Quality) -> dict[str, Any]:
    calibration = None
    if q.calibration is not None:
        calibration = quality.calibration_chart(q.calibration)
    return {
        "title": q.title,
        "how": quality.how_evaluated(q),
        "leakage": q.leakage,
        "macro": estimate_text(q.macro_average_precision),
        "auc": estimate_text(q.macro_roc_auc),
        "count": len(q.classes),
        "dots": quality.class_dots(q) if q.classes else None,
        "table": quality.class_table(q) if q.classes else None,
        "curves": quality.curves(q),
        "calibration": calibration,
    }


def _detections(data: ReportData, dates: Calendar) -> dict[str, Any]:
    found = data.detections
    if found is None:
        return {"found": None}
    panels, drawn = activity.detection_panels(found, data.effort, dates)
    return {
        "found": found,
        "total": len(found.label),
        "panels": panels,
        "drawn": drawn,
        "most": activity.MOST_PANELS,
        "table": activity.detection_table(found, () if data.effort is None else data.effort.site),
        "unscored": data.uncovered.unscored_windows,
    }


def _learning(data: ReportData) -> dict[str, Any]:
    if data.learning is None or not data.learning.curves:
        return {"chart": None}
    return {"chart": quality.learning_chart(data.learning)}


def _uncovered(uncovered: Uncovered, has_effort: bool, data: ReportData) -> dict[str, Any]:
    problems = None
    if uncovered.problems:
        columns = [Column("Recording"), Column("State"), Column("Reason")]
        problems = table(columns, uncovered.problems, caption="Recordings not wholly covered")
    untrained = None
    if uncovered.untrained:
        columns = [Column("Class"), Column("Reason")]
        untrained = table(columns, uncovered.untrained, caption="Classes without a detector")
    missing = activity.without_time(data.effort)[0] if data.effort is not None else 0
    return {
        "uncovered": uncovered,
        "problems": problems,
        "untrained": untrained,
        "without_time": missing,
        "anything": bool(
            uncovered.problems
            or uncovered.without_positives
            or uncovered.untrained
            or uncovered.unscored_windows
            or uncovered.leakage
            or uncovered.notes
            or missing
        ),
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    groups = (
        ("Versions", provenance.versions),
        ("Settings", provenance.settings),
        ("Seeds", provenance.seeds),
        ("Machine", provenance.machine),
    )
    return {
        "created": _moment(provenance.created),
        "groups": [(name, _pairs(values)) for name, values in groups if values],
        "commands": provenance.commands,
    }


def _pairs(values: Mapping[str, Any]) -> Markup:
    return facts([(str(name), str(value)) for name, value in values.items()])


def _moment(when: datetime) -> str:
    zone = when.strftime("%Z")
    return when.strftime("%Y-%m-%d %H:%M") + (f" {zone}" if zone else "")
