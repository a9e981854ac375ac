"""Connections to the catalogue: settings of each connection, transactions, schema version."""

from __future__ import annotations

import json
import logging
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from antiphon.errors import MissingExtraError, StoreError
from antiphon.replacing import replacing
from antiphon.store.faults import database_errors, writing
from antiphon.store.schema import SCHEMA_VERSION

_log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that other programs on the same server do not use.
_WRITERS = 0x616E7469
_CONNECT_S = 15
_RETRY_S = 0.02
# Tests put further versions here.
_VERSION_FOLDERS = [_MIGRATIONS / "versions"]


class Database:
    """The catalogue's database: one engine, read and write transactions.

    SQLite runs in WAL mode with foreign keys on. Writes begin with ``BEGIN IMMEDIATE``: a
    transaction that reads first and writes later would otherwise fail at once with "database is
    locked" when another one wrote in between, whatever the waiting time. ``synchronous`` is FULL,
    so that a label which a person gave survives a power cut.

    WAL needs memory shared between processes and so does not work on network file systems. Where
    SQLite refuses it, the journal mode DELETE is used, which is slower and as safe as that file
    system's locks.

    A catalogue in a folder that may not be written is opened for reading only. WAL then finds no
    place for its shared memory, so SQLite is told that the file does not change, unless another
    program's WAL lies beside it.

    In PostgreSQL one advisory lock of the database stands for SQLite's single writer. A reading
    transaction sees one state of the catalogue throughout, as in SQLite. Connections that the
    server has closed meanwhile are replaced, so that a program outlives a restart of the server.

    Parameters
    ----------
    url
        SQLAlchemy URL; ``postgresql://`` and ``postgres://`` mean the driver psycopg.
    name
        The catalogue as a user knows it.
    wait_s
        How long a write waits for another process's.
    """

    def __init__(self, url: str | URL, name: str, wait_s: float = 30.0) -> None:
        self.name = name
        self.wait_s = wait_s
        try:
            parsed = _with_driver(make_url(url))
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            self.path = Path(parsed.database or "") if self.is_sqlite else None
            self.is_postgresql = parsed.get_backend_name() == "postgresql"
            options: dict[str, Any] = {"timeout": wait_s} if self.is_sqlite else {}
            if self.is_postgresql and "connect_timeout" not in parsed.query:
                options["connect_timeout"] = _CONNECT_S
            self.read_only = self.path is not None and _only_readable(self.path)
            if self.path is not None and self.read_only:
                parsed = _reading(self.path)
            self.engine: Engine = create_engine(
                parsed,
                connect_args=options,
                pool_pre_ping=not self.is_sqlite,
                json_serializer=_without_nan if self.is_postgresql else None,
            )
        except ModuleNotFoundError as error:
            raise MissingExtraError("postgres", f"open the catalogue {name}") from error
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(
                f"{name}: not a database URL ({error}). Correct [catalogue] url in antiphon.toml."
            ) from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", self._set_up)
            event.listen(self.engine, "begin", _begin)
        if self.is_postgresql:
            event.listen(self.engine, "connect", self._set_wait)

    def _set_up(self, connection: Any, _record: Any) -> None:
        """Prepare a new SQLite connection."""
        # Transactions are begun by _begin, not by Python's sqlite3 module.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(self.wait_s * 1000)}")
        if self.read_only:
            cursor.close()
            return
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        try:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
            if mode not in ("wal", "memory"):
                mode = self._ask_for_wal(cursor)
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "full" in str(error):
                raise
            mode = "refused"
        if mode not in ("wal", "memory"):
            _log.warning(
                "%s: this file system does not support SQLite's WAL mode (a network folder?); "
                "using the slower journal mode DELETE.",
                self.name,
            )
            cursor.execute("PRAGMA journal_mode = DELETE")
        cursor.close()

    def _ask_for_wal(self, cursor: Any) -> str:
        """Switch to WAL, waiting for others that do so at the same moment.

        SQLite answers "locked" at once, whatever the waiting time, where two connections that
        switch would wait for each other.
        """
        until = time.monotonic() + self.wait_s
        while True:
            try:
                return str(cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= until:
                    raise
            time.sleep(_RETRY_S * (1 + random.random()))

    def _set_wait(self, connection: Any, _record: Any) -> None:
        """Let a new PostgreSQL connection wait for another writer as long as SQLite does."""
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(self.wait_s * 1000)}")
        connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with database_errors(self.name, self.wait_s), self.engine.connect() as connection:
            if self.is_postgresql:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; committed at the end, rolled back on an error."""
        with database_errors(self.name, self.wait_s), self.engine.connect() as connection:
            connection = connection.execution_options(antiphon_begin="IMMEDIATE")
            if self.is_postgresql:
                # What is read after the lock must be what the writer before has left.
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                if self.is_postgresql:
                    # One writer at a time; freed at the end of the transaction.
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def version(self) -> str | None:
        """Return the schema version found, or None in an empty database."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                if inspect(connection).get_table_names():
                    advice = (
                        "Move it away, or correct" if self.is_sqlite else "Make another, or correct"
                    )
                    raise StoreError(
                        f"{self.name}: this database is not an Antiphon catalogue. {advice} "
                        "[catalogue] url in antiphon.toml."
                    )
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return str(found) if found is not None else None

    def prepare(self) -> None:
        """Bring the schema up to :data:`SCHEMA_VERSION`, after a backup of an older one.

        Raises
        ------
        StoreError
            If a newer Antiphon wrote the catalogue, or it cannot be read or written.
        """
        found = self.version()
        if found == SCHEMA_VERSION:
            return
        if found is not None and found > SCHEMA_VERSION:
            raise StoreError(
                f"{self.name}: this catalogue has schema version {found}, and this Antiphon knows "
                f"versions up to {SCHEMA_VERSION}. Install a newer Antiphon: "
                "pip install --upgrade antiphon"
            )
        if found is not None:
            backup = self._back_up(found)
            _log.warning(
                "%s: upgrading the catalogue from schema version %s to %s%s.",
                self.name,
                found,
                SCHEMA_VERSION,
                f"; the old one is kept as {backup.name}" if backup else "",
            )
        self._migrate()

    def _back_up(self, version: str) -> Path | None:
        """Copy a SQLite catalogue, consistent even while others write."""
        if self.path is None:
            return None
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        target = self.path.with_name(f"{self.path.name}.{version}.{stamp}.backup")
        with (
            writing(target),
            database_errors(self.name, self.wait_s),
            replacing(target, make_folder=False) as unfinished,
        ):
            source, copy = sqlite3.connect(self.path), sqlite3.connect(unfinished)
            try:
                source.backup(copy)
            finally:
                source.close()
                copy.close()
        return target

    def _migrate(self) -> None:
        # Alembic takes a while to import and is needed only here.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.set_main_option(
            "version_locations", "\n".join(str(f).replace("%", "%%") for f in _VERSION_FOLDERS)
        )
        # One write transaction from the first look to the last step: a second process that opens
        # the same catalogue waits and then finds it up to date, and a kill rolls everything back.
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, SCHEMA_VERSION)


def name_of(url: str) -> str:
    """Return a database's URL as messages name it: without its password."""
    try:
        parsed = make_url(url).difference_update_query(["password", "sslpassword"])
        return parsed.render_as_string(hide_password=True)
    except ArgumentError:
        return "[catalogue] url"


def _without_nan(value: Any) -> str:
    """Return JSON, which has no NaN: a null stands for it. SQLite does not mind."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(plain)


def _with_driver(url: URL) -> URL:
    """Return a URL of PostgreSQL with the driver that the extra ``postgres`` brings."""
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("antiphon_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _only_readable(path: Path) -> bool:
    """Return whether a SQLite file is there and its folder may not be written."""
    return path.is_file() and not os.access(path.parent, os.W_OK)


def _reading(path: Path) -> URL:
    """Return the URL that opens a SQLite file for reading only."""
    beside = path.with_name(f"{path.name}-wal")
    live = beside.is_file() and beside.stat().st_size > 0
    asked = {"mode": "ro", "uri": "true"} | ({} if live else {"immutable": "1"})
    return URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query=asked)
