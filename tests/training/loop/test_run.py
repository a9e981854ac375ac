# ruff: noqa: E402
"""A whole run: what it leaves, what it learns, and what stops it."""

from __future__ import annotations

import errno
import functools
import json
import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.errors import DiskFullError
from antiphon.training.checkpoints.models import load_model, read_model_config
from antiphon.training.config import load_run_config
from antiphon.training.loop import checkpoint
from antiphon.training.loop.errors import LossError
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import read_log
from antiphon.training.loop.run import run_stage
from antiphon.training.loop.schedule import learning_rate_factor
from tests.training.loop import tiny


class Told:
    """Records what a run tells."""

    def __init__(self):
        self.phases, self.notes, self.amount = [], [], 0.0

    def start(self, what, total, unit):
        self.phases.append((what, total, unit))

    def advance(self, amount):
        self.amount += amount

    def note(self, message):
        self.notes.append(message)

    def finish(self):
        pass


def test_what_a_run_leaves(tmp_path):
    settings = tiny.config(
        tmp_path, checkpoint={"every_steps": 2, "keep": 3}, validation={"every": 4}
    )
    told = Told()
    report = run_stage(settings, tmp_path / "run", reporter=told, prepare=tiny.prepare)
    run = tmp_path / "run"
    assert report.finished
    assert load_run_config(run / "config.yaml") == settings
    assert json.loads((run / "environment.json").read_text())["seed"] == 5
    log = read_log(run / "log.csv")
    assert [row["step"] for row in log] == [3, 6, 9, 12]
    for row in log:
        assert row["loss"] == pytest.approx(row["entropy"] + 0.1 * row["follow"])
        assert row["gradient_norm"] > 0
        assert row["examples_per_s"] > 0
        factor = learning_rate_factor(settings.optimiser, int(row["step"]) - 1, 12)
        assert row["lr"] == pytest.approx(1e-2 * factor)
    assert [row["step"] for row in read_log(run / "validation.csv")] == [0, 4, 8, 12]
    names = [f.name for f in RunFolder(run).checkpoints(3).files()]
    assert names == ["step-00000012.pt", "step-00000010.pt", "step-00000008.pt"]
    assert {f.name for f in (run / "checkpoints").iterdir()} == set(names)
    found = json.loads((run / "validation.json").read_text())
    assert found["finished"]
    assert found["last"]["clips"] == 24
    assert (run / "curves.svg").read_text().startswith("<svg")
    assert "Training of tiny" in (run / "report.html").read_text()
    assert told.phases == [("training", 12, "steps")]
    assert told.amount == 12
    assert any("R-AUC" in note for note in told.notes)


def test_what_is_said_of_the_encoder_reaches_its_model(tmp_path):
    words = {"description": "Wrens.", "licence": "CC0-1.0", "source": "https://example.org/wrens"}
    settings = tiny.config(tmp_path, **words)
    run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    kept = read_model_config(tmp_path / "run" / "model")
    assert {name: getattr(kept, name) for name in words} == words
    # They change neither examples nor steps, so a run goes on whatever they say.
    other = settings.model_copy(update={"licence": "MIT"})
    assert run_stage(other, tmp_path / "run", prepare=tiny.prepare).finished


def test_the_kept_model_is_the_trained_one(tmp_path):
    held = {}

    def prepare(settings):
        stage = tiny.prepare(settings)
        held["task"] = stage.task
        return stage

    run_stage(tiny.config(tmp_path), tmp_path / "run", prepare=prepare)
    model = load_model(tmp_path / "run" / "model")
    assert not model.training
    batch = tiny.examples([1, 2, 3])
    mine = held["task"].encoder().embed(batch["waveform"], batch["valid"])
    assert torch.equal(model.embed(batch["waveform"], batch["valid"]), mine)


def test_a_run_learns(tmp_path):
    settings = tiny.config(tmp_path, loop={"steps": 60}, optimiser={"lr": 3e-2})
    report = run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    assert report.last["loss"] < 0.5 * report.first["loss"]
    assert report.last["r_auc"] > report.first["r_auc"] + 0.1
    assert report.last["probe_accuracy"] > report.first["probe_accuracy"] + 0.1


