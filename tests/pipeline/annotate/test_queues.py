"""Queues: who gets which window, for how long, and what becomes of it."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import update

from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import answer, history, undo
from antiphon.pipeline.annotate.leasing import item_of, lease, release
from antiphon.pipeline.annotate.queues import close_queue, list_queues, queue_state, renew
from antiphon.store import queues
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import QueueItem
from antiphon.store.work import now
from tests.pipeline.annotate.making import said, span


def make(folder: ProjectFolder, n: int = 6, owner: str | None = None, kind: str = "chosen") -> int:
    """Make a queue of the first windows of recording 1, without embeddings."""
    windows = [span(number) for number in range(n)]
    items = [
        {
            "recording_id": s.recording_id,
            "start_s": s.start_s,
            "end_s": s.end_s,
            "channel": s.channel,
            "suggested": [["dove", 0.7]],
        }
        for s in windows
    ]
    with folder.catalogue.database.write() as connection:
        return queues.add_queue(
            connection, items, name="q", kind=kind, parameters={}, table_id=None, owner=owner
        )


def expire(folder: ProjectFolder) -> None:
    with folder.catalogue.database.write() as connection:
        connection.execute(
            update(QueueItem)
            .where(QueueItem.held_until.is_not(None))
            .values(held_until=now() - timedelta(seconds=1))
        )


def test_nobody_gets_a_window_that_somebody_else_holds(folder: ProjectFolder) -> None:
    queue = make(folder)
    first = lease(folder, queue, "kim", 2)
    second = lease(folder, queue, "lee", 3)
    assert [item.span for item in first.items] == [span(0), span(1)]
    assert [item.span for item in second.items] == [span(2), span(3), span(4)]
    assert first.items[0].suggested == (("dove", 0.7),)
    assert (second.left, queue_state(folder, queue).held) == (6, 5)
    # More, without what the page has.
    more = lease(folder, queue, "kim", 2, holding=[item.id for item in first.items])
    assert [item.span for item in more.items] == [span(5)]
    assert lease(folder, queue, "lee", 2, holding=[i.id for i in second.items]).items == ()
    # Who lost the page gets what they had.
    assert [item.span for item in lease(folder, queue, "kim", 9).items] == [
        span(0),
        span(1),
        span(5),
    ]


def test_what_nobody_renews_goes_to_others(folder: ProjectFolder) -> None:
    queue = make(folder, 3)
    mine = [item.id for item in lease(folder, queue, "kim", 2).items]
    expire(folder)
    # Late, but nobody took them: they are kept.
    assert lease(folder, queue, "kim", 0, holding=mine).lost == ()
    expire(folder)
    assert len(lease(folder, queue, "lee", 3).items) == 3
    got = lease(folder, queue, "kim", 2, holding=mine)
    assert (got.lost, got.items) == (tuple(mine), ())
    assert release(folder, "kim", mine) == 0
    assert release(folder, "lee", mine) == 2
    assert [item.id for item in lease(folder, queue, "kim", 9).items] == mine


def test_an_answer_closes_its_window_and_undo_opens_it_again(folder: ProjectFolder) -> None:
    queue = make(folder, 2)
    (item,) = lease(folder, queue, "kim", 1).items
    row = answer(folder, "kim", item.span, said("dove"), key="1", item=item.id, seen=item.seen)
    assert row.item_id == item.id
    state = queue_state(folder, queue)
    assert (state.total, state.done, state.skipped, state.held, state.left) == (2, 1, 0, 0, 1)
    undo(folder, "kim", row.id, key="2")
    state = queue_state(folder, queue)
    assert (state.done, state.held) == (0, 1)
    # It is held by who took it back, and not given to others.
    assert [i.span for i in lease(folder, queue, "lee", 9).items] == [span(1)]
    again = item_of(folder, item.id, "kim")
    assert again is not None
    assert (again.seen, again.answers) == (2, ())
    answer(folder, "kim", item.span, None, kind="skip", key="3", item=item.id)
    state = queue_state(folder, queue)
    assert (state.done, state.skipped) == (0, 1)


def test_a_window_that_two_answered_stays_closed_until_both_take_it_back(
    folder: ProjectFolder,
) -> None:
    queue = make(folder, 1)
    (item,) = lease(folder, queue, "kim", 1).items
    first = answer(folder, "kim", item.span, said("dove"), key="1", item=item.id)
    second = answer(folder, "lee", item.span, said("dove"), key="2", item=item.id)
    undo(folder, "lee", second.id, key="3")
    assert queue_state(folder, queue).done == 1
    undo(folder, "kim", first.id, key="4")
    assert queue_state(folder, queue).done == 0


def test_in_a_queue_of_ones_own_others_are_neither_shown_nor_in_the_way(
    folder: ProjectFolder,
) -> None:
    own, shared = make(folder, 2, "lee"), make(folder, 2)
    (mine,), (open_,) = lease(folder, own, "lee", 1).items, lease(folder, shared, "lee", 1).items
    answer(folder, "kim", span(), said("dove"), key="1")
    assert lease(folder, own, "lee", 1).items[0].answers == ()
    with pytest.raises(UserError, match="kim answered"):
        answer(folder, "lee", span(), said("toad"), key="2", item=open_.id, seen=open_.seen)
    answer(folder, "lee", span(), said("toad"), key="2", item=mine.id, seen=mine.seen)
    (own_word,) = lease(folder, own, "lee", 2).items[1:] or [item_of(folder, mine.id, "lee")]
    assert own_word is not None
    for wrong in (
        lambda: lease(folder, own, "kim", 1),
        lambda: answer(folder, "kim", span(1), said("dove"), key="3", item=mine.id + 1),
    ):
        with pytest.raises(UserError, match="lee's"):
            wrong()
    assert item_of(folder, mine.id, "kim") is None
    with pytest.raises(UserError, match="another window"):
        answer(folder, "lee", span(5), said("dove"), key="4", item=mine.id)


@pytest.mark.parametrize("kind", ["chosen", "disagreement"])
def test_what_waits_in_ones_own_queue_is_blind_in_all_others(
    folder: ProjectFolder, kind: str
) -> None:
    own, other = make(folder, 1, "lee"), make(folder, 2, kind=kind)
    for number in (0, 1):
        answer(folder, "kim", span(number), said("dove"), key=f"kim {number}")
    waiting, free = lease(folder, other, "lee", 2).items
    assert waiting.answers == ()
    assert [one.annotator for one in free.answers] == ["kim"]
    again = item_of(folder, waiting.id, "lee")
    assert again is not None
    assert again.answers == ()
    # Others see it, and so does the person once they have answered.
    release(folder, "lee", [waiting.id])
    assert len(lease(folder, other, "max", 1).items[0].answers) == 1
    (mine,) = lease(folder, own, "lee", 1).items
    answer(folder, "lee", mine.span, said("toad"), key="lee", item=mine.id)
    again = item_of(folder, waiting.id, "lee")
    assert again is not None
    assert [one.annotator for one in again.answers] == ["kim", "lee"]


def test_an_answer_outlives_its_item(folder: ProjectFolder) -> None:
    row = answer(folder, "kim", span(), said("dove"), key="1", item=77)
    assert row.item_id is None


def test_a_closed_queue_gives_nothing_out(folder: ProjectFolder) -> None:
    queue = make(folder, 2)
    (item,) = lease(folder, queue, "kim", 1).items
    assert not close_queue(folder, queue).open
    with pytest.raises(UserError, match="is closed"):
        lease(folder, queue, "kim", 1)
    # What was on somebody's screen still counts.
    assert answer(folder, "kim", item.span, said("dove"), key="1", item=item.id).item_id == item.id
    assert close_queue(folder, queue, closed=False).open
    with pytest.raises(UserError, match="no queue 99"):
        queue_state(folder, 99)


def test_queues_are_listed_for_whom_they_are(folder: ProjectFolder) -> None:
    made = [make(folder, 1, owner) for owner in (None, "kim", "lee")]
    assert [queue.id for queue in list_queues(folder)] == made[::-1]
    assert [queue.id for queue in list_queues(folder, person="kim")] == [made[1], made[0]]


def test_windows_drawn_by_chance_are_not_exchanged(folder: ProjectFolder) -> None:
    queue = make(folder, 2, kind="random")
    with pytest.raises(UserError, match="as they were drawn"):
        renew(folder, queue)


def test_several_people_empty_one_queue_and_no_window_is_done_twice(
    folder: ProjectFolder,
) -> None:
    queue = make(folder, 9)
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            while got := lease(folder, queue, name, 2).items:
                for item in got:
                    answer(
                        folder,
                        name,
                        item.span,
                        said("dove"),
                        key=f"{name} {item.id}",
                        item=item.id,
                        seen=item.seen,
                    )
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(f"p{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert Counter(row.span for row in history(folder)) == {span(i): 1 for i in range(9)}
    assert queue_state(folder, queue).left == 0
