"""Queues of windows to label, of one person or shared by several.

A window of a queue is held by one person for a while, so that two people never have the same
window of a shared queue open. Whoever goes on asking for windows renews what they hold; what is
held no longer goes to others.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import LEASE_S
from antiphon.pipeline.annotate.choosing import KINDS, Wish, choose
from antiphon.pipeline.annotate.said import Span, StoredAnswer
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.windows import WindowSet, load_windows
from antiphon.store import answers, queues
from antiphon.store.project import ProjectFolder
from antiphon.store.queues import Counts, ItemRow, QueueRow
from antiphon.store.vectors import VectorTable
from antiphon.store.work import now

__all__ = [
    "KINDS",
    "LEASE_S",
    "Item",
    "Lease",
    "QueueState",
    "close_queue",
    "item_of",
    "lease",
    "list_queues",
    "make_queue",
    "queue_state",
    "release",
    "renew",
]

# Queues whose windows may be chosen anew; of the others the chances, or the list, would be lost.
_RENEWABLE = ("strategy", "search", "disagreement")


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue and how far it is.

    Parameters
    ----------
    owner
        Whose it is; None where it is shared.
    parameters
        How its windows were chosen, with ``frame`` (windows drawn from) and ``strata`` where they
        were drawn by chance.
    total, done, skipped
        Windows in all, answered, and skipped.
    held
        Windows that somebody has open now.
    open
        Whether it gives out windows.
    """

    id: int
    name: str
    kind: str
    owner: str | None
    parameters: Mapping[str, Any]
    total: int
    done: int
    skipped: int
    held: int
    open: bool
    created_at: datetime

    @property
    def left(self) -> int:
        """Windows that are neither answered nor skipped."""
        return self.total - self.done - self.skipped


@dataclass(frozen=True, slots=True)
class Item:
    """A window of a queue, held by somebody.

    Parameters
    ----------
    chance
        Probability with which the window came into the queue; None where it was sought out.
    answers
        What stands of the window: of the person in a queue of their own, of everybody in others.
    seen
        The largest id of the window's answers, to be given back with the answer.
    """

    id: int
    queue_id: int
    span: Span
    utility: float | None
    chance: float | None
    stratum: str | None
    suggested: tuple[tuple[str, float], ...]
    answers: tuple[StoredAnswer, ...]
    seen: int


@dataclass(frozen=True, slots=True)
class Lease:
    """What a person got of a queue.

    Parameters
    ----------
    items
        Windows that are new to the page.
    lost
        Items the page had that others took, answered or closed meanwhile.
    left
        Windows of the queue that are neither answered nor skipped, held ones included.
    """

    items: tuple[Item, ...]
    lost: tuple[int, ...]
    left: int


def make_queue(
    folder: ProjectFolder,
    table: VectorTable | None,
    kind: str,
    n: int,
    *,
    owner: str | None = None,
    name: str | None = None,
    strategy: str = "antiphon",
    where: WindowFilter | None = None,
    like: Span | None = None,
    windows: Sequence[Span] = (),
    label: str | None = None,
    per_recording: int | None = None,
    seed: int | None = None,
    window_set: WindowSet | None = None,
) -> QueueState:
    """Make a queue; see :class:`~antiphon.pipeline.annotate.choosing.Wish` for what it may hold.

    Parameters
    ----------
    table
        The embeddings whose windows are chosen; the newest when None.
    owner
        Whose queue it is; None shares it.
    name
        What people see; the kind and what it is about when None.
    seed
        Drawn, and kept, when None.
    window_set
        The table's windows, where they are loaded already.

    Raises
    ------
    UserError
        If the wish does not hold together, or no window fits it.
    """
    wish = Wish(
        kind=kind,
        n=n,
        strategy=strategy,
        where=where or WindowFilter(),
        like=like,
        windows=tuple(windows),
        label=label,
        per_recording=per_recording,
        seed=secrets.randbits(32) if seed is None else seed,
    )
    table = folder.table() if table is None else table
    choice = choose(folder, window_set or load_windows(folder, table), wish)
    with folder.catalogue.database.write() as connection:
        queue_id = queues.add_queue(
            connection,
            choice.items,
            name=(name or "").strip() or _name(wish),
            kind=kind,
            parameters={**wish.to_json(), **choice.facts},
            table_id=table.id,
            owner=owner,
        )
    return queue_state(folder, queue_id)


