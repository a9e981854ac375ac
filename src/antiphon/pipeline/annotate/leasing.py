"""Windows of queues go to people: who gets which, and for how long.

A window of a queue is held by one person for a while, so that two people never have the same
window of a shared queue open. Whoever goes on asking for windows renews what they hold; what is
held no longer goes to others.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection

from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import LEASE_S
from antiphon.pipeline.annotate.queues import find_queue
from antiphon.pipeline.annotate.said import Span, StoredAnswer
from antiphon.store import answers, queues
from antiphon.store.project import ProjectFolder
from antiphon.store.queues import ItemRow, QueueRow


@dataclass(frozen=True, slots=True)
class Item:
    """A window of a queue, held by somebody.

    Parameters
    ----------
    chance
        Probability with which the window came into the queue; None where it was sought out.
    answers
        What stands of the window: of everybody; only of the person in a queue of their own, and
        where the window waits in one.
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
        queue = find_queue(connection, queue_id)
        _check_owner(queue, annotator)
        if not queue.open:
            raise UserError(f"The queue {queue.name!r} is closed.")
        kept = queues.keep(connection, holding, annotator, seconds)
        rows = queues.take(connection, queue_id, annotator, n, kept, seconds) if n > 0 else []
        waiting = queues.to_answer(connection, annotator) if rows else set()
        items = tuple(_item(connection, queue, row, annotator, waiting) for row in rows)
        left = queues.left(connection, queue_id)
    return Lease(items, tuple(i for i in holding if i not in kept), left)


def item_of(folder: ProjectFolder, item_id: int, annotator: str) -> Item | None:
    """Return a window of a queue as a person sees it; None if it is gone or somebody else's."""
    with folder.catalogue.database.read() as connection:
        row = queues.item(connection, item_id)
        queue = None if row is None else queues.queue(connection, row.queue_id)
        if row is None or queue is None or queue.owner not in (None, annotator):
            return None
        return _item(connection, queue, row, annotator, queues.to_answer(connection, annotator))


def release(folder: ProjectFolder, annotator: str, items: Sequence[int]) -> int:
    """Let windows go that a person holds and will not answer; return how many there were."""
    with folder.catalogue.database.write() as connection:
        return queues.release(connection, list(items), annotator)


def _item(
    connection: Connection,
    queue: QueueRow,
    row: ItemRow,
    annotator: str,
    waiting: Set[answers.Window],
) -> Item:
    there = answers.of_window(connection, row.window)
    standing = answers.piles(there).all_standing()
    is_own = queue.owner is not None and queue.kind != "disagreement"
    if is_own or row.window in waiting:
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


def _check_owner(queue: QueueRow, annotator: str) -> None:
    if queue.owner is not None and queue.owner != annotator:
        raise UserError(f"The queue {queue.name!r} is {queue.owner}'s.")
