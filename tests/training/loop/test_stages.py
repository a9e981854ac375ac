# ruff: noqa: E402
"""The real stages on real files: each resumes bit for bit, whatever it keeps between steps."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import soundfile
import yaml

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.checkpoints.models import save_model
from antiphon.training.config import load_run_config
from antiphon.training.loop.run import run_stage
from antiphon.training.loop.stages import create_model, create_task, prepare_stage
from tests.training.data.making import EVERY_STEP
from tests.training.loop.test_resume import assert_same

RATE = 8000
VIT = {"kind": "vit", "dim": 32, "depth": 2, "heads": 2, "patch": {"time": 8, "mel": 8}}
CONV = {"kind": "conv", "width": 8, "depths": [1], "dim": 16}
FRONT_END = {"kind": "log_mel", "n_fft": 256, "win_length": 256, "hop": 64, "n_mels": 32}
AUGMENT = {
    **EVERY_STEP.model_dump(),
    "spec": {"band_p": 0.5},
}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Twenty-four tones of three pitches, each pitch in a folder of its name."""
    root = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for label in range(3):
        (root / "abc"[label]).mkdir()
        for n in range(8):
            tone = np.sin(2 * np.pi * 600.0 * 2**label * t + rng.uniform(0, 6))
            noisy = 0.3 * tone + 0.05 * rng.standard_normal(RATE)
            soundfile.write(root / "abc"[label] / f"{n}.wav", noisy.astype(np.float32), RATE)
    return root


def settings(root, sounds, preset, **more):
    value = {
        "preset": preset,
        "data": {
            "sources": [{"kind": "folder", "path": str(sounds), "label_folders": True}],
            "sample_rate": RATE,
            "clip_s": 0.5,
            "batch": 4,
            "holdout": {"share": 0.3},
            "workers": 0,
        },
        "augment": AUGMENT,
        "optimiser": {"lr": 1e-3, "warmup": 2},
        "loop": {"steps": 8, "device": "cpu", "threads": 1, "log_every": 3},
        "checkpoint": {"every_minutes": None},
        "validation": {"every": 4},
    } | more
    if "init_from" not in value:
        value.setdefault("front_end", FRONT_END)
        value.setdefault("backbone", VIT)
    path = root / f"{preset}.yaml"
    path.write_text(yaml.safe_dump(value))
    return load_run_config(path)


@pytest.fixture(scope="module")
def trained(sounds, tmp_path_factory):
    """A model that the later stages start from or learn from."""
    root = tmp_path_factory.mktemp("trained")
    run_stage(settings(root, sounds, "beats-tiny", beats={"codes": 8, "code_dim": 4}), root / "run")
    return root / "run"


TEACHER = {"kind": "model", "path": "TRAINED/model"}
STAGES = {
    "eat": ("eat-tiny", {}),
    "beats": ("beats-tiny", {"beats": {"codes": 8, "code_dim": 4}}),
    # The tokenizer is learnt until step 5, where the checkpoint falls; the model afterwards.
    "beats, second iteration": (
        "beats-tiny",
        {
            "beats": {
                "codes": 8,
                "code_dim": 4,
                "teacher": "TRAINED/model",
                "tokenizer_steps": 5,
            }
        },
    ),
    # The backbone is frozen until step 5, where the checkpoint falls.
    "supervised": (
        "post-training",
        {
            "init_from": "TRAINED",
            "supervised": {
                "frozen_share": 0.6,
                "unfrozen_warmup_steps": 2,
                "averaging": {"kind": "ema"},
            },
        },
    ),
    "supervised, weights averaged": (
        "supervised-tiny",
        {"backbone": CONV, "supervised": {"averaging": {"kind": "swa", "start_share": 0.3}}},
    ),
    "finetune": ("finetune-lora", {"init_from": "TRAINED"}),
    "distill": (
        "supervised-tiny",
        {
            "stage": "distill",
            "backbone": CONV,
            "supervised": None,
            "distill": {"teacher": TEACHER, "averaging": {"kind": "ema"}},
        },
    ),
}


def placed(value, trained):
    if isinstance(value, dict):
        return {k: placed(v, trained) for k, v in value.items()}
    return value.replace("TRAINED", str(trained)) if isinstance(value, str) else value


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_resumes_bit_for_bit(name, sounds, trained, tmp_path):
    if name == "finetune":
        pytest.importorskip("peft", reason="needs the extra train")
    preset, more = STAGES[name]
    config = settings(tmp_path, sounds, preset, **placed(more, trained))
    assert run_stage(config, tmp_path / "whole").finished

    def prepare(given):
        stage = prepare_stage(given)
        original = type(stage.task).after_step

        def after_step(step, total):
            original(stage.task, step, total)
            if step == 3:
                os.kill(os.getpid(), signal.SIGINT)

        stage.task.after_step = after_step
        return stage

    first = run_stage(config, tmp_path / "run", prepare=prepare)
    assert not first.finished
    assert first.done == 5
    second = run_stage(config, tmp_path / "run")
    assert second.finished
    assert_same(tmp_path / "run", tmp_path / "whole")


def test_the_number_of_workers_changes_nothing(sounds, tmp_path):
    config = settings(tmp_path, sounds, "eat-tiny")
    run_stage(config, tmp_path / "none")
    data = config.data.model_copy(update={"workers": 2})
    run_stage(config.model_copy(update={"data": data}), tmp_path / "two")
    assert_same(tmp_path / "two", tmp_path / "none")


def test_a_stage_starts_from_the_weights_it_is_given(sounds, trained, tmp_path):
    config = settings(tmp_path, sounds, "finetune-lora", init_from=str(trained))
    model = create_model(config)
    assert model.training
    same = create_model(config.model_copy(update={"init_from": str(trained / "model")}))
    for mine, theirs in zip(model.state_dict().values(), same.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)
    rate = config.data.model_copy(update={"sample_rate": 16_000})
    with pytest.raises(UserError, match=r"is for 8000 Hz, but data\.sample_rate is 16000"):
        create_model(config.model_copy(update={"data": rate}))


def test_the_pooling_of_a_trained_encoder_can_be_changed_where_it_is_trained(
    sounds, trained, tmp_path
):
    def model_for(preset, **more):
        return create_model(settings(tmp_path, sounds, preset, init_from=str(trained), **more))

    assert model_for("finetune-lora").pooling_kind == "mean"
    for pooling in ("cls", "attention"):
        model = model_for("finetune-lora", pooling=pooling)
        assert model.pooling_kind == model.pooling.kind == pooling
    with pytest.raises(UserError, match="the stage beats does not train"):
        model_for("beats-tiny", front_end=None, backbone=None, pooling="attention")
    # What BEATs refuses, and what it advises instead.
    changed = settings(tmp_path, sounds, "finetune-lora", init_from=str(trained), pooling="cls")
    save_model(create_model(changed), tmp_path / "cls")
    start = {"init_from": str(tmp_path / "cls"), "front_end": None, "backbone": None}
    with pytest.raises(UserError, match="Set pooling: mean, which works with init_from"):
        create_task(settings(tmp_path, sounds, "beats-tiny", **start))
    task = create_task(settings(tmp_path, sounds, "beats-tiny", pooling="mean", **start))
    assert task.encoder().pooling_kind == "mean"


def test_a_stage_with_labels_needs_labels(sounds, tmp_path):
    config = settings(tmp_path, sounds, "supervised-tiny", backbone=CONV)
    with pytest.raises(UserError, match="learns labels, but the data have none"):
        create_task(config, ())
