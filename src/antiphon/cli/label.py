"""The verb that opens the web app: label."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.options import ProjectPath

Host = Annotated[
    str,
    typer.Option("--host", help="Address to listen at. Other than this machine's: needs accounts."),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Only print the address.")]


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command()(label)


def label(
    project: ProjectPath,
    host: Host = "127.0.0.1",
    port: Port = 8321,
    annotator: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Whose labels they are, without accounts.")
    ] = "",
    no_browser: NoBrowser = False,
    root_path: Annotated[
        str,
        typer.Option(
            "--root-path", metavar="/PATH", help="Path that a reverse proxy serves it at."
        ),
    ] = "",
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            "--host-name",
            metavar="NAME",
            help="A name under which browsers reach it, such as birds.example.org; repeatable.",
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="ADDRESS",
            help="A reverse proxy on another machine whose X-Forwarded headers count; repeatable.",
        ),
    ] = None,
    bench: Annotated[
        list[Path] | None,
        typer.Option(
            "--bench",
            metavar="DIR",
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="Runs of antiphon bench for the page Benchmark, besides those in the project's "
            "reports/ and benchmarks/; repeatable.",
        ),
    ] = None,
) -> None:
    """Open the web app: listen, look and label in the browser; Ctrl-C ends it."""
    open_app(
        project,
        no_browser=no_browser,
        host=host,
        port=port,
        annotator=annotator,
        root_path=root_path.rstrip("/"),
        hosts=tuple(host_name or ()),
        trusted_proxies=tuple(trusted_proxy or ()),
        benchmarks=tuple(bench or ()),
    )


def open_app(project: Path, *, no_browser: bool = False, **settings: object) -> None:
    """Serve a project and show it in the browser; returns after Ctrl-C."""
    from antiphon.app.listening import open_browser
    from antiphon.app.server import serve
    from antiphon.app.settings import Settings, is_loopback
    from antiphon.cli.show import say, warn
    from antiphon.store.project import ProjectFolder

    wanted = Settings(**settings)  # type: ignore[arg-type]
    folder = ProjectFolder.open(project)

    def opened(address: str) -> None:
        say(f"{folder.root.name}: {address}  (Ctrl-C ends it)")
        if not folder.catalogue.tables():
            warn(
                "There is nothing to label yet. Make embeddings with: "
                f"antiphon embed {folder.root} --encoder spectral"
            )
        if not is_loopback(wanted.host):
            warn(
                "Passwords and sounds travel unencrypted. Outside a trusted network put a reverse "
                "proxy with TLS in front; docs/howto/app-server.md shows how."
            )
        if not no_browser:
            open_browser(address)

    serve(folder, wanted, opened)
