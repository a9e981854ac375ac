"""Routes that answer with the status that a media error names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from antiphon.app.context import AppContext
from antiphon.app.media.sources import MediaError

Hertz = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]
Seconds = Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)]
Percent = Annotated[float, Query(ge=0, le=100, allow_inf_nan=False)]
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


# All requests share forty threads. Pictures take long and come by the page, and an answer must not
# wait behind them.
_AT_ONCE = 16


class _Turns(asyncio.Semaphore):
    """How many requests for media one app works on at a time; the others wait without a thread."""

    def __init__(self) -> None:
        super().__init__(_AT_ONCE)


class MediaRoute(APIRoute):
    """A route whose media errors become their sentence and status.

    However many pictures are asked for, threads are left for other requests.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that Starlette calls."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            context: AppContext = request.app.state.context
            try:
                async with context.service(_Turns, _Turns):
                    return await handle(request)
            except MediaError as error:
                return JSONResponse({"error": str(error)}, status_code=error.status)

        return handled
