"""Answers are kept for good, taken back without limit, and never overwrite each other."""

from __future__ import annotations

import pickle
import threading

import pyarrow as pa
import pytest

from antiphon.errors import UserError
from antiphon.labels.annotation import make_annotations
from antiphon.labels.formats.queue import QueueRow, write_queue
from antiphon.pipeline.annotate.answers import AnswerConflict, answer, history, standing, undo
from antiphon.pipeline.annotate.said import Box, Said, Span
from antiphon.pipeline.labelling import import_labels
from antiphon.store.project import ProjectFolder
from tests.pipeline.annotate.making import derived, said, span


def test_an_answer_becomes_annotations(folder: ProjectFolder) -> None:
    told = Said(
        present=("dove",),
        unsure=("toad",),
        complete=True,
        boxes=(Box("dove", 0.5, 1.5, 800.0, 2000.0),),
        note=" two of them ",
    )
    kept = answer(
        folder, "kim", span(), told, key="a", seconds=4.5, suggested=[("dove", 0.9), ("toad", 0.2)]
    )
    (again,) = standing(folder, [span()])[span()]
    assert again == kept
    assert again.seconds == 4.5
    assert again.suggested == (("dove", 0.9), ("toad", 0.2))
    assert again.said.note == "two of them"
    assert again.said.scope == ("finch",)
    box, unsure, rest = folder.catalogue.annotations().to_pylist()
    assert (box["label"], box["presence"]) == ("dove", "present")
    assert (box["start_s"], box["end_s"], box["low_hz"], box["high_hz"]) == (0.5, 1.5, 800, 2000)
    assert (unsure["label"], unsure["presence"]) == ("toad", "unsure")
    assert (rest["label"], rest["presence"], rest["scope"]) == (None, "absent", ["finch"])
    assert (rest["start_s"], rest["end_s"], rest["channel"]) == (0.0, 3.0, None)
    assert {row["batch"] for row in (box, unsure, rest)} == {f"answer {kept.id}"}
    assert {row["note"] for row in (box, unsure, rest)} == {"two of them"}
    assert {row["annotator"] for row in (box, unsure, rest)} == {"kim"}


def test_a_box_that_sticks_out_leaves_its_label_present_in_the_window(
    folder: ProjectFolder,
) -> None:
    told = Said(boxes=(Box("dove", 2.9, 4.9, 100.0, 200.0),))
    answer(folder, "kim", span(), told, key="a")
    rows = folder.catalogue.annotations().to_pylist()
    assert [(r["start_s"], r["end_s"], r["low_hz"]) for r in rows] == [
        (2.9, 4.9, 100.0),
        (0.0, 3.0, None),
    ]


def test_nothing_here_speaks_of_the_labels_of_its_time(folder: ProjectFolder) -> None:
    kept = answer(folder, "kim", span(), Said(complete=True), key="a")
    folder.catalogue.set_label("wren")
    second = answer(folder, "kim", span(), said("dove"), key="b")
    assert derived(folder) == [("kim", "dove", "present")]
    undo(folder, "kim", second.id, key="c")
    # The answer that stands again says what it said then.
    assert kept.said.scope == ("dove", "finch", "toad")
    assert derived(folder) == [("kim", "dove,finch,toad", "absent")]


def test_undo_goes_back_to_the_first_answer_and_nothing_is_deleted(folder: ProjectFolder) -> None:
    given = [
        answer(folder, "kim", span(), said("dove"), key="1"),
        answer(folder, "kim", span(), None, kind="skip", key="2"),
        answer(folder, "kim", span(), said("finch"), key="3"),
        answer(folder, "kim", span(), said("toad"), key="4"),
    ]
    shown = [derived(folder)]
    for number, row in enumerate(reversed(given)):
        undo(folder, "kim", row.id, key=f"u{number}")
        shown.append(derived(folder))
    assert shown == [
        [("kim", "toad", "present")],
        [("kim", "finch", "present")],
        [("kim", "dove", "present")],
        [("kim", "dove", "present")],
        [],
    ]
    assert standing(folder, [span()]) == {}
    rows = history(folder, span=span())
    assert [row.kind for row in rows] == ["retract"] * 4 + ["answer", "answer", "skip", "answer"]
    assert [row.replaces for row in rows[:4]] == [row.id for row in given]
    with pytest.raises(UserError, match="taken back already"):
        undo(folder, "kim", given[0].id, key="late")
    # A new answer after all that lies on nothing.
    assert answer(folder, "kim", span(), said("dove"), key="5").replaces is None


def test_only_the_last_answer_of_ones_own_is_taken_back(folder: ProjectFolder) -> None:
    first = answer(folder, "kim", span(), said("dove"), key="1")
    answer(folder, "kim", span(), said("finch"), key="2")
    with pytest.raises(UserError, match="take that back"):
        undo(folder, "kim", first.id, key="u")
    with pytest.raises(UserError, match="kim's"):
        undo(folder, "lee", first.id, key="u")
    with pytest.raises(UserError, match="no answer 99"):
        undo(folder, "kim", 99, key="u")
    retraction, _ = undo(folder, "kim", 2, key="u")
    with pytest.raises(UserError, match="no answer"):
        undo(folder, "kim", retraction.id, key="v")