def list_queues(folder: ProjectFolder, *, person: str | None = None) -> list[QueueState]:
    """Return the queues, the newest first.

    Parameters
    ----------
    person
        Only queues that they may label: shared ones and their own.
    """
    with folder.catalogue.database.read() as connection:
        rows, counts = queues.queues(connection), queues.counts(connection)
    return [
        _state(row, counts)
        for row in rows
        if person is None or row.owner is None or row.owner == person
    ]


def queue_state(folder: ProjectFolder, queue_id: int) -> QueueState:
    """Return a queue and how far it is.

    Raises
    ------
    UserError
        If there is no such queue.
    """
    with folder.catalogue.database.read() as connection:
        return _state(_the(connection, queue_id), queues.counts(connection, queue_id))


def lease(
    folder: ProjectFolder,
    queue_id: int,
    annotator: str,
    n: int = 1,
    *,
    holding: Sequence[int] = (),
    seconds: float = LEASE_S,
) -> Lease:
    """Give a person the next windows of a queue, to be held for a while.

    Parameters
    ----------
    n
        How many windows more; 0 only renews.
    holding
        Items the page has; they are held for longer and not given again. Without them, somebody
        who lost their page gets the windows they had.
    seconds
        For how long they are held.

    Raises
    ------
    UserError
        If there is no such queue, it is closed, or it is somebody else's.
    """
    with folder.catalogue.database.write() as connection:
        queue = _the(connection, queue_id)
        _check_owner(queue, annotator)
        if not queue.open:
            raise UserError(f"The queue {queue.name!r} is closed.")
        kept = queues.keep(connection, holding, annotator, seconds)
        rows = queues.take(connection, queue_id, annotator, n, kept, seconds) if n > 0 else []
        items = tuple(_item(connection, queue, row, annotator) for row in rows)
        left = queues.left(connection, queue_id)
    return Lease(items, tuple(i for i in holding if i not in kept), left)


def item_of(folder: ProjectFolder, item_id: int, annotator: str) -> Item | None:
    """Return a window of a queue as a person sees it; None if it is gone or somebody else's."""
    with folder.catalogue.database.read() as connection:
        row = queues.item(connection, item_id)
        queue = None if row is None else queues.queue(connection, row.queue_id)
        if row is None or queue is None or queue.owner not in (None, annotator):
            return None
        return _item(connection, queue, row, annotator)


def release(folder: ProjectFolder, annotator: str, items: Sequence[int]) -> int:
    """Let windows go that a person holds and will not answer; return how many there were."""
    with folder.catalogue.database.write() as connection:
        return queues.release(connection, list(items), annotator)


def close_queue(folder: ProjectFolder, queue_id: int, *, closed: bool = True) -> QueueState:
    """Close a queue, so that it gives out no more windows, or open it again."""
    with folder.catalogue.database.write() as connection:
        _the(connection, queue_id)
        queues.set_open(connection, queue_id, not closed)
    return queue_state(folder, queue_id)


