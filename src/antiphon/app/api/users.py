"""Requests about people: logging in and out, passwords, accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from antiphon.app.security.entry import WRONG, enter, is_own_password
from antiphon.app.security.identity import Context, Manager, Someone
from antiphon.app.security.passwords import LONGEST, hash_password
from antiphon.app.security.sessions import find_session, log_in, log_out, person_in, set_cookie
from antiphon.store.accounts import UserRow

router = APIRouter(prefix="/api", tags=["people"])

Role = Literal["annotator", "manager"]
# Longer ones are refused in words by hash_password.
Password = Annotated[str, Field(max_length=4 * LONGEST)]


class Credentials(BaseModel):
    """Who wants to log in."""

    name: str = Field(max_length=1024)
    password: Password


class Session(BaseModel):
    """Who is logged in, and what their requests must carry in ``X-Antiphon-Token``."""

    name: str
    role: str
    token: str
    accounts: bool


class NewPassword(BaseModel):
    """A change of one's own password."""

    old: Password
    new: Password


class User(BaseModel):
    """Somebody who may log in."""

    id: int
    name: str
    role: Role
    disabled: bool
    created_at: datetime


class NewUser(BaseModel):
    """An account to be made."""

    name: str = Field(max_length=1024)
    password: Password
    role: Role = "annotator"


class UserChange(BaseModel):
    """What is to be different; null leaves it as it is."""

    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


@router.post("/login")
def login(request: Request, response: Response, context: Context, body: Credentials) -> Session:
    """Log in: sets the session's cookie and returns the token of requests that change something.

    401 when name or password are wrong, 429 with ``Retry-After`` after too many attempts.
    """
    if not context.settings.accounts:
        raise HTTPException(409, "Nobody has to log in here.")
    token = enter(request, body.name, body.password)
    session = find_session(context, token) if token else None
    if token is None or session is None:
        raise HTTPException(401, WRONG)
    set_cookie(response, request, token)
    return _session(context, person_in(session))


@router.post("/logout", status_code=204)
def logout(request: Request, response: Response, _person: Someone) -> None:
    """Log out: ends this browser's session."""
    log_out(response, request)


@router.get("/session")
def session(context: Context, person: Someone) -> Session:
    """Return who is logged in and the token of their requests."""
    return _session(context, person)


@router.post("/password", status_code=204)
def password(
    request: Request, response: Response, context: Context, person: Someone, body: NewPassword
) -> None:
    """Change one's own password; ends all of one's sessions, and begins a new one here.

    403 when the old one is wrong, 429 with ``Retry-After`` after too many attempts.
    """
    user = context.accounts.user(person.name) if context.settings.accounts else None
    if user is None:
        raise HTTPException(409, "Nobody has to log in here, so there is no password.")
    if not is_own_password(request, user, body.old):
        raise HTTPException(403, "The old password is wrong.")
    context.accounts.set_password_hash(user.name, hash_password(body.new, user.name))
    # Not by the way of the login: somebody who guesses at this name must not delay its owner.
    found = log_in(context, user.name, body.new)
    if found is not None:
        set_cookie(response, request, found[0])


@router.get("/users")
def users(context: Context, _person: Manager) -> list[User]:
    """Return all accounts, sorted by name."""
    return [_user(row) for row in context.accounts.users()]


@router.post("/users", status_code=201)
def add_user(context: Context, _person: Manager, body: NewUser) -> User:
    """Make an account."""
    digest = hash_password(body.password, body.name)
    return _user(context.accounts.add_user(body.name, digest, body.role))


@router.patch("/users/{user_id}")
def change_user(context: Context, _person: Manager, user_id: int, body: UserChange) -> User:
    """Change an account; a new password or being disabled ends its sessions.

    The only manager who is left can be neither disabled nor made an annotator.
    """
    accounts = context.accounts
    row = next((row for row in accounts.users() if row.id == user_id), None)
    if row is None:
        raise HTTPException(404, "There is no such account.")
    # First what may be refused, so that a refusal leaves everything as it was.
    digest = None if body.password is None else hash_password(body.password, row.name)
    if body.role is not None:
        row = accounts.set_role(row.name, body.role)
    if body.disabled is not None:
        row = accounts.set_disabled(row.name, body.disabled)
    if digest is not None:
        row = accounts.set_password_hash(row.name, digest)
    return _user(row)


def _user(row: UserRow) -> User:
    role: Role = "manager" if row.role == "manager" else "annotator"
    return User(
        id=row.id, name=row.name, role=role, disabled=row.disabled, created_at=row.created_at
    )


def _session(context: Context, person: Someone) -> Session:
    return Session(
        name=person.name,
        role=person.role,
        token=person.token,
        accounts=context.settings.accounts,
    )
