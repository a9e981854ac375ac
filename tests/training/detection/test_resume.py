# ruff: noqa: E402
"""A detector's run that was stopped goes on as if it had not been."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.errors import ModelError
from antiphon.training.checkpoints import load_model
from antiphon.training.loop.checkpoint import read_checkpoint
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.run import run_stage
from antiphon.training.loop.stages import prepare_stage
from tests.training.detection.tiny import config, write_folder


class StoppedError(RuntimeError):
    pass


def stop_at(batch):
    def prepare(settings):
        stage = prepare_stage(settings)

        def training(first, end, rank, processes):
            for number, one in enumerate(stage.training(first, end, rank, processes), first):
                if number == batch:
                    raise StoppedError
                yield one

        return replace(stage, training=training)

    return prepare


def test_stopped_and_resumed_equals_uninterrupted(tmp_path):
    root = write_folder(tmp_path / "audio", per_class=4)
    settings = config(
        root,
        loop={"steps": 7},
        data={"holdout": {"share": 0.3}, "long_tail": 0.5, "clips_per_class": [3, 4]},
        checkpoint={"every_steps": 3, "every_minutes": None},
    )
    run_stage(settings, tmp_path / "whole")
    with pytest.raises(StoppedError):
        run_stage(settings, tmp_path / "stopped", prepare=stop_at(5))
    assert run_stage(settings, tmp_path / "stopped", resume=True).finished
    states = [
        read_checkpoint(RunFolder(tmp_path / name).checkpoints(2).files()[0])
        for name in ("whole", "stopped")
    ]
    assert states[0]["step"] == states[1]["step"] == 7
    assert states[0]["task"].keys() == states[1]["task"].keys()
    for name, value in states[0]["task"].items():
        assert torch.equal(value, states[1]["task"][name]), name
    models = [load_model(tmp_path / name / "model") for name in ("whole", "stopped")]
    assert models[0].is_detector
    for name, value in models[0].state_dict().items():
        assert torch.equal(value, models[1].state_dict()[name]), name


def test_loading_is_strict(tmp_path):
    root = write_folder(tmp_path / "audio", per_class=2)
    run_stage(config(root, loop={"steps": 1}), tmp_path / "run")
    settings = (tmp_path / "run" / "model" / "model.yaml").read_text()
    assert "kind: sed" in settings
    changed = settings.replace("kind: sed", "kind: sed\n  hidden: 8")
    (tmp_path / "run" / "model" / "model.yaml").write_text(changed)
    with pytest.raises(ModelError, match=r"head\.hidden"):
        load_model(tmp_path / "run" / "model")
