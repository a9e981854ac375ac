"""Processes that die, hang or cannot start."""

from __future__ import annotations

import sys

import pytest

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.plan import System
from antiphon.active.benchmark.sources import FolderSource, SetFacts
from antiphon.active.benchmark.workers import Task, Workers
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.errors import AntiphonError
from tests.active.benchmark.made import sampling_file, small_set


def _task(tmp_path, method):
    source = FolderSource(str(small_set(tmp_path / f"{method}_BASEAL")))
    (data,) = source.load(None)
    strategy = StrategySource.file(sampling_file(tmp_path / "team"), method)
    config = LoopConfig(budget=10, schedule=Schedule((10,)), epochs=1, time_limit_s=1.0)
    system = System(strategy, config)
    return Task(
        {
            "task": "run",
            "source": source.to_json(),
            "set_key": SetFacts.of(data).key,
            "system": system.to_json(),
            "system_key": system.key(),
            "seed": 0,
            "path": str(tmp_path / f"{method}.json"),
            "cache": str(tmp_path / "cache"),
            "made": {},
        },
        method,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the strategy blocks a signal")
def test_one_that_hears_no_signal_is_ended_by_its_silence(tmp_path):
    tasks = [_task(tmp_path, "deaf"), _task(tmp_path, "first")]
    ends = {}
    with Workers(1, tmp_path / "logs", silence_s=6.0) as workers:
        workers.do(tasks, lambda task, event: ends.__setitem__(task.source, event))
    assert ends["deaf"]["event"] == "failed"
    assert "nothing was heard of it" in ends["deaf"]["reason"]
    assert ends["first"] == {"event": "done"}


def test_a_set_or_file_that_changed_meanwhile_is_refused(tmp_path):
    task = _task(tmp_path, "first")
    changed = [
        Task({**task.message, "set_key": "another"}, "set"),
        Task({**task.message, "system_key": "another"}, "system"),
    ]
    ends = {}
    with Workers(1, tmp_path / "logs") as workers:
        workers.do(changed, lambda task, event: ends.__setitem__(task.source, event))
    assert all("changed while" in end["reason"] for end in ends.values())
    assert not (tmp_path / "first.json").exists()


def test_when_no_process_starts_the_reason_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("antiphon.active.benchmark.workers._WORKER", "antiphon.there_is_no_such")
    with (
        Workers(1, tmp_path / "logs") as workers,
        pytest.raises(AntiphonError, match="there_is_no_such"),
    ):
        workers.do([Task({"task": "facts"}, "x")], lambda *_: None)
