"""Connections to the catalogue: settings of each connection, transactions, schema version."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from antiphon.errors import MissingExtraError, StoreError
from antiphon.store.faults import database_errors, writing
from antiphon.store.schema import SCHEMA_VERSION

_log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that other programs on the same server do not use.
_WRITERS = 0x616E7469
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

    Parameters
    ----------
    url
        SQLAlchemy URL.
    name
        The catalogue as a user knows it.
    wait_s
        How long a write waits for another process's.
    """

    def __init__(self, url: str | URL, name: str, wait_s: float = 30.0) -> None:
        self.name = name
        self.wait_s = wait_s
        try:
            parsed = make_url(url)
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            self.path = Path(parsed.database or "") if self.is_sqlite else None
            options: dict[str, Any] = {"timeout": wait_s} if self.is_sqlite else {}
            self.read_only = self.path is not None and _only_readable(self.path)
            if self.path is not None and self.read_only:
                parsed = _reading(self.path)
            self.engine: Engine = create_engine(parsed, connect_args=options)
        except ModuleNotFoundError as error:
            raise MissingExtraError("postgres", f"open the catalogue {name}") from error
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(
                f"{name}: not a database URL ({error}). Correct [catalogue] url in antiphon.toml."
            ) from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", self._set_up)
            event.listen(self.engine, "begin", _begin)

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
                mode = cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0]
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

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with database_errors(self.name, self.wait_s), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; committed at the end, rolled back on an error."""
        with database_errors(self.name, self.wait_s), self.engine.connect() as connection:
            connection = connection.execution_options(antiphon_begin="IMMEDIATE")
            with connection.begin():
                if self.engine.dialect.name == "postgresql":
                    # One writer at a time, as with SQLite; freed at the end of the transaction.
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
                    raise StoreError(
                        f"{self.name}: this database is not an Antiphon catalogue. Move it away, "
                        "or correct [catalogue] url in antiphon.toml."
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
        unfinished = target.with_name(target.name + f".{os.getpid()}.part")
        with writing(target), database_errors(self.name, self.wait_s):
            try:
                source, copy = sqlite3.connect(self.path), sqlite3.connect(unfinished)
                try:
                    source.backup(copy)
                finally:
                    source.close()
                    copy.close()
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)
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
