"""pretrain, train-encoder and finetune, as a user calls them."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
import soundfile
import yaml

RATE = 8000
SMALL = {
    "data": {
        "sample_rate": RATE,
        "clip_s": 0.5,
        "batch": 8,
        "holdout": {"share": 0.4},
    },
    "front_end": {"kind": "log_mel", "n_fft": 256, "win_length": 256, "hop": 64, "n_mels": 32},
    "loop": {"steps": 4, "device": "cpu", "threads": 1, "log_every": 2},
    "validation": {"every": None},
}
VIT = {"dim": 32, "depth": 2, "heads": 2, "patch": {"time": 8, "mel": 8}}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Forty-eight tones of three pitches, each pitch in a folder of its name."""
    root = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for label in range(3):
        (root / "abc"[label]).mkdir()
        for n in range(16):
            tone = np.sin(2 * np.pi * 600.0 * 2**label * t + rng.uniform(0, 6))
            noisy = 0.3 * tone + 0.05 * rng.standard_normal(RATE)
            soundfile.write(root / "abc"[label] / f"{n}.wav", noisy.astype(np.float32), RATE)
    return root


def config(path, preset, sounds, **more):
    data = SMALL["data"] | {"sources": [{"path": str(sounds), "label_folders": True}]}
    value = {"preset": preset, **SMALL, "data": data, **more}
    if "init_from" in more:
        del value["front_end"]
    for source in value["data"]["sources"]:
        source["kind"] = "folder"
    path.write_text(yaml.safe_dump(value))
    return path


def test_a_typo_is_an_error_that_names_the_nearest_key(antiphon, sounds, tmp_path):
    ran = antiphon("pretrain", "eat-tiny", "--data", sounds, "--set", "optimizer.lr=1")
    assert ran.code == 2
    assert "unknown key 'optimizer' (Did you mean 'optimiser'?)" in ran.err
    ran = antiphon("pretrain", "eat-tinny", "--data", sounds)
    assert ran.code == 2
    assert "Did you mean 'eat-tiny'" in ran.err
    ran = antiphon("pretrain")
    assert ran.code == 2
    assert "Give a YAML file or the name of a preset" in ran.err


def test_each_verb_trains_its_own_stages(antiphon, sounds, tmp_path):
    ran = antiphon("pretrain", "supervised-tiny", "--data", sounds)
    assert ran.code == 2
    assert "antiphon train-encoder" in ran.err
    ran = antiphon("finetune", "eat-tiny", "--data", sounds)
    assert ran.code == 2
    assert "antiphon pretrain" in ran.err


def test_without_the_extra_one_sentence_says_what_to_install(antiphon, sounds, monkeypatch):
    def without(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("antiphon.training.needs.importlib.import_module", without)
    ran = antiphon("pretrain", "eat-tiny", "--data", sounds)
    assert ran.code == 2
    assert "pip install 'antiphon[train]'" in ran.err


def test_resume_without_a_run(antiphon, tmp_path):
    ran = antiphon("pretrain", "--resume")
    assert ran.code == 2
    assert "--out RUN" in ran.err
    ran = antiphon("pretrain", "--resume", "--out", tmp_path)
    assert ran.code == 2
    assert "no training run to go on with" in ran.err


def test_the_plan_of_a_run(antiphon, sounds, tmp_path):
    pytest.importorskip("torch", reason="needs the extra train")
    pytest.importorskip("lightning", reason="needs the extra train")
    path = config(tmp_path / "run.yaml", "eat-tiny", sounds, backbone=VIT)
    ran = antiphon("pretrain", path, "--dry-run", "--steps", 30, "--out", tmp_path / "run")
    assert ran.code == 0, ran.err
    plan = {row[0]: row[1] for row in ran.rows("plan")}
    assert plan["steps"] == "30, 3 of warm-up"
    assert plan["examples"].startswith("240, ")
    assert "recordings" in plan[f"training, {sounds.name}"]
    assert not (tmp_path / "run").exists()


def test_from_pre_training_to_fine_tuning(antiphon, sounds, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra train")
    pytest.importorskip("lightning", reason="needs the extra train")
    pytest.importorskip("peft", reason="needs the extra train")
    monkeypatch.chdir(tmp_path)
    first = config(tmp_path / "first.yaml", "eat-tiny", sounds, backbone=VIT, name="first")
    ran = antiphon("pretrain", first)
    assert ran.code == 0, ran.err
    assert "4 steps in" in ran.out
    assert [row[0] for row in ran.rows("held-out clips")][:2] == ["loss", "R-AUC"]
    ran = antiphon("pretrain", first)
    assert ran.code == 0
    assert "finished already" in ran.out
    ran = antiphon("pretrain", first, "--steps", 5)
    assert ran.code == 2
    assert "loop.steps is 4 there and 5 here" in ran.err

    second = config(
        tmp_path / "second.yaml", "post-training", sounds, init_from="runs/first", name="second"
    )
    # The preset's warm-ups are for a long run.
    short = ("--set", "optimiser.warmup=1", "--set", "supervised.unfrozen_warmup_steps=0")
    loader = ("--workers", 0)
    ran = antiphon("train-encoder", second, "--out", "second", *short, *loader)
    assert ran.code == 0, ran.err
    found = json.loads((tmp_path / "second" / "validation.json").read_text())
    assert found["data"]["classes"] == "3"

    third = config(tmp_path / "third.yaml", "finetune-lora", sounds, init_from="second")
    ran = antiphon("finetune", third, "--out", "third")
    assert ran.code == 0, ran.err
    assert (tmp_path / "third" / "report.html").is_file()


def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_go_on(antiphon, sounds, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra train")
    pytest.importorskip("lightning", reason="needs the extra train")
    from antiphon.training.pretraining.beats import BEATsPretraining

    original = BEATsPretraining.after_step

    def press(self, step, total):
        original(self, step, total)
        if step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    path = config(
        tmp_path / "run.yaml",
        "beats-tiny",
        sounds,
        backbone=VIT,
        beats={"codes": 8, "code_dim": 4},
    )
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(BEATsPretraining, "after_step", press)
        ran = antiphon("pretrain", path, "--out", run, "--steps", 6)
    assert ran.code == 130
    assert f"To go on: antiphon pretrain --resume --out {run}" in ran.err
    ran = antiphon("pretrain", "--resume", "--out", run)
    assert ran.code == 0, ran.err
    assert "6 steps" in ran.out
