"""Put the app together and serve it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from antiphon.app.context import AppContext
from antiphon.app.listening import LAST_CALL_S, browser_address, end_soon, open_socket
from antiphon.app.settings import Settings, is_loopback
from antiphon.errors import MissingExtraError, UserError
from antiphon.store.accounts import Accounts
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
    # Read when NiceGUI is imported: it would keep files in the folder it is started in.
    os.environ["NICEGUI_STORAGE_PATH"] = str(context.folder.root / "app")
    try:
        import nicegui
    except ModuleNotFoundError as error:
        raise MissingExtraError("app", "open the web app") from error
    from fastapi.staticfiles import StaticFiles

    from antiphon.app.api import build_api, close_api
    from antiphon.app.pages import login, register_pages

    app = build_api(context)
    app.include_router(login.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    close_api(app)
    # Pages are served by an app of NiceGUI's own inside this one.
    nicegui.app.state.context = context
    register_pages(context)
    # Packed by the middleware of build_api, after the pages' scripts have got their nonce.
    nicegui.ui.run_with(
        app,
        title="Antiphon",
        favicon=STATIC / "frame" / "favicon.svg",
        language="en-GB",
        gzip_middleware_factory=None,
        show_welcome_message=False,
        reconnect_timeout=30.0,
    )
    return app


def settle(folder: ProjectFolder, settings: Settings) -> Settings:
    """Return the settings with ``accounts`` decided: people log in once there are accounts.

    Raises
    ------
    UserError
        If others could reach the app and nobody has to log in, or ``--as`` is given beside
        accounts.
    """
    from dataclasses import replace

    accounts = any(not user.disabled for user in Accounts(folder.catalogue.database).users())
    if not accounts and not is_loopback(settings.host):
        raise UserError(
            f"--host {settings.host} lets other machines in, so people must log in. Make an "
            f"account first: antiphon users add {folder.root} NAME"
        )
    if not accounts and (settings.hosts or settings.trusted_proxies):
        raise UserError(
            "Behind a proxy or another name others can reach the app, so people must log in. Make "
            f"an account first: antiphon users add {folder.root} NAME"
        )
    if accounts and settings.annotator:
        raise UserError(
            "This project has accounts, so labels carry the name of who is logged in. Leave --as "
            "out."
        )
    return replace(settings, accounts=accounts)


def serve(
    folder: ProjectFolder, settings: Settings, opened: Callable[[str], None] | None = None
) -> None:
    """Serve a project until Ctrl-C or SIGTERM.

    Parameters
    ----------
    opened
        Called with the address once the app answers.

    Raises
    ------
    UserError
        If it cannot listen there, or others could reach it and nobody has to log in.
    MissingExtraError
        If NiceGUI is not installed.
    """
    settings = settle(folder, settings)
    listener = open_socket(settings)
    context = AppContext(folder, settings)
    try:
        app = create_app(context)
        import uvicorn

        class Server(uvicorn.Server):
            """A server that says when it answers, and ends without an error."""

            async def main_loop(self) -> None:
                if opened is not None:
                    await asyncio.to_thread(opened, browser_address(settings, listener))
                await super().main_loop()

            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                if self.should_exit and sig == signal.SIGINT:
                    self.force_exit = True
                self.should_exit = True
                end_soon()

        logging.getLogger("uvicorn.error").addFilter(_worth_saying)
        Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                # Forwarded headers are judged by antiphon.app.security.proxy.
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=round(LAST_CALL_S),
                ws_max_size=settings.max_upload_bytes,
            )
        ).run(sockets=[listener])
    finally:
        context.close()
        listener.close()
        sys.stdout.flush()


def _worth_saying(record: logging.LogRecord) -> bool:
    """Leave out what every Ctrl-C with an open page would print."""
    return "graceful shutdown" not in record.getMessage()
