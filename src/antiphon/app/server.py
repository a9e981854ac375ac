"""Put the app together and serve it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.app.context import AppContext
from antiphon.app.settings import Settings, is_loopback
from antiphon.errors import MissingExtraError, UserError
from antiphon.store.project import ProjectFolder

if TYPE_CHECKING:
    from fastapi import FastAPI

STATIC = Path(__file__).parent / "static"


def create_app(context: AppContext) -> FastAPI:
    """Return the whole app: pages, interface, static files. One for each process.

    Raises
    ------
    MissingExtraError
        If NiceGUI is not installed.
    """
    try:
        import nicegui
    except ModuleNotFoundError as error:
        raise MissingExtraError("app", "open the web app") from error
    from fastapi.staticfiles import StaticFiles

    from antiphon.app.api import build_api
    from antiphon.app.pages import register_pages

    app = build_api(context)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    # Pages are served by an app of NiceGUI's own inside this one.
    nicegui.app.state.context = context
    register_pages(context)
    nicegui.ui.run_with(app, title="Antiphon", storage_secret=secrets.token_urlsafe(32))
    return app


def serve(folder: ProjectFolder, settings: Settings) -> None:
    """Serve a project until Ctrl-C.

    Raises
    ------
    UserError
        If others could reach it and nobody has to log in.
    """
    if not is_loopback(settings.host) and not settings.accounts:
        raise UserError(
            f"--host {settings.host} lets other machines in, so people must log in: make an "
            f"account first (antiphon users add {folder.root.name} NAME)."
        )
    context = AppContext(folder, settings)
    app = create_app(context)
    import uvicorn

    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            root_path=settings.root_path,
        )
    finally:
        context.close()
