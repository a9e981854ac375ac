"""The schema's version, migrations, damaged files, file systems without WAL, full disks."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from antiphon.errors import DiskFullError, MissingExtraError, StoreError
from antiphon.store import database
from antiphon.store.catalogue import Catalogue
from antiphon.store.faults import database_errors
from antiphon.store.schema import SCHEMA_VERSION, Base
from tests.store.conftest import Open
from tests.store.making import entry


def test_migrations_make_the_schema_of_the_code(catalogue: Catalogue) -> None:
    with catalogue.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == SCHEMA_VERSION


def test_newest_migration_is_the_known_version() -> None:
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


def test_opening_again_does_not_migrate(
    open_catalogue: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_catalogue()
    monkeypatch.setattr(database.Database, "_migrate", lambda self: pytest.fail("migrated"))
    open_catalogue()


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    Catalogue.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0099'")
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Catalogue.open(path)
    message = str(caught.value)
    for part in (str(path), "0099", SCHEMA_VERSION, "pip install --upgrade antiphon"):
        assert part in message
    assert path.read_bytes() == before


def test_older_schema_is_upgraded_after_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "catalogue.db"
    Catalogue.open(path).sync_recordings([entry(1)])
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "9000_next.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision = '9000'\ndown_revision = {SCHEMA_VERSION!r}\n"
        "def upgrade():\n"
        "    op.add_column('recordings', sa.Column('habitat', sa.String()))\n"
    )
    monkeypatch.setattr(database, "SCHEMA_VERSION", "9000")
    monkeypatch.setattr(database, "_VERSION_FOLDERS", [*database._VERSION_FOLDERS, versions])
    with caplog.at_level(logging.WARNING):
        catalogue = Catalogue.open(path)
    (backup,) = tmp_path.glob("catalogue.db.*.backup")
    assert backup.name in caplog.text
    with catalogue.database.read() as connection:
        assert connection.execute(text("SELECT id, habitat FROM recordings")).all() == [(1, None)]
    monkeypatch.undo()
    # The backup is the old catalogue, whole.
    assert Catalogue.open(backup).recordings().num_rows == 1


def test_failed_migration_leaves_the_old_schema(
    open_catalogue: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_catalogue().sync_recordings([entry(1)])
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "9000_next.py").write_text(
        "from alembic import op\n"
        f"revision = '9000'\ndown_revision = {SCHEMA_VERSION!r}\n"
        "def upgrade():\n"
        "    op.drop_table('events')\n"
        "    raise RuntimeError('power cut')\n"
    )
    with monkeypatch.context() as patch:
        patch.setattr(database, "SCHEMA_VERSION", "9000")
        patch.setattr(database, "_VERSION_FOLDERS", [*database._VERSION_FOLDERS, versions])
        with pytest.raises(RuntimeError):
            open_catalogue()
    catalogue = open_catalogue()
    assert catalogue.events("quality") == []
    assert catalogue.recordings().num_rows == 1


def test_settings_of_every_connection(tmp_path: Path) -> None:
    catalogue = Catalogue.open(tmp_path / "catalogue.db")
    with catalogue.database.read() as one, catalogue.database.read() as two:
        for connection in (one, two):
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
            assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30000


def test_file_system_without_wal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite answers with another mode, or an error, where memory cannot be shared."""

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
            if statement == "PRAGMA journal_mode = WAL":
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *arguments)  # type: ignore[arg-type]

    class Connection(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = Cursor) -> sqlite3.Cursor:  # type: ignore[override]
            return super().cursor(factory)

    real = sqlite3.connect
    monkeypatch.setattr("sqlite3.dbapi2.connect", lambda *a, **k: real(*a, factory=Connection, **k))
    with caplog.at_level(logging.WARNING):
        catalogue = Catalogue.open(tmp_path / "catalogue.db")
    catalogue.sync_recordings([entry(1)])
    assert "network folder" in caplog.text
    with catalogue.database.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "delete"


def test_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"damaged.*backup"):
        Catalogue.open(path)


def test_foreign_database(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE birds (name TEXT)")
    with pytest.raises(StoreError, match="not an Antiphon catalogue"):
        Catalogue.open(path)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Catalogue.open(tmp_path / "gone" / "catalogue.db")


def test_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    catalogue = Catalogue.open(path)
    catalogue.sync_recordings([entry(0)])
    with catalogue.database.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        # SQLite gives the same error as for a disk without space.
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StoreError, match=r"disk is full.*free some space") as caught:
        catalogue.sync_recordings([entry(i) for i in range(5000)])
    assert str(path) in str(caught.value)
    catalogue.close()
    again = Catalogue.open(path)
    assert again.recordings().num_rows == 1
    assert len(again.sync_recordings([entry(i) for i in range(5000)]).added) == 4999


def test_impossible_url(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"\[catalogue\] url"):
        Catalogue.open(tmp_path / "catalogue.db", "no url at all")


def test_postgresql_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"antiphon\[postgres\]"):
        Catalogue.open(tmp_path / "c.db", "postgresql+psycopg://u:secret@localhost/birds")


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "odd ?#% name" / "catalogue.db"
    path.parent.mkdir()
    catalogue = Catalogue.open(path)
    catalogue.sync_recordings([entry(0)])
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    # Another program has it open: what lies in its WAL is read as well.
    live = Catalogue.open(path)
    assert live.recordings().num_rows == 1
    live.close()
    catalogue.close()
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    still = Catalogue.open(path)
    assert still.recordings().num_rows == 1
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        still.sync_recordings([entry(1)])
    still.close()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_vague_error_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLite cannot even read in WAL mode without space, and says only "disk I/O error".
    def fail() -> None:
        with database_errors(str(tmp_path / "catalogue.db"), 1.0):
            raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreError, match="reports an error"):
        fail()
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFullError, match="disk is full"):
        fail()


def test_two_connections_that_switch_to_wal_at_once_try_again(tmp_path: Path) -> None:
    class Busy:
        """SQLite where two connections would wait for each other: "locked", without waiting."""

        def __init__(self, failures: int) -> None:
            self.failures = failures

        def execute(self, _statement: str) -> Busy:
            self.failures -= 1
            if self.failures >= 0:
                raise sqlite3.OperationalError("database is locked")
            return self

        def fetchone(self) -> tuple[str]:
            return ("wal",)

    opened = database.Database(f"sqlite:///{tmp_path}/c.db", "c", wait_s=10)
    assert opened._ask_for_wal(Busy(2)) == "wal"
    hasty = database.Database(f"sqlite:///{tmp_path}/c.db", "c", wait_s=0)
    with pytest.raises(sqlite3.OperationalError):
        hasty._ask_for_wal(Busy(1))
