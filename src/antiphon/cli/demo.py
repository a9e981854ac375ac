"""The verb that shows everything at once: demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import Seed


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(demo)


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the demo's files go.")
    ] = Path("antiphon-demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a demo that is there already.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Run the whole loop on synthesised soundscapes with known truth; ends with a report."""
    from antiphon.cli.show import RichReporter, say, table
    from antiphon.demo import run_demo

    result = run_demo(folder, seed=seed, overwrite=overwrite, reporter=RichReporter(), say=say)
    table(result.header, result.rows, title=result.title)
    for line in result.closing:
        say(line)
    say(f"Report: {result.report}")
