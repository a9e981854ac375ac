"""train-detector, as a user calls it."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import yaml

from antiphon.evaluation.blending.files.submission import read_scores

RATE = 8000
SETTINGS = {
    "preset": "detector-tiny",
    "name": "tones",
    "data": {"sample_rate": RATE, "clip_s": 0.5, "batch": 6, "folds": {"count": 2}},
    "front_end": {"n_fft": 256, "hop": 64, "n_mels": 32, "fmax": 4000},
    "backbone": {"width": 8, "depths": [1, 1], "dim": 16},
    "optimiser": {"warmup": 0},
    "loop": {"steps": 3, "device": "cpu", "threads": 1},
    "validation": {"every": None},
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("detector")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for label in range(2):
        (root / "sounds" / "ab"[label]).mkdir(parents=True)
        for n in range(6):
            tone = 0.3 * np.sin(2 * np.pi * 600.0 * 3**label * t)
            noisy = (tone + 0.05 * rng.standard_normal(RATE)).astype(np.float32)
            soundfile.write(root / "sounds" / "ab"[label] / f"{'ab'[label]}{n}.wav", noisy, RATE)
    source = {"kind": "folder", "path": "sounds", "label_folders": True}
    data = {**SETTINGS["data"], "sources": [source]}
    (root / "run.yaml").write_text(yaml.safe_dump({**SETTINGS, "data": data}))
    return root / "run.yaml"


def test_folds_are_trained_scored_and_handed_to_blend(antiphon, settings, tmp_path):
    pytest.importorskip("lightning", reason="needs the extra train")
    out = tmp_path / "folds"
    ran = antiphon("train-detector", settings, "--fold", "1", "--out", out)
    assert ran.code == 0, ran.err
    assert "Folds to come: 0" in ran.out
    ran = antiphon("train-detector", settings, "--folds", "--out", out)
    assert ran.code == 0, ran.err
    rows = ran.rows("fold")
    assert [row[0] for row in rows] == ["0", "1", "all"]
    assert [row[2] for row in rows] == ["12", "12", "24"]
    assert [row[4] for row in rows] == ["2", "2", "2"]
    assert len(read_scores(out / "out_of_fold.parquet").rows) == 24
    command = next(line for line in ran.out.splitlines() if line.startswith("Scores: antiphon"))
    blended = antiphon(*command.removeprefix("Scores: antiphon ").split())
    assert blended.code == 0, blended.err
    assert "out of fold" in blended.out


def test_one_detector_and_its_plan(antiphon, settings, tmp_path):
    pytest.importorskip("lightning", reason="needs the extra train")
    plan = antiphon("train-detector", settings, "--dry-run")
    assert plan.code == 0, plan.err
    assert ["stage", "detector"] in plan.rows("plan")
    held = antiphon("train-detector", settings, "--fold", "0", "--dry-run")
    assert any(row[0].startswith("held out") for row in held.rows("plan"))
    ran = antiphon("train-detector", settings, "--out", tmp_path / "run")
    assert ran.code == 0, ran.err
    assert (tmp_path / "run" / "model" / "model.yaml").is_file()


def test_what_is_asked_for_wrongly(antiphon, settings, tmp_path):
    ran = antiphon("train-detector", settings, "--folds", "--fold", "1")
    assert ran.code == 2
    assert "--folds for all folds, or --fold for one" in ran.err
    ran = antiphon("train-encoder", settings)
    assert ran.code == 2
    assert "antiphon train-detector" in ran.err
    ran = antiphon("train-detector", "--resume", "--folds", "--out", tmp_path)
    assert ran.code == 2
    assert "Folds need CONFIG" in ran.err
    ran = antiphon("train-detector", settings, "--set", "detector.loss.kind=focle")
    assert ran.code == 2
    assert "detector.loss" in ran.err
