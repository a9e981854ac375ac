"""Answers of people in the catalogue: rows are added and never changed.

What stands follows from the rows. The answers of one person to one window are a pile: a new answer
lies on the one that stood (its ``replaces``), a retraction takes the top one off, a skip lies on
the pile without hiding what was said before. Settlements of a window are one pile, whoever made
them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from antiphon.store.schema import Annotation, Answer
from antiphon.store.work import now

ANSWER, SKIP, RETRACT, SETTLE = "answer", "skip", "retract", "settle"
KINDS = (ANSWER, SKIP, RETRACT, SETTLE)

Window = tuple[int, float, float, int]
"""Recording, start and end in seconds, channel."""

# SQLite takes at least 999 bound values in one statement.
_CHUNK = 900


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One row of the answers; ``kind`` is one of :data:`KINDS`, the time is UTC."""

    id: int
    recording_id: int
    start_s: float
    end_s: float
    channel: int
    annotator: str
    kind: str
    said: Mapping[str, Any]
    replaces: int | None
    item_id: int | None
    seconds: float | None
    suggested: Sequence[Any] | None
    created_at: datetime
    key: str

    @property
    def window(self) -> Window:
        """The window it is about."""
        return (self.recording_id, self.start_s, self.end_s, self.channel)

    @property
    def batch(self) -> str:
        """The batch of the annotations that follow from it."""
        return f"{self.kind} {self.id}"


_COLUMNS = [getattr(Answer, name) for name in AnswerRow.__slots__]


def add(connection: Connection, **values: Any) -> AnswerRow:
    """Add an answer; values by the names of :class:`AnswerRow`, without id and time."""
    added = connection.execute(
        insert(Answer).values(**values, created_at=now()).returning(Answer.id)
    )
    found = by_id(connection, int(added.scalar_one()))
    assert found is not None
    return found


def by_id(connection: Connection, answer_id: int) -> AnswerRow | None:
    """Return an answer, or None."""
    row = connection.execute(select(*_COLUMNS).where(Answer.id == answer_id)).first()
    return None if row is None else AnswerRow(*row)


def by_key(connection: Connection, key: str) -> AnswerRow | None:
    """Return the answer that a client sent under a key, or None."""
    row = connection.execute(select(*_COLUMNS).where(Answer.key == key)).first()
    return None if row is None else AnswerRow(*row)


def of_window(connection: Connection, window: Window) -> list[AnswerRow]:
    """Return all rows about a window, in order."""
    recording, start, end, channel = window
    query = (
        select(*_COLUMNS)
        .where(
            Answer.recording_id == recording,
            Answer.start_s == start,
            Answer.end_s == end,
            Answer.channel == channel,
        )
        .order_by(Answer.id)
    )
    return [AnswerRow(*row) for row in connection.execute(query)]


def by_window(
    connection: Connection, recording_ids: Iterable[int] | None = None
) -> dict[Window, list[AnswerRow]]:
    """Return all rows by window, in order; of some recordings, or of all."""
    query = select(*_COLUMNS).order_by(Answer.id)
    found: dict[Window, list[AnswerRow]] = {}
    for rows in _in_portions(connection, query, recording_ids):
        for row in rows:
            answer = AnswerRow(*row)
            found.setdefault(answer.window, []).append(answer)
    return found


def _in_portions(
    connection: Connection, query: Any, recording_ids: Iterable[int] | None
) -> Iterator[Iterable[Any]]:
    if recording_ids is None:
        yield connection.execute(query)
        return
    ids = sorted(set(recording_ids))
    for begin in range(0, len(ids), _CHUNK):
        some = ids[begin : begin + _CHUNK]
        yield connection.execute(query.where(Answer.recording_id.in_(some)))


def page(
    connection: Connection,
    *,
    window: Window | None = None,
    annotator: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AnswerRow]:
    """Return rows, the newest first.

    Parameters
    ----------
    before
        Only rows with a lower id, for the next page.
    """
    query = select(*_COLUMNS).order_by(Answer.id.desc()).limit(limit)
    if window is not None:
        recording, start, end, channel = window
        query = query.where(
            Answer.recording_id == recording,
            Answer.start_s == start,
            Answer.end_s == end,
            Answer.channel == channel,
        )
    if annotator is not None:
        query = query.where(Answer.annotator == annotator)
    if before is not None:
        query = query.where(Answer.id < before)
    return [AnswerRow(*row) for row in connection.execute(query)]


def given(connection: Connection, kinds: Sequence[str] = (ANSWER,)) -> list[AnswerRow]:
    """Return all rows of some kinds, in order, whether they stand or not."""
    query = select(*_COLUMNS).where(Answer.kind.in_(list(kinds))).order_by(Answer.id)
    return [AnswerRow(*row) for row in connection.execute(query)]


def of_item(connection: Connection, item_id: int) -> list[AnswerRow]:
    """Return all rows about an item of a queue, in order."""
    query = select(*_COLUMNS).where(Answer.item_id == item_id).order_by(Answer.id)
    return [AnswerRow(*row) for row in connection.execute(query)]


