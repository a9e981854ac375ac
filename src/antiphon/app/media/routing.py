"""Routes that answer with the status that a media error names."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from antiphon.app.media.sources import MediaError

Hertz = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]
Seconds = Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)]
Percent = Annotated[float, Query(ge=0, le=100, allow_inf_nan=False)]
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


class MediaRoute(APIRoute):
    """A route whose media errors become their sentence and status."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that Starlette calls."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except MediaError as error:
                return JSONResponse({"error": str(error)}, status_code=error.status)

        return handled
