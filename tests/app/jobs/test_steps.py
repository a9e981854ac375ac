from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from antiphon.app.jobs.preferences import Preferences
from antiphon.app.jobs.queue import current_queue
from antiphon.app.jobs.steps import lacking, run_job
from antiphon.labels.annotation import make_annotations
from antiphon.pipeline.annotate.queues import close_queue, make_queue
from antiphon.pipeline.browse.thresholds import set_before, with_thresholds
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.windows import load_windows
from antiphon.store.project import ProjectFolder


@pytest.fixture
def folder(project: Path):
    folder = ProjectFolder.open(project)
    yield folder
    folder.close()


def forget(folder: ProjectFolder) -> None:
    ids = folder.catalogue.annotations().column("id").to_pylist()
    folder.catalogue.remove_annotations(ids=ids)


def say(folder: ProjectFolder, recordings: list[int], presence: str) -> None:
    import pyarrow as pa

    name = folder.catalogue.label_names()[0]
    n = len(recordings)
    table = make_annotations(
        {
            "recording": [str(i) for i in recordings],
            "start_s": [0.0] * n,
            "end_s": [2.0] * n,
            "label": [name] * n,
            "presence": [presence] * n,
        }
    )
    table = table.append_column("recording_id", pa.array(recordings, pa.int64()))
    folder.catalogue.add_annotations(table, annotator="ann")


def test_the_next_windows_are_chosen_by_the_new_detector_before_it_is_measured(folder):
    told = []
    outcome = run_job(folder, "train", Preferences(batch=3), told.append)
    order = [(step["name"], step["state"]) for step in told]
    assert order == [
        (name, state) for name in ("train", "choose", "measure") for state in ("running", "done")
    ]
    assert [row.name for row in folder.catalogue.detectors()] == ["first", outcome.detector]
    queue = current_queue(folder)
    assert (queue.id, queue.left) == (outcome.queue, outcome.left) == (queue.id, 6)
    assert queue.parameters["strategy"] == "antiphon"
    events = folder.catalogue.events("evaluation")
    reached = events[-1].data["macro_average_precision"]
    assert outcome.average_precision.value == pytest.approx(reached["value"])
    assert events[-1].data["labels_spent"] == outcome.labels_spent


def test_thresholds_set_by_hand_are_named_when_a_training_replaces_them(folder):
    table = folder.table()
    label = folder.catalogue.label_names()[0]
    for value in (0.9, 0.71):
        base = folder.catalogue.detectors()[-1].name
        made = with_thresholds(folder, table, {label: value}, base=base, by="ann")
        assert set_before(folder, table, made) == {}
    outcome = run_job(folder, "train", Preferences(batch=2), lambda _: None)
    assert f"({label} 0.71 before)" in " ".join(outcome.notes)
    trained = find_detector(folder, table)
    assert set_before(folder, table, trained) == {label: pytest.approx(0.71)}
    # Set again, it is nobody's loss any more.
    again = with_thresholds(folder, table, {label: 0.7}, base=outcome.detector, by="ann")
    assert set_before(folder, table, again) == {}


def test_the_queue_that_is_there_is_renewed_and_others_are_left_alone(folder):
    table = folder.table()
    mine = make_queue(folder, table, "strategy", 2, owner="ann")
    drawn = make_queue(folder, table, "random", 2)
    shared = make_queue(folder, table, "strategy", 2, strategy="random")
    outcome = run_job(folder, "batch", Preferences(batch=2, strategy="coreset"), lambda _: None)
    assert outcome.queue == shared.id
    assert current_queue(folder).parameters["strategy"] == "coreset"
    close_queue(folder, shared.id)
    assert current_queue(folder) is None
    again = run_job(folder, "batch", Preferences(batch=2), lambda _: None)
    assert again.queue not in (mine.id, drawn.id, shared.id)


def test_what_is_missing_is_said_label_by_label(folder):
    table = folder.table()
    forget(folder)
    assert "No window carries a label" in lacking(folder, table)[0]
    ids = sorted(set(load_windows(folder, table).recording_id.tolist()))
    say(folder, ids[:3], "absent")
    assert "has a label present" in lacking(folder, table)[0]
    forget(folder)
    say(folder, ids[:1], "present")
    missing = lacking(folder, table)
    assert "nothing here" in missing[0]
    assert missing[1].startswith("All 1 labelled windows come from one recording.")
    say(folder, ids[1:2], "absent")
    assert lacking(folder, table) == []


def test_two_recordings_are_enough_to_train_and_too_few_to_measure(folder):
    forget(folder)
    ids = sorted(set(load_windows(folder, folder.table()).recording_id.tolist()))
    say(folder, ids[:1], "present")
    say(folder, ids[1:2], "absent")
    told = []
    outcome = run_job(folder, "train", Preferences(batch=2), told.append)
    assert outcome.detector is not None
    assert outcome.average_precision is None
    assert "at least 3" in " ".join(outcome.notes)
    assert outcome.left == 4


def test_a_project_that_is_labelled_whole_says_that_no_window_is_left(folder):
    windows = load_windows(folder, folder.table())
    import pyarrow as pa

    name = folder.catalogue.label_names()[0]
    ends = windows.recording_id, windows.start_s, windows.end_s
    recording, start, end = (np.asarray(column).tolist() for column in ends)
    table = make_annotations(
        {
            "recording": [str(i) for i in recording],
            "start_s": start,
            "end_s": end,
            "label": [name] * len(start),
            "presence": ["absent"] * len(start),
        }
    ).append_column("recording_id", pa.array(recording, pa.int64()))
    folder.catalogue.add_annotations(table, annotator="all")
    outcome = run_job(folder, "batch", Preferences(), lambda _: None)
    assert outcome.queue is None
    assert "No window is left to label" in outcome.notes[0]
