from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from antiphon.active.base import PoolView, Selection
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.parallel import Failure, Task, run_many
from antiphon.active.learner.record import Run
from tests.active.learner.making import make_set

QUICK = LoopConfig(budget=40, schedule=Schedule((20,)), epochs=2)


def broken(pool: PoolView, n: int) -> Selection:
    return Selection(np.zeros(n, np.int64), np.ones(n, np.float32))


def dying(pool: PoolView, n: int) -> Selection:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def leaving(pool: PoolView, n: int) -> Selection:
    raise SystemExit(3)


def waiting(pool: PoolView, n: int) -> Selection:
    (Path(os.environ["PIDS"]) / str(os.getpid())).touch()
    time.sleep(120)
    raise AssertionError


def tasks(*strategies):
    source = partial(make_set, 0, n=200)
    return [Task("made", source, s, QUICK, seed) for s in strategies for seed in range(2)]


def test_parallel_runs_are_those_made_one_by_one():
    found = {t.title: run for t, run in run_many(tasks("random", "coreset"), 2)}
    assert len(found) == 4
    alone = {t.title: run for t, run in run_many(tasks("random", "coreset"), 1)}
    for title, run in found.items():
        assert isinstance(run, Run)
        assert run.curve() == alone[title].curve()
        assert [c.rows for c in run.cycles] == [c.rows for c in alone[title].cycles]
    direct = run_loop(make_set(0, n=200), "coreset", QUICK, 1)
    assert found["coreset on made, seed 1"].curve() == direct.curve()


def test_a_failure_is_kept_with_its_reason_and_the_others_go_on():
    found = [run for _, run in run_many(tasks(broken, "random"), 1)]
    assert [isinstance(run, Failure) for run in found] == [True, True, False, False]
    assert "more than once" in found[0].reason


def test_a_process_that_dies_takes_no_other_run_with_it():
    found = {t.title: run for t, run in run_many(tasks(dying, "random"), 2)}
    assert len(found) == 4
    dead = [run for run in found.values() if isinstance(run, Failure)]
    assert all("process died" in run.reason for run in dead)
    assert {title for title, run in found.items() if isinstance(run, Run)} == {
        "random on made, seed 0",
        "random on made, seed 1",
    }


def test_a_set_that_cannot_be_read_is_a_failure():
    def nothing():
        raise OSError("gone")

    ((_, failure),) = run_many([Task("lost", nothing, "random", QUICK, 0)], 1)
    assert isinstance(failure, Failure)
    assert "gone" in failure.reason


@pytest.mark.parametrize("processes", [1, 2])
def test_a_strategy_that_exits_takes_no_process_with_it(processes):
    found = [run for _, run in run_many(tasks(leaving, "random"), processes)]
    assert sorted(isinstance(run, Failure) for run in found) == [False, False, True, True]
    assert all("SystemExit" in run.reason for run in found if isinstance(run, Failure))


def test_runs_that_are_given_up_early_leave_no_process():
    runs = run_many(tasks("random", "coreset"), 2)
    next(runs)
    runs.close()
    until = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < until:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_ends_all_processes(tmp_path):
    code = (
        "from tests.active.learner.test_parallel import *\n"
        "if __name__ == '__main__':\n"
        "    list(run_many(tasks(waiting), 2))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    root = Path(__file__).parents[3]
    pids = tmp_path / "pids"
    pids.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(root), "PIDS": str(pids)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while len(list(pids.iterdir())) < 2 and parent.poll() is None:
            time.sleep(0.05)
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=60)
    finally:
        parent.kill()
    assert errors.strip().splitlines()[-1] == "KeyboardInterrupt"
    time.sleep(0.5)
    for pid in pids.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.name), 0)
