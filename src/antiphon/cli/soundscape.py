"""Verbs for ensembles on soundscapes: soundscape run, check, show, fit and weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import AsJson
from antiphon.errors import UserError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    group = typer.Typer(
        no_args_is_help=True, help="Score soundscapes with an ensemble, within a budget of time."
    )
    group.command()(run)
    group.command()(check)
    group.command()(show)
    group.command()(fit)
    group.command()(weights)
    app.add_typer(group, name="soundscape")


def run(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder of recordings.", show_default=False),
    ],
    ensemble: Annotated[
        Path,
        typer.Option(
            "--ensemble", metavar="FILE.yaml", help="Members and blend.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="submission.csv",
            help="File to write: .csv, .csv.gz or .parquet. The report is OUT.report.json, scores "
            "to go on from are in OUT.run.",
            show_default=False,
        ),
    ],
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="90m",
            help="Time for everything, as 5400, 90m or 1.5h. Members are thinned or left out by "
            "their priority to keep it. No limit by default.",
        ),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            "--sample",
            metavar="sample_submission.csv",
            help="Order of classes; and rows, where it names these recordings.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Cores to use; all by default."),
    ] = None,
    member_scores: Annotated[
        Path | None,
        typer.Option(
            "--member-scores",
            metavar="DIR",
            help="Write a score file of each member here, for antiphon blend and soundscape fit.",
        ),
    ] = None,
    hang: Annotated[
        float,
        typer.Option("--hang", metavar="S", min=1.0, help="Seconds after which a step hangs."),
    ] = 120.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what an earlier call of the same scored.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Score every window of a folder of recordings.

    A complete file is on disk from the first seconds (priors, where nothing is scored yet) and is
    replaced as recordings are done. Stopped or killed, the same command goes on. A member that
    crashes, hangs or keeps failing is given up, and named.

    Exit codes: 0 every row scored by every member in full; 3 all rows scored, some by fewer members
    or with contexts left out; 4 some rows without a score; 5 priors only; 130 stopped with Ctrl-C;
    1 the disk is full; 2 a mistake in what was asked.
    """
    from antiphon.cli.show import RichReporter, as_json, say, table, warn
    from antiphon.soundscape.run.report import MEMBER_COLUMNS, member_rows, summary
    from antiphon.soundscape.run.running import run_soundscapes
    from antiphon.soundscape.run.supervise import Limits

    done = run_soundscapes(
        directory,
        ensemble,
        out,
        budget_s=None if budget is None else parse_duration(budget),
        sample=sample,
        workers=workers,
        member_scores=member_scores,
        fresh=fresh,
        limits=Limits(hang_s=hang),
        reporter=RichReporter(),
    )
    if json:
        as_json(done.report)
    else:
        table(MEMBER_COLUMNS, member_rows(done.report))
        first, *others = summary(done.report)
        for line in (first, *others):
            (say if line is first or done.exit_code == 0 else warn)(line)
        say(f"Report: {done.report_file}")
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def check(
    submission: Annotated[
        Path,
        typer.Argument(metavar="SUBMISSION", help="File to check.", show_default=False),
    ],
    sample: Annotated[
        Path,
        typer.Option(
            "--sample",
            metavar="sample_submission.csv",
            help="To hold it against.",
            show_default=False,
        ),
    ],
    json: AsJson = False,
) -> None:
    """Hold a submission against the sample: rows, classes and their order, every number.

    Exit code 1 if something would make it invalid.
    """
    from antiphon.cli.show import as_json, say, warn
    from antiphon.evaluation.blending.files.rows import counted
    from antiphon.soundscape.run.submission import check_submission

    found = check_submission(submission, sample)
    if json:
        as_json(found.to_json())
    else:
        for note in found.notes:
            warn(note)
        for fault in found.faults:
            warn(f"{submission}: {fault}")
        if found.good:
            size = f"{counted(found.rows, 'rows')}, {counted(found.classes, 'classes')}"
            say(f"{submission}: {size}, as in the sample.")
    if not found.good:
        raise typer.Exit(1)


def fit(
    ensemble: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml", help="The ensemble.", show_default=False),
    ],
    scores: Annotated[
        list[str],
        typer.Argument(
            metavar="MEMBER=SCORES...",
            help="Score file of each member on the same windows, as soundscape run "
            "--member-scores writes them.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE.safetensors", help="The reference to write.", show_default=False
        ),
    ],
    most: Annotated[
        int, typer.Option("--most", min=2, help="Scores kept of each member and class.")
    ] = 1024,
) -> None:
    """Freeze what ranks and z-scores are taken against, so that single recordings can be ranked.

    Name the file as reference: in the ensemble.
    """
    from antiphon.cli.show import say
    from antiphon.soundscape.ensemble.config import read_ensemble
    from antiphon.soundscape.ensemble.fitting import fit_reference

    config = read_ensemble(ensemble)
    files: dict[str, Path] = {}
    for text in scores:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise UserError(f"{text!r} is not MEMBER=SCORES, as in cnn=scores/cnn.csv")
        if name in files:
            raise UserError(f"Score files of {name} are given twice.")
        files[name] = Path(path)
    reference = fit_reference(config, files, most=most)
    reference.save(out)
    say(
        f"{out}: {reference.facts['windows']:,} windows; largest error of a rank "
        f"{reference.bound:.2g}."
    )


def show(
    ensemble: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml", help="The ensemble.", show_default=False),
    ],
) -> None:
    """Describe an ensemble: members, the tree of blends, and what each member weighs in the end."""
    from antiphon.cli.show import say
    from antiphon.soundscape.ensemble.config import read_ensemble
    from antiphon.soundscape.ensemble.describe import describe

    say(describe(read_ensemble(ensemble)))


def weights(
    ensemble: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml", help="The ensemble.", show_default=False),
    ],
    report: Annotated[
        Path,
        typer.Argument(metavar="report.json", help="Of antiphon blend --out.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE.yaml", help="File to write.", show_default=False),
    ],
    blend: Annotated[
        str, typer.Option("--blend", metavar="NAME", help="Which blend: a group, or the last one.")
    ] = "blend",
    steps: Annotated[
        bool, typer.Option("--steps", help="Take the steps after the blend as well.")
    ] = False,
) -> None:
    """Take the weights that antiphon blend chose into an ensemble."""
    from antiphon.cli.show import say, warn
    from antiphon.soundscape.ensemble.weights_from import take_weights

    for note in take_weights(ensemble, report, out, node=blend, steps=steps):
        warn(note)
    say(f"Ensemble: {out}")


def parse_duration(text: str) -> float:
    """Return the seconds that ``5400``, ``90m`` or ``1.5h`` says.

    Raises
    ------
    UserError
        If it says none.
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(s|m|min|h)?\s*", text)
    if match is None:
        raise UserError(f"{text!r} is no time. Write seconds, or 90m, or 1.5h.")
    return float(match[1]) * _UNITS[match[2] or ""]
