"""Move a project's catalogue from its file into PostgreSQL, with all numbers that rows have."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, insert, inspect, select, text

from antiphon.errors import StoreError
from antiphon.store.catalogue import Catalogue
from antiphon.store.database import Database, name_of
from antiphon.store.faults import MOVED
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Base

_PORTION = 2000


def move(folder: ProjectFolder, url: str) -> dict[str, int]:
    """Copy the catalogue into an empty PostgreSQL database and use that from now on.

    The file is locked meanwhile and afterwards takes no more changes, not even from a program that
    has it open: nothing that anybody is told is kept gets lost. A move that was killed goes on when
    it is asked for again.

    Parameters
    ----------
    url
        SQLAlchemy URL of the database.

    Returns
    -------
    dict
        Rows copied, by table; empty where an earlier move had copied them.

    Raises
    ------
    StoreError
        If the project uses a database already, or this one is none of PostgreSQL, cannot be
        reached or is not empty. Nothing has changed then.
    """
    name = name_of(url)
    if folder.config.catalogue.url is not None:
        raise StoreError(
            f"{folder.root}: the catalogue is in {name_of(folder.config.catalogue.url)} already. "
            "From there it is moved with pg_dump and psql."
        )
    source = folder.catalogue
    target = Catalogue(Database(url, name))
    try:
        if not target.database.is_postgresql:
            raise StoreError(f"{name}: a catalogue can be moved to PostgreSQL only.")
        copied = _move(source, target)
    finally:
        target.close()
    folder.close()
    folder.config.catalogue.url = url
    folder.save_config()
    return copied


def _move(source: Catalogue, target: Catalogue) -> dict[str, int]:
    identity = source.identity
    if target.database.version() is not None:
        with source.database.read() as connection:
            begun = _is_closed(connection)
        if begun and target.identity == identity:
            return {}
        raise StoreError(
            f"{target.database.name}: there is a catalogue in this database already. Give an empty "
            "one (createdb, or DROP DATABASE first where it is left from an attempt that failed)."
        )
    with source.database.write() as old:
        if _is_closed(old):
            raise StoreError(
                f"{source.database.name}: this catalogue was moved to another database before. "
                "Put that one's URL into [catalogue] url of antiphon.toml."
            )
        target.database.prepare()
        with target.database.write() as new:
            copied = {table.name: _copy(old, new, table) for table in Base.metadata.sorted_tables}
        for table in Base.metadata.sorted_tables:
            _close(old, table.name)
    return copied


def _copy(old: Connection, new: Connection, table: Table) -> int:
    """Copy the rows of a table, in their order, and count new ones on from there."""
    keys = list(table.primary_key.columns)
    for rows in old.execute(select(table).order_by(*keys)).mappings().partitions(_PORTION):
        new.execute(insert(table), [dict(row) for row in rows])
    if [key.name for key in keys] == ["id"]:
        last = old.execute(select(func.max(table.c.id))).scalar() or 0
        if inspect(old).has_table("sqlite_sequence"):
            # Ids of rows that are gone are not given out again either.
            ever = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            last = max(last, old.execute(ever, {"name": table.name}).scalar() or 0)
        if last:
            new.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": table.name, "last": last},
            )
    return int(new.execute(select(func.count()).select_from(table)).scalar_one())


def _close(connection: Connection, table: str) -> None:
    """Let a table of SQLite take no more changes."""
    for change in ("INSERT", "UPDATE", "DELETE"):
        connection.execute(
            text(
                f"CREATE TRIGGER moved_{table}_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
            )
        )


def _is_closed(connection: Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'moved%'"
    return bool(connection.execute(text(query)).scalar())
