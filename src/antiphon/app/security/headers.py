"""Headers that tell the browser what a page may do, and the nonce that marks its own scripts."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(nonce: str) -> str:
    """Return the Content-Security-Policy of a page.

    Vue compiles its templates in the browser, which takes ``unsafe-eval``, and NiceGUI sets
    styles on elements; scripts must come from this server or carry the nonce.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self' blob:",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def harden(headers: MutableHeaders, nonce: str, *, secure: bool) -> None:
    """Set the headers of an answer that guard the browser."""
    headers["Content-Security-Policy"] = policy(nonce)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # The page Search records a sound with the microphone.
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self), payment=()"
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    # What depends on who is logged in must not stay in a shared cache.
    if "cache-control" not in headers:
        headers["Cache-Control"] = "no-cache" if "etag" in headers else "no-store"


class ScriptNonce:
    """Mark the scripts of pages with the nonce of their request.

    The marks go on what the server wrote. A script that data brings into a page later, through a
    fault of ours, has none and does not run.

    Parameters
    ----------
    app
        What makes the pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = nonce_of(scope).encode()
        start: Message | None = None
        parts: list[bytes] = []

        async def marked(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
                if kind.startswith("text/html"):
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if message.get("more_body", False):
                    return
                page = b"".join(parts).replace(b"<script", b'<script nonce="' + nonce + b'"')
                MutableHeaders(raw=start["headers"])["Content-Length"] = str(len(page))
                await send(start)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await self.app(scope, receive, marked)


def nonce_of(scope: Scope) -> str:
    """Return the nonce of a request, made at the first call."""
    state = scope.setdefault("state", {})
    if "nonce" not in state:
        state["nonce"] = secrets.token_urlsafe(16)
    return str(state["nonce"])
