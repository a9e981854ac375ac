"""The report of an ensemble: one HTML file, and the numbers behind it as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from antiphon._version import __version__
from antiphon.evaluation.blending.evaluate import Evaluation
from antiphon.evaluation.blending.report.classes import classes_section, groups_section
from antiphon.evaluation.blending.report.models import (
    provenance_section,
    shares_section,
    systems_section,
)
from antiphon.evaluation.blending.report.number_text import area
from antiphon.evaluation.blending.report.parts import paragraph, verdict_list
from antiphon.evaluation.blending.report.tests import (
    splits_section,
    stages_section,
    weights_section,
)
from antiphon.evaluation.blending.report.wording import verdicts
from antiphon.plots.page import Section, facts, render_page
from antiphon.plots.svg import element
from antiphon.replacing import replacing

_READING = """
Macro ROC-AUC is the mean over the classes that have a window with and one without them, ties
counted half.

Intervals and tests draw recordings, not windows: windows of one recording are alike. An interval is
the middle 95 % of the resamples; in each, classes whose recordings were not drawn are missing, as
they would be in another test set.

Smallest detectable: the true difference that a test at 0.05 on these recordings would find 8 times
in 10 (Bloom 1995). If it is larger than what you hope for, more recordings are needed, not more
blends.

p is two-sided, from the standard error of the difference, and corrected by Holm for the systems in
the table.

Within and between: AUC over pairs of windows from one recording, and from two. A model that only
knows which species live at a site ranks recordings, not windows: high between, low within.

Weights that were chosen on these recordings look better on them than they are; only the nested
figures are free of that. The same holds for whoever tries many steps and keeps the best.

Not evaluable: a model that was trained on recordings which judge it, without an out-of-fold map.
Its score here says nothing, nor does that of a blend it is in, so neither is shown.

The membership test compares, on recordings from the same site and time of day, how sure a model is
on those that judge it and on those without truth, relative to the other models. It finds no leak
that as many models share as do not.
"""


def render(found: Evaluation, title: str = "Blend report", when: datetime | None = None) -> str:
    """Return the report as HTML that needs nothing from outside.

    Parameters
    ----------
    when
        Time of the report; now when None.
    """
    sections = [
        Section("summary", "Summary", _summary(found)),
        Section("provenance", "What may be judged", provenance_section(found)),
        Section("systems", "Models and blends", systems_section(found)),
        Section("shares", "What each model brings", shares_section(found)),
        Section("weights", "Weights", weights_section(found)),
        Section("steps", "Steps after the blend", stages_section(found)),
        Section("boards", "Public and private board", splits_section(found)),
        Section("classes", "Classes, worst first", classes_section(found)),
        Section("groups", "Taxa, sites, hours", groups_section(found)),
        Section("reading", "How to read it", _reading()),
    ]
    moment = (when or datetime.now()).strftime("%Y-%m-%d %H:%M")
    return render_page(
        title,
        [section for section in sections if section.body],
        subtitle=f"Made by Antiphon {__version__} on {moment}",
        footer="Click a heading of a table to sort by it. Point at a chart to read its numbers. "
        "All numbers are in report.json beside this file.",
    )


def write_report(
    found: Evaluation, folder: Path | str, title: str = "Blend report"
) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` into a folder, which is made if needed.

    Returns
    -------
    html, json
        Where they are.

    Raises
    ------
    FileError
        If they cannot be written; what was there before stays.
    """
    out = Path(folder)
    page, numbers = out / "report.html", out / "report.json"
    _write(page, render(found, title))
    _write(numbers, json.dumps(found.to_json(), indent=1, allow_nan=False) + "\n")
    return page, numbers


def _summary(found: Evaluation) -> Markup:
    p = found.problem
    taking = sum(c.takes_part for c in found.components)
    chosen = found.chosen
    tiles = [
        ("Macro ROC-AUC", area(chosen.auc)),
        ("Models", f"{taking} of {len(found.components)}"),
        ("Recordings", f"{len(p.files):,}"),
        ("Windows", f"{len(p.rows):,}"),
        ("Scored classes", f"{int(p.scored.sum())} of {len(p.classes)}"),
        ("Unlabelled", f"{found.n_unlabelled:,}"),
    ]
    items = [element("div", element("dt", n), element("dd", v)) for n, v in tiles]
    weights = facts(
        [
            ("Judged here", chosen.name),
            ("Weights", ", ".join(f"{name} {w:.2f}" for name, w in found.weights.items())),
        ]
    )
    notes = [paragraph(note) for note in found.notes]
    return Markup("").join(
        [element("dl", *items, class_="tiles"), verdict_list(verdicts(found)), weights, *notes]
    )


def _reading() -> Markup:
    parts = _READING.strip().split("\n\n")
    return Markup("").join(paragraph(" ".join(part.split())) for part in parts)


def _write(path: Path, text: str) -> None:
    advice = "Check free space and permissions, and that no file has the folder's name"
    with replacing(path, "it cannot be written", advice) as part:
        part.write_text(text, encoding="utf-8")