def test_the_same_key_is_kept_once(folder: ProjectFolder) -> None:
    first = answer(folder, "kim", span(), said("dove"), key="k")
    again = answer(folder, "kim", span(), said("dove"), key="k")
    assert again == first.__class__(**{**_fields(first), "repeated": True})
    taken, stands = undo(folder, "kim", first.id, key="u")
    retaken, still = undo(folder, "kim", first.id, key="u")
    assert (retaken.id, stands, still) == (taken.id, None, None)
    assert retaken.repeated
    assert len(history(folder)) == 2
    for wrong in (
        lambda: answer(folder, "lee", span(), said("dove"), key="k"),
        lambda: answer(folder, "kim", span(1), said("dove"), key="k"),
        lambda: answer(folder, "kim", span(), said("dove"), key="u"),
        lambda: undo(folder, "kim", first.id, key="k"),
    ):
        with pytest.raises(UserError, match="another answer"):
            wrong()


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def test_an_answer_that_somebody_gave_meanwhile_is_not_passed_over(folder: ProjectFolder) -> None:
    first = answer(folder, "kim", span(), said("dove"), key="1", seen=0)
    with pytest.raises(AnswerConflict, match="kim answered") as caught:
        answer(folder, "lee", span(), said("finch"), key="2", seen=0)
    assert [one.id for one in caught.value.answers] == [first.id]
    assert pickle.loads(pickle.dumps(caught.value)).answers == caught.value.answers
    assert len(history(folder)) == 1
    # Having seen it, or insisting, both answers stand: nothing is overwritten.
    answer(folder, "lee", span(), said("finch"), key="2", seen=first.id)
    answer(folder, "max", span(), said("toad"), key="3", seen=0, force=True)
    assert [one.annotator for one in standing(folder)[span()]] == ["kim", "lee", "max"]
    # One's own answers, and what others took back, are no conflict.
    answer(folder, "kim", span(1), said("dove"), key="4", seen=0)
    answer(folder, "kim", span(1), said("finch"), key="5", seen=0)
    row = answer(folder, "kim", span(2), said("dove"), key="6", seen=0)
    undo(folder, "kim", row.id, key="7")
    answer(folder, "lee", span(2), said("dove"), key="8", seen=0)


