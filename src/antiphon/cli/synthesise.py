"""Verbs that make sounds: synthesise repertoire and pantanal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from antiphon.cli.options import Seed
from antiphon.errors import UserError

AudioFormat = Literal["flac", "wav"]


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    group = typer.Typer(
        no_args_is_help=True, help="Make sounds with exact labels, free of anyone's rights."
    )
    group.command()(repertoire)
    group.command()(pantanal)
    group.callback()(_group)
    app.add_typer(group, name="synthesise")


def _group() -> None:
    """Make sounds with exact labels, free of anyone's rights."""


def repertoire(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder to write.", show_default=False),
    ],
    clips: Annotated[int, typer.Option("--clips", min=1, help="Clips in all.")] = 10_000,
    seconds: Annotated[float, typer.Option("--seconds", help="Length of a clip.")] = 3.0,
    sample_rate: Annotated[int, typer.Option("--sample-rate", metavar="HZ")] = 32_000,
    bio: Annotated[int, typer.Option("--bio", min=0, help="Classes of animals.")] = 1200,
    general: Annotated[
        int, typer.Option("--general", min=0, help="Classes of other sounds.")
    ] = 800,
    held_out: Annotated[
        float, typer.Option("--held-out", min=0.0, help="Share of classes that are left out.")
    ] = 0.0,
    validation: Annotated[
        float,
        typer.Option(
            "--validation", min=0.0, max=1.0, help="Share of clips with other individuals."
        ),
    ] = 0.1,
    level: Annotated[
        list[str] | None,
        typer.Option(
            "--level", help="Label with class, family or domain; repeatable. By default the class."
        ),
    ] = None,
    audio_format: Annotated[str, typer.Option("--format", help="flac or wav.")] = "flac",
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; one per CPU by default.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Write labelled clips of thousands of synthesised classes, to train encoders on.

    Run it again to go on after a stop, or with more --clips to add to what is there.
    """
    from antiphon.audio.synthesis.repertoire.folder import write_repertoire
    from antiphon.audio.synthesis.repertoire.folder_tables import LEVELS, FolderSettings
    from antiphon.cli.show import RichReporter, say

    if audio_format not in get_args(AudioFormat):
        raise UserError(f"The audio format is {audio_format!r}; it can be 'flac' or 'wav'.")
    wanted = level or ["class"]
    unknown = sorted(set(wanted) - set(LEVELS))
    if unknown:
        raise UserError(f"There is no level {unknown[0]!r}; there are {', '.join(LEVELS)}.")
    settings = FolderSettings(
        seed=seed,
        n_bio=bio,
        n_general=general,
        held_out=held_out,
        sample_rate=sample_rate,
        seconds=seconds,
        audio_format="wav" if audio_format == "wav" else "flac",
        levels=tuple(name for name in LEVELS if name in wanted),
    )
    facts = write_repertoire(
        out,
        clips=clips,
        validation=validation,
        settings=settings,
        workers=jobs,
        reporter=RichReporter(),
    )
    pace = f", {facts.made / facts.elapsed_s:.0f} a second" if facts.made else ""
    say(f"{facts.count:,} clips, {facts.made:,} of them new{pace}; {facts.events:,} sounds.")
    say(f"Labels: {facts.labels}")


def pantanal(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder to write.", show_default=False),
    ],
    soundscapes: Annotated[
        int,
        typer.Option(
            "--soundscapes",
            min=10,
            help="In all: 3 of 10 labelled, 4 unlabelled, 3 hidden for the test.",
        ),
    ] = 150,
    focal: Annotated[
        int, typer.Option("--focal", min=1, help="Clips of single animals to train on.")
    ] = 600,
    sites: Annotated[int, typer.Option("--sites", help="Recorder sites, 8 or more.")] = 12,
    minutes: Annotated[float, typer.Option("--minutes", help="Length of a soundscape.")] = 1.0,
    focal_seconds: Annotated[
        tuple[float, float],
        typer.Option(
            "--focal-seconds", metavar="LEAST MOST", help="Shortest and longest focal clip."
        ),
    ] = (6.0, 20.0),
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; one per CPU by default.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Write a world of five taxa as a challenge: clips to train on, soundscapes to be judged by.

    32 species in the files of BirdCLEF (train.csv, taxonomy.csv, sample_submission.csv, 32 kHz
    OGG), with the hidden truth in truth/. Run it again to go on after a stop.
    """
    from antiphon.audio.synthesis.pantanal import WorldSettings, write_world
    from antiphon.cli.show import RichReporter, say

    settings = WorldSettings(
        seed=seed,
        focal=focal,
        soundscapes=soundscapes,
        sites=sites,
        soundscape_s=round(60.0 * minutes, 6),
        focal_s=focal_seconds,
    )
    facts = write_world(out, settings, workers=jobs, reporter=RichReporter())
    pace = ""
    if facts.audio_s:
        pace = f", {1000.0 * facts.cpu_s / facts.audio_s:.1f} CPU-ms per second of audio"
    say(
        f"{facts.focal:,} focal clips and {facts.soundscapes:,} soundscapes, {facts.made:,} of "
        f"them new{pace}; {facts.events:,} calls."
    )
    say(f"Read {facts.folder / 'README.md'}")
