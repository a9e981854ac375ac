"""Verbs of a project's folder: init, embed, index, status, encoders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli.options import AsJson, EncoderName, ProjectPath, Settings, parse_settings
from antiphon.errors import PartialError

if TYPE_CHECKING:
    from antiphon.api import Project
    from antiphon.pipeline.intake import IntakeReport


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    app.command()(init)
    app.command()(embed)
    app.command()(index)
    app.command()(status)
    app.command()(encoders)


def init(
    project: ProjectPath,
    audio: Annotated[
        list[Path],
        typer.Option("--audio", metavar="DIR", help="A folder of recordings; repeatable."),
    ],
    metadata: Annotated[
        list[Path] | None,
        typer.Option(
            "--metadata",
            metavar="CSV",
            help="A table with a column 'file' and any of site, start_time, latitude, longitude, "
            "licence; other columns can be grouped by.",
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            help="Of files with several channels: mix (by default), each, or a number from 0.",
        ),
    ] = None,
) -> None:
    """Make a project, or add folders of recordings to one."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, say

    made, report = Project.create(
        project, audio=audio, metadata=metadata or [], channel=channel, reporter=RichReporter()
    )
    say(f"Project {made.path}")
    _tell_intake(report)
    say(f"Next: antiphon embed {project} --encoder {_suggested(made)}")
    _fail_if_unreadable(report)


def embed(
    project: ProjectPath,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            metavar="NAME|MANIFEST",
            help="An encoder of 'antiphon encoders' or a manifest.yaml. By default the one of the "
            "newest embeddings, or spectral.",
        ),
    ] = None,
    settings: Settings = None,
    hop: Annotated[
        float | None,
        typer.Option(
            "--hop", metavar="S", help="Seconds between windows; the encoder's own by default."
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", help="mix, each, or a number from 0; the project's by default."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Threads that decode ahead of the encoder.")
    ] = 2,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed before.")
    ] = False,
) -> None:
    """Turn all recordings into embeddings. Can be stopped and run again; goes on where it was."""
    from antiphon.api import Project
    from antiphon.cli.show import RichReporter, say, warn

    report = Project(project).embed(
        encoder,
        hop_s=hop,
        channel=channel,
        workers=workers,
        retry_failed=retry_failed,
        reporter=RichReporter(),
        **parse_settings(settings),
    )
    _tell_intake(report.intake)
    run = report.run
    speed = f", {report.audio_s / run.wall_s:,.0f}x real time" if run.wall_s > 0.05 else ""
    say(
        f"{report.table}: {run.done} recordings embedded now, {report.already} before; "
        f"{report.windows:,} windows now, {report.total_windows:,} in all "
        f"({report.audio_s / 3600:.2f} h of audio in {run.wall_s:.1f} s{speed})."
    )
    if report.elsewhere:
        warn(f"{report.elsewhere} recordings are being embedded by another process.")
    for failure in report.failed_before:
        warn(
            f"{failure.item}: failed in an earlier run ({failure.reason}); "
            "try again with --retry-failed"
        )
    if run.interrupted:
        raise KeyboardInterrupt
    failed = len(run.failed) + len(report.failed_before)
    if failed:
        raise PartialError(
            f"{_count(failed, 'recording')} could not be embedded; the rest is kept."
        )
    _fail_if_unreadable(report.intake)


def index(project: ProjectPath, encoder: EncoderName = None) -> None:
    """Build the index that makes searches of large archives quick; it can be built anew."""
    from antiphon.api import Project
    from antiphon.cli.show import say

    table = Project(project).table(encoder)
    table.build_index()
    say(f"{table.name}: index built over {table.count():,} windows.")


