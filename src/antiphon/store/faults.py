"""Faults of the machine (a full disk, a locked or damaged file) as errors that say what to do."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from antiphon.errors import AntiphonError, DiskFullError, StoreError, UserError

_FULL = ("no space left on device", "os error 28", "disk quota exceeded", "os error 122")
# Less than this many bytes is no space: SQLite needs them before it can even read.
_LITTLE = 64 * 1024
MOVED = "moved to another database"
"""What a file says whose catalogue was moved; see :mod:`antiphon.store.moving`."""
# SQLSTATE of PostgreSQL, see its manual, appendix A: connection lost or refused, server ending or
# full, login refused, no such database.
_AWAY = ("08", "53300", "57P", "28", "3D000")


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error, or one that it was raised from, says that a disk is full.

    Lance wraps the operating system's error in text, so the text is looked at as well.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "database or disk is full" in str(seen):
            return True
        if any(text in str(seen).lower() for text in _FULL):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def disk_full(path: Path | str) -> DiskFullError:
    """Return the error for a disk that is full under ``path``, or under a database's URL."""
    return DiskFullError(
        f"{path}: the disk is full. What was finished is kept; free some space and run the same "
        "command again."
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write under ``path`` into a :class:`StoreError`.

    Parameters
    ----------
    path
        What is written to, as the user knows it.
    """
    try:
        yield
    except (AntiphonError, TimeoutError):
        raise
    except Exception as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        if isinstance(error, PermissionError) or (
            isinstance(error, OSError) and error.errno == errno.EROFS
        ):
            raise StoreError(
                f"{path}: cannot be written ({error.strerror}). Check the permissions of the "
                "project folder, or copy the project to a place that can be written."
            ) from error
        if isinstance(error, OSError):
            raise StoreError(
                f"{path}: writing failed ({error}). What was finished is kept; check the disk "
                "and run the same command again."
            ) from error
        raise


@contextmanager
def database_errors(name: str, wait_s: float) -> Iterator[None]:
    """Turn the database's own errors into :class:`StoreError`.

    Parameters
    ----------
    name
        The catalogue as the user knows it: its path, or its URL without the password.
    wait_s
        How long a write waits for another one to end.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raw = error.orig if isinstance(error, DBAPIError) else error
        text = str(raw)
        if not isinstance(raw, sqlite3.Error):
            _raise_from_server(name, wait_s, error, raw)
            raise
        vague = "disk I/O error" in text or "unable to open" in text
        if is_disk_full(error) or (vague and _without_space(Path(name))):
            raise disk_full(Path(name)) from error
        if "locked" in text or "busy" in text:
            raise _busy(name, wait_s) from error
        if MOVED in text:
            raise StoreError(
                f"{name}: this catalogue was moved to another database and takes no more changes. "
                "Stop this program and start it again."
            ) from error
        if "malformed" in text or "not a database" in text:
            raise StoreError(
                f"{name}: this catalogue is damaged ({text}). Restore it from a backup; backups "
                "made before upgrades lie beside it (catalogue.db.*.backup)."
            ) from error
        if "unable to open" in text or "readonly" in text or "read-only" in text:
            raise StoreError(
                f"{name}: this catalogue cannot be opened for writing ({text}). Check that the "
                "folder is there and may be written."
            ) from error
        if "disk I/O error" in text:
            raise StoreError(
                f"{name}: the disk reports an error ({text}). Check the disk; a catalogue on a "
                "network folder is better kept on a local one."
            ) from error
        raise


def _raise_from_server(
    name: str, wait_s: float, error: BaseException, raw: BaseException | None
) -> None:
    """Raise what an error of a database server means in words, where it is foreseen."""
    state = getattr(raw, "sqlstate", None) or ""
    said = str(raw).strip()
    text = said.splitlines()[0] if said else type(raw).__name__
    if state == "53100" or is_disk_full(error):
        raise disk_full(name) from error
    if state == "55P03":
        raise _busy(name, wait_s) from error
    if state == "42501":
        raise StoreError(
            f"{name}: the database's user may not do this ({text}). Make that user the owner of "
            "the database: ALTER DATABASE ... OWNER TO ..."
        ) from error
    if state == "25006":
        raise StoreError(
            f"{name}: this database server takes no changes ({text}). Give the address of the one "
            "that does."
        ) from error
    if "NUL" in text:
        raise UserError(
            "A text holds the character NUL, which the catalogue cannot keep."
        ) from error
    if state.startswith(_AWAY) or (not state and type(raw).__name__ == "OperationalError"):
        raise StoreError(
            f"{name}: the database cannot be reached ({text}). Check that its server runs, and "
            "host, port, name, user and password of [catalogue] url in antiphon.toml."
        ) from error


def _busy(name: str, wait_s: float) -> StoreError:
    return StoreError(
        f"{name}: another process has been writing to this catalogue for more than "
        f"{wait_s:g} s. Wait for it or stop it, then run the same command again."
    )


def _without_space(path: Path) -> bool:
    """Return whether the disk that holds ``path`` has no space left, as far as can be told."""
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False
