"""Logging in, for the form and for the interface: throttled, with one answer for every fault.

So is what shows that a session is still in its owner's hands: the old password.
"""

from __future__ import annotations

import math

from starlette.requests import Request

from antiphon.app.context import AppContext
from antiphon.app.security.passwords import verify_password
from antiphon.app.security.sessions import log_in
from antiphon.app.security.throttle import Throttle
from antiphon.errors import UserError
from antiphon.store.accounts import UserRow

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
    # A longer name is nobody's.
    name = name.strip()[:128]
    address = _begin(context.throttle, request, name)
    found = log_in(context, name, password)
    if found is None:
        return None
    context.throttle.succeeded(name, address)
    return found[0]


def is_own_password(request: Request, user: UserRow, password: str) -> bool:
    """Return whether it is the password of somebody who is logged in.

    Raises
    ------
    TooManyAttemptsError
        If there were too many attempts.
    """
    context: AppContext = request.app.state.context
    address = _begin(context.session_throttle, request, user.name)
    if not verify_password(user.password_hash, password):
        return False
    context.session_throttle.succeeded(user.name, address)
    return True


def _begin(throttle: Throttle, request: Request, name: str) -> str:
    """Count an attempt, unless it comes too early; return the address it comes from."""
    address = request.client.host if request.client is not None else ""
    wait = throttle.begin(name, address)
    if wait > 0.0:
        raise TooManyAttemptsError(wait)
    return address


def _words(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'s' * (seconds != 1)}"
    return f"{math.ceil(seconds / 60)} minutes"
