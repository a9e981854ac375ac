"""The verb that lets networks label recordings: pseudo-label."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command("pseudo-label")(pseudo_label)


def pseudo_label(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="A YAML file.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the result.")],
    json: AsJson = False,
) -> None:
    """Let trained networks label recordings, for others to learn from; once, or in rounds.

    Each recording is labelled by the networks that were trained neither on it nor on its site.
    The labels (DIR/labels.parquet) are a source of training data: pseudo: labels.parquet.

    With rounds in CONFIG, students are trained on the labels, judged on held-out soundscapes and
    become the teachers of the next round, until the held-out score falls. The same command goes on
    with what was stopped.
    """
    from antiphon.training.needs import need
    from antiphon.training.pseudo.config import load_pseudo_config

    settings = load_pseudo_config(config)
    if settings.rounds is not None:
        for package in ("torch", "lightning", "onnx"):
            need(package, "train students")

    from antiphon.cli.show import as_json, say, table, warn
    from antiphon.training.pseudo.report import label_lines, rows, titles
    from antiphon.training.pseudo.running import label_once, run_all_rounds

    if settings.rounds is None:
        report = label_once(settings, out, note=warn)
        if json:
            as_json(report.to_json())
            return
        for line in label_lines(report):
            say(line)
        say(f"Labels: {report.file} (weight of the source: {report.provenance.weight:.4g} a clip)")
        return
    found, page = run_all_rounds(settings, out, note=warn)
    if json:
        as_json(found.to_json())
        return
    table(titles(), rows(found))
    if found.stopped:
        say(f"Stopped: {found.stopped}.")
    say(f"Kept: round {found.kept}, {', '.join(found.models)}")
    say(f"Report: {page}")
