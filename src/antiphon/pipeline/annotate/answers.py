"""Answers of people: kept for good, taken back without limit, turned into annotations.

An answer, the annotations that follow from it and the end of its queue item are one transaction:
either all of it is there or nothing. Rows of answers are only ever added. The annotations of a
window are those that follow from what stands: of each person the last answer that was not taken
back, and the last settlement. Training reads annotations as from any table; see
:mod:`antiphon.labels.disputes` for windows on which people disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from antiphon.errors import UserError
from antiphon.pipeline.annotate.said import Box, Said, Span, StoredAnswer
from antiphon.store import answers as rows
from antiphon.store import queues
from antiphon.store.annotations import add_derived
from antiphon.store.answers import ANSWER, RETRACT, SETTLE, SKIP, AnswerRow, Piles
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Label, Recording

__all__ = [
    "AnswerConflict",
    "Box",
    "Said",
    "Span",
    "StoredAnswer",
    "answer",
    "history",
    "standing",
    "undo",
]

SOURCE = "antiphon label"
"""The source of annotations that follow from answers."""

LEASE_S = 300.0
"""Seconds for which a window of a queue is held."""

_LONGEST_KEY = 200


class AnswerConflict(UserError):  # noqa: N818 - it is no fault of anybody's
    """Somebody else answered the window since it was shown.

    Parameters
    ----------
    answers
        What others have said of it that stands.
    """

    def __init__(self, answers: Sequence[StoredAnswer]) -> None:
        self.answers = tuple(answers)
        names = ", ".join(dict.fromkeys(one.annotator for one in answers))
        super().__init__(f"{names} answered this window meanwhile; look at that answer first.")

    def __reduce__(self) -> tuple[type[AnswerConflict], tuple[tuple[StoredAnswer, ...]]]:
        """Keep the answers when the error crosses a process boundary."""
        return (type(self), (self.answers,))


def answer(
    folder: ProjectFolder,
    annotator: str,
    span: Span,
    said: Said | None,
    *,
    kind: str = ANSWER,
    key: str,
    seen: int | None = None,
    item: int | None = None,
    seconds: float | None = None,
    suggested: Sequence[tuple[str, float]] | None = None,
    force: bool = False,
) -> StoredAnswer:
    """Keep what a person says of a window; on return it is committed.

    It takes the place of the person's earlier answer to the same window, and of what a table
    imported in the same name says of exactly that window.

    Parameters
    ----------
    said
        None for a skip.
    kind
        ``answer``; ``skip``, which says nothing and closes the item; ``settle``, which decides
        the labels it names for training, whatever others say.
    key
        Made up by the client, one for each answer: the same answer sent twice is kept once.
    seen
        The largest id of the answers to this window when it was shown (0 for none); None when
        nobody asks for the check.
    item
        The item of a queue that it closes; left out where the queue has it no more.
    seconds
        Time spent on the window.
    suggested
        What the page suggested; None when that was hidden.
    force
        Keep it though somebody else answered since.

    Raises
    ------
    AnswerConflict
        If somebody else's answer to this window is newer than ``seen`` and stands. In a queue of
        the person's own there is no such check: each of several people is to say what they hear,
        unaffected by others.
    UserError
        If the answer says nothing, names an unknown label or does not fit the window, the
        recording or the item.
    """
    if kind not in (ANSWER, SKIP, SETTLE):
        raise UserError(f"An answer cannot be of the kind {kind!r}; it is answer, skip or settle.")
    _check_key(key)
    if not annotator.strip():
        raise UserError("An answer needs the name of who gives it.")
    if seconds is not None and not 0.0 <= seconds < float("inf"):
        raise UserError(f"An answer cannot take {seconds:g} seconds.")
    said = said or Said()
    if kind == SKIP and not said.empty:
        raise UserError("A skip says nothing of the window.")
    if kind != SKIP and said.empty:
        raise UserError("The answer says nothing; skip the window instead.")
    with folder.catalogue.database.write() as connection:
        before = rows.by_key(connection, key)
        if before is not None:
            _check_same(before, annotator, span)
            return StoredAnswer.of(before, repeated=True)
        _check_recording(connection, span, said)
        names = list(connection.execute(select(Label.name)).scalars())
        said = said if kind == SKIP else said.checked(span, names)
        item, independent = _find_item(connection, item, annotator, span)
        there = rows.of_window(connection, span.window)
        piles = rows.piles(there)
        if seen is not None and not force and not independent and kind != SKIP:
            _check_conflict(piles, annotator, seen)
        pile = None if kind == SETTLE else annotator
        top, stands = piles.tops.get(pile), piles.standing(pile)
        kept = {} if kind == SKIP else said.to_json()
        if kind == ANSWER:
            aside = rows.set_aside(connection, span.window, annotator)
            if aside:
                kept["set_aside"] = aside
        stored = rows.add(
            connection,
            **_where(span),
            annotator=annotator,
            kind=kind,
            said=kept,
            replaces=None if top is None else top.id,
            item_id=item,
            seconds=seconds,
            suggested=None if suggested is None else [[name, p] for name, p in suggested],
            key=key,
        )
        if kind != SKIP:
            if stands is not None:
                rows.remove_derived(connection, stands)
            _derive(connection, folder, stored)
        if item is not None:
            queues.close_item(connection, item, stored.id)
    return StoredAnswer.of(stored)


def undo(
    folder: ProjectFolder, annotator: str, answer_id: int, *, key: str
) -> tuple[StoredAnswer, StoredAnswer | None]:
    """Take back an answer, skip or settlement; the one before it stands again.

    Nothing is deleted: a row of kind ``retract`` is added. The item that the answer closed is open
    again and held by the person.

    Returns
    -------
    retraction
        The row that was added.
    standing
        What stands now of the person (of a settlement: of all), None if nothing does.

    Raises
    ------
    UserError
        If there is no such answer, it is somebody else's, was taken back already, or lies under a
        later one of the same person.
    """
    _check_key(key)
    with folder.catalogue.database.write() as connection:
        row = rows.by_id(connection, answer_id)
        if row is None or row.kind == RETRACT:
            raise UserError(f"There is no answer {answer_id} to take back.")
        if row.annotator != annotator:
            raise UserError(f"Answer {answer_id} is {row.annotator}'s; only they can take it back.")
        pile = rows.pile_of(row)
        before = rows.by_key(connection, key)
        if before is not None:
            if before.kind != RETRACT or before.replaces != answer_id:
                raise UserError("This key belongs to another answer.")
            stands = rows.piles(rows.of_window(connection, row.window)).standing(pile)
            return StoredAnswer.of(before, repeated=True), _maybe(stands)
        piles = rows.piles(rows.of_window(connection, row.window))
        if piles.tops.get(pile) != row:
            taken = any(r.kind == RETRACT and r.replaces == row.id for r in piles.rows.values())
            raise UserError(
                f"Answer {answer_id} has been taken back already."
                if taken
                else f"A later answer to this window lies on answer {answer_id}; take that back "
                "first."
            )
        retraction = rows.add(
            connection,
            **_where(Span.of(row.window)),
            annotator=annotator,
            kind=RETRACT,
            said={},
            replaces=row.id,
            item_id=row.item_id,
            seconds=None,
            suggested=None,
            key=key,
        )
        below = piles.under(row)
        while below is not None and below.kind == SKIP:
            below = piles.under(below)
        if row.kind != SKIP:
            rows.remove_derived(connection, row)
            rows.put_back(connection, row.said.get("set_aside", ()))
            if below is not None:
                _derive(connection, folder, below)
        if row.item_id is not None:
            queues.reopen_item(connection, row.item_id, annotator, LEASE_S)
    return StoredAnswer.of(retraction), _maybe(below)


def history(
    folder: ProjectFolder,
    *,
    span: Span | None = None,
    annotator: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[StoredAnswer]:
    """Return all that was ever answered, taken back and skipped, the newest first.

    Parameters
    ----------
    span, annotator
        Only of this window, only of this person.
    before
        Only answers with a lower id, for the next page.
    """
    window = None if span is None else span.window
    with folder.catalogue.database.read() as connection:
        found = rows.page(
            connection, window=window, annotator=annotator, before=before, limit=limit
        )
    return [StoredAnswer.of(row) for row in found]


def standing(
    folder: ProjectFolder, spans: Sequence[Span] | None = None
) -> dict[Span, list[StoredAnswer]]:
    """Return what stands of windows: one answer of each person, and the settlement.

    Parameters
    ----------
    spans
        The windows; all that were ever answered when None.

    Returns
    -------
    dict
        In the order the answers were given; windows of which nothing stands are left out.
    """
    with folder.catalogue.database.read() as connection:
        if spans is None:
            by_window = rows.by_window(connection)
        elif len(spans) <= 50:
            by_window = {s.window: rows.of_window(connection, s.window) for s in spans}
        else:
            wanted = {s.window for s in spans}
            found = rows.by_window(connection, {s.recording_id for s in spans})
            by_window = {window: there for window, there in found.items() if window in wanted}
    stands = {
        Span.of(window): [StoredAnswer.of(row) for row in rows.piles(there).all_standing()]
        for window, there in by_window.items()
    }
    return {span: some for span, some in stands.items() if some}


def _derive(connection: Connection, folder: ProjectFolder, row: AnswerRow) -> None:
    """Add the annotations that follow from an answer or a settlement."""
    said = Said.from_json(row.said)
    add_derived(
        connection,
        said.annotations(Span.of(row.window), folder.config.labels.min_overlap),
        annotator=row.annotator,
        source=SOURCE,
        batch=row.batch,
        created_at=row.created_at,
    )


def _where(span: Span) -> dict[str, Any]:
    return {
        "recording_id": span.recording_id,
        "start_s": span.start_s,
        "end_s": span.end_s,
        "channel": span.channel,
    }


def _maybe(row: AnswerRow | None) -> StoredAnswer | None:
    return None if row is None else StoredAnswer.of(row)


def _check_key(key: str) -> None:
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise UserError(
            f"An answer needs a key of 1 to {_LONGEST_KEY} characters that can be printed."
        )


def _check_same(before: AnswerRow, annotator: str, span: Span) -> None:
    if before.annotator != annotator or before.window != span.window or before.kind == RETRACT:
        raise UserError("This key belongs to another answer.")


def _check_recording(connection: Connection, span: Span, said: Said) -> None:
    found = connection.execute(
        select(Recording.channels, Recording.sample_rate, Recording.frames).where(
            Recording.id == span.recording_id
        )
    ).first()
    if found is None:
        raise UserError(f"The project has no recording {span.recording_id}.")
    channels, rate, frames = found
    if channels is not None and span.channel >= channels:
        raise UserError(
            f"Recording {span.recording_id} has {channels} channels; there is no channel "
            f"{span.channel} (they count from 0)."
        )
    if not rate or frames is None:
        return
    if span.start_s >= frames / rate:
        raise UserError(
            f"The window starts at {span.start_s:g} s; recording {span.recording_id} ends at "
            f"{frames / rate:g} s."
        )
    for box in said.boxes:
        # A box drawn to the edge of the picture may lie a rounding above it.
        if box.high_hz > rate / 2 + 1.0:
            raise UserError(
                f"The box of {box.label!r} reaches {box.high_hz:g} Hz; recording "
                f"{span.recording_id} goes up to {rate / 2:g} Hz."
            )


def _find_item(
    connection: Connection, item_id: int | None, annotator: str, span: Span
) -> tuple[int | None, bool]:
    """Return an item that is there and fits, and whether its queue is the person's own.

    An item that is gone because the queue was chosen anew is no reason to lose the answer.
    """
    item = None if item_id is None else queues.item(connection, item_id)
    queue = None if item is None else queues.queue(connection, item.queue_id)
    if item is None or queue is None:
        return None, False
    if Span.of(item.window) != span:
        raise UserError(f"Item {item_id} is another window than the one answered.")
    if queue.owner is not None and queue.owner != annotator:
        raise UserError(f"The queue {queue.name!r} is {queue.owner}'s.")
    return item.id, queue.owner is not None


def _check_conflict(piles: Piles, annotator: str, seen: int) -> None:
    newer = [row for row in piles.all_standing() if row.annotator != annotator and row.id > seen]
    if newer:
        raise AnswerConflict([StoredAnswer.of(row) for row in newer])
