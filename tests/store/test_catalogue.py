"""The catalogue: recordings follow their files, facts are kept once, keys are enforced."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from antiphon.errors import StoreError
from antiphon.labels.annotation import ANNOTATION_SCHEMA
from antiphon.store.catalogue import Catalogue
from antiphon.store.recordings import original
from antiphon.store.schema import Annotation
from antiphon.store.work import now
from tests.store.conftest import Open
from tests.store.making import entry


def said(*rows: dict[str, object]) -> pa.Table:
    """Annotations with a recording id, as the import makes them."""
    full = [
        {**dict.fromkeys(ANNOTATION_SCHEMA.names), "recording": "x", "presence": "present", **row}
        for row in rows
    ]
    table = pa.Table.from_pylist(
        [{k: v for k, v in row.items() if k != "recording_id"} for row in full], ANNOTATION_SCHEMA
    )
    ids = pa.array([row.get("recording_id", 1) for row in full], pa.int64())
    return table.append_column("recording_id", ids)


def test_recordings_come_back_as_they_were_given(catalogue: Catalogue) -> None:
    given = entry(
        1,
        start_time=datetime(2026, 5, 1, 4, 30),
        utc_offset_s=-14400,
        site="A",
        latitude=-3.5,
        longitude=-60.25,
        licence="CC-BY-4.0",
        extra={"source": "a", "fold": 3},
        status="partial",
        problem="truncated",
    )
    report = catalogue.sync_recordings([given, entry(2)])
    assert report.added == [1, 2]
    assert catalogue.known_files()[("audio", given.path)] == given
    one, two = catalogue.recordings().to_pylist()
    assert one["duration_s"] == 30.0
    assert one["start_time"] == datetime(2026, 5, 1, 4, 30)
    assert one["extra"] == {"source": "a", "fold": "3"}
    assert two["extra"] == {"source": None, "fold": None}
    assert (one["site"], one["latitude"], one["status"]) == ("A", -3.5, "partial")


def test_empty_catalogue_has_all_columns(catalogue: Catalogue) -> None:
    assert catalogue.recordings().num_rows == 0
    assert catalogue.recordings().column_names[-1] == "extra"
    assert catalogue.annotations().num_rows == 0
    assert catalogue.label_names() == []


def test_second_scan_changes_nothing(catalogue: Catalogue) -> None:
    entries = [entry(i) for i in range(5)]
    catalogue.sync_recordings(entries)
    report = catalogue.sync_recordings(entries)
    assert report.unchanged == [1, 2, 3, 4, 5]
    others = (report.added, report.changed, report.moved, report.updated, report.missing)
    assert others == ([], [], [], [], [])


def test_replaced_file_gets_a_new_id(catalogue: Catalogue) -> None:
    first = entry(1)
    catalogue.sync_recordings([first])
    catalogue.add_annotations(said({"label": "owl"}))
    second = replace(first, content_key="other", size=7)
    report = catalogue.sync_recordings([second])
    assert (report.changed, report.added, report.missing) == ([2], [], [])
    assert catalogue.recordings().column("id").to_pylist() == [2]
    states = catalogue.recordings(all_states=True)
    assert states.column("status").to_pylist() == ["replaced", "ok"]
    # Labels were given to the old contents.
    assert catalogue.annotations().num_rows == 0
    assert catalogue.annotations(all_states=True).num_rows == 1
    # The old contents come back: so do their id and labels.
    assert catalogue.sync_recordings([first]).changed == [1]
    assert catalogue.recordings().column("id").to_pylist() == [1]
    assert catalogue.annotations().num_rows == 1


def test_moved_file_keeps_its_id(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1), entry(2)])
    report = catalogue.sync_recordings([replace(entry(1), path="B/renamed.wav"), entry(2)])
    assert report.moved == [1]
    assert report.added == report.missing == []
    assert catalogue.recordings().column("path").to_pylist()[0] == "B/renamed.wav"


def test_copies_are_not_taken_for_moves(catalogue: Catalogue) -> None:
    """Two files with the contents of a lost one: which is it? Neither is assumed."""
    catalogue.sync_recordings([entry(1)])
    copies = [replace(entry(1), path="a.wav"), replace(entry(1), path="b.wav")]
    report = catalogue.sync_recordings(copies)
    assert len(report.added) == 2
    assert report.missing == [1]


def test_missing_file_comes_back(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1), entry(2)])
    assert catalogue.sync_recordings([entry(1)]).missing == [2]
    assert catalogue.recordings().num_rows == 1
    assert catalogue.sync_recordings([entry(1)]).missing == [2]
    report = catalogue.sync_recordings([entry(1), entry(2)])
    assert (report.updated, report.missing, report.added) == ([2], [], [])
    assert catalogue.recordings().column("status").to_pylist() == ["ok", "ok"]


def test_scan_of_one_folder_leaves_others(catalogue: Catalogue) -> None:
    other = replace(entry(2), root="other")
    catalogue.sync_recordings([entry(1), other])
    assert catalogue.sync_recordings([entry(1)], roots=["audio"]).missing == []
    assert catalogue.sync_recordings([entry(1)]).missing == [2]


def test_new_metadata_is_an_update(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1)])
    assert catalogue.sync_recordings([entry(1, site="B")]).updated == [1]
    assert catalogue.recordings().column("site").to_pylist() == ["B"]


def test_many_recordings(catalogue: Catalogue) -> None:
    entries = [entry(i, extra={"fold": i % 5}) for i in range(5_000)]
    assert len(catalogue.sync_recordings(entries).added) == 5_000
    assert len(catalogue.sync_recordings(entries).unchanged) == 5_000
    assert catalogue.recordings().num_rows == 5_000


def test_importing_twice_adds_nothing(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1)])
    table = said(
        {"label": "owl", "start_s": 1.0, "end_s": 2.0, "low_hz": 300.0, "confidence": 0.5},
        {"label": "owl", "start_s": 3.0, "end_s": 4.0},
        {"label": None, "presence": "absent"},
        {"label": None, "presence": "absent", "scope": ["owl", "frog"]},
    )
    report = catalogue.add_annotations(table, source="a.txt", annotator="Ada")
    assert (report.added, report.already_there) == (4, 0)
    report = catalogue.add_annotations(table, source="moved/a.txt", annotator="Ada")
    assert (report.added, report.already_there) == (0, 4)
    # Somebody else saying the same is another fact.
    assert catalogue.add_annotations(table, annotator="Bo").added == 4
    # The same row twice in one table is one fact.
    double = pa.concat_tables([table, table])
    report = catalogue.add_annotations(double, annotator="Cy")
    assert (report.added, report.already_there) == (4, 4)


def test_annotations_come_back(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1), entry(2)])
    catalogue.add_annotations(
        said(
            {"label": "owl", "start_s": 1.0, "end_s": 2.0, "channel": 1, "note": "far"},
            {"label": None, "presence": "absent", "scope": ["frog", "bat"], "recording_id": 2},
            {"label": None, "presence": "absent", "recording_id": 2},
        ),
        source="a.txt",
        batch="round 1",
    )
    owl, some, every = catalogue.annotations().to_pylist()
    assert (owl["recording_id"], owl["label"], owl["channel"]) == (1, "owl", 1)
    assert (owl["note"], owl["source"], owl["batch"]) == ("far", "a.txt", "round 1")
    assert some["scope"] == ["bat", "frog"]
    assert every["scope"] is None
    assert catalogue.label_names() == ["bat", "frog", "owl"]
    assert catalogue.labels_spent() == 2

    def count(**conditions: object) -> int:
        return int(catalogue.annotations(**conditions).num_rows)  # type: ignore[arg-type]

    assert count(labels=["frog"]) == 2
    assert count(labels=["owl"]) == 2
    assert count(presence=["absent"]) == 2
    assert count(recording_ids=[1]) == 1
    assert count(recording_ids=[]) == 0
    assert catalogue.remove_annotations(ids=[owl["id"]]) == 1
    assert catalogue.remove_annotations(batch="round 1") == 2
    assert count() == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": "owl", "recording_id": 99}, "recording 99"),
        ({"label": "owl", "presence": "maybe"}, "maybe"),
        ({"label": None, "presence": "present"}, "no label"),
        ({"label": "owl", "start_s": 3.0, "end_s": 2.0}, "before it begins"),
    ],
)
def test_impossible_annotations_are_refused(
    catalogue: Catalogue, row: dict[str, object], message: str
) -> None:
    catalogue.sync_recordings([entry(1)])
    with pytest.raises(StoreError, match=message):
        catalogue.add_annotations(said({"label": "frog"}, row))
    assert catalogue.annotations().num_rows == 0
    assert catalogue.label_names() == []


def test_labels_with_odd_names(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1)])
    names = ["O'Hara's \"owl\"", "100%_sure", "x'); DROP TABLE labels;--", "Käuzchen 🦉", "NA"]
    catalogue.add_annotations(said(*({"label": n, "start_s": 1.0, "end_s": 2.0} for n in names)))
    assert catalogue.label_names() == sorted(names)
    for name in names:
        assert catalogue.annotations(labels=[name]).column("label").to_pylist() == [name]


def test_label_facts(catalogue: Catalogue) -> None:
    catalogue.set_label("owl", scientific_name="Strix aluco", rank="species", synonyms=["tawny"])
    catalogue.set_label("owl", common_name="Tawny owl")
    (label,) = catalogue.labels()
    assert (label.scientific_name, label.common_name) == ("Strix aluco", "Tawny owl")
    assert label.synonyms == ("tawny",)


def test_foreign_keys_hold_in_every_session(open_catalogue: Open) -> None:
    first = open_catalogue()
    first.sync_recordings([entry(1)])
    row = {"recording_id": 77, "presence": "present", "key": "k", "created_at": now()}
    second = open_catalogue()
    for catalogue in (first, second, first):
        if catalogue.database.is_sqlite:
            # Several connections of one pool at once, so that none is merely the first.
            with catalogue.database.read() as one, catalogue.database.read() as two:
                for connection in (one, two):
                    assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        with pytest.raises(IntegrityError), catalogue.database.write() as connection:
            connection.execute(insert(Annotation).values(**row))


def test_deleting_a_recording_deletes_its_annotations(catalogue: Catalogue) -> None:
    catalogue.sync_recordings([entry(1)])
    catalogue.add_annotations(said({"label": "owl"}))
    with catalogue.database.write() as connection:
        connection.execute(text("DELETE FROM recordings"))
    assert catalogue.annotations(all_states=True).num_rows == 0
    # Numbers are never given out twice, because vectors carry them.
    assert catalogue.sync_recordings([entry(1)]).added == [2]


def test_detectors_and_events(catalogue: Catalogue) -> None:
    catalogue.add_detector(
        name="2026-05-01-1", file="a.detector", table_id=None, labels_spent=5, metrics={"ap": 0.5}
    )
    (detector,) = catalogue.detectors()
    assert (detector.file, detector.labels_spent, detector.metrics) == (
        "a.detector",
        5,
        {"ap": 0.5},
    )
    catalogue.add_event("quality", {"labels": 5, "ap": 0.5})
    catalogue.add_event("other", {})
    assert [event.data for event in catalogue.events("quality")] == [{"labels": 5, "ap": 0.5}]


def test_locked_catalogue_says_so(open_catalogue: Open) -> None:
    one = open_catalogue()
    two = open_catalogue(wait_s=0.05)
    with (
        one.database.write(),
        pytest.raises(StoreError, match="another process has been writing") as caught,
    ):
        two.sync_recordings([entry(1)])
    assert two.database.name in str(caught.value)
    # Readers are not stopped by a writer.
    with one.database.write():
        assert two.recordings().num_rows == 0
    assert two.sync_recordings([entry(1)]).added == [1]


def test_writers_wait_for_each_other(open_catalogue: Open) -> None:
    open_catalogue().sync_recordings([entry(1)])
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            catalogue = open_catalogue()
            for i in range(15):
                catalogue.add_annotations(said({"label": f"{name} {i}"}))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert open_catalogue().annotations().num_rows == 45


def test_processes_that_make_the_catalogue_at_once(open_catalogue: Open) -> None:
    errors: list[BaseException] = []
    names: list[str] = []
    start = threading.Barrier(5)

    def work() -> None:
        try:
            start.wait()
            names.append(open_catalogue().identity)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(names)) == 1


def test_names_that_are_not_utf8(catalogue: Catalogue) -> None:
    odd = entry(1, path="K\udce4uz/1.wav", site="K\udce4uz")
    assert catalogue.sync_recordings([odd]).added == [1]
    assert catalogue.known_files() == {("audio", odd.path): odd}
    assert catalogue.sync_recordings([odd]).unchanged == [1]
    stored = catalogue.recordings().column("path").to_pylist()[0]
    stored.encode()
    assert original(stored) == odd.path
