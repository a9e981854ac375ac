"""Queues of windows to label, of one person or shared by several: making and renewing them.

Who gets which window is the matter of :mod:`antiphon.pipeline.annotate.leasing`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from antiphon.errors import UserError
from antiphon.pipeline.annotate.choosing import Wish, choose
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.windows import WindowSet, load_windows
from antiphon.store import answers, queues
from antiphon.store.project import ProjectFolder
from antiphon.store.queues import Counts, QueueRow
from antiphon.store.vectors import VectorTable
from antiphon.store.work import now

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
        return _state(find_queue(connection, queue_id), queues.counts(connection, queue_id))


def close_queue(folder: ProjectFolder, queue_id: int, *, closed: bool = True) -> QueueState:
    """Close a queue, so that it gives out no more windows, or open it again."""
    with folder.catalogue.database.write() as connection:
        find_queue(connection, queue_id)
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
        queue = find_queue(connection, queue_id)
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


def find_queue(connection: Connection, queue_id: int) -> QueueRow:
    """Return a queue as the catalogue keeps it.

    Raises
    ------
    UserError
        If there is no such queue.
    """
    row = queues.queue(connection, queue_id)
    if row is None:
        raise UserError(f"There is no queue {queue_id}.")
    return row


def _window(item: Mapping[str, Any]) -> answers.Window:
    return (item["recording_id"], item["start_s"], item["end_s"], item["channel"])


def _name(wish: Wish) -> str:
    about = {
        "strategy": wish.strategy,
        "stratified": f"by the score of {wish.label}",
        "search": "like a window" if wish.like is not None else "by conditions",
    }.get(wish.kind, "")
    return f"{wish.kind} {about}".strip()
