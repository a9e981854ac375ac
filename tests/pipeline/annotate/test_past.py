"""The full past of a window: what happened in order, and what became of it."""

from __future__ import annotations

from antiphon.pipeline.annotate.answers import answer, undo
from antiphon.pipeline.annotate.past import past_of, settlements, states_of
from antiphon.pipeline.annotate.said import Span
from antiphon.store.project import ProjectFolder
from tests.pipeline.annotate.making import said, span


def test_nothing_is_lost_and_each_answer_says_what_became_of_it(folder: ProjectFolder) -> None:
    first = answer(folder, "ann", span(), said("dove"), key="1")
    skip = answer(folder, "ben", span(), None, kind="skip", key="2")
    second = answer(folder, "ann", span(), said("finch"), key="3")
    settled = answer(folder, "mia", span(), said("toad"), kind="settle", key="4")
    retraction, _ = undo(folder, "ann", second.id, key="5")
    past = past_of(folder, span())
    assert [(e.answer.id, e.state) for e in past.events] == [
        (first.id, "stands"),
        (skip.id, "stands"),
        (second.id, "taken back"),
        (settled.id, "stands"),
        (retraction.id, ""),
    ]
    assert (past.settlement, past.seen) == (settled, retraction.id)
    assert states_of(folder, {1})[second.id] == "taken back"
    assert settlements(folder) == [settled]
    undo(folder, "mia", settled.id, key="6")
    assert settlements(folder) == []
    assert past_of(folder, span()).settlement is None


def test_a_correction_replaces_only_the_persons_own(folder: ProjectFolder) -> None:
    answer(folder, "ann", span(), said("dove"), key="1")
    answer(folder, "ben", span(), said("toad"), key="2")
    answer(folder, "ann", span(), said("finch"), key="3")
    assert [e.state for e in past_of(folder, span()).events] == ["replaced", "stands", "stands"]


def test_what_overlaps_belongs_to_the_past_and_what_touches_does_not(
    folder: ProjectFolder,
) -> None:
    longer = answer(folder, "ann", Span(1, -1, 2.0, 5.0), said("dove"), key="1")
    answer(folder, "ann", span(2), said("dove"), key="2")
    answer(folder, "ann", span(1, recording=2), said("dove"), key="3")
    past = past_of(folder, span(1))
    assert [e.answer.id for e in past.events] == [longer.id]
    # The check for answers given meanwhile is about exactly this window.
    assert past.seen == 0
