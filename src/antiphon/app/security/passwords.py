"""Passwords: what they must be, and their digests (Argon2id, RFC 9106)."""

from __future__ import annotations

import functools
import secrets
import threading
from typing import TYPE_CHECKING

from antiphon.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 256
# A digest takes 64 MiB for some tens of milliseconds; more at once only fill the memory.
_AT_ONCE = threading.BoundedSemaphore(2)


def hash_password(password: str, name: str = "") -> str:
    """Return the digest of a new password.

    Raises
    ------
    UserError
        If it is shorter than 10 or longer than 256 characters, or the person's own name.
    MissingExtraError
        If argon2-cffi is not installed.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(f"A password needs {SHORTEST} to {LONGEST} characters.")
    if name and password.casefold().strip() == name.casefold():
        raise UserError("The password must not be the name.")
    with _AT_ONCE:
        return _hasher().hash(password)


def verify_password(digest: str | None, password: str) -> bool:
    """Return whether a password belongs to a digest.

    Takes as long for None (a name that nobody has) as for a digest.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            right = _hasher().verify(digest or _nobody(), password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return right and digest is not None


def outdated(digest: str) -> bool:
    """Return whether a digest was made with weaker settings than those of now."""
    return _hasher().check_needs_rehash(digest)


@functools.cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise MissingExtraError("app", "keep passwords") from error
    # RFC 9106's second choice: Argon2id, 3 passes over 64 MiB in 4 lanes.
    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


@functools.cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
