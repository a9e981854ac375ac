"""The page "Log in": a plain form, drawn without NiceGUI and without scripts of its own."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from antiphon.app.pages.frame import head
from antiphon.app.security.entry import WRONG, TooManyAttemptsError, enter
from antiphon.app.security.identity import Context, context_of
from antiphon.app.security.sessions import find_session, log_out, set_cookie, token_of

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>Log in · {project} · Antiphon</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{root}/static/frame/favicon.svg">{head}</head>
<body class="plain"><main class="login" style="max-width:none"><div class="card">
<img src="{root}/static/frame/favicon.svg" alt="">
<h1>Log in</h1><div class="muted">{project}</div>
<form method="post" action="{root}/login">
{fault}
<input type="hidden" name="next" value="{next}">
<div class="field"><label for="name">Name</label>
<input id="name" name="name" value="{name}" autocomplete="username" autocapitalize="none"
 spellcheck="false" required maxlength="128"{focus_name}></div>
<div class="field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 maxlength="1024"{focus_password}></div>
<button class="button primary" type="submit">Log in</button>
</form></div></main></body></html>
"""


@router.get("/login")
def page(
    request: Request, context: Context, next: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """Show the form, or the app to who is logged in."""
    settings = context.settings
    if not settings.accounts or find_session(context, token_of(request, context)):
        return RedirectResponse(settings.root_path + _within(next), 303)
    return _form(request, next)


@router.post("/login")
def submit(
    request: Request,
    context: Context,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """Log in and go on to where one wanted to go."""
    if not context.settings.accounts:
        return RedirectResponse(context.settings.root_path + "/", 303)
    try:
        token = enter(request, name, password)
    except TooManyAttemptsError as error:
        answer = _form(request, next, name, str(error), 429)
        answer.headers["Retry-After"] = str(error.wait_s)
        return answer
    if token is None:
        return _form(request, next, name, WRONG, 401)
    entered = RedirectResponse(context.settings.root_path + _within(next), 303)
    set_cookie(entered, request, token)
    return entered


@router.post("/logout")
def leave(request: Request, context: Context) -> Response:
    """Log out from a form; that it is one of ours shows in the request's Origin."""
    left = RedirectResponse(context.settings.root_path + "/login", 303)
    log_out(left, request)
    return left


def _form(
    request: Request, next: str, name: str = "", fault: str = "", status: int = 200
) -> HTMLResponse:
    context = context_of(request)
    root = context.settings.root_path
    page = _PAGE.format(
        root=escape(root),
        head=head(root),
        project=escape(context.folder.root.name),
        fault=f'<div class="note bad" role="alert">{escape(fault)}</div>' if fault else "",
        next=escape(_within(next)),
        name=escape(name[:128]),
        focus_name="" if name else " autofocus",
        focus_password=" autofocus" if name else "",
    )
    return HTMLResponse(page, status)


def _within(address: str) -> str:
    """Return an address within the app, its first page where somebody slipped in another site's."""
    inside = (
        address.startswith("/") and address.isprintable() and not set(address) & set("\\\r\n\t")
    )
    if not inside or address.startswith(("//", "/login", "/logout", "/api/")):
        return "/"
    return address
