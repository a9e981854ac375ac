"""The verb that checks a split: leakage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import AsJson
from antiphon.errors import UserError


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(leakage)


def leakage(
    train: Annotated[
        Path,
        typer.Argument(
            metavar="TRAIN",
            help="A folder of recordings, a list with one a line, or a CSV or TSV table with "
            "columns such as filename, source, site, day.",
            show_default=False,
        ),
    ],
    test: Annotated[
        Path | None, typer.Argument(metavar="[TEST]", help="The same.", show_default=False)
    ] = None,
    validation: Annotated[
        Path | None, typer.Option("--validation", metavar="LIST", help="The same.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="Instead of TEST: check the folds in this column."
        ),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="DIR", help="Where the recordings of the lists lie."),
    ] = None,
    listen: Annotated[
        bool,
        typer.Option("--fingerprints/--no-fingerprints", help="Look for copies in the sound."),
    ] = True,
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on",
            metavar="NAME=LIST",
            help="Files that a component was trained on; repeatable.",
        ),
    ] = None,
    apart: Annotated[
        list[str] | None,
        typer.Option(
            "--apart",
            metavar="UNIT",
            help="recording, source, site or day: sharing it is an error; repeatable. "
            "By default recording and source.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as leaks.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Files read at once.", show_default="cores")
    ] = os.cpu_count() or 1,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the report as JSON too.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check what training and test data share: recordings, sources, copies, sites, days.

    The exit code is 1 if leaks were found, else 0.
    """
    from antiphon.cli.show import as_json, say, warn
    from antiphon.evaluation.leakage.check import check_folds, check_split
    from antiphon.evaluation.leakage.sides import SplitSide
    from antiphon.evaluation.leakage.tables import read_rows, read_side, side_of, with_fingerprints

    if (test is None) == (by is None):
        raise UserError("Give either TEST, a second list, or --by COLUMN, folds in the first.")
    if by is not None and validation is not None:
        raise UserError("--validation goes with TEST, not with --by.")
    components = _components(trained_on or [])
    units = tuple(apart) if apart else ("recording", "source")

    def heard(side: SplitSide) -> SplitSide:
        if not listen:
            return side
        found, problems = with_fingerprints(side, workers=workers)
        for problem in problems:
            warn(problem)
        return found

    if by is not None:
        rows, columns = read_rows(train)
        if by.lower() not in columns:
            raise UserError(f"{train} has no column {by!r}. It has: {', '.join(columns)}.")
        items = heard(side_of(rows, columns, path=train, audio=audio))
        folds = [row[by.lower()] for row in rows]
        report = check_folds(items, folds, trained_on=components, apart=units)
    else:
        assert test is not None
        sides = [heard(read_side(path, audio)) for path in (train, test)]
        third = None if validation is None else heard(read_side(validation, audio))
        report = check_split(
            sides[0], sides[1], third, trained_on=components, apart=units, listed_apart=True
        )
    if out is not None:
        import json as text

        from antiphon.replacing import write_whole

        write_whole(out, text.dumps(report.to_json(), indent=2) + "\n")
    if json:
        as_json(report.to_json())
    else:
        for line in report.lines():
            say(line)
    if not report.ok or (strict and report.warnings):
        raise typer.Exit(1)


def _components(given: list[str]) -> dict[str, list[str]]:
    from antiphon.evaluation.leakage.tables import COLUMNS, read_rows

    found: dict[str, list[str]] = {}
    for pair in given:
        name, equals, path = pair.partition("=")
        if not equals or not name or not path:
            raise UserError(f"--trained-on {pair!r} is not NAME=LIST, as in perch=files.txt")
        rows, columns = read_rows(path)
        column = next((c for c in COLUMNS["recordings"] if c in columns), None)
        if column is None:
            raise UserError(
                f"{path} has no column of recordings; name one of its columns recording."
            )
        found.setdefault(name, []).extend(row[column] for row in rows)
    return found
