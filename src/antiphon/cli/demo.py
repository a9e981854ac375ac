"""The verb that shows everything at once: demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.label import NoBrowser, Port
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
    app: Annotated[
        bool,
        typer.Option(
            "--app",
            help="Open the web app on it afterwards; a demo that is there is not run again.",
        ),
    ] = False,
    port: Port = 8321,
    no_browser: NoBrowser = False,
) -> None:
    """Run the whole loop on synthesised soundscapes with known truth; ends with a report."""
    project = folder / "project"
    # The report is the last thing that a run writes.
    finished = (project / "reports" / "report.html").is_file()
    if overwrite or not (app and finished):
        _run(folder, overwrite=overwrite, seed=seed)
    if app:
        from antiphon.cli.label import open_app

        open_app(project, port=port, no_browser=no_browser)


def _run(folder: Path, *, overwrite: bool, seed: int) -> None:
    from antiphon.cli.show import RichReporter, say, table
    from antiphon.demo import run_demo

    result = run_demo(folder, seed=seed, overwrite=overwrite, reporter=RichReporter(), say=say)
    table(result.header, result.rows, title=result.title)
    for line in result.closing:
        say(line)
    say(f"Report: {result.report}")
