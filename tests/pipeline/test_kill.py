"""Embedding is killed at random moments, or done by two processes: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.api import Project

# An encoder that writes down every recording it is given; run as a user's process would be.
WORKER = """
import sys, time
from pathlib import Path
import numpy as np
from antiphon.api import Project
from antiphon.encoders.base import Encoded, EncoderSpec

folder, log, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

class Logged:
    spec = EncoderSpec("logged", 8000, 0.25, 0.25, 4)
    def prepare(self, audio, valid):
        return audio
    def encode(self, audio):
        time.sleep(pause)
        # The first sample of a window says which recording and window it is.
        with log.open("a") as stream:
            stream.write("".join(f"{round(float(a[0]) * 32768)}\\n" for a in audio))
        return Encoded(np.stack([audio[:, 0]] * 4, axis=1).astype(np.float32))

report = Project(folder).embed(Logged())
print("elsewhere", report.elsewhere, flush=True)
"""
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


def start(project: Path, log: Path, pause: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(project), str(log), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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
        while time.monotonic() < limit and worker.poll() is None:
            if log.exists() and log.stat().st_size > before:
                break
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.15))
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        lines = log.read_text()[before:].split() if log.exists() else []
        runs.append({int(mark) // 100 for mark in lines})
    last = start(project, log, 0.0)
    _, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
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
        _, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err
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
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[0].wait()
    _, err = workers[1].communicate(timeout=120)
    assert workers[1].returncode == 0, err
    last = start(project, tmp_path / "log3", 0.0)
    _, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    assert_whole(project)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C of a child process needs POSIX signals")
def test_ctrl_c_keeps_what_is_finished(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = start(project, log, 0.05)
    limit = time.monotonic() + 60
    while time.monotonic() < limit and not (log.exists() and log.stat().st_size > 50):
        time.sleep(0.005)
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=60)
    kept = Project(project).table().count()
    assert 0 < kept < FILES * WINDOWS
    last = start(project, log, 0.0)
    last.communicate(timeout=120)
    assert_whole(project)
