"""The queue that the loop keeps filled: one that everybody shares, chosen by a strategy."""

from __future__ import annotations

from sqlalchemy import func, select

from antiphon.app.jobs.preferences import Preferences
from antiphon.pipeline.annotate.queues import QueueState, make_queue, queue_state, renew
from antiphon.store.answers import ANSWER, RETRACT
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Answer, Queue, QueueItem
from antiphon.store.vectors import VectorTable

_NAME = "Loop"


def current_queue(folder: ProjectFolder) -> QueueState | None:
    """Return the newest open shared queue that a strategy chose, None before the first."""
    queue_id = current_id(folder)
    return None if queue_id is None else queue_state(folder, queue_id)


def current_id(folder: ProjectFolder) -> int | None:
    """Return the id of :func:`current_queue`, without counting its windows."""
    query = select(func.max(Queue.id)).where(
        Queue.open.is_(True), Queue.owner.is_(None), Queue.kind == "strategy"
    )
    with folder.catalogue.database.read() as connection:
        return connection.execute(query).scalar()


def fill_queue(
    folder: ProjectFolder, table: VectorTable, preferences: Preferences
) -> tuple[QueueState, bool]:
    """Choose the windows of the loop's queue anew, or make it; return whether it was there.

    Windows that somebody holds or has answered stay.

    Raises
    ------
    UserError
        If no window is left to label.
    """
    queue = current_queue(folder)
    n = preferences.queue_length
    if queue is None:
        state = make_queue(folder, table, "strategy", n, name=_NAME, strategy=preferences.strategy)
        return state, False
    return renew(folder, queue.id, n=n, strategy=preferences.strategy), True


def last_answer(folder: ProjectFolder) -> int:
    """Return the largest id of an answer, 0 before the first."""
    with folder.catalogue.database.read() as connection:
        return int(connection.execute(select(func.max(Answer.id))).scalar() or 0)


def answers_since(folder: ProjectFolder, queue_id: int, since: int) -> int:
    """Return how many answers to a queue were given after one; those taken back do not count."""
    taken_back = select(Answer.replaces).where(Answer.kind == RETRACT, Answer.id > since)
    query = (
        select(func.count())
        .select_from(Answer)
        .join(QueueItem, Answer.item_id == QueueItem.id)
        .where(
            QueueItem.queue_id == queue_id,
            Answer.id > since,
            Answer.kind == ANSWER,
            Answer.id.not_in(taken_back),
        )
    )
    with folder.catalogue.database.read() as connection:
        return int(connection.execute(query).scalar_one())
