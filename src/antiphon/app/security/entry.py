"""Logging in, for the form and for the interface: throttled, with one answer for every fault."""

from __future__ import annotations

import math

from starlette.requests import Request

from antiphon.app.context import AppContext
from antiphon.app.security.sessions import log_in
from antiphon.errors import UserError

WRONG = "Name or password is wrong, or the account is disabled."


class TooManyAttemptsError(UserError):
    """Somebody must wait before the next attempt to log in.

    Parameters
    ----------
    wait_s
        How long.
    """

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__(f"Too many attempts. Try again in {_words(self.wait_s)}.")


def enter(request: Request, name: str, password: str) -> str | None:
    """Return the token of a new session, or None if name or password are wrong.

    Raises
    ------
    TooManyAttemptsError
        If there were too many attempts for the name or from the address.
    """
    context: AppContext = request.app.state.context
    throttle = context.throttle
    address = request.client.host if request.client is not None else ""
    # A longer name is nobody's.
    name = name.strip()[:128]
    wait = throttle.begin(name, address)
    if wait > 0.0:
        raise TooManyAttemptsError(wait)
    found = log_in(context, name, password)
    if found is None:
        return None
    throttle.succeeded(name, address)
    return found[0]


def _words(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'s' * (seconds != 1)}"
    return f"{math.ceil(seconds / 60)} minutes"
