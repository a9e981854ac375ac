"""Rounds with students whose ears are known beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import FormatError, UserError
from antiphon.training.pseudo.config import PseudoConfig, load_pseudo_config
from antiphon.training.pseudo.rounds import RoundsReport, run_rounds
from antiphon.training.pseudo.running import run_all_rounds
from antiphon.training.pseudo.store import read_labels
from antiphon.training.pseudo.students import Trained
from tests.training.pseudo.fakes import CountingStudents, open_tones, world

BETTER = [(0.95, 0.95), (0.8, 0.9), (0.0, 0.0), (0.0, 0.95)]
"""Deafness of each round's students: the third forgets the wren."""


def run(config: PseudoConfig, out: Path, students: CountingStudents) -> RoundsReport:
    return run_rounds(config, out, students, open_tones)


def test_rounds_go_on_while_the_held_out_score_rises(tmp_path: Path) -> None:
    students = CountingStudents(BETTER)
    report = run(load_pseudo_config(world(tmp_path)), tmp_path / "out", students)
    assert [one.verdict for one in report.rounds] == ["start", "kept", "kept", "not kept"]
    assert report.kept == 2
    assert report.stopped == "round 3 scored below round 2"
    assert [one.gamma for one in report.rounds] == [None, 1.0, 1.54, 1.82]
    # The students of round 2 hear every tone.
    assert report.rounds[2].score["value"] == pytest.approx(1.0)
    assert report.rounds[3].comparison["value"] < 0
    assert report.rounds[3].comparison["low"] is not None
    assert [Path(one).parent.name for one in report.models] == ["round-2", "round-2"]
    labels = read_labels(tmp_path / "out/round-3/labels.parquet")
    assert labels.provenance.round == 3
    assert labels.provenance.gamma == 1.82
    # Each recording has the one teacher that was trained without it.
    whose = dict(zip(labels.recording, labels.teachers, strict=True))
    assert [whose[name] for name in sorted(whose)] == ["fold0", "fold1"] * 3


def test_a_fall_ends_the_rounds_at_once(tmp_path: Path) -> None:
    plan = [(0.0, 0.0), (0.0, 0.95), (0.0, 0.0), (0.0, 0.0)]
    students = CountingStudents(plan)
    report = run(load_pseudo_config(world(tmp_path)), tmp_path / "out", students)
    assert students.trained == ["round-0", "round-1"]
    assert report.kept == 0
    assert [Path(one).parent.name for one in report.models] == ["round-0", "round-0"]


def test_without_a_stop_the_better_teachers_go_on(tmp_path: Path) -> None:
    plan = [(0.5, 0.5), (0.0, 0.95), (0.0, 0.0), (0.0, 0.0)]
    settings = world(tmp_path)
    settings.write_text(settings.read_text() + "  stop: never\n")
    report = run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(plan))
    assert [one.best for one in report.rounds] == [None, 0, 0, 2]
    # Round 2 was labelled by those that began, as round 1 was not kept.
    assert json.loads((tmp_path / "out/round-2/labels.json").read_text())["teachers"][0][
        "model"
    ].endswith("round-0/fold0.json")


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    config = load_pseudo_config(world(tmp_path))

    class Stopped(CountingStudents):
        def train(self, labels, weight, caps, out, note):
            if out.name == "round-2":
                raise KeyboardInterrupt
            return super().train(labels, weight, caps, out, note)

    first = Stopped(BETTER)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "out", first)
    labels = (tmp_path / "out/round-2/labels.parquet").read_bytes()
    second = CountingStudents(BETTER)
    report = run(config, tmp_path / "out", second)
    assert first.trained == ["round-0", "round-1"]
    assert second.trained == ["round-2", "round-3"]
    assert (tmp_path / "out/round-2/labels.parquet").read_bytes() == labels
    alone = run(config, tmp_path / "other", CountingStudents(BETTER))
    assert [one.score for one in report.rounds] == [one.score for one in alone.rounds]
    third = CountingStudents(BETTER)
    assert run(config, tmp_path / "out", third).to_json() == report.to_json()
    assert third.trained == []


