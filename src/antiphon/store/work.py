"""Work on tables of embeddings as the catalogue knows it: tables, claims and failures.

A claim says that a worker has taken a recording on. It is removed only after the recording's rows
are committed to the vector table, or after the worker has given it up. The catalogue never says
that a recording is done; see :mod:`antiphon.store.session` for the argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from antiphon.errors import StoreError
from antiphon.store.schema import Claim, EmbeddingTable, Failure

_CHUNK = 900


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table of embeddings; ``key`` is the digest of all that tells it from others."""

    id: int
    name: str
    key: str
    encoder: str
    fingerprint: str
    spec: Mapping[str, Any]
    windows: Mapping[str, Any]
    origin: Mapping[str, Any]
    dim: int
    dtype: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Why a recording could not be embedded, how often it was tried, and when last (UTC)."""

    reason: str
    attempts: int
    last_at: datetime


_TABLE = [getattr(EmbeddingTable, name) for name in TableRow.__slots__]


def now() -> datetime:
    """Return the time as the catalogue keeps it: UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def tables(connection: Connection) -> list[TableRow]:
    """Return all tables, the newest last."""
    return [TableRow(*row) for row in connection.execute(select(*_TABLE).order_by("id"))]


def ensure_table(connection: Connection, facts: Mapping[str, Any]) -> TableRow:
    """Return the table with ``facts["key"]``, added if it is new.

    Raises
    ------
    StoreError
        If another table has its name, or the row under its key says something else.
    """
    found = connection.execute(
        select(*_TABLE).where(
            (EmbeddingTable.key == facts["key"]) | (EmbeddingTable.name == facts["name"])
        )
    ).all()
    if not found:
        connection.execute(insert(EmbeddingTable).values(**facts, created_at=now()))
        return ensure_table(connection, facts)
    row = TableRow(*found[0])
    for name in ("key", "name", "encoder", "fingerprint", "spec", "windows", "dim", "dtype"):
        if getattr(row, name) != facts[name]:
            raise StoreError(
                f"The catalogue's entry for the embeddings {row.name!r} says another {name} than "
                "the encoder in use. The entry was edited or comes from another project; restore "
                "the catalogue from a backup."
            )
    if facts["origin"] and row.origin != facts["origin"]:
        # The same encoder, reached in another way (a manifest that moved).
        connection.execute(
            update(EmbeddingTable)
            .where(EmbeddingTable.id == row.id)
            .values(origin=dict(facts["origin"]))
        )
        return TableRow(*connection.execute(select(*_TABLE).filter_by(id=row.id)).one())
    return row


def claim(
    connection: Connection,
    table_id: int,
    owner: str,
    candidates: Iterable[int],
    limit: int,
    failed_since: datetime | None,
) -> list[int]:
    """Claim the first ``limit`` candidates that nobody holds and that have not failed.

    Parameters
    ----------
    failed_since
        Failures before this time do not count (they are tried again); None: all count.
    """
    taken = set(
        connection.execute(select(Claim.recording_id).where(Claim.table_id == table_id)).scalars()
    )
    failed = select(Failure.recording_id).where(Failure.table_id == table_id)
    if failed_since is not None:
        failed = failed.where(Failure.last_at >= failed_since)
    taken.update(connection.execute(failed).scalars())
    mine: list[int] = []
    for candidate in candidates:
        if len(mine) == limit:
            break
        if candidate not in taken:
            taken.add(candidate)
            mine.append(candidate)
    if mine:
        connection.execute(
            insert(Claim),
            [{"table_id": table_id, "recording_id": i, "owner": owner} for i in mine],
        )
    return mine


def unclaim(
    connection: Connection, table_id: int, owner: str, recording_ids: Sequence[int] | None = None
) -> None:
    """Remove an owner's claims, all of them without ``recording_ids``."""
    query = delete(Claim).where(Claim.table_id == table_id, Claim.owner == owner)
    if recording_ids is None:
        connection.execute(query)
        return
    for begin in range(0, len(recording_ids), _CHUNK):
        some = recording_ids[begin : begin + _CHUNK]
        connection.execute(query.where(Claim.recording_id.in_(some)))


def owners(connection: Connection, table_id: int) -> set[str]:
    """Return who holds claims on a table."""
    query = select(Claim.owner).where(Claim.table_id == table_id).distinct()
    return set(connection.execute(query).scalars())


def held(connection: Connection, table_id: int, owner: str) -> list[int]:
    """Return the recordings that an owner has claimed."""
    query = select(Claim.recording_id).where(Claim.table_id == table_id, Claim.owner == owner)
    return list(connection.execute(query).scalars())


def add_failure(
    connection: Connection, table_id: int, owner: str, recording_id: int, reason: str
) -> None:
    """Keep why a recording failed and give up its claim, in one transaction."""
    key = {"table_id": table_id, "recording_id": recording_id}
    before = connection.execute(select(Failure.attempts).filter_by(**key)).scalar()
    values = {"reason": reason, "last_at": now(), "attempts": (before or 0) + 1}
    if before is None:
        connection.execute(insert(Failure).values(**key, **values))
    else:
        connection.execute(
            update(Failure)
            .where(Failure.table_id == table_id, Failure.recording_id == recording_id)
            .values(**values)
        )
    unclaim(connection, table_id, owner, [recording_id])


def clear_failures(connection: Connection, table_id: int, recording_ids: Sequence[int]) -> None:
    """Forget failures of recordings that have been done since."""
    for begin in range(0, len(recording_ids), _CHUNK):
        some = recording_ids[begin : begin + _CHUNK]
        connection.execute(
            delete(Failure).where(Failure.table_id == table_id, Failure.recording_id.in_(some))
        )


def failures(connection: Connection, table_id: int) -> dict[int, FailureRow]:
    """Return the failures of a table by recording id."""
    rows = connection.execute(
        select(Failure.recording_id, Failure.reason, Failure.attempts, Failure.last_at)
        .where(Failure.table_id == table_id)
        .order_by(Failure.recording_id)
    )
    return {row[0]: FailureRow(*row[1:]) for row in rows}