def test_a_settlement_is_one_for_a_window_and_can_be_taken_back(folder: ProjectFolder) -> None:
    answer(folder, "kim", span(), said("dove"), key="1")
    answer(folder, "lee", span(), Said(absent=("dove",)), key="2")
    answer(folder, "kim", span(), said("dove"), kind="settle", key="3")
    last = answer(folder, "max", span(), Said(absent=("dove",)), kind="settle", key="4")
    assert [(one.annotator, one.kind) for one in standing(folder)[span()]] == [
        ("kim", "answer"),
        ("lee", "answer"),
        ("max", "settle"),
    ]
    _, stands = undo(folder, "max", last.id, key="5")
    assert stands is not None
    assert (stands.annotator, stands.kind) == ("kim", "settle")
    assert derived(folder) == [
        ("kim", "dove", "present"),
        ("kim", "dove", "present"),
        ("lee", "dove", "absent"),
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (Said(), "says nothing"),
        (Said(note="  "), "says nothing"),
        (said("wren"), "no label 'wren'"),
        (said("dove", absent=("dove",)), "present and absent"),
        (said("dove", unsure=("dove",)), "present and unsure"),
        (Said(absent=("dove",), unsure=("dove",)), "absent and unsure"),
        (Said(absent=("dove",), boxes=(Box("dove", 0, 1, 0, 9),)), "present and absent"),
        (Said(boxes=(Box("dove", 3.0, 4.0, 0, 9),)), "outside its window"),
        (Said(boxes=(Box("dove", 0.0, 1.0, 0, 24_500),)), "goes up to 24000 Hz"),
        (Said(note="a\0b"), "NUL"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: ProjectFolder, told: Said, message: str) -> None:
    with pytest.raises(UserError, match=message):
        answer(folder, "kim", span(), told, key="k")
    assert history(folder) == []


def test_a_window_must_be_one_of_its_recording(folder: ProjectFolder) -> None:
    for wrong, message in (
        (Span(99, -1, 0.0, 3.0), "no recording 99"),
        (Span(1, 1, 0.0, 3.0), "1 channels"),
        (Span(1, -1, 30.0, 33.0), "ends at 30 s"),
    ):
        with pytest.raises(UserError, match=message):
            answer(folder, "kim", wrong, said("dove"), key="k")
    for wrong_values in ((1, -1, 3.0, 3.0), (1, -1, -1.0, 3.0), (1, -2, 0.0, 3.0)):
        with pytest.raises(UserError, match="cannot be"):
            Span(*wrong_values)
    with pytest.raises(UserError, match="finite"):
        Span(1, -1, 0.0, float("nan"))
    with pytest.raises(UserError, match="cannot be"):
        Box("dove", 1.0, 1.0, 0.0, 9.0)
    # The last window may reach beyond the end.
    answer(folder, "kim", Span(1, -1, 29.0, 32.0), said("dove"), key="k")


def test_kinds_keys_and_names_are_checked(folder: ProjectFolder) -> None:
    for change, message in (
        ({"kind": "retract"}, "cannot be of the kind"),
        ({"key": ""}, "key of 1 to 200"),
        ({"key": "x" * 201}, "key of 1 to 200"),
        ({"seconds": float("inf")}, "cannot take"),
        ({"annotator": " "}, "name of who"),
        ({"kind": "skip"}, "skip says nothing"),
    ):
        given = {"annotator": "kim", "span": span(), "said": said("dove"), "key": "k", **change}
        with pytest.raises(UserError, match=message):
            answer(folder, **given)


def test_an_answer_takes_the_place_of_ones_table_until_it_is_taken_back(
    folder: ProjectFolder,
) -> None:
    table = make_annotations(
        {
            "recording": ["x"] * 3,
            "start_s": [0.0, 0.0, 6.0],
            "end_s": [3.0, 3.0, 9.0],
            "label": ["dove", "finch", "dove"],
            "annotator": ["kim", "lee", "kim"],
        }
    )
    folder.catalogue.add_annotations(
        table.append_column("recording_id", pa.array([1, 1, 1], pa.int64())), source="t.csv"
    )
    before = folder.catalogue.annotations().to_pylist()
    row = answer(folder, "kim", span(), Said(absent=("dove",)), key="k")
    found = [
        (r["annotator"], r["label"], r["presence"], r["source"])
        for r in folder.catalogue.annotations().to_pylist()
    ]
    assert found == [
        ("lee", "finch", "present", "t.csv"),
        ("kim", "dove", "present", "t.csv"),
        ("kim", "dove", "absent", "antiphon label"),
    ]
    undo(folder, "kim", row.id, key="u")
    after = folder.catalogue.annotations().to_pylist()
    without_id = [{**r, "id": 0} for r in sorted(after, key=lambda r: (r["start_s"], r["label"]))]
    assert without_id == [{**r, "id": 0} for r in before]


def test_a_later_table_of_the_same_person_retracts_the_answer(folder: ProjectFolder) -> None:
    answer(folder, "kim", span(), said("finch"), key="1")
    answer(folder, "kim", span(), said("dove"), key="2")
    settled = answer(folder, "kim", span(), said("dove"), kind="settle", key="3")
    path = folder.root / "queue.csv"
    write_queue([QueueRow("A/0000.wav", 0.0, 3.0, labels="toad")], path)
    report = import_labels(folder, path, annotator="kim")
    assert (report.added, report.changed) == (1, 1)
    (still,) = standing(folder)[span()]
    assert still == settled
    rows = folder.catalogue.annotations().to_pylist()
    assert [(r["label"], r["batch"]) for r in rows] == [
        ("dove", f"settle {settled.id}"),
        ("toad", None),
    ]
    assert [row.kind for row in history(folder, annotator="kim")] == [
        "retract", "retract", "settle", "answer", "answer",
    ]  # fmt: skip


def test_many_people_answer_at_once(folder: ProjectFolder) -> None:
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(6):
                row = answer(folder, name, span(number), said("dove"), key=f"{name} {number}")
                if number % 3 == 0:
                    undo(folder, name, row.id, key=f"{name} u{number}")
        except BaseException as fault:
            faults.append(fault)

    people = [f"p{i}" for i in range(6)]
    threads = [threading.Thread(target=work, args=(name,)) for name in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(history(folder, limit=1000)) == 6 * 8
    stands = standing(folder)
    assert {s.start_s for s in stands} == {3.0, 6.0, 12.0, 15.0}
    assert all(len(some) == 6 for some in stands.values())
    assert len(derived(folder)) == 24


def test_history_comes_in_pages(folder: ProjectFolder) -> None:
    for number in range(5):
        answer(folder, "kim" if number % 2 else "lee", span(number), said("dove"), key=str(number))
    first = history(folder, limit=2)
    rest = history(folder, before=first[-1].id)
    assert [row.span.start_s for row in [*first, *rest]] == [12.0, 9.0, 6.0, 3.0, 0.0]
    assert [row.span.start_s for row in history(folder, annotator="kim")] == [9.0, 3.0]
    many = [span(number) for number in range(60)]
    assert standing(folder, many) == standing(folder)


def test_several_processes_share_a_catalogue(folder: ProjectFolder) -> None:
    second = ProjectFolder.open(folder.root)
    row = answer(folder, "kim", span(), said("dove"), key="1", seen=0)
    with pytest.raises(AnswerConflict):
        answer(second, "lee", span(), said("dove"), key="2", seen=0)
    assert answer(second, "kim", span(), said("dove"), key="1").id == row.id
    undo(second, "kim", row.id, key="3")
    assert derived(folder) == []
    second.close()