def renew(
    folder: ProjectFolder,
    queue_id: int,
    *,
    n: int | None = None,
    strategy: str | None = None,
    seed: int | None = None,
    window_set: WindowSet | None = None,
) -> QueueState:
    """Replace the windows that nobody has been shown by a fresh choice.

    What is held, answered, skipped, or was ever answered and taken back stays. People go on
    labelling meanwhile: the choice is made first, then the windows are exchanged at once.

    Parameters
    ----------
    n
        Windows that the queue is to have left afterwards, besides those held; as many as it has
        now when None.
    strategy
        Another strategy, from now on.
    seed
        Of the choice; drawn when None.
    window_set
        The windows of the queue's table, where they are loaded already.

    Raises
    ------
    UserError
        If there is no such queue, its windows were drawn with known chances or given by a person,
        or no window is left to choose.
    """
    with folder.catalogue.database.read() as connection:
        queue = _the(connection, queue_id)
        rows = queues.items(connection, queue_id)
        skipped = queues.counts(connection, queue_id).get(queue_id, Counts(0, 0, 0, 0)).skipped
    if queue.kind not in _RENEWABLE:
        raise UserError(
            f"The queue {queue.name!r} is {queue.kind}: its windows stay as they were drawn."
        )
    waiting = [row for row in rows if row.done is None]
    untouched = sum(row.held_until is None or row.held_until <= now() for row in waiting)
    wanted = untouched if n is None else n
    if wanted < 1:
        return queue_state(folder, queue_id)
    wish = Wish.from_json(queue.kind, queue.parameters)
    wish = replace(
        wish,
        strategy=strategy or wish.strategy,
        # What is held or was skipped carries no label and may be chosen again; a search or a
        # disagreement may bring what is answered as well.
        n=wanted + (len(waiting) + skipped if queue.kind == "strategy" else len(rows)) - untouched,
        seed=secrets.randbits(32) if seed is None else seed,
    )
    choice = choose(folder, window_set, wish)
    with folder.catalogue.database.write() as connection:
        queues.drop_untouched(connection, queue_id)
        there = {row.window for row in queues.items(connection, queue_id)}
        fresh = [item for item in choice.items if _window(item) not in there][:wanted]
        queues.add_items(connection, queue_id, fresh)
        kept = {**replace(wish, n=int(queue.parameters["n"])).to_json(), **choice.facts}
        queues.set_parameters(connection, queue_id, kept)
    return queue_state(folder, queue_id)


def _item(connection: Connection, queue: QueueRow, row: ItemRow, annotator: str) -> Item:
    there = answers.of_window(connection, row.window)
    standing = answers.piles(there).all_standing()
    if queue.owner is not None and queue.kind != "disagreement":
        # Opinions are worth comparing only where nobody knew the other's.
        standing = [one for one in standing if one.annotator == annotator]
    return Item(
        id=row.id,
        queue_id=row.queue_id,
        span=Span.of(row.window),
        utility=row.utility,
        chance=row.chance,
        stratum=row.stratum,
        suggested=tuple((str(name), float(p)) for name, p in row.suggested or ()),
        answers=tuple(StoredAnswer.of(one) for one in standing),
        seen=there[-1].id if there else 0,
    )


def _state(row: QueueRow, counts: Mapping[int, Counts]) -> QueueState:
    count = counts.get(row.id, Counts(0, 0, 0, 0))
    return QueueState(
        id=row.id,
        name=row.name,
        kind=row.kind,
        owner=row.owner,
        parameters=row.parameters,
        total=count.total,
        done=count.done,
        skipped=count.skipped,
        held=count.held,
        open=row.open,
        created_at=row.created_at,
    )


def _the(connection: Connection, queue_id: int) -> QueueRow:
    row = queues.queue(connection, queue_id)
    if row is None:
        raise UserError(f"There is no queue {queue_id}.")
    return row


def _check_owner(queue: QueueRow, annotator: str) -> None:
    if queue.owner is not None and queue.owner != annotator:
        raise UserError(f"The queue {queue.name!r} is {queue.owner}'s.")


def _window(item: Mapping[str, Any]) -> answers.Window:
    return (item["recording_id"], item["start_s"], item["end_s"], item["channel"])


def _name(wish: Wish) -> str:
    about = {
        "strategy": wish.strategy,
        "stratified": f"by the score of {wish.label}",
        "search": "like a window" if wish.like is not None else "by conditions",
    }.get(wish.kind, "")
    return f"{wish.kind} {about}".strip()
