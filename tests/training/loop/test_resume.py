# ruff: noqa: E402
"""A run that was stopped, by whatever, goes on as if it had not been."""

from __future__ import annotations

import functools
import os
import signal
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("lightning", reason="needs the extra train")

from antiphon.errors import ModelError, UserError
from antiphon.training.config import RunConfig
from antiphon.training.loop.checkpoint import read_checkpoint
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import read_log
from antiphon.training.loop.run import run_stage
from tests.training.loop import tiny

TIMES = {"examples_per_s", "cpu_s"}


def curve(run):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in read_log(run / "log.csv")]


def final_state(run):
    return read_checkpoint(RunFolder(run).checkpoints(2).files()[0])


def assert_same(run, other):
    assert curve(run) == curve(other)
    assert read_log(run / "validation.csv") == read_log(other / "validation.csv")
    mine, theirs = final_state(run), final_state(other)
    assert mine["step"] == theirs["step"]
    assert mine["task"].keys() == theirs["task"].keys()
    for name, value in mine["task"].items():
        assert torch.equal(value, theirs["task"][name]), name
    for number, moments in mine["optimiser"]["state"].items():
        for name, value in moments.items():
            assert torch.equal(value, theirs["optimiser"]["state"][number][name])


@pytest.fixture
def settings(tmp_path) -> RunConfig:
    # 4 and 5 against rows of 3 steps: a checkpoint falls into the middle of a row.
    return tiny.config(
        tmp_path, checkpoint={"every_steps": 4, "every_minutes": None}, validation={"every": 5}
    )


@pytest.fixture
def whole(settings, tmp_path):
    run_stage(settings, tmp_path / "whole", prepare=tiny.prepare)
    return tmp_path / "whole"


class Once:
    """Does something to the process the first time that it sees a loss."""

    def __init__(self, number):
        self.number = number

    def __call__(self, loss):
        if self.number is not None:
            number, self.number = self.number, None
            os.kill(os.getpid(), number)
        return loss


