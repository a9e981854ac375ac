"""A limit on the size of what is sent, also where the request does not say how much it is."""

from __future__ import annotations

import contextlib

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _TooLargeError(Exception):
    """More came than is taken."""


async def limited(app: ASGIApp, scope: Scope, receive: Receive, send: Send, most: int) -> None:
    """Call ``app``; a body of more than ``most`` bytes is answered with 413 and not kept."""
    try:
        announced = int(Headers(scope=scope).get("content-length", "0"))
    except ValueError:
        announced = most + 1
    if announced > most or announced < 0:
        await _refusal(most)(scope, receive, send)
        return
    taken, over, begun = 0, False, False

    async def counted() -> Message:
        nonlocal taken, over
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                over = True
                raise _TooLargeError
        return message

    async def replaced(message: Message) -> None:
        nonlocal begun
        # Whatever the app makes of the broken body, the answer is 413; it is sent below.
        if over and not begun:
            return
        begun = True
        await send(message)

    with contextlib.suppress(_TooLargeError):
        await app(scope, counted, replaced)
    if over and not begun:
        await _refusal(most)(scope, receive, send)


def _refusal(most: int) -> JSONResponse:
    size = f"{most / 2**20:,.0f} MiB" if most >= 2**20 else f"{most / 2**10:,.0f} KiB"
    return JSONResponse(
        {"error": f"That is too much at once: at most {size} can be sent."},
        status_code=413,
        headers={"Connection": "close"},
    )
