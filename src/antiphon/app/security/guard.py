"""The gate before everything else: every request and websocket passes it or is refused."""

from __future__ import annotations

import secrets
import time
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.app.context import AppContext
from antiphon.app.security.body import limited
from antiphon.app.security.headers import harden, nonce_of
from antiphon.app.security.identity import Person
from antiphon.app.security.origin import (
    SAFE_METHODS,
    embedding_refused,
    host_refused,
    origin_refused,
)
from antiphon.app.security.proxy import arrive, came_by_proxy
from antiphon.app.security.sessions import find_session, person_in, token_of

TOKEN_HEADER = "X-Antiphon-Token"
# What a browser needs before it has logged in. Nothing of the project is among it.
_OPEN = ("/api/health", "/api/login", "/login", "/favicon.ico")
_OPEN_BELOW = ("/static/", "/_nicegui/")
# Forms that work without scripts cannot send a header; their fields are checked instead.
_FORMS = ("/login", "/logout")
_SOCKET = "/_nicegui_ws/"
# Before somebody has logged in, no more than a name and a password is listened to.
_STRANGERS_BYTES = 64 * 2**10
# An open websocket is looked at again when something comes in after so long.
_LOOK_AGAIN_S = 5.0


class Guard:
    """Refuse requests that are not from the app's own pages, or from nobody.

    Parameters
    ----------
    app
        What answers the requests that pass.
    context
        The running app's.
    """

    def __init__(self, app: ASGIApp, context: AppContext) -> None:
        self.app = app
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        by_proxy = came_by_proxy(scope)
        scope = arrive(scope, self.context.settings)
        send = _hardened(scope, send)
        refusal = self._foreign(scope, by_proxy=by_proxy)
        person = None if refusal else await self._person(scope)
        if refusal is None:
            refusal = self._unknown(scope, person) or _forged(scope, person)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        if scope["type"] == "websocket":
            await self.app(scope, self._watched(scope, receive, send), send)
            return
        most = self.context.settings.max_upload_bytes if person else _STRANGERS_BYTES
        await limited(self.app, scope, receive, send, most)

    def _path(self, scope: Scope) -> str:
        return str(scope["path"])[len(self.context.settings.root_path) :]

    def _foreign(self, scope: Scope, *, by_proxy: bool) -> Response | None:
        """Refuse what does not come from this app's own pages."""
        settings = self.context.settings
        if by_proxy and not settings.accounts:
            return _sentence(
                403,
                "This request came through a proxy, so others can reach the app, and nobody has to "
                "log in. Make accounts (antiphon users add) and start the app again.",
            )
        wrong = host_refused(scope, settings)
        if wrong is None:
            if scope["type"] == "websocket":
                wrong = origin_refused(scope, required=True)
            elif scope["method"] not in SAFE_METHODS:
                # The page's socket falls back to plain requests, which cannot carry the token.
                socket = self._path(scope).startswith(_SOCKET)
                wrong = origin_refused(scope, required=socket)
            else:
                wrong = embedding_refused(scope)
        return None if wrong is None else _sentence(403, wrong)

    async def _person(self, scope: Scope) -> Person | None:
        """Return who asks; None if nobody is logged in."""
        context = self.context
        if not context.settings.accounts:
            return Person(context.settings.person, "manager", context.token)
        token = token_of(HTTPConnection(scope), context)
        if not token or _is_open(self._path(scope)):
            return None
        session = await run_in_threadpool(find_session, context, token)
        return None if session is None else person_in(session)

    def _unknown(self, scope: Scope, person: Person | None) -> Response | None:
        """Refuse who is not logged in, and show browsers where to."""
        path = self._path(scope)
        if person is not None or _is_open(path):
            return None
        page = scope["type"] == "http" and scope["method"] == "GET"
        if page and not path.startswith(("/api/", _SOCKET)):
            asked = path + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
            root = self.context.settings.root_path
            where = f"{root}/login" if path == "/" else f"{root}/login?next={quote(asked)}"
            return RedirectResponse(where, 303)
        return _sentence(401, "Log in first.")

    def _watched(self, scope: Scope, receive: Receive, send: Send) -> Receive:
        """Return a ``receive`` that ends a websocket soon after its session has ended."""
        looked = time.monotonic()

        async def watched() -> Message:
            nonlocal looked
            message = await receive()
            if (
                self.context.settings.accounts
                and message["type"] == "websocket.receive"
                and time.monotonic() - looked > _LOOK_AGAIN_S
            ):
                looked = time.monotonic()
                if await self._person(scope) is None:
                    await send({"type": "websocket.close", "code": 1008})
                    return {"type": "websocket.disconnect", "code": 1008}
            return message

        return watched


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def _forged(scope: Scope, person: Person | None) -> Response | None:
    """Refuse a request that changes something without the token that only our pages know."""
    if scope["type"] != "http" or scope["method"] in SAFE_METHODS or person is None:
        return None
    path = str(scope["path"])[len(str(scope["root_path"])) :]
    if path in _FORMS or path == "/api/login" or path.startswith(_SOCKET):
        return None
    sent = MutableHeaders(scope=scope).get(TOKEN_HEADER, "")
    if secrets.compare_digest(sent.encode(), person.token.encode()):
        return None
    # The page fetches the new token by this mark, after the server was started again.
    return _sentence(
        403, f"The header {TOKEN_HEADER} is missing or out of date.", {"X-Antiphon-Stale": "token"}
    )


def _sentence(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status_code=status, headers=headers)


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await refusal(scope, receive, send)
        return
    # Before it is accepted, closing a websocket answers the handshake with 403.
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def _hardened(scope: Scope, send: Send) -> Send:
    nonce = nonce_of(scope)

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            secure = scope["scheme"] in ("https", "wss")
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            harden(headers, nonce, secure=secure)
            message = {**message, "headers": headers.raw}
        await send(message)

    return hardened