def stopped_at(step, number=signal.SIGINT):
    return functools.partial(tiny.prepare, at={step: Once(number)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_resumed_equals_uninterrupted(settings, whole, tmp_path, number):
    run = tmp_path / "stopped"
    first = run_stage(settings, run, prepare=stopped_at(6, number))
    assert not first.finished
    assert 7 <= first.done <= 8
    assert RunFolder(run).checkpoints(2).files()[0].name == f"step-{first.done:08d}.pt"
    assert not (run / "model").exists()
    second = run_stage(settings, run, resume=True, prepare=tiny.prepare)
    assert second.finished
    assert_same(run, whole)


@pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX's")
@pytest.mark.parametrize("workers", [0, 2])
def test_killed_and_resumed_equals_uninterrupted(settings, whole, tmp_path, workers):
    run = tmp_path / "killed"
    data = settings.data.model_copy(update={"workers": workers})
    settings = settings.model_copy(update={"data": data})
    child = os.fork()
    if child == 0:
        try:
            run_stage(settings, run, prepare=stopped_at(10, signal.SIGKILL))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    # The log is ahead of the newest checkpoint; what is ahead is done again.
    assert curve(run)[-1]["step"] == 9
    assert RunFolder(run).checkpoints(2).files()[0].name == "step-00000008.pt"
    assert run_stage(settings, run, prepare=tiny.prepare).finished
    assert_same(run, whole)


def test_a_second_ctrl_c_stops_at_once(settings, whole, tmp_path):
    def twice(loss):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return loss

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_stage(settings, run, prepare=functools.partial(tiny.prepare, at={6: twice}))
    assert RunFolder(run).checkpoints(2).files()[0].name == "step-00000004.pt"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert run_stage(settings, run, prepare=tiny.prepare).finished
    assert_same(run, whole)


def test_accumulated_batches_resume_alike(tmp_path):
    settings = tiny.config(tmp_path, loop={"accumulate": 3, "steps": 6, "log_every": 1})
    run_stage(settings, tmp_path / "whole", prepare=tiny.prepare)
    assert not run_stage(settings, tmp_path / "run", prepare=stopped_at(2)).finished
    assert run_stage(settings, tmp_path / "run", prepare=tiny.prepare).finished
    assert_same(tmp_path / "run", tmp_path / "whole")


def test_a_seed_decides_the_curve(settings, whole, tmp_path):
    run_stage(settings, tmp_path / "again", prepare=tiny.prepare)
    assert_same(tmp_path / "again", whole)
    other = settings.model_copy(update={"seed": 6})
    run_stage(other, tmp_path / "other", prepare=tiny.prepare)
    assert curve(tmp_path / "other") != curve(whole)


def test_a_finished_run_does_nothing(settings, whole):
    before = {f: f.stat().st_mtime_ns for f in whole.rglob("*")}
    report = run_stage(settings, whole, prepare=None)
    assert report.finished
    assert not report.now
    assert report.last["loss"] == read_log(whole / "validation.csv")[-1]["loss"]
    assert {f: f.stat().st_mtime_ns for f in whole.rglob("*")} == before


def test_a_folder_of_other_settings_is_refused(settings, whole, tmp_path):
    changed = tiny.config(
        tmp_path,
        optimiser={"lr": 2e-2},
        validation={"every": 5},
        loop={"log_every": 1},
        checkpoint={"keep": 1},
    )
    with pytest.raises(UserError, match=r"optimiser\.lr is 0\.01 there and 0\.02 here") as caught:
        run_stage(changed, whole, prepare=tiny.prepare)
    # What changes no step is no other run.
    assert "log_every" not in str(caught.value)
    assert "keep" not in str(caught.value)


def test_resume_needs_a_run_and_a_run_needs_its_own_folder(settings, tmp_path):
    with pytest.raises(UserError, match="no training run to go on with"):
        run_stage(settings, tmp_path / "none", resume=True, prepare=tiny.prepare)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="holds no training run"):
        run_stage(settings, tmp_path / "full", prepare=tiny.prepare)


def test_one_process_at_a_time(settings, tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim(settings)
    with folder.held(), pytest.raises(UserError, match="another process is training here"):
        run_stage(settings, tmp_path / "run", prepare=tiny.prepare)
    assert run_stage(settings, tmp_path / "run", prepare=tiny.prepare).finished


def test_a_checkpoint_of_other_networks_is_named(settings, tmp_path):
    run = tmp_path / "run"
    run_stage(settings, run, prepare=stopped_at(3))
    state = final_state(run)
    state["task"].pop(next(iter(state["task"])))
    del state["format"]
    RunFolder(run).checkpoints(2).save(state)
    with pytest.raises(ModelError, match="does not fit the networks"):
        run_stage(settings, run, prepare=tiny.prepare)


class _Told:
    def __init__(self):
        self.notes = []

    def start(self, what, total, unit):
        pass

    def advance(self, amount):
        pass

    def note(self, message):
        self.notes.append(message)

    def finish(self):
        pass


def test_data_that_changed_meanwhile(tmp_path):
    settings = tiny.config(tmp_path, checkpoint={"every_steps": 2})

    def prepare(config, *, classes, clips, at=None):
        return replace(
            tiny.prepare(config, at=at, hold_out=0),
            data={"classes": classes, "clips": clips, "key": f"{classes} {clips}"},
        )

    def stop(loss):
        raise KeyboardInterrupt

    run, first = tmp_path / "run", list("abcd")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run_stage(
            settings,
            run,
            prepare=functools.partial(prepare, classes=first, clips=9, at={5: stop}),
        )
    with pytest.raises(UserError, match=r"other classes .*'d' no longer, 'e' as well"):
        run_stage(settings, run, prepare=functools.partial(prepare, classes=list("abce"), clips=9))
    told = _Told()
    again = functools.partial(prepare, classes=first, clips=8)
    assert run_stage(settings, run, reporter=told, prepare=again).finished
    assert any("9 clips then, 8 now" in note for note in told.notes)


def test_settings_that_led_nowhere_leave_the_folder_free(tmp_path):
    def broken(config):
        raise UserError("There is no such column.")

    def short_of_memory(loss):
        raise RuntimeError("out of memory")

    run = tmp_path / "run"
    with pytest.raises(UserError, match="no such column"):
        run_stage(tiny.config(tmp_path, seed=1), run, prepare=broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_stage(
            tiny.config(tmp_path, seed=2),
            run,
            prepare=functools.partial(tiny.prepare, at={0: short_of_memory}),
        )
    assert run_stage(tiny.config(tmp_path, seed=3), run, prepare=tiny.prepare).finished


def test_a_dead_worker_is_explained(tmp_path):
    def die(loss):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    prepare = functools.partial(tiny.prepare, at={1: die})
    with pytest.raises(UserError, match=r"pid 7\) is killed .*fewer data.workers"):
        run_stage(tiny.config(tmp_path), tmp_path / "run", prepare=prepare)