def test_the_weight_of_the_labels_reaches_the_student(tmp_path: Path) -> None:
    settings = world(tmp_path)
    settings.write_text(
        settings.read_text() + "mass: {focal: student.yaml, share: 0.1, class_share: null}\n"
    )
    students = CountingStudents(BETTER)
    report = run(load_pseudo_config(settings), tmp_path / "out", students)
    for one, weight in zip(report.rounds[1:], students.weights[1:], strict=True):
        mass = one.labels["mass"]
        assert mass["pseudo"] <= 0.1 * mass["focal"] + 1e-9
        assert weight == one.labels["weight"] == mass["weight"]


def test_recordings_of_held_out_files_and_sites_are_not_labelled(tmp_path: Path) -> None:
    settings = world(tmp_path)
    shared = tmp_path / "labelled/X_000_S50_20250101_000000.wav"
    (tmp_path / "unlabelled/copy.wav").write_bytes(shared.read_bytes())
    (tmp_path / "unlabelled/X_009_S51_20250102_000000.wav").write_bytes(
        (tmp_path / "unlabelled/X_000_S01_20250101_000000.wav").read_bytes()
    )
    report = run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(BETTER))
    assert report.apart == {
        "X_009_S51_20250102_000000.wav": "its site S51",
        "copy.wav": "the same content under another name",
    }
    assert report.rounds[1].labels["counts"]["recordings"] == 6


def test_a_teacher_of_held_out_recordings_judges_nothing(tmp_path: Path) -> None:
    settings = world(tmp_path)

    class Cheating(CountingStudents):
        def train(self, labels, weight, caps, out, note):
            done = super().train(labels, weight, caps, out, note)
            for one in done.students:
                assert one.trained_on is not None
                with one.trained_on.open("a") as file:
                    file.write("X_002_S52_20250101_000000,S52,\n")
            return done

    with pytest.raises(UserError, match=r"X_002_S52_20250101_000000\.wav: fold0 saw the file"):
        run(load_pseudo_config(settings), tmp_path / "out", Cheating(BETTER))


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    settings = world(tmp_path)
    run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(BETTER))
    settings.write_text(settings.read_text().replace("floor: 0.1", "floor: 0.2"))
    with pytest.raises(UserError, match=r"targets\.floor is 0\.1 there and 0\.2 here"):
        run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(BETTER))
    with pytest.raises(UserError, match="holds no such run"):
        run(load_pseudo_config(settings), tmp_path / "labelled", CountingStudents(BETTER))


def test_the_report_tells_every_round(tmp_path: Path) -> None:
    report, page = run_all_rounds(
        load_pseudo_config(world(tmp_path)),
        tmp_path / "out",
        trainer=CountingStudents(BETTER),
        open_teacher=open_tones,
    )
    assert json.loads((tmp_path / "out/rounds.json").read_text()) == json.loads(
        json.dumps(report.to_json())
    )
    text = (tmp_path / "out/report.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[0].startswith("| round | power |")
    assert [line.split(" | ")[-1] for line in lines[1:5]] == [
        "start |",
        "kept |",
        "kept |",
        "not kept |",
    ]
    assert "Stopped: round 3 scored below round 2." in text
    html = page.read_text()
    for word in ("Round 3", "pseudo mass", "frog", "not kept"):
        assert word in html


def test_settings_that_led_nowhere_leave_the_folder_free(tmp_path: Path) -> None:
    settings = world(tmp_path)
    text = settings.read_text()
    settings.write_text(text.replace("truth.csv", "none.csv"))
    with pytest.raises(FormatError, match="no such file"):
        run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(BETTER))
    settings.write_text(text)
    assert run(load_pseudo_config(settings), tmp_path / "out", CountingStudents(BETTER)).kept == 2


def test_students_are_given_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_pseudo_config(world(tmp_path))
    monkeypatch.chdir(tmp_path)
    students = CountingStudents(BETTER)
    found: list[Path] = []
    train = students.train

    def told(labels: Path | None, *rest: Any) -> Trained:
        found.extend([labels] if labels else [])
        return train(labels, *rest)

    monkeypatch.setattr(students, "train", told)
    report = run_rounds(config, Path("out"), students, open_tones)
    assert [path.is_absolute() for path in found] == [True] * len(found)
    assert found
    assert all(Path(model).is_absolute() for model in report.models)
