"""The REST interface; its description is served at ``/api/docs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi import FastAPI

    from antiphon.app.context import AppContext


def build_api(context: AppContext) -> FastAPI:
    """Return the app with all routes under ``/api``, without pages."""
    from fastapi import FastAPI

    from antiphon._version import __version__
    from antiphon.app.api import (
        agreement,
        answers,
        benchmark,
        detections,
        docs,
        labels,
        loop,
        map,
        media,
        queues,
        recordings,
        search,
        status,
        users,
    )
    from antiphon.app.api.faults import answer_faults
    from antiphon.app.security.guard import Guard
    from antiphon.app.security.headers import ScriptNonce

    app = FastAPI(
        title="Antiphon",
        version=__version__,
        # FastAPI's page of the interface loads scripts from other sites; docs.py has its own.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.context = context
    answer_faults(app)
    # The last one added comes first: the guard sees requests before, and answers after, the others.
    app.add_middleware(ScriptNonce)
    app.add_middleware(_Packing)
    app.add_middleware(Guard, context=context)
    for module in (
        agreement,
        answers,
        benchmark,
        detections,
        docs,
        labels,
        loop,
        map,
        media,
        queues,
        recordings,
        search,
        status,
        users,
    ):
        app.include_router(module.router)
    return app


def close_api(app: FastAPI) -> None:
    """Answer whatever else is under ``/api`` with 404, before a page does."""
    from fastapi import HTTPException

    @app.api_route(
        "/api/{rest:path}",
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    def nothing() -> None:
        raise HTTPException(404, "There is nothing of that name.")


class _Packing:
    """Pack answers, except sounds and pictures: they are packed already, or asked for in parts.

    Parameters
    ----------
    app
        What makes the answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        from starlette.middleware.gzip import GZipMiddleware

        self.plain = app
        self.packed = GZipMiddleware(app, minimum_size=1000, compresslevel=4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        packed = scope["type"] == "http" and "/api/media/" not in scope["path"]
        await (self.packed if packed else self.plain)(scope, receive, send)
