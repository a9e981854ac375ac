from __future__ import annotations

import pyarrow as pa
import pytest
from sqlalchemy import update

from antiphon.errors import UserError
from antiphon.labels.annotation import make_annotations
from antiphon.pipeline.annotate.answers import answer, standing, undo
from antiphon.pipeline.annotate.bulk import label_windows
from antiphon.pipeline.annotate.said import Box, Span
from antiphon.store.schema import Recording
from tests.pipeline.annotate.making import derived, said, span

SPANS = [span(0), span(1), span(2)]


def mine(folder, where, annotator="ann"):
    (one,) = [a for a in standing(folder, [where])[where] if a.annotator == annotator]
    return one.said


def test_every_window_gets_an_answer(folder):
    report = label_windows(folder, "ann", SPANS, "finch", "present", key="k")
    assert [a.span for a in report.answers] == SPANS
    assert (report.already, report.disputed) == (0, 0)
    assert derived(folder) == [("ann", "finch", "present")] * 3


def test_the_same_request_again_adds_nothing(folder):
    first = label_windows(folder, "ann", SPANS, "finch", "present", key="k")
    again = label_windows(folder, "ann", [*SPANS, SPANS[0]], "finch", "present", key="k")
    # Who lost the first reply can take all of it back.
    assert [one.id for one in again.answers] == [one.id for one in first.answers]
    assert all(one.repeated for one in again.answers)
    assert again.already == 0
    assert derived(folder) == [("ann", "finch", "present")] * 3


def test_the_same_request_again_goes_on_where_the_first_one_ended(folder):
    first = label_windows(folder, "ann", SPANS[:1], "finch", "present", key="k")
    answer(folder, "ann", SPANS[2], said("finch"), key="by hand")
    rest = label_windows(folder, "ann", SPANS, "finch", "present", key="k")
    assert [one.span for one in rest.answers] == SPANS[:2]
    assert rest.answers[0].id == first.answers[0].id
    assert rest.already == 1


def test_late_windows_of_a_long_recording_are_told_apart(folder):
    late = [Span(1, -1, 100_000.0 + step, 100_002.0 + step) for step in (0.0, 0.25, 0.5)]
    with folder.catalogue.database.write() as connection:
        connection.execute(update(Recording).values(frames=Recording.sample_rate * 200_000))
    report = label_windows(folder, "ann", late, "finch", "present", key="k")
    assert [one.span for one in report.answers] == late


def test_what_was_said_before_is_kept(folder):
    box = Box("dove", 0.5, 1.0, 1000.0, 2000.0)
    before = said("dove", absent=("toad",), boxes=(box,), note="far")
    answer(folder, "ann", SPANS[0], before, key="1")
    label_windows(folder, "ann", SPANS[:1], "finch", "unsure", key="k")
    now = mine(folder, SPANS[0])
    assert (now.present, now.absent, now.unsure) == (("dove",), ("toad",), ("finch",))
    assert (now.boxes, now.note) == ((box,), "far")


def test_another_word_on_a_label_takes_the_place_of_the_first(folder):
    box = Box("dove", 0.5, 1.0, 1000.0, 2000.0)
    answer(folder, "ann", SPANS[0], said("dove", "finch", boxes=(box,)), key="1")
    label_windows(folder, "ann", SPANS[:1], "dove", "absent", key="k")
    now = mine(folder, SPANS[0])
    assert (now.present, now.absent, now.boxes) == (("finch",), ("dove",), ())


def test_a_complete_answer_stays_complete(folder):
    answer(folder, "ann", SPANS[0], said("dove", complete=True), key="1")
    label_windows(folder, "ann", SPANS[:1], "finch", "present", key="k")
    now = mine(folder, SPANS[0])
    assert (now.present, now.complete, now.scope) == (("dove", "finch"), True, ("toad",))


def test_a_complete_answer_says_nothing_of_labels_that_came_later(folder):
    answer(folder, "ann", SPANS[0], said("dove", complete=True), key="1")
    folder.catalogue.set_label("newt")
    label_windows(folder, "ann", SPANS[:1], "finch", "present", key="k")
    now = mine(folder, SPANS[0])
    assert (now.present, now.absent, now.complete) == (("dove", "finch"), ("toad",), False)
    assert not any("newt" in str(row[1]) for row in derived(folder))


def test_a_complete_answer_that_covers_the_label_has_said_so_already(folder):
    answer(folder, "ann", SPANS[0], said("dove", complete=True), key="1")
    report = label_windows(folder, "ann", SPANS[:1], "toad", "absent", key="k")
    assert (report.answers, report.already) == ((), 1)


def test_a_table_of_the_same_person_is_kept_in_the_answer(folder):
    where = SPANS[0]
    table = make_annotations(
        {
            "recording": ["x"] * 2,
            "start_s": [where.start_s] * 2,
            "end_s": [where.end_s] * 2,
            "label": ["dove", "toad"],
            "presence": ["present", "absent"],
        }
    )
    table = table.append_column("recording_id", pa.array([1, 1], pa.int64()))
    folder.catalogue.add_annotations(table, source="t.csv", annotator="ann")
    label_windows(folder, "ann", [where], "finch", "present", key="k")
    now = mine(folder, where)
    assert (now.present, now.absent) == (("dove", "finch"), ("toad",))


def test_what_others_say_stands_and_is_counted(folder):
    answer(folder, "ben", SPANS[0], said(absent=("finch",)), key="1")
    answer(folder, "ben", SPANS[1], said("finch"), key="2")
    report = label_windows(folder, "ann", SPANS, "finch", "present", key="k")
    assert report.disputed == 1
    assert {a.annotator for a in standing(folder, SPANS[:1])[SPANS[0]]} == {"ann", "ben"}


def test_it_can_be_taken_back(folder):
    answer(folder, "ann", SPANS[0], said("dove"), key="1")
    report = label_windows(folder, "ann", SPANS, "finch", "present", key="k")
    for stored in report.answers:
        undo(folder, "ann", stored.id, key=f"undo {stored.id}")
    assert derived(folder) == [("ann", "dove", "present")]


def test_an_unknown_label_is_refused_before_anything_is_kept(folder):
    with pytest.raises(UserError, match="no label 'dodo'"):
        label_windows(folder, "ann", SPANS, "dodo", "present", key="k")
    assert derived(folder) == []