# What stands


@dataclass(frozen=True, slots=True)
class Piles:
    """What stands of the rows of one window; made by :func:`piles`.

    Parameters
    ----------
    tops
        The row on top of each pile: by the person's name, and by None for settlements. Piles that
        are empty are left out.
    rows
        All rows of the window by id.
    """

    tops: dict[str | None, AnswerRow]
    rows: dict[int, AnswerRow]

    def under(self, row: AnswerRow) -> AnswerRow | None:
        """Return the row that lies under another one."""
        return None if row.replaces is None else self.rows[row.replaces]

    def standing(self, pile: str | None) -> AnswerRow | None:
        """Return what stands in a pile: the first from the top that is no skip."""
        row = self.tops.get(pile)
        while row is not None and row.kind == SKIP:
            row = self.under(row)
        return row

    def all_standing(self) -> list[AnswerRow]:
        """Return what stands in all piles, in order of the rows."""
        found = (self.standing(pile) for pile in self.tops)
        return sorted((row for row in found if row is not None), key=lambda row: row.id)


def pile_of(row: AnswerRow) -> str | None:
    """Return the pile of an answer, skip or settlement."""
    return None if row.kind == SETTLE else row.annotator


def piles(rows: Sequence[AnswerRow]) -> Piles:
    """Return what stands, from all rows of one window in order."""
    known = {row.id: row for row in rows}
    found = Piles({}, known)
    for row in rows:
        if row.kind != RETRACT:
            found.tops[pile_of(row)] = row
            continue
        assert row.replaces is not None
        taken = known[row.replaces]
        below = found.under(taken)
        if below is None:
            found.tops.pop(pile_of(taken), None)
        else:
            found.tops[pile_of(taken)] = below
    return found


# Annotations that follow from answers


def remove_derived(connection: Connection, row: AnswerRow) -> None:
    """Delete the annotations that follow from an answer."""
    connection.execute(
        delete(Annotation).where(
            Annotation.recording_id == row.recording_id, Annotation.batch == row.batch
        )
    )


def set_aside(connection: Connection, window: Window, annotator: str) -> list[dict[str, Any]]:
    """Delete what a person's tables say of exactly this window and return it as JSON values.

    An answer takes the place of what the same person said of the same window in a table;
    :func:`put_back` undoes it.
    """
    recording, start, end, channel = window
    same = (
        Annotation.recording_id == recording,
        Annotation.start_s == start,
        Annotation.end_s == end,
        Annotation.channel.is_(None) if channel < 0 else Annotation.channel == channel,
        Annotation.annotator == annotator,
        Annotation.low_hz.is_(None),
    )
    table = Annotation.__table__
    found = [
        dict(row._mapping)
        for row in connection.execute(select(*table.c).where(*same))
        if not is_derived(row._mapping["batch"])
    ]
    if found:
        ids = [row["id"] for row in found]
        connection.execute(delete(Annotation).where(Annotation.id.in_(ids)))
    for row in found:
        del row["id"]
        row["created_at"] = row["created_at"].isoformat()
    return found


def put_back(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add what :func:`set_aside` took away, where no table has said it again since."""
    for row in rows:
        there = connection.execute(select(Annotation.id).where(Annotation.key == row["key"]))
        if there.first() is None:
            values = {**row, "created_at": datetime.fromisoformat(row["created_at"])}
            connection.execute(insert(Annotation).values(**values))


def is_derived(batch: str | None) -> bool:
    """Return whether annotations of a batch follow from an answer."""
    return batch is not None and batch.startswith((f"{ANSWER} ", f"{SETTLE} "))


def retract_replaced(connection: Connection, annotation_ids: Sequence[int]) -> None:
    """Retract the answers from which annotations follow that a table is about to replace.

    All annotations of such an answer go, and the person's earlier answers to the window with it:
    what the table says is their word now.
    """
    batches: set[str] = set()
    for begin in range(0, len(annotation_ids), _CHUNK):
        some = [int(i) for i in annotation_ids[begin : begin + _CHUNK]]
        found = connection.execute(select(Annotation.batch).where(Annotation.id.in_(some)))
        batches.update(batch for batch in found.scalars() if batch is not None)
    for batch in sorted(filter(is_derived, batches)):
        row = by_id(connection, int(batch.split()[1]))
        if row is None:
            continue
        remove_derived(connection, row)
        state = piles(of_window(connection, row.window))
        top = state.tops.get(pile_of(row))
        while top is not None:
            add(
                connection,
                recording_id=top.recording_id,
                start_s=top.start_s,
                end_s=top.end_s,
                channel=top.channel,
                annotator=top.annotator,
                kind=RETRACT,
                said={"by": "import"},
                replaces=top.id,
                item_id=None,
                seconds=None,
                suggested=None,
                key=f"import {uuid.uuid4().hex}",
            )
            top = state.under(top)
