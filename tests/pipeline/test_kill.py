"""Embedding is killed at random moments, or done by two processes: nothing is lost or doubled."""

from __future__ import annotations

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from antiphon.api import Project
from tests.pipeline.worker import work

# Workers are forked from a server that has done the imports and nothing else; each is a process of
# its own all the same. Where there is no such thing, they start from nothing.
_START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_PROCESSES = multiprocessing.get_context(_START)
_PROCESSES.set_forkserver_preload(["tests.pipeline.worker", "antiphon.store.vectors"])
FILES, WINDOWS = 24, 4


@pytest.fixture
def project(tmp_path: Path) -> Path:
    audio = tmp_path / "audio"
    audio.mkdir()
    for i in range(FILES):
        data = np.zeros(8000, np.int16)
        # Windows of file i are marked 100 i, 100 i + 1, ... in their first sample.
        data[::2000] = 100 * (i + 1) + np.arange(WINDOWS)
        soundfile.write(audio / f"r{i:02d}.wav", data, 8000, subtype="PCM_16")
    Project.create(tmp_path / "project", audio=[audio])
    return tmp_path / "project"


def start(project: Path, log: Path, pause: float) -> Any:
    worker = _PROCESSES.Process(target=work, args=(project, log, pause))
    worker.start()
    return worker


def finish(worker: Any) -> None:
    worker.join(timeout=120)
    assert worker.exitcode == 0


def assert_whole(project: Path) -> None:
    """Every window is there once, with the vector of its own audio."""
    table = Project(project).table()
    windows = table.windows()
    spans = Counter(
        zip(
            windows.column("recording_id").to_pylist(),
            windows.column("start_s").to_pylist(),
            strict=True,
        )
    )
    assert len(spans) == windows.num_rows == FILES * WINDOWS
    vectors = np.round(table.vectors(np.arange(windows.num_rows))[:, 0] * 32768)
    marks = Counter(vectors.astype(int).tolist())
    expected = {100 * (i + 1) + w for i in range(FILES) for w in range(WINDOWS)}
    # float16 rounds marks above 2048 to even numbers, so count files rather than windows there.
    files = Counter(mark // 100 for mark in marks.elements())
    assert files == Counter({i + 1: WINDOWS for i in range(FILES)})
    assert {m for m in marks if m < 2048} == {m for m in expected if m < 2048}


def test_killed_ten_times_at_random_moments(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    rng = random.Random(7)
    runs = []
    for _ in range(10):
        before = log.stat().st_size if log.exists() else 0
        worker = start(project, log, 0.03)
        # Wait until it encodes, so that the moment falls into the work and not into the imports.
        limit = time.monotonic() + 60
        while time.monotonic() < limit and worker.is_alive():
            if log.exists() and log.stat().st_size > before:
                break
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.15))
        worker.kill()
        worker.join()
        lines = log.read_text()[before:].split() if log.exists() else []
        runs.append({int(mark) // 100 for mark in lines})
    finish(start(project, log, 0.0))
    assert_whole(project)
    # A recording is encoded again only if it was the one in flight when a run was killed.
    encoded = Counter(int(mark) for mark in log.read_text().split())
    again = {mark // 100 for mark, times in encoded.items() if times > 1}
    assert len(again) <= len(runs)
    assert sum(times - 1 for times in encoded.values()) <= len(runs) * WINDOWS


def test_two_processes_share_the_work(project: Path, tmp_path: Path) -> None:
    logs = [tmp_path / "log1", tmp_path / "log2"]
    workers = [start(project, log, 0.02) for log in logs]
    for worker in workers:
        finish(worker)
    assert_whole(project)
    marks = [set(log.read_text().split()) if log.exists() else set() for log in logs]
    assert not marks[0] & marks[1]
    assert len(marks[0] | marks[1]) == FILES * WINDOWS


def test_one_of_two_processes_is_killed(project: Path, tmp_path: Path) -> None:
    logs = [tmp_path / "log1", tmp_path / "log2"]
    workers = [start(project, log, 0.02) for log in logs]
    limit = time.monotonic() + 60
    while time.monotonic() < limit and not (logs[0].exists() and logs[0].stat().st_size > 20):
        time.sleep(0.005)
    workers[0].kill()
    workers[0].join()
    finish(workers[1])
    finish(start(project, tmp_path / "log3", 0.0))
    assert_whole(project)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C of a child process needs POSIX signals")
def test_ctrl_c_keeps_what_is_finished(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "tests.pipeline.worker", str(project), str(log), "0.05"]
    worker = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
    limit = time.monotonic() + 60
    while time.monotonic() < limit and not (log.exists() and log.stat().st_size > 50):
        time.sleep(0.005)
    worker.send_signal(signal.SIGINT)
    worker.wait(timeout=60)
    kept = Project(project).table().count()
    assert 0 < kept < FILES * WINDOWS
    finish(start(project, log, 0.0))
    assert_whole(project)
