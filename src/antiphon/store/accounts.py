"""Accounts of the web app: who may log in, and which browsers have.

Only digests are kept: of a password what the caller made of it, of a session's token its hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from antiphon.errors import UserError
from antiphon.store.database import Database
from antiphon.store.schema import LoginSession, User
from antiphon.store.work import now

ROLES = ("annotator", "manager")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody who may log in; ``role`` is one of :data:`ROLES`, times are UTC."""

    id: int
    name: str
    password_hash: str
    role: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that has logged in, and as whom; ``csrf`` is what its requests must carry."""

    user: UserRow
    csrf: str
    created_at: datetime
    expires_at: datetime


_USER = [getattr(User, name) for name in UserRow.__slots__]


class Accounts:
    """The accounts in a catalogue; any number of threads and processes may use one at once.

    Parameters
    ----------
    database
        That of the catalogue: ``folder.catalogue.database``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # People

    def add_user(self, name: str, password_hash: str, role: str = "annotator") -> UserRow:
        """Add an account and return it.

        Raises
        ------
        UserError
            If the name is empty, longer than 64 characters, holds what cannot be printed, or
            differs from another account's by no more than its case; or the role is unknown.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise UserError(
                f"{name!r} cannot be a user's name: it needs 1 to {_LONGEST_NAME} characters that "
                "can be printed."
            )
        _check_role(role)
        with self._database.write() as connection:
            for other in connection.execute(select(User.name)).scalars():
                if other.casefold() == name.casefold():
                    raise UserError(f"There is an account {other!r} already.")
            connection.execute(
                insert(User).values(
                    name=name,
                    password_hash=password_hash,
                    role=role,
                    disabled=False,
                    created_at=now(),
                )
            )
            return _the(connection, name)

    def user(self, name: str) -> UserRow | None:
        """Return an account by its exact name, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(*_USER).where(User.name == name)).first()
        return None if row is None else UserRow(*row)

    def users(self) -> list[UserRow]:
        """Return all accounts, sorted by name."""
        with self._database.read() as connection:
            rows = [UserRow(*row) for row in connection.execute(select(*_USER))]
        # Servers sort by the rules of some language.
        return sorted(rows, key=lambda row: row.name)

    def count(self) -> int:
        """Return how many accounts there are, disabled ones included."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(User)).scalar_one())

    def set_role(self, name: str, role: str) -> UserRow:
        """Change what somebody may do; their open sessions have the new role at once.

        Raises
        ------
        UserError
            If there is no such account, the role is unknown, or no manager would be left.
        """
        _check_role(role)
        with self._database.write() as connection:
            found = _the(connection, name)
            if role != "manager":
                _keep_a_manager(connection, found)
            return _change(connection, found, role=role)

    def set_disabled(self, name: str, disabled: bool) -> UserRow:
        """Shut somebody out, or let them in again; being shut out ends their sessions.

        Raises
        ------
        UserError
            If there is no such account, or no manager would be left.
        """
        with self._database.write() as connection:
            found = _the(connection, name)
            if disabled:
                _keep_a_manager(connection, found)
                _end_all(connection, found.id)
            return _change(connection, found, disabled=disabled)

    def set_password_hash(
        self, name: str, password_hash: str, *, keep_sessions: bool = False
    ) -> UserRow:
        """Change a password, which ends all sessions of its user.

        Parameters
        ----------
        keep_sessions
            For the same password in a newer kind of hash.

        Raises
        ------
        UserError
            If there is no such account.
        """
        with self._database.write() as connection:
            found = _the(connection, name)
            if not keep_sessions:
                _end_all(connection, found.id)
            return _change(connection, found, password_hash=password_hash)

    # Sessions

    def add_session(
        self, user_id: int, token_hash: str, csrf: str, expires_at: datetime
    ) -> SessionRow:
        """Keep that a browser has logged in; sessions that have ended are cleared away.

        Parameters
        ----------
        expires_at
            UTC, naive or with its zone.
        """
        end = _utc(expires_at)
        with self._database.write() as connection:
            connection.execute(delete(LoginSession).where(LoginSession.expires_at <= now()))
            connection.execute(
                insert(LoginSession).values(
                    token_hash=token_hash,
                    user_id=user_id,
                    csrf=csrf,
                    created_at=now(),
                    expires_at=end,
                )
            )
        found = self.session(token_hash)
        if found is None:
            raise UserError("This account is disabled, or its session has ended already.")
        return found

    def session(self, token_hash: str) -> SessionRow | None:
        """Return a session that has not ended, of an account that is not disabled, or None."""
        query = (
            select(*_USER, LoginSession.csrf, LoginSession.created_at, LoginSession.expires_at)
            .join(User, LoginSession.user_id == User.id)
            .where(
                LoginSession.token_hash == token_hash,
                LoginSession.expires_at > now(),
                User.disabled.is_(False),
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        values = tuple(row)
        return SessionRow(UserRow(*values[: len(_USER)]), *values[len(_USER) :])

    def extend_session(self, token_hash: str, expires_at: datetime) -> None:
        """Let a session end later."""
        with self._database.write() as connection:
            connection.execute(
                update(LoginSession)
                .where(LoginSession.token_hash == token_hash)
                .values(expires_at=_utc(expires_at))
            )

    def end_session(self, token_hash: str) -> None:
        """End a session, if it is there."""
        with self._database.write() as connection:
            connection.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash))

    def end_sessions(self, user_id: int) -> None:
        """End all sessions of a user."""
        with self._database.write() as connection:
            _end_all(connection, user_id)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UserError(f"There is no role {role!r}; there are {' and '.join(ROLES)}.")


def _the(connection: Connection, name: str) -> UserRow:
    row = connection.execute(select(*_USER).where(User.name == name)).first()
    if row is None:
        raise UserError(f"There is no account {name!r}.")
    return UserRow(*row)


def _change(connection: Connection, user: UserRow, **values: Any) -> UserRow:
    connection.execute(update(User).where(User.id == user.id).values(**values))
    return _the(connection, user.name)


def _keep_a_manager(connection: Connection, leaving: UserRow) -> None:
    """Refuse a change after which nobody could manage the project."""
    if leaving.role != "manager" or leaving.disabled:
        return
    others = connection.execute(
        select(func.count())
        .select_from(User)
        .where(User.role == "manager", User.disabled.is_(False), User.id != leaving.id)
    ).scalar_one()
    if not others:
        raise UserError(f"{leaving.name!r} is the only manager; make somebody else one first.")


def _end_all(connection: Connection, user_id: int) -> None:
    connection.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def _utc(time: datetime) -> datetime:
    """Return a time as the catalogue keeps it: UTC, naive."""
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
