"""The rounds as JSON, Markdown and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from antiphon._version import __version__
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Column, Section, facts, figure, render_page, table
from antiphon.plots.svg import element
from antiphon.replacing import write_whole
from antiphon.training.pseudo.labelling import LabelReport
from antiphon.training.pseudo.rounds import Round, RoundsReport

_COLUMNS = (
    ("round", "0 is what all began with"),
    ("power", "Of the probabilities"),
    ("windows", "Labelled, those of background among them"),
    ("background", "Windows in which no class is above the floor"),
    ("mass / focal", "Sum of targets times weight over that of focal clips, every clip once"),
    ("in batches", "The same by the sampler, as batches are drawn"),
    ("held out", "Macro ROC-AUC over the classes present, with interval over groups"),
    ("against", "The best round so far"),
    ("difference", "Paired: on the same resamples of groups"),
    ("p", "Two-sided, of the difference"),
    ("verdict", ""),
)
_READING = (
    (
        "Intervals and tests draw files or sites, as the settings say, not windows. The "
        "difference is taken on the same draws, so what is easy or hard in both cancels."
    ),
    (
        "The held-out recordings chose which round is kept, and so it looks a little better on "
        "them than it is. For a figure to publish, score it on recordings that chose nothing."
    ),
)


def write_report(report: RoundsReport, out: Path) -> Path:
    """Write ``rounds.json``, ``report.md`` and ``report.html``; return the page's path.

    Raises
    ------
    FileError
        They cannot be written.
    """
    write_whole(out / "rounds.json", json.dumps(report.to_json(), indent=1, allow_nan=False) + "\n")
    write_whole(out / "report.md", markdown(report))
    page = out / "report.html"
    write_whole(page, html(report))
    return page


def rows(report: RoundsReport) -> list[list[str]]:
    """Return the table of rounds, a row each."""
    return [_row(one) for one in report.rounds]


def titles() -> list[str]:
    """Return the headings of the table of rounds."""
    return [name for name, _ in _COLUMNS]


def markdown(report: RoundsReport) -> str:
    """Return the report as Markdown."""
    lines = [f"# Pseudo-label rounds: {report.name}", "", _summary(report), ""]
    lines += ["| " + " | ".join(titles()) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(row) + " |" for row in rows(report)]
    lines += ["", *(f"{text}\n" for text in _READING)]
    for one in report.rounds[1:]:
        lines += [f"## Round {one.number}: mass by class", "", *_mass_lines(one.labels), ""]
    lines.append(f"Made by Antiphon {__version__}.")
    return "\n".join(lines) + "\n"


def html(report: RoundsReport) -> str:
    """Return the report as a page that needs nothing from outside."""
    held = report.held_out
    known = [
        ("Kept", f"round {report.kept}: {', '.join(report.models)}"),
        (
            "Held out",
            (
                f"{held['recordings']} recordings, {held['windows']} windows, {held['classes']} "
                f"classes, {held['groups']} groups by {held['group']}"
            ),
        ),
        ("Not labelled", f"{len(report.apart)} recordings that share a file or site with these"),
    ]
    columns = [Column(name, name not in ("verdict",), hint) for name, hint in _COLUMNS]
    sections = [
        Section("summary", "Summary", _paragraph(_summary(report)) + facts(known)),
        Section(
            "rounds", "Rounds", _chart(report) + table(columns, rows(report), caption="Rounds")
        ),
    ]
    for one in report.rounds[1:]:
        body = facts(_label_facts(one.labels)) + _mass_table(one.labels)
        sections.append(Section(f"round-{one.number}", f"Round {one.number}", body))
    reading = Markup("").join(_paragraph(text) for text in _READING)
    sections.append(Section("reading", "How to read it", reading))
    return render_page(
        f"Pseudo-label rounds: {report.name}", sections, subtitle=f"Made by Antiphon {__version__}"
    )


def label_lines(report: LabelReport) -> list[str]:
    """Return sentences about labels that were made once."""
    found = report.to_json()
    lines = [f"{name}: {text}" for name, text in _label_facts(found)]
    if report.mass is not None and (alone := report.mass.without_focal()):
        lines.append(f"Offered by teachers, but without focal clips: {', '.join(alone)}")
    return lines


def _summary(report: RoundsReport) -> str:
    kept = next(one for one in report.rounds if one.number == report.kept)
    ends = _ends(kept.score)
    stopped = f" Stopped: {report.stopped}." if report.stopped else ""
    return (
        f"Round {report.kept} is kept, with a held-out macro ROC-AUC of "
        f"{kept.score['value']:.4f}{ends}.{stopped}"
    )


def _ends(value: dict[str, Any], sign: str = "") -> str:
    if value["low"] is None:
        return ""
    return f" ({value['low']:{sign}.4f} to {value['high']:{sign}.4f})"


def _row(one: Round) -> list[str]:
    counts, mass, found = one.labels.get("counts", {}), one.labels.get("mass", {}), one.comparison
    return [
        str(one.number),
        "" if one.gamma is None else f"{one.gamma:g}",
        str(counts.get("windows", "")),
        str(counts.get("background_windows", "")),
        _share(mass.get("share")),
        _share(one.training.get("share")),
        f"{one.score['value']:.4f}{_ends(one.score)}",
        "" if one.best is None else str(one.best),
        "" if found is None else f"{found['value']:+.4f}{_ends(found, '+')}",
        "" if found is None or found["p"] is None else f"{found['p']:.3g}",
        one.verdict,
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _label_facts(labels: dict[str, Any]) -> list[tuple[str, str]]:
    counts, mass = labels["counts"], labels["mass"]
    known = [
        (
            "Recordings",
            (
                f"{counts['scored']} of {counts['recordings']} labelled, "
                f"{counts['background_recordings']} of them background throughout; "
                f"{counts['without_teacher']} without a teacher, {counts['unreadable']} unreadable"
            ),
        ),
        (
            "Windows",
            (
                f"{counts['windows']}, {counts['background_windows']} of background, "
                f"{counts['windows_of_several_classes']} with several classes"
            ),
        ),
        (
            "Targets",
            (
                f"{counts['targets']}, and {counts['targets_taken_by_caps']} taken by caps, which "
                "leave them unknown"
            ),
        ),
        (
            "Teachers",
            ", ".join(f"{t['name']} ({t['fingerprint'][:12]})" for t in labels["teachers"]),
        ),
    ]
    for name, n in labels["seen_by_teacher"].items():
        known.append((f"{name} was not asked about", f"{n} recordings that it was trained on"))
    if mass:
        known.append(
            (
                "Mass",
                (
                    f"{mass['pseudo']:.1f} against {mass['focal']:.1f} of focal clips, each window "
                    f"with a weight of {mass['weight']:.3g}; teachers offered {mass['offered']:.1f}"
                ),
            )
        )
    return known


def _mass_rows(labels: dict[str, Any]) -> list[list[str]]:
    windows = labels["windows_of_class"]
    found = labels["mass"].get("classes", {})
    out = []
    for name, (offered, kept) in windows.items():
        mass = found.get(name)
        cells = [f"{mass[k]:.2f}" for k in ("focal", "offered", "pseudo")] if mass else [""] * 3
        out.append([name, str(offered), str(kept), *cells])
    return out


_MASS = ("class", "windows offered", "windows kept", "focal mass", "offered mass", "pseudo mass")


def _mass_lines(labels: dict[str, Any]) -> list[str]:
    head = ["| " + " | ".join(_MASS) + " |", "|" + "---|" * len(_MASS)]
    return head + ["| " + " | ".join(row) + " |" for row in _mass_rows(labels)]


def _mass_table(labels: dict[str, Any]) -> Markup:
    columns = [Column(name, at > 0) for at, name in enumerate(_MASS)]
    return table(columns, _mass_rows(labels), caption="Mass by class", show_caption=True)


def _chart(report: RoundsReport) -> Markup:
    x = [float(one.number) for one in report.rounds]
    value, low, high = (
        [float("nan") if one.score[k] is None else float(one.score[k]) for one in report.rounds]
        for k in ("value", "low", "high")
    )
    label = "Held-out macro ROC-AUC by round"
    series = Series("held out", x, value, low, high)
    return figure(
        line_chart([series], label=label, x_title="round", y_title="macro ROC-AUC"), label
    )


def _paragraph(text: str) -> Markup:
    return element("p", text)
