"""Queues of windows in the catalogue: who has which window open, and what is done.

A window of a queue is held by one person until a time; then anybody may take it. All functions
that change something belong in a write transaction, of which there is one at a time, so that what
they read is still so when they write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update

from antiphon.store import answers
from antiphon.store.schema import Answer, Queue, QueueItem
from antiphon.store.work import now

_CHUNK = 900


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue; ``owner`` is None where it is shared by everybody. The time is UTC."""

    id: int
    name: str
    kind: str
    parameters: Mapping[str, Any]
    table_id: int | None
    owner: str | None
    open: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A window of a queue.

    Parameters
    ----------
    chance
        Probability with which the window came into the queue, None where it was sought out.
    holder, held_until
        Who has it open, and until when (UTC).
    done
        The answer or skip that closed it.
    """

    id: int
    queue_id: int
    position: int
    recording_id: int
    start_s: float
    end_s: float
    channel: int
    utility: float | None
    chance: float | None
    stratum: str | None
    suggested: Sequence[Any] | None
    holder: str | None
    held_until: datetime | None
    done: int | None

    @property
    def window(self) -> answers.Window:
        """The window."""
        return (self.recording_id, self.start_s, self.end_s, self.channel)


@dataclass(frozen=True, slots=True)
class Counts:
    """Windows of a queue: in all, answered, skipped, and held by somebody now."""

    total: int
    done: int
    skipped: int
    held: int

    @property
    def left(self) -> int:
        """Windows that are neither answered nor skipped, held ones included."""
        return self.total - self.done - self.skipped


_QUEUE = [getattr(Queue, name) for name in QueueRow.__slots__]
_ITEM = [getattr(QueueItem, name) for name in ItemRow.__slots__]


def add_queue(connection: Connection, items: Sequence[Mapping[str, Any]], **values: Any) -> int:
    """Add a queue with its windows, in their order, and return its id.

    Parameters
    ----------
    items
        By the names of :class:`ItemRow`: the window, and optionally utility, chance, stratum and
        suggested.
    **values
        ``name``, ``kind``, ``parameters``, ``table_id``, ``owner``.
    """
    added = connection.execute(
        insert(Queue).values(**values, open=True, created_at=now()).returning(Queue.id)
    )
    queue_id = int(added.scalar_one())
    add_items(connection, queue_id, items)
    return queue_id


def add_items(connection: Connection, queue_id: int, items: Sequence[Mapping[str, Any]]) -> None:
    """Add windows at the end of a queue."""
    last = connection.execute(
        select(func.max(QueueItem.position)).where(QueueItem.queue_id == queue_id)
    ).scalar()
    first = 0 if last is None else int(last) + 1
    empty = {"utility": None, "chance": None, "stratum": None, "suggested": None}
    values = [
        {
            **empty,
            **item,
            "queue_id": queue_id,
            "position": first + place,
            "holder": None,
            "held_until": None,
            "done": None,
        }
        for place, item in enumerate(items)
    ]
    if values:
        connection.execute(insert(QueueItem), values)


def queue(connection: Connection, queue_id: int) -> QueueRow | None:
    """Return a queue, or None."""
    row = connection.execute(select(*_QUEUE).where(Queue.id == queue_id)).first()
    return None if row is None else QueueRow(*row)


def queues(connection: Connection) -> list[QueueRow]:
    """Return all queues, the newest first."""
    return [QueueRow(*row) for row in connection.execute(select(*_QUEUE).order_by(Queue.id.desc()))]


def counts(connection: Connection, queue_id: int | None = None) -> dict[int, Counts]:
    """Return how far every queue is, or one, by its id; queues without windows are left out."""
    held = and_(QueueItem.done.is_(None), QueueItem.held_until > now())
    query = (
        select(
            QueueItem.queue_id,
            func.count(),
            func.count(QueueItem.done),
            func.sum(_one_if(Answer.kind == answers.SKIP)),
            func.sum(_one_if(held)),
        )
        .join(Answer, QueueItem.done == Answer.id, isouter=True)
        .group_by(QueueItem.queue_id)
    )
    if queue_id is not None:
        query = query.where(QueueItem.queue_id == queue_id)
    rows = connection.execute(query)
    return {
        int(i): Counts(int(total), int(closed) - int(skipped), int(skipped), int(open_))
        for i, total, closed, skipped, open_ in rows
    }


def left(connection: Connection, queue_id: int) -> int:
    """Return how many windows of a queue are neither answered nor skipped."""
    query = select(func.count()).where(QueueItem.queue_id == queue_id, QueueItem.done.is_(None))
    return int(connection.execute(query).scalar_one())


def to_answer(connection: Connection, person: str) -> set[answers.Window]:
    """Return the windows that wait in open queues of a person's own, disagreements left out.

    What others said of them must not reach the person before they have answered.
    """
    columns = (QueueItem.recording_id, QueueItem.start_s, QueueItem.end_s, QueueItem.channel)
    query = (
        select(*columns)
        .join(Queue, QueueItem.queue_id == Queue.id)
        .where(
            Queue.owner == person,
            Queue.open.is_(True),
            Queue.kind != "disagreement",
            QueueItem.done.is_(None),
        )
    )
    return {(int(r), float(s), float(e), int(c)) for r, s, e, c in connection.execute(query)}


def _one_if(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def item(connection: Connection, item_id: int) -> ItemRow | None:
    """Return a window of a queue, or None."""
    row = connection.execute(select(*_ITEM).where(QueueItem.id == item_id)).first()
    return None if row is None else ItemRow(*row)


def items(connection: Connection, queue_id: int) -> list[ItemRow]:
    """Return the windows of a queue in order."""
    query = (
        select(*_ITEM)
        .where(QueueItem.queue_id == queue_id)
        .order_by(QueueItem.position, QueueItem.id)
    )
    return [ItemRow(*row) for row in connection.execute(query)]


def take(
    connection: Connection,
    queue_id: int,
    holder: str,
    n: int,
    holding: Iterable[int],
    seconds: float,
) -> list[ItemRow]:
    """Hold the next windows that nobody else holds and return them.

    Parameters
    ----------
    holding
        Windows that the page has already; they are not returned again.
    seconds
        How long they are held.
    """
    time = now()
    known = set(holding)
    query = (
        select(*_ITEM)
        .where(
            QueueItem.queue_id == queue_id,
            QueueItem.done.is_(None),
            or_(
                QueueItem.holder.is_(None),
                QueueItem.holder == holder,
                QueueItem.held_until <= time,
            ),
        )
        .order_by(QueueItem.position, QueueItem.id)
        .limit(n + len(known))
    )
    found = [ItemRow(*row) for row in connection.execute(query)]
    found = [row for row in found if row.id not in known][:n]
    _hold(connection, [row.id for row in found], holder, time + timedelta(seconds=seconds))
    return found


def keep(connection: Connection, ids: Iterable[int], holder: str, seconds: float) -> set[int]:
    """Hold windows for longer and return those of them that the person still holds.

    A window whose time has run out is kept where nobody else took it meanwhile.
    """
    wanted = list(ids)
    mine: list[int] = []
    for begin in range(0, len(wanted), _CHUNK):
        some = wanted[begin : begin + _CHUNK]
        mine += connection.execute(
            select(QueueItem.id).where(
                QueueItem.id.in_(some), QueueItem.holder == holder, QueueItem.done.is_(None)
            )
        ).scalars()
    _hold(connection, mine, holder, now() + timedelta(seconds=seconds))
    return set(mine)


def release(connection: Connection, ids: Sequence[int], holder: str) -> int:
    """Let windows go that somebody holds; return how many there were."""
    gone = 0
    for begin in range(0, len(ids), _CHUNK):
        some = list(ids[begin : begin + _CHUNK])
        gone += connection.execute(
            update(QueueItem)
            .where(QueueItem.id.in_(some), QueueItem.holder == holder, QueueItem.done.is_(None))
            .values(holder=None, held_until=None)
        ).rowcount
    return gone


def _hold(connection: Connection, ids: Sequence[int], holder: str, until: datetime) -> None:
    for begin in range(0, len(ids), _CHUNK):
        some = list(ids[begin : begin + _CHUNK])
        connection.execute(
            update(QueueItem).where(QueueItem.id.in_(some)).values(holder=holder, held_until=until)
        )


def close_item(connection: Connection, item_id: int, answer_id: int) -> None:
    """Say that a window is done, by an answer or a skip."""
    connection.execute(
        update(QueueItem)
        .where(QueueItem.id == item_id)
        .values(done=answer_id, holder=None, held_until=None)
    )


def reopen_item(connection: Connection, item_id: int, holder: str, seconds: float) -> None:
    """Open a window again after an answer was taken back, held by the one who took it back.

    It stays closed where another answer to it has not been taken back.
    """
    rows = answers.of_item(connection, item_id)
    gone = {row.replaces for row in rows if row.kind == answers.RETRACT}
    left = [row.id for row in rows if row.kind != answers.RETRACT and row.id not in gone]
    if left:
        close_item(connection, item_id, left[-1])
        return
    connection.execute(
        update(QueueItem)
        .where(QueueItem.id == item_id)
        .values(done=None, holder=holder, held_until=now() + timedelta(seconds=seconds))
    )


def set_open(connection: Connection, queue_id: int, is_open: bool) -> None:
    """Close a queue, or open it again; windows that are held are let go."""
    connection.execute(update(Queue).where(Queue.id == queue_id).values(open=is_open))
    connection.execute(
        update(QueueItem)
        .where(QueueItem.queue_id == queue_id, QueueItem.done.is_(None))
        .values(holder=None, held_until=None)
    )


def set_parameters(connection: Connection, queue_id: int, parameters: Mapping[str, Any]) -> None:
    """Change how a queue is chosen."""
    connection.execute(
        update(Queue).where(Queue.id == queue_id).values(parameters=dict(parameters))
    )


def drop_untouched(connection: Connection, queue_id: int) -> int:
    """Delete the windows of a queue that nobody holds and nobody ever answered.

    Returns
    -------
    int
        How many there were.
    """
    answered = select(Answer.item_id).where(Answer.item_id.is_not(None))
    ids = list(
        connection.execute(
            select(QueueItem.id).where(
                QueueItem.queue_id == queue_id,
                QueueItem.done.is_(None),
                or_(QueueItem.holder.is_(None), QueueItem.held_until <= now()),
                QueueItem.id.not_in(answered),
            )
        ).scalars()
    )
    for begin in range(0, len(ids), _CHUNK):
        some = ids[begin : begin + _CHUNK]
        connection.execute(delete(QueueItem).where(QueueItem.id.in_(some)))
    return len(ids)