def status(project: ProjectPath, json: AsJson = False) -> None:
    """Show recordings, embeddings, labels and detectors, and what is missing and why."""
    from antiphon.api import Project
    from antiphon.cli.show import as_json, by_count, say, table

    now = Project(project).status()
    if json:
        as_json(asdict(now))
        return
    say(f"Project {now.project}")
    states = ", ".join(f"{n} {state}" for state, n in sorted(now.recordings.items()))
    say(f"Recordings: {states or 'none'}; {now.hours:.2f} h that can be read")
    for name, place in now.audio:
        say(f"  {name}: {place}")
    if now.first:
        say(f"From {now.first} to {now.last}; {now.without_time} without a known start time")
    if now.sites:
        say("Sites: " + ", ".join(f"{site} ({n})" for site, n in sorted(now.sites.items())))
    if now.tables:
        table(
            ["embeddings", "window s", "hop s", "channel", "windows", "recordings", "failed"],
            [
                [
                    t.name,
                    t.window_s,
                    t.hop_s,
                    t.channel,
                    t.windows,
                    f"{t.recordings} of {t.of}",
                    len(t.failed),
                ]
                for t in now.tables
            ],
        )
    if now.labels:
        table(["label", "present annotations"], by_count(now.labels))
    if now.detectors:
        say("Detectors: " + ", ".join(now.detectors))
    if now.problems:
        table(["recording", "state", "why"], now.problems, title="Not covered in full")
    for t in now.tables:
        if t.failed:
            table(["recording", "why"], t.failed, title=f"Not embedded in {t.name}")


def encoders(json: AsJson = False) -> None:
    """List the encoders by name, and what the ones that cannot run here need."""
    from antiphon.cli.show import as_json, say, table
    from antiphon.encoders.registry import list_encoders

    cards = list_encoders()
    if json:
        as_json([asdict(card) for card in cards])
        return
    table(
        ["name", "kind", "ready", "what it is"],
        [[c.name, c.kind, "yes" if c.available else "no", c.description] for c in cards],
    )
    for card in cards:
        if not card.available:
            say(f"{card.name}: {card.why_not}")


def _suggested(project: Project) -> str:
    """Return the built-in encoder that fits the sampling rate of most recordings."""
    rates = [
        r for r in project.folder.catalogue.recordings().column("sample_rate").to_pylist() if r
    ]
    middle = sorted(rates)[len(rates) // 2] if rates else 0
    if middle >= 128_000:
        return "spectral-ultrasound"
    return "spectral-lowfreq" if 0 < middle <= 4_000 else "spectral"


def _tell_intake(report: IntakeReport) -> None:
    from antiphon.cli.show import say, warn

    sync = report.sync
    say(
        f"Recordings: {len(sync.added)} new, {len(sync.changed)} changed, "
        f"{len(sync.unchanged) + len(sync.updated) + len(sync.moved)} as before, "
        f"{len(sync.missing)} missing."
    )
    for path, why in report.unreadable:
        warn(f"{path}: cannot be read: {why}")
    for path, why in report.partial:
        warn(f"{path}: only in part: {why}")
    for place in report.absent:
        warn(f"{place}: this audio folder is not there; its recordings are left as they are")
    for path in report.missing[:20]:
        warn(f"{path}: is in the project but no longer on disk")
    if len(report.missing) > 20:
        warn(f"... and {len(report.missing) - 20} more are no longer on disk")
    if report.without_metadata:
        warn(f"{report.without_metadata} recordings have no row in the metadata table.")
    if report.unused_metadata:
        some = ", ".join(report.unused_metadata[:3])
        warn(f"{len(report.unused_metadata)} metadata rows name no recording ({some}).")


def _fail_if_unreadable(report: IntakeReport) -> None:
    if report.absent:
        raise PartialError(
            f"{len(report.absent)} audio folders are not there (named above); connect their disk "
            "and run this again. Everything else is kept."
        )
    bad = len(report.unreadable) + len(report.partial)
    if bad:
        raise PartialError(
            f"{_count(bad, 'recording')} cannot be read in full (named above); everything else is "
            "kept."
        )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