def test_a_step_is_plain_torchs(tmp_path):
    """Clipping, accumulation, AdamW and schedule, against a loop of torch alone."""
    settings = tiny.config(
        tmp_path,
        loop={"accumulate": 2, "steps": 5},
        optimiser={"clip": 0.05, "weight_decay": 0.3},
    )
    stage = tiny.prepare(settings, random=0.0)
    own, peer = stage.task, tiny.prepare(settings, random=0.0).task
    peer.load_state_dict(own.state_dict())
    run_stage(settings, tmp_path / "run", prepare=lambda _: stage)
    optimiser = torch.optim.AdamW(peer.parameter_groups(1e-2, 0.3), betas=(0.9, 0.95), eps=1e-8)
    batches = iter(tiny.Batches(0, 10))
    peer.train()
    for step in range(5):
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * learning_rate_factor(settings.optimiser, step, 5)
        optimiser.zero_grad()
        for _ in range(2):
            (peer.training_loss(next(batches), step, torch.Generator())["loss"] / 2).backward()
        torch.nn.utils.clip_grad_norm_(peer.parameters(), 0.05)
        optimiser.step()
        peer.after_step(step, 5)
    for (name, mine), theirs in zip(
        own.state_dict().items(), peer.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(mine, theirs, msg=name, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_before_it_does_harm(tmp_path, value):
    settings = tiny.config(tmp_path, checkpoint={"every_steps": 4})
    prepare = functools.partial(tiny.prepare, at={6: lambda loss: loss * value})
    with pytest.raises(LossError, match=r"Step 6: the loss .*entropy 0\.\d+.*optimiser\.lr"):
        run_stage(settings, tmp_path / "run", prepare=prepare)
    assert RunFolder(tmp_path / "run").checkpoints(2).files()[0].name == "step-00000004.pt"
    assert not (tmp_path / "run" / "model").exists()


def test_a_gradient_that_is_no_number_is_named(tmp_path):
    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * math.nan

    prepare = functools.partial(tiny.prepare, at={2: Bad.apply})
    with pytest.raises(LossError, match="Step 2: the gradient is no finite number"):
        run_stage(tiny.config(tmp_path), tmp_path / "run", prepare=prepare)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    settings = tiny.config(tmp_path, checkpoint={"every_steps": 4, "keep": 1})
    whole = checkpoint._Watched.write
    room = {"bytes": 70_000}

    class Full:
        """A disk with room for the first checkpoint and a part of the second."""

        def __init__(self, file):
            self.file = file

        def write(self, data):
            room["bytes"] -= len(data)
            if room["bytes"] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(data)

        def flush(self):
            self.file.flush()

    def write(self, data):
        if not isinstance(self._file, Full):
            self._file = Full(self._file)
        return whole(self, data)

    monkeypatch.setattr(checkpoint._Watched, "write", write)
    with pytest.raises(DiskFullError, match="the disk is full, and this checkpoint was not"):
        run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    monkeypatch.undo()
    files = list((tmp_path / "run" / "checkpoints").iterdir())
    assert [f.name for f in files] == ["step-00000004.pt"]
    assert checkpoint.read_checkpoint(files[0])["step"] == 4
    assert run_stage(settings, tmp_path / "run", prepare=tiny.prepare).finished


def test_bf16_trains(tmp_path):
    settings = tiny.config(tmp_path, loop={"precision": "bf16", "steps": 3})
    run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    state = checkpoint.read_checkpoint(tmp_path / "run" / "checkpoints" / "step-00000003.pt")
    assert {v.dtype for v in state["task"].values() if v.is_floating_point()} == {torch.float32}


def test_nothing_held_out(tmp_path):
    prepare = functools.partial(tiny.prepare, hold_out=0)
    report = run_stage(tiny.config(tmp_path), tmp_path / "run", prepare=prepare)
    assert report.last == {}
    found = json.loads((tmp_path / "run" / "validation.json").read_text())
    assert found["last"]["notes"] == ["No clip is held out."]


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = tiny.config(tmp_path, loop={"tensorboard": True})
    run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    shown = [(e.step, e.value) for e in events.Scalars("training/loss")]
    log = [(row["step"], pytest.approx(row["loss"])) for row in read_log(tmp_path / "run/log.csv")]
    assert shown == log
