"""The same windows for several people: equal, their own, with their chances."""

from __future__ import annotations

import pytest

from antiphon.api import Project
from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import answer
from antiphon.pipeline.annotate.choosing import Wish
from antiphon.pipeline.annotate.leasing import lease
from antiphon.pipeline.annotate.queues import close_queue, renew
from antiphon.pipeline.annotate.said import Said
from antiphon.pipeline.annotate.sharing import share_queue, shared_queues, to_answer

PEOPLE = ("ann", "ben", "cleo")


def test_all_have_the_same_windows_in_the_same_order(trained: Project) -> None:
    folder = trained.folder
    shared = share_queue(folder, Wish("random", 6, seed=1), PEOPLE, name="Double check")
    assert shared_queues(folder) == [shared]
    assert [queue.owner for queue in shared.queues] == list(PEOPLE)
    assert {queue.name for queue in shared.queues} == {"Double check"}
    got = [lease(folder, queue.id, str(queue.owner), 6).items for queue in shared.queues]
    spans = [[item.span for item in items] for items in got]
    assert spans[0] == spans[1] == spans[2]
    # The chances with which they were drawn are kept, for estimates.
    assert {item.chance for items in got for item in items} == {got[0][0].chance}
    assert got[0][0].chance is not None


def test_what_a_strategy_chose_stays_the_same_for_all(trained: Project) -> None:
    said = trained.folder.catalogue.annotations()
    trained.folder.catalogue.remove_annotations(ids=said["id"].to_pylist())
    wish = Wish("strategy", 4, strategy="random", seed=1)
    shared = share_queue(trained.folder, wish, PEOPLE[:2])
    for queue in shared.queues:
        assert (queue.kind, queue.parameters["shared"]["chosen_by"]) == ("chosen", "strategy")
        with pytest.raises(UserError, match="stay"):
            renew(trained.folder, queue.id)


def test_windows_wait_until_they_are_answered_or_the_queue_is_closed(trained: Project) -> None:
    folder = trained.folder
    label = folder.catalogue.label_names()[0]
    mine, other = share_queue(folder, Wish("random", 3, seed=1), PEOPLE[:2]).queues
    assert len(to_answer(folder, "ann")) == len(to_answer(folder, "ben")) == 3
    (item,) = lease(folder, mine.id, "ann", 1).items
    answer(folder, "ann", item.span, Said(present=(label,)), key="1", item=item.id)
    assert len(to_answer(folder, "ann")) == 2
    assert item.span.window in to_answer(folder, "ben")
    close_queue(folder, other.id)
    assert to_answer(folder, "ben") == set()


@pytest.mark.parametrize(
    ("kind", "people", "word"),
    [
        ("random", ("ann",), "two or more"),
        ("random", ("ann", " ann "), "two or more"),
        ("disagreement", ("ann", "ben"), "settled by one"),
    ],
)
def test_what_cannot_be_shared_is_refused(
    trained: Project, kind: str, people: tuple[str, ...], word: str
) -> None:
    with pytest.raises(UserError, match=word):
        share_queue(trained.folder, Wish(kind, 3), people)
    assert shared_queues(trained.folder) == []
