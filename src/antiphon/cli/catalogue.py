"""The verb catalogue: where a project's catalogue is, and moving it to PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer

from antiphon.cli.options import ProjectPath


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(catalogue)


def catalogue(
    project: ProjectPath,
    move_to: Annotated[
        str | None,
        typer.Option(
            "--move-to",
            metavar="URL",
            help="Move it into this empty database: postgresql://USER@HOST/NAME.",
        ),
    ] = None,
) -> None:
    """Say which database holds recordings, labels and accounts, or move them to PostgreSQL."""
    from antiphon.cli.show import say
    from antiphon.store.database import name_of
    from antiphon.store.moving import move
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(project)
    if move_to is None:
        say(f"{folder.catalogue.database.name}: schema {folder.catalogue.database.version()}.")
        folder.close()
        return
    before = folder.catalogue.database.name
    copied = move(folder, move_to)
    words = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in copied.items() if n)
    say(f"The catalogue is in {name_of(move_to)} now" + (f": {words}." if words else "."))
    say(f"{before} is kept as it was and takes no more changes.")
    say("Start programs that have this project open again.")
