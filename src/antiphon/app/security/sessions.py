"""Sessions of browsers: a random token in a cookie, of which only a digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

from antiphon.app.context import AppContext
from antiphon.app.security.identity import Person
from antiphon.app.security.passwords import hash_password, outdated, verify_password
from antiphon.store.accounts import SessionRow

LASTS = timedelta(days=14)


def cookie_name(context: AppContext) -> str:
    """Return the name of the cookie; all ports share cookies, so each project has its own."""
    return f"antiphon-{context.folder.catalogue.identity[:8]}"


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(connection: HTTPConnection, context: AppContext) -> str:
    """Return the token that a browser sent, empty if none."""
    token = connection.cookies.get(cookie_name(context), "")
    return token if len(token) <= 128 else ""


def find_session(context: AppContext, token: str) -> SessionRow | None:
    """Return the session of a token; None if there is none, or it has ended."""
    return context.accounts.session(digest(token)) if token else None


def person_in(session: SessionRow) -> Person:
    """Return whose session it is."""
    return Person(session.user.name, session.user.role, session.csrf)


def log_in(context: AppContext, name: str, password: str) -> tuple[str, SessionRow] | None:
    """Return the token of a new session and the session; None if name or password are wrong.

    A name that nobody has, a wrong password and a disabled account take equally long.
    """
    accounts = context.accounts
    user = accounts.user(name)
    right = verify_password(user.password_hash if user is not None else None, password)
    if user is None or user.disabled or not right:
        return None
    if outdated(user.password_hash):
        accounts.set_password_hash(user.name, hash_password(password), keep_sessions=True)
    token = secrets.token_urlsafe(32)
    ends = datetime.now(UTC) + LASTS
    session = accounts.add_session(user.id, digest(token), secrets.token_urlsafe(32), ends)
    return token, session


def set_cookie(response: Response, connection: HTTPConnection, token: str) -> None:
    """Give a browser its token."""
    context: AppContext = connection.app.state.context
    response.set_cookie(
        cookie_name(context),
        token,
        max_age=int(LASTS.total_seconds()),
        path=context.settings.root_path or "/",
        secure=connection.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def log_out(response: Response, connection: HTTPConnection) -> None:
    """End the session of a request, here and in the browser."""
    context: AppContext = connection.app.state.context
    token = token_of(connection, context)
    if token:
        context.accounts.end_session(digest(token))
    response.delete_cookie(cookie_name(context), path=context.settings.root_path or "/")
