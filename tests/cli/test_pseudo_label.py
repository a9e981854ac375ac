from __future__ import annotations

import json

import pytest

from antiphon.training.pseudo import running
from antiphon.training.pseudo.store import read_labels
from tests.training.data.making import folder_of_tones
from tests.training.pseudo.fakes import CountingStudents, ToneMember, open_tones, teacher, world

ONCE = """
name: tones
audio: {path: unlabelled}
teachers:
  - {name: tones, model: none.yaml, trained_on: trained_on.csv}
targets: {window_s: 2, frame_s: 0.25, floor: 0.1}
mass: {focal: focal.yaml}
gamma: 1.54
round: 2
"""

FOCAL = """
preset: supervised-tiny
data:
  sources: [{kind: folder, path: focal, label_folders: true}]
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    world(tmp_path)
    for name in ("frog", "wren"):
        folder_of_tones(tmp_path / f"focal/{name}", [f"{name}{i}" for i in range(6)], seconds=1.0)
    (tmp_path / "focal.yaml").write_text(FOCAL)
    (tmp_path / "once.yaml").write_text(ONCE)
    (tmp_path / "trained_on.csv").write_text("recording,site\nfrog0,\n")
    monkeypatch.setattr(
        running, "open_member_teacher", lambda config, *rest: teacher(ToneMember(config.name))
    )
    return tmp_path / "once.yaml"


def test_labels_are_made_and_told(antiphon, settings, tmp_path):
    ran = antiphon("pseudo-label", settings, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    labels = read_labels(tmp_path / "out/labels.parquet")
    assert labels.provenance.gamma == 1.54
    assert labels.provenance.mass["focal"] == 12
    assert "6 of 6 labelled" in ran.out
    assert "Mass: " in ran.out
    assert f"{labels.provenance.weight:.4g}" in ran.out
    again = antiphon("pseudo-label", settings, "--out", tmp_path / "out", "--json")
    assert json.loads(again.out) == json.loads((tmp_path / "out/labels.json").read_text())


def test_a_teacher_that_saw_a_recording_is_named(antiphon, settings, tmp_path):
    (tmp_path / "trained_on.csv").write_text("recording,site\nfrog0,S02\n")
    ran = antiphon("pseudo-label", settings, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "X_001_S02_20250101_000000.wav: tones saw its site S02" in ran.err
    assert not (tmp_path / "out/labels.parquet").exists()


def test_a_misspelt_key_is_named(antiphon, settings, tmp_path):
    settings.write_text(ONCE.replace("gamma", "gama"))
    ran = antiphon("pseudo-label", settings, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "Did you mean 'gamma'" in ran.err


def test_rounds_are_told_in_a_table(antiphon, tmp_path, monkeypatch):
    for package in ("torch", "lightning", "onnx"):
        pytest.importorskip(package, reason="needs the extra train")
    settings = world(tmp_path)
    students = CountingStudents([(0.95, 0.95), (0.5, 0.5), (0.0, 0.95), (0.0, 0.0)])
    monkeypatch.setattr(running, "open_students", lambda *given: students)
    monkeypatch.setattr(running, "_opener", lambda config: open_tones)
    ran = antiphon("pseudo-label", settings, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert [row[-1] for row in ran.rows("round")] == ["start", "kept", "not kept"]
    assert "Stopped: round 2 scored below round 1." in ran.out
    assert "Kept: round 1" in ran.out
    assert (tmp_path / "out/report.html").is_file()
