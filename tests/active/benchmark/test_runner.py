"""A benchmark run for real in small: what fails, what goes on, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.folder import BenchmarkFolder, read_result
from antiphon.active.benchmark.plan import plan
from antiphon.active.benchmark.runner import run_benchmark
from antiphon.active.benchmark.sources import FolderSource
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.learner.loop import run_loop
from antiphon.errors import UserError
from tests.active.benchmark.made import sampling_file, small_set

CONFIG = LoopConfig(budget=20, schedule=Schedule((10,)), epochs=2, time_limit_s=5.0)


class Listener:
    """A reporter that remembers."""

    def __init__(self):
        self.phases, self.notes, self.advanced = [], [], {}

    def start(self, what, total, unit):
        self.phases.append((what, total))
        self.advanced[what] = 0.0

    def advance(self, amount):
        self.advanced[self.phases[-1][0]] += amount

    def note(self, message):
        self.notes.append(message)

    def finish(self):
        pass


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Good and bad strategies on a good and a bad set."""
    place = tmp_path_factory.mktemp("bench")
    good, bad = small_set(place / "Good_BASEAL"), small_set(place / "Bad_BASEAL", seed=1)
    np.save(bad / "embeddings" / "perch_v2" / "r003_000_005.npy", np.zeros(5, np.float32))
    team = sampling_file(place / "team")
    methods = ("first", "twice", "raises", "dies", "hangs", "leaves")
    strategies = [StrategySource.named(name) for name in ("random", "coreset")]
    strategies += [StrategySource.file(team, method) for method in methods]
    sources = [FolderSource(str(good)), FolderSource(str(bad))]
    group = plan(sources, strategies, config=CONFIG, repeats=1)
    folder = BenchmarkFolder(place / "run")
    listener = Listener()
    return folder, group, run_benchmark([group], folder, jobs=2, reporter=listener), listener


def test_what_fails_is_named_and_the_rest_goes_on(bench):
    folder, _, report, listener = bench
    assert report.done == 3
    reasons = {failure.what: failure.reason for failure in report.failed}
    assert len(reasons) == 6
    assert "r003_000_005.npy" in reasons.pop(next(w for w in reasons if "Bad_BASEAL" in w))
    told = {
        "twice": "more than once",
        "raises": "no luck today",
        "dies": "its process ended with code 7: out of paper",
        "hangs": "did not end within 5 s",
        "leaves": "so long",
    }
    for method, said in told.items():
        assert said in reasons[f"{method} on Good, seed 0"]
    assert {f.what for f in folder.failures()} == {f.what for f in report.failed}
    assert len(listener.notes) == 6


def test_progress_comes_to_an_end(bench):
    _, _, _, listener = bench
    assert listener.phases == [("Reading sets", 2), ("Runs", 8)]
    assert listener.advanced["Runs"] == pytest.approx(8)


def test_results_are_those_of_the_loop(bench):
    folder, group, _, _ = bench
    results, _ = folder.results()
    assert {r.system.strategy.name for r in results} == {"random", "coreset", "first"}
    (data,) = group.sources[0].load(None)
    for result in results:
        if result.system.strategy.path:
            continue
        again = run_loop(data, result.run.strategy, CONFIG, seed=0)
        assert [c.rows for c in again.cycles] == [c.rows for c in result.run.cycles]
        assert [c.mAP for c in again.cycles] == [c.mAP for c in result.run.cycles]
    assert {r.facts.model for r in results} == {"perch_v2"}


def test_logs_hold_what_strategies_print(bench):
    folder, _, _, _ = bench
    logs = "".join(path.read_text() for path in folder.logs.iterdir())
    assert "this goes to the log" in logs


def test_again_does_only_what_is_missing(bench):
    folder, group, _, _ = bench
    results, _ = folder.results()
    kept, gone = (r for r in results if r.system.strategy.name in ("random", "coreset"))
    paths = [folder.run_path(r.facts, r.system, 0) for r in (kept, gone)]
    before = paths[0].stat().st_mtime_ns
    paths[1].write_text("{")
    good = plan(
        group.sources[:1],
        [StrategySource.named("random"), StrategySource.named("coreset")],
        config=CONFIG,
        repeats=1,
    )
    report = run_benchmark([good], folder, jobs=1)
    assert (report.done, report.kept, report.failed) == (1, 1, [])
    assert paths[0].stat().st_mtime_ns == before
    again = read_result(paths[1]).run
    assert [c.rows for c in again.cycles] == [c.rows for c in gone.run.cycles]
    assert run_benchmark([good], folder, jobs=1, redo=True).done == 2


def test_one_benchmark_at_a_time(bench):
    folder, group, _, _ = bench
    with FileLock(folder.path / ".lock"), pytest.raises(UserError, match="another process"):
        run_benchmark([group], folder)


SLOW = """
import time
import numpy as np


class SamplingStrategy:
    def __init__(self, method="custom", n_samples=10, random_state=None):
        self.n_samples, self.rng = n_samples, None

    def select(self, unlabeled_indices, **given):
        time.sleep(0.25)
        return list(unlabeled_indices[: self.n_samples]), np.ones(len(unlabeled_indices))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent")
def test_a_stopped_and_a_killed_benchmark_go_on_where_they_were(tmp_path):
    small_set(tmp_path / "Good_BASEAL")
    slow = tmp_path / "slow" / "sampling.py"
    slow.parent.mkdir()
    slow.write_text(SLOW)
    out = tmp_path / "run"
    bare = [sys.executable, "-m", "antiphon", "bench", "al", "--jobs", "1", "--out", str(out)]
    first = [*bare, "--data", str(tmp_path), "--sampling", str(slow), "--repeats", "4"]
    first += ["--budget", "20", "--batch", "5"]
    code, said = _stop_at(first, signal.SIGINT, out, runs=1)
    assert code == 130
    assert "run the same command again" in said
    code, _ = _stop_at(bare, signal.SIGKILL, out, runs=2)
    assert code == -9
    finished = {p: p.read_text() for p in out.glob("runs/*/*/*.json")}
    assert 2 <= len(finished) < 4
    assert all(json.loads(text) for text in finished.values())
    done = subprocess.run(bare, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert f"{4 - len(finished)} runs now, {len(finished)} kept" in done.stdout
    assert all(p.read_text() == text for p, text in finished.items())
    assert len(list(out.glob("runs/*/*/*.json"))) == 4
    assert not list(out.glob("**/*.part"))


def _stop_at(command: list[str], number: int, out: Path, runs: int) -> tuple[int, str]:
    """Send a signal when so many runs are finished; return the exit code and what was said."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list(out.glob("runs/*/*/*.json"))) < runs and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    _wait_for_workers(out)
    return running.returncode, said


def _wait_for_workers(out: Path) -> None:
    """Wait until no process holds the log of a worker any more, where that can be seen."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        held = False
        for link in Path("/proc").glob("[0-9]*/fd/2"):
            try:
                held |= str(out) in str(link.readlink())
            except OSError:
                continue
        if not held:
            return
        time.sleep(0.1)
    raise AssertionError("a worker outlived the benchmark")
