"""Verbs that hand results out: report, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import EncoderName, ProjectPath, Seed


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(report)
    app.command()(export)


def report(
    project: ProjectPath,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE.html", help="Where; in the project's reports/ by default."
        ),
    ] = None,
    encoder: EncoderName = None,
    seed: Seed = 0,
) -> None:
    """Write one HTML file with effort, quality, detections, clips to hear, and what is missing."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, say

    path = Project(project).report(out, encoder=encoder, seed=seed, reporter=RichReporter())
    say(f"Report: {path}")


def export(
    project: ProjectPath,
    format: Annotated[
        str, typer.Option("--format", help="raven, audacity, csv or parquet.")
    ] = "csv",
    what: Annotated[str, typer.Option("--what", help="detections or annotations.")] = "detections",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE|DIR", help="Where; named here by default.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Which detections, by name; the newest by default.")
    ] = None,
    merge: Annotated[
        bool,
        typer.Option("--merge/--windows", help="Join windows that touch, or leave them apart."),
    ] = True,
    gap: Annotated[
        float,
        typer.Option("--gap", metavar="S", min=0.0, help="Join across gaps of so many seconds."),
    ] = 0.0,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", min=0.0, max=1.0, help="Leave out detections below this."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="LABEL", help="Only this; repeatable.")
    ] = None,
) -> None:
    """Write detections or annotations for Raven, Audacity, a spreadsheet or a program."""
    from antiphon.api import Project
    from antiphon.cli.show import say

    here = Project(project)
    runs = here.detection_runs() if what == "detections" and run is None else []
    if len(runs) > 1:
        say(f"Run {runs[-1]}, the newest. Others, with --run: {', '.join(runs[:-1])}")
    files, rows = here.export(
        out,
        format=format,
        what=what,
        run=run,
        merge=merge,
        gap_s=gap,
        min_score=min_score,
        labels=label or (),
    )
    place = (
        files[0]
        if len(files) == 1
        else f"{len(files)} files in {files[0].parent if files else out}"
    )
    say(f"{rows:,} {what} written: {place}")
