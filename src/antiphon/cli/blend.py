"""The verb that judges ensembles offline: blend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.blend_tools import (
    check_suffix,
    declared_of,
    named,
    names_in,
    settings_of,
    tell,
)
from antiphon.cli.options import AsJson, Seed
from antiphon.errors import UserError


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(blend)


def blend(
    scores: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORES...",
            help="Score files (.csv, .csv.gz, .parquet) with row_id and a column for each class, "
            "one for each model; NAME=FILE to name it.",
            show_default=False,
        ),
    ],
    truth: Annotated[
        Path,
        typer.Option(
            "--truth",
            metavar="labels.csv",
            help="Labelled windows: filename, start, end, primary_label (joined by ;).",
            show_default=False,
        ),
    ],
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on",
            metavar="MODEL=LIST",
            help="Recordings that a model was trained on: .txt with a name a line, .csv with "
            "filename, or none. Repeatable.",
        ),
    ] = None,
    out_of_fold: Annotated[
        list[str] | None,
        typer.Option(
            "--out-of-fold",
            metavar="MODEL=map.csv",
            help="Which fold scored each recording: filename, fold, and excluded if several folds "
            "left it out. Repeatable.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="MODEL",
            help="Use a model that is not evaluable or suspected all the same. Repeatable.",
        ),
    ] = None,
    canaries: Annotated[
        Path | None,
        typer.Option(
            "--canaries",
            metavar="LIST",
            help="Classes without training audio, a name a line: honest models know nothing there.",
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--blend",
            metavar="KIND",
            help="rank, probability (prob), logit, zlogit, geometric or power.",
        ),
    ] = "rank",
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="3,1|MODEL=3,...",
            help="Of the models, in their order or by name; equal by default.",
        ),
    ] = None,
    search: Annotated[
        bool,
        typer.Option(
            "--search",
            help="Search weights of the rank blend; kept only if they beat equal ones on "
            "recordings that had no part in the choice.",
        ),
    ] = False,
    greedy: Annotated[
        bool, typer.Option("--greedy", help="With --search: add models one by one, no grid.")
    ] = False,
    smooth: Annotated[
        str | None,
        typer.Option(
            "--smooth",
            metavar="0.1,0.8,0.1",
            help="First step after the blend: weights of the windows before, at and after.",
        ),
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            metavar="STEP",
            help="After the blend, in order: smooth:0.1,0.8,0.1, max:0.5, mean:0.5, prior:1; "
            "@TAXON for some taxa only, as max:0.5@Aves. Repeatable.",
        ),
    ] = None,
    taxonomy: Annotated[
        Path | None,
        typer.Option("--taxonomy", metavar="FILE.csv", help="Taxa: primary_label and class_name."),
    ] = None,
    unlisted: Annotated[
        str,
        typer.Option(
            "--unlisted",
            help="Windows of labelled recordings that the truth lacks: error, negative, leave-out.",
        ),
    ] = "error",
    site_pattern: Annotated[
        str | None,
        typer.Option(
            "--site-pattern",
            metavar="REGEX",
            help="For file names, with the groups (?P<site>...) and, if known, (?P<hour>...).",
        ),
    ] = None,
    public_share: Annotated[
        float,
        typer.Option(
            "--public-share",
            help="Of the recordings, in simulated public boards.",
            show_default="a third",
        ),
    ] = 1 / 3,
    seed: Seed = 0,
    replicates: Annotated[
        int, typer.Option("--replicates", min=100, help="Resamples behind each interval.")
    ] = 2000,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", metavar="submission.csv", help="Write the blend for all scored windows."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write report.html and report.json here."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Judge models and blends of a score-file competition offline, by recordings with truth.

    A model that was trained on recordings which judge it is left out, unless an out-of-fold map
    shows that each was scored by a fold that never saw it. Recordings that the truth does not name
    are used to test models of which nothing is declared.
    """
    if public_share <= 0 or public_share >= 1:
        raise UserError(f"--public-share {public_share:g} must lie between 0 and 1.")
    if greedy and not search:
        raise UserError("--greedy is a way to search: add --search.")
    if search and weights is not None:
        raise UserError("Give --weights or --search, not both.")
    if search and kind != "rank":
        raise UserError(f"--search is for rank blends, not for --blend {kind}.")
    if write is not None:
        check_suffix(write)
    from antiphon.evaluation.blending.evaluate import evaluate
    from antiphon.evaluation.blending.files.submission import read_scores, read_truth, write_scores
    from antiphon.evaluation.blending.report.page import write_report

    paths = [named(text) for text in scores]
    files = [read_scores(path, name=name) for name, path in paths]
    names = [file.name for file in files]
    settings = settings_of(
        names,
        declared=declared_of(names, trained_on or [], out_of_fold or []),
        keep=tuple(keep or ()),
        canaries=() if canaries is None else names_in(canaries),
        kind="probability" if kind == "prob" else kind,
        weights=weights,
        search=None if not search else "greedy" if greedy else "grid",
        steps=[*([] if smooth is None else [f"smooth:{smooth}"]), *(step or ())],
        taxonomy=taxonomy,
        unlisted=unlisted,
        site_pattern=site_pattern,
        public_share=public_share,
        seed=seed,
        replicates=replicates,
    )
    found = evaluate(files, read_truth(truth), settings)
    written = []
    if write is not None:
        rows, blended = found.submission()
        write_scores(write, rows, found.problem.classes, blended)
        written.append(f"Scores of {len(rows):,} windows: {write}")
    if out is not None:
        page, _ = write_report(found, out)
        written.append(f"Report: {page}")
    if json:
        from antiphon.cli.show import as_json

        as_json(found.to_json())
        return
    tell(found, written)
