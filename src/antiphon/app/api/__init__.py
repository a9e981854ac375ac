"""The REST interface; its description is served at ``/api/docs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    app = FastAPI(
        title="Antiphon",
        version=__version__,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        root_path=context.settings.root_path,
    )
    app.state.context = context
    answer_faults(app)
    for module in (
        agreement,
        answers,
        benchmark,
        detections,
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
