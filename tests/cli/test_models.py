"""train, detect, evaluate."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from antiphon.api import Project
from antiphon.heads.detector import Detector
from antiphon.store.session import EmbeddingSession
from tests.conftest import ENCODER
from tests.noise import SMALL


def no_constant(text):
    raise AssertionError(f"{text} is not JSON")


@pytest.fixture
def sparse(recordings, tmp_path):
    """Return a function that labels a few windows of four short recordings."""
    names = ["a.wav", "b.wav", "c.wav", "d.wav"]

    def make(*rows):
        project, _ = Project.create(tmp_path / "p", audio=[recordings(*names)])
        project.embed("spectral", **SMALL)
        table = tmp_path / "labels.csv"
        lines = ["recording,start_s,end_s,label,presence", *(",".join(row) for row in rows)]
        table.write_text("\n".join(lines) + "\n")
        if rows:
            project.import_labels(table)
        return project

    return make


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        ([], "16 groups (by recording)"),
        (["--head", "mlp"], "16 groups (by recording)"),
        (["--group-by", "site", "--folds", "3"], "4 groups (by site)"),
        (["--group-by", "habitat"], "groups (by habitat)"),
        (["--precision", "0.5", "--seed", "3"], "16 groups (by recording)"),
    ],
)
def test_train(antiphon, labelled, arguments, groups):
    ran = antiphon("train", labelled.path, "--name", "one", *arguments)
    assert ran.code == 0
    assert "160 labelled windows from " in ran.out
    assert groups in ran.out
    rows = ran.rows("label")
    detector = Detector.load(labelled.path / "models" / "one.detector")
    assert [row[0] for row in rows] == list(detector.labels)
    assert detector.facts["head"] == ("mlp" if "mlp" in arguments else "linear")
    for row, threshold in zip(rows, detector.thresholds, strict=True):
        assert float(row[2]) == pytest.approx(threshold.value, abs=5e-4)
        assert 0.0 <= threshold.value <= 1.0
    assert "nan" not in ran.out.lower()


def test_a_label_with_one_positive_is_learnt_and_the_limits_are_said(antiphon, sparse):
    project = sparse(
        ("a.wav", "0", "0.5", "Owl", "present"),
        *((f"{n}.wav", "0.5", "1", "Owl", "absent") for n in "abcd"),
    )
    ran = antiphon("train", project.path)
    assert ran.code == 0
    assert ran.rows("label")[0][:2] == ["Owl", "1"]
    assert "Owl: " in ran.err
    assert antiphon("detect", project.path).code == 0
    evaluated = antiphon("evaluate", project.path)
    assert evaluated.code == 0
    assert "Owl: " in evaluated.err
    assert antiphon("report", project.path).code == 0


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_no_labels_and_no_positives(antiphon, sparse, tmp_path, verb):
    project = sparse()
    ran = antiphon(verb, project.path)
    assert ran.code == 2
    assert "There are no labels" in ran.err
    assert "antiphon import" in ran.err
    table = tmp_path / "labels.csv"
    table.write_text("recording,start_s,end_s,label,presence\na.wav,0,0.5,Owl,absent\n")
    project.import_labels(table)
    ran = antiphon(verb, project.path)
    assert ran.code == 2
    assert "No window carries a present label" in ran.err


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_nothing_is_said_to_be_absent(antiphon, sparse, verb):
    project = sparse(
        ("a.wav", "0", "0.5", "Owl", "present"), ("b.wav", "0", "0.5", "Frog", "present")
    )
    ran = antiphon(verb, project.path)
    assert ran.code == 2
    assert "No window is known to lack a label" in ran.err
    assert "--complete" in ran.err


def test_labels_of_one_recording_only(antiphon, sparse):
    project = sparse(
        ("a.wav", "0", "0.5", "Owl", "present"), ("a.wav", "0.5", "1", "Owl", "absent")
    )
    for verb in ("train", "evaluate"):
        ran = antiphon(verb, project.path)
        assert ran.code == 2
        assert "The labelled windows come from 1 group" in ran.err
    assert antiphon("report", project.path).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--head", "forest"], "--head 'forest' is not known. There are: linear, mlp"),
        (["--group-by", "moon"], "no column 'moon' to group by. There are: recording, site, date"),
        (["--folds", "1"], "--folds"),
        (["--precision", "1.5"], "--precision"),
        (["--name", "../x"], "--name '../x'"),
        (["--name", "a/b"], "--name 'a/b'"),
        (["--name", ""], "--name ''"),
        (["--name", "first"], "There is a detector 'first' already"),
        (["--encoder", "other"], "There are no embeddings 'other'"),
    ],
)
def test_trainings_that_cannot_be_are_refused(antiphon, read_only, arguments, words):
    ran = antiphon("train", read_only.path, *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert [p.name for p in (read_only.path / "models").iterdir()] == ["first.detector"]


def test_detect_everything(antiphon, trained):
    ran = antiphon("detect", trained.path)
    assert ran.code == 0
    assert "160 windows looked at with first" in ran.out
    counts = {row[0]: int(row[2]) for row in ran.rows("label")}
    limits = {row[0]: float(row[1]) for row in ran.rows("label")}
    for label, n in counts.items():
        hits = trained.search(detected=[label], k=500)
        assert len(hits) == n
        assert all(hit.score >= limits[label] - 5e-4 for hit in hits)
    all_of_it = antiphon("detect", trained.path, "--threshold", "0")
    assert {row[2] for row in all_of_it.rows("label")} == {"160"}


def test_detect_in_new_recordings_only(antiphon, trained, tmp_path, survey):
    old = sorted(survey.audio.rglob("*.wav"))[0]
    data, rate = soundfile.read(old)
    new = tmp_path / "second season" / "Hill"
    new.mkdir(parents=True)
    soundfile.write(new / "Hill_20260601_050000.wav", data[: 5 * rate], rate)
    ran = antiphon("detect", trained.path, "--audio", new.parent, "--threshold", "0.01")
    assert ran.code == 0
    assert "3 windows looked at with first" in ran.out
    exported = antiphon("export", trained.path, "--out", tmp_path / "new.csv", "--windows")
    assert exported.code == 0
    lines = (tmp_path / "new.csv").read_text().splitlines()[1:]
    assert lines
    assert all("Hill/Hill_20260601_050000.wav" in line for line in lines)
    # The same audio has the same scores as in the old recording.
    old_name = old.relative_to(survey.audio).as_posix()
    label = "Paper Thrush"
    both = trained.search(detected=[label], min_score=0.0, k=500)
    score = {(hit.path, hit.start_s): hit.score for hit in both}
    for start in (0.0, 2.0):
        assert score["Hill/Hill_20260601_050000.wav", start] == pytest.approx(
            score[old_name, start], abs=0.02
        )
    # And everything is still there to be looked at.
    assert "163 windows looked at" in antiphon("detect", trained.path).out


def test_a_bad_file_among_new_recordings(antiphon, trained, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    soundfile.write(new / "good.wav", np.zeros(16_000), 16_000)
    (new / "bad.wav").write_text("no audio")
    ran = antiphon("detect", trained.path, "--audio", new)
    assert ran.code == 1
    assert "1 windows looked at" in ran.out
    assert "bad.wav: " in ran.err


def test_ctrl_c_while_new_recordings_are_embedded(antiphon, trained, tmp_path, monkeypatch):
    new = tmp_path / "new"
    new.mkdir()
    soundfile.write(new / "a.wav", np.zeros(16_000), 16_000)

    def stop(self, recording_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddingSession, "finish", stop)
    before = sorted(p.name for p in (trained.path / "detections").iterdir())
    ran = antiphon("detect", trained.path, "--audio", new)
    assert ran.code == 130
    assert sorted(p.name for p in (trained.path / "detections").iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--detector", "second"], "There is no detector 'second'"),
        (["--threshold", "7"], "--threshold is 7"),
        (["--audio", "nowhere"], "nowhere: there is no such folder"),
        (["--audio", "EMPTY"], "there is no recording in this folder"),
        (["--audio", "INSIDE"], "lies within"),
        (["--encoder", "other"], "There are no embeddings 'other'"),
    ],
)
def test_detections_that_cannot_be_are_refused(
    antiphon, read_only, tmp_path, survey, arguments, words
):
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": tmp_path / "empty", "INSIDE": next(survey.audio.iterdir())}
    ran = antiphon("detect", read_only.path, *(places.get(a, a) for a in arguments))
    assert ran.code == 2
    assert words in ran.err
    assert len(Project(read_only.path).folder.config.audio) == 1


def test_detection_without_a_detector(antiphon, labelled):
    ran = antiphon("detect", labelled.path)
    assert ran.code == 2
    assert "There is no detector" in ran.err
    assert "antiphon train" in ran.err


@pytest.mark.parametrize("damage", [b"", b"not a detector", "cut"])
@pytest.mark.parametrize("verb", ["detect", "next", "report"])
def test_a_damaged_detector(antiphon, trained, damage, verb):
    path = trained.path / "models" / "first.detector"
    path.write_bytes(path.read_bytes()[:200] if damage == "cut" else damage)
    ran = antiphon(verb, trained.path)
    if verb == "next" and "No window is left" in ran.err:
        return
    assert ran.code == 2
    assert "first.detector: " in ran.err


def test_a_detector_that_is_gone(antiphon, trained):
    (trained.path / "models" / "first.detector").unlink()
    ran = antiphon("detect", trained.path)
    assert ran.code == 2
    assert "first.detector: " in ran.err
    assert "Train again" in ran.err


def test_a_detector_of_another_encoder_is_refused(antiphon, trained):
    other = {**ENCODER, "n_mels": 40}
    trained.embed("spectral", **other)
    newest = trained.table().name
    # The newest embeddings have no detector yet.
    ran = antiphon("detect", trained.path)
    assert ran.code == 2
    assert newest in ran.err
    ran = antiphon("detect", trained.path, "--detector", "first")
    assert ran.code == 2
    assert "encoder" in ran.err
    older = next(t.name for t in trained.folder.tables() if t.name != newest)
    assert antiphon("detect", trained.path, "--encoder", older).code == 0
    assert antiphon("search", trained.path, "--detected", "Paper Thrush", "-e", older).code == 0
    assert antiphon("train", trained.path, "--name", "second").code == 0
    assert "with second" in antiphon("detect", trained.path).out
    assert "with first" in antiphon("detect", trained.path, "-e", older).out


@pytest.mark.parametrize("arguments", [[], ["--group-by", "site", "--folds", "3"]])
def test_evaluate(antiphon, read_only, arguments):
    ran = antiphon("evaluate", read_only.path, *arguments)
    assert ran.code == 0
    assert "Macro average precision 0." in ran.out
    assert "nan" not in ran.out.lower()
    rows = {row[0]: row for row in ran.rows("label")}
    assert len(rows) == 10
    machine = antiphon("evaluate", read_only.path, "--json", *arguments)
    (result,) = json.loads(machine.out, parse_constant=no_constant)
    assert result["windows"] == 160
    assert {c["label"] for c in result["classes"]} == set(rows)
    for c in result["classes"]:
        if c["average_precision"] is not None:
            e = c["average_precision"]
            assert 0.0 <= e["value"] <= 1.0
            # No interval where the positives lie in too few groups.
            assert (e["low"] is None) == (e["high"] is None)
            if e["low"] is not None:
                assert 0.0 <= e["low"] <= e["value"] <= e["high"] <= 1.0


def test_evaluate_judges_the_detector_on_labels_it_was_not_trained_on(antiphon, survey, tmp_path):
    project, _ = Project.create(tmp_path / "p", audio=[survey.audio])
    project.embed("spectral", **ENCODER)
    tables = sorted(survey.truth.iterdir())
    parts = (tables[:12], tables[12:])
    for number, part in enumerate(parts):
        folder = tmp_path / f"tables {number}"
        folder.mkdir()
        for table in part:
            (folder / table.name).write_bytes(table.read_bytes())
    project.import_labels(tmp_path / "tables 0", complete=True, label_column="Species")
    project.train()
    project.import_labels(tmp_path / "tables 1", complete=True, label_column="Species")
    ran = antiphon("evaluate", project.path, "--json")
    crossed, unseen = json.loads(ran.out, parse_constant=no_constant)
    assert crossed["windows"] == 160
    assert unseen["windows"] == 40
    assert unseen["groups"] == 4
    assert "not trained on" in unseen["title"]
