"""The verb that opens the web app: label."""

from __future__ import annotations

from typing import Annotated

import typer

from antiphon.cli.options import ProjectPath


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(label)


def label(
    project: ProjectPath,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = (
        8321
    ),
    annotator: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Whose labels they are, without a login.")
    ] = "",
) -> None:
    """Open the web app of a project in the browser."""
    from antiphon.app.server import serve
    from antiphon.app.settings import Settings
    from antiphon.store.project import ProjectFolder

    serve(ProjectFolder.open(project), Settings(host=host, port=port, annotator=annotator))
