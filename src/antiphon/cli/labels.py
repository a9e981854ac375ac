"""Verbs around labels: search, next, import, strategies."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli import options
from antiphon.cli.options import AsJson, EncoderName, ProjectPath, Seed, parse_span
from antiphon.errors import PartialError

if TYPE_CHECKING:
    from antiphon.api import Project


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(search)
    app.command("next")(next_windows)
    app.command("import")(import_table)
    app.command()(strategies)


def search(
    project: ProjectPath,
    like: Annotated[
        Path | None, typer.Option("--like", metavar="CLIP", help="A recording of the sound.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="2.5-4", help="The seconds of the clip that count."),
    ] = None,
    sites: options.Sites = None,
    hour: options.Hour = None,
    date: options.Dates = None,
    label: options.Labels = None,
    unlabelled: options.Unlabelled = False,
    detected: options.Detected = None,
    min_score: options.MinScore = None,
    max_score: options.MaxScore = None,
    k: Annotated[int, typer.Option("-k", help="How many windows.")] = 50,
    per_recording: Annotated[
        int | None, typer.Option("--per-recording", min=1, help="At most so many of one recording.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare all windows, even where there is an index.")
    ] = False,
    encoder: EncoderName = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE|DIR", help="Write a queue to listen to and label."),
    ] = None,
    format: options.QueueFormat = None,
    overwrite: options.Overwrite = False,
    json: AsJson = False,
) -> None:
    """Find windows that sound like a clip, carry a label or score high, by site and time."""
    from antiphon.api import Project
    from antiphon.cli.show import as_json, say, table, warn

    kind = options.queue_format(format, out)
    here = Project(project)
    hits = here.search(
        like=like,
        at=parse_span(at, "--at"),
        sites=sites or (),
        hour=hour,
        date=date,
        labels=label or (),
        unlabelled=unlabelled,
        detected=detected or (),
        min_score=min_score,
        max_score=max_score,
        k=k,
        per_recording=per_recording,
        exact=True if exact else None,
        encoder=encoder,
    )
    if hour is not None or date is not None:
        _tell_untimed(here, sites or ())
    if out is not None:
        files = here.write_queue(hits, out, format=kind, overwrite=overwrite)
        say(f"{len(hits)} windows written to {_places(files, out)}.")
        return
    if json:
        from dataclasses import asdict

        as_json([asdict(hit) for hit in hits])
        return
    if not hits:
        warn("No window matches.")
    # Without a clip or a detector nothing is ranked, and there is no score.
    ranked = like is not None or detected or min_score is not None or max_score is not None
    table(
        ["score", "recording", "start s", "end s", "site", "time"],
        [[h.score if ranked else None, h.path, h.start_s, h.end_s, h.site, h.time] for h in hits],
    )


def next_windows(
    project: ProjectPath,
    n: Annotated[int, typer.Option("-n", help="How many windows.")] = 50,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            help="A name of 'antiphon strategies'. Those that need a detector begin with "
            "coreset-whitened.",
        ),
    ] = "antiphon",
    sites: options.Sites = None,
    hour: options.Hour = None,
    date: options.Dates = None,
    per_recording: Annotated[
        int | None, typer.Option("--per-recording", min=1, help="At most so many of one recording.")
    ] = None,
    encoder: EncoderName = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE|DIR", help="Write them as a queue to fill in."),
    ] = None,
    format: options.QueueFormat = None,
    overwrite: options.Overwrite = False,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Choose the windows to label next, as a table or as files to fill in and import."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, as_json, say, table

    kind = options.queue_format(format, out)
    here = Project(project)
    if hour is not None or date is not None:
        _tell_untimed(here, sites or ())
    items = here.next(
        n,
        strategy=strategy,
        sites=sites or (),
        hour=hour,
        date=date,
        per_recording=per_recording,
        encoder=encoder,
        seed=seed,
        reporter=RichReporter(),
    )
    if out is not None:
        files = here.write_queue(items, out, format=kind, overwrite=overwrite)
        say(f"{len(items)} windows written to {_places(files, out)}.")
        where = {
            "csv": "Fill in the column labels",
            "raven": "Fill in the column Labels",
            "audacity": "Write over the labels",
        }[kind]
        again = shlex.join(["antiphon", "import", str(project), str(out)])
        say(f"{where} ('A; B' present, '-A' absent, 'A?' unsure, 'nothing'), then: {again}")
        say("Add --complete to it if what you do not name is absent; learning needs absences.")
        return
    if json:
        from dataclasses import asdict

        as_json([asdict(item) for item in items])
        return
    table(
        ["recording", "start s", "end s", "site", "time", "utility", "suggested"],
        [
            [
                i.window.path,
                i.window.start_s,
                i.window.end_s,
                i.window.site,
                i.window.time,
                i.window.score,
                ", ".join(f"{name} {p:.2f}" for name, p in i.suggested) or None,
            ]
            for i in items
        ],
    )


def strategies(json: AsJson = False) -> None:
    """List the ways to choose what to label next, and where each comes from."""
    from antiphon.active.registry import list_strategies
    from antiphon.cli.show import as_json, table

    cards = list_strategies()
    if json:
        as_json(
            [
                {"name": c.name, "summary": c.summary, "source": c.source, "head": c.needs_head}
                for c in cards
            ]
        )
        return
    table(
        ["strategy", "chooses", "needs a detector", "source"],
        [[c.name, c.summary, "yes" if c.needs_head else "no", c.source] for c in cards],
    )


def import_table(
    project: ProjectPath,
    labels_path: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A label table, or a folder of them.")
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            help="raven, audacity, csv, birdnet, kaleidoscope, queue or parquet; found out by "
            "default.",
        ),
    ] = "auto",
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="The tables say all there is: what they do not mark is absent. Otherwise a mark "
            "for one label says nothing of another.",
        ),
    ] = False,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels", metavar="'A; B'", help="With --complete: labels looked for besides."
        ),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="The column that holds the label.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The label of all rows of a table without one.")
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option("--recording", help="The recording of a table that does not name one."),
    ] = None,
    frequency_unit: Annotated[
        str | None, typer.Option("--frequency-unit", help="Hz or kHz, where the table is unclear.")
    ] = None,
    annotator: Annotated[str | None, typer.Option("--annotator", help="Who labelled.")] = None,
) -> None:
    """Bring in labels from Raven, Audacity, CSV, BirdNET, Kaleidoscope or a filled-in queue."""
    from antiphon.api import Project
    from antiphon.cli.show import by_count, say, table, warn

    report = Project(project).import_labels(
        labels_path,
        format=format,
        complete=complete,
        labels=[name.strip() for name in (labels or "").split(";") if name.strip()],
        annotator=annotator,
        label_column=label_column,
        label=label,
        recording=recording,
        frequency_unit=frequency_unit,
    )
    say(
        f"{report.added} annotations added, {report.already} were there; "
        f"{report.recordings} recordings, {report.unsure} unsure, {report.skipped} rows left blank."
    )
    if report.changed:
        say(f"{report.changed} windows had another answer before; the new one counts.")
    if report.labels:
        table(["label", "present"], by_count(report.labels))
    for problem in report.problems:
        warn(f"{problem.path}: {problem.problem}")
    for name, rows in list(report.unknown.items())[:20]:
        warn(f"{name}: is not a recording of this project ({rows} rows left out)")
    if len(report.unknown) > 20:
        warn(f"... and {len(report.unknown) - 20} more recordings that the project does not have")
    for row in report.beyond[:20]:
        warn(f"{row}: begins after the recording's end; left out")
    if not report.absences and not complete:
        warn(
            "Nothing is said to be absent, and a detector learns from both. Give --complete where "
            "the tables name all that can be heard, or answer 'nothing'."
        )
    if not report.complete:
        raise PartialError("Some rows or files were left out (named above); the rest is kept.")


def _tell_untimed(project: Project, sites: Sequence[str]) -> None:
    """Say how many recordings --hour and --date leave out for want of a start time."""
    from antiphon.cli.show import warn
    from antiphon.pipeline.status import without_time

    unknown, of = without_time(project.folder, sites)
    if unknown:
        warn(
            f"{unknown} of {of} recordings have no known start time, so --hour and --date leave "
            "them out. Start times come from file names or from antiphon init --metadata."
        )


def _places(files: list[Path], out: Path) -> str:
    return str(files[0]) if len(files) == 1 else f"{len(files)} files in {out}"
