"""Processes that do tasks beside each other; one that dies takes only its task with it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.errors import AntiphonError

_WORKER = "antiphon.active.benchmark.worker"
# Processes that die before they are ready, in a row, until it is plain that none will start.
_MOST_STILLBORN = 3
_LOOK_S = 1.0
# From the end of a process's output to its own.
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Something to do.

    Parameters
    ----------
    message
        What the process is told.
    source
        What it has to load for it; tasks of one source go to one process where possible.
    """

    message: Mapping[str, Any]
    source: str


@dataclass(slots=True, eq=False)
class _Process:
    number: int
    log: Path
    popen: subprocess.Popen[str]
    ready: bool = False
    task: Task | None = None
    source: str | None = None
    heard: float = field(default_factory=time.monotonic)


class Workers:
    """A pool of processes; use it as a context, which ends them.

    Parameters
    ----------
    count
        Processes at most; as many as there are tasks are started.
    logs
        Folder of what the processes print; empty logs are removed at the end.
    silence_s
        Seconds without any event after which a process is given up as hanging; None for never.
    """

    def __init__(self, count: int, logs: Path, *, silence_s: float | None = None) -> None:
        self._count = max(1, count)
        self._logs = logs
        self._silence_s = silence_s
        self._events: queue.Queue[tuple[_Process, dict[str, Any] | None]] = queue.Queue()
        self._processes: list[_Process] = []
        self._started = 0
        self._stillborn = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.popen.kill()
        for process in self._processes:
            process.popen.wait()
        self._processes = []
        for log in self._logs.glob("worker-*.txt"):
            if log.stat().st_size == 0:
                log.unlink(missing_ok=True)
        if self._logs.is_dir() and not any(self._logs.iterdir()):
            self._logs.rmdir()

    def do(self, tasks: Sequence[Task], on_event: Callable[[Task, dict[str, Any]], None]) -> None:
        """Do all tasks.

        Parameters
        ----------
        on_event
            Called in this thread with each event of a task; the last one of each is ``facts``,
            ``done``, or ``failed`` with a ``reason``.

        Raises
        ------
        AntiphonError
            If no process can be started.
        """
        waiting = list(tasks)
        while waiting or any(p.task for p in self._processes):
            while len(self._processes) < min(self._count, len(waiting) + self._busy()):
                self._start()
            for process in self._processes:
                if process.ready and process.task is None and waiting:
                    self._give(process, waiting)
            try:
                process, event = self._events.get(timeout=_LOOK_S)
            except queue.Empty:
                self._end_silent(on_event)
                continue
            process.heard = time.monotonic()
            if event is None:
                self._bury(process, on_event)
            elif event["event"] == "ready":
                process.ready, self._stillborn = True, 0
            elif process.task is not None:
                task = process.task
                if event["event"] in ("facts", "done", "failed"):
                    process.task = None
                if event["event"] == "failed":
                    # Code that was interrupted may have left anything behind.
                    process.popen.kill()
                    self._bury(process, on_event)
                on_event(task, event)

    def _busy(self) -> int:
        return sum(p.task is not None for p in self._processes)

    def _give(self, process: _Process, waiting: list[Task]) -> None:
        """Hand out a task: of the process's own source, else of one that no other one has."""
        taken = {p.source for p in self._processes if p is not process}
        task = min(waiting, key=lambda t: (t.source != process.source, t.source in taken))
        waiting.remove(task)
        process.task, process.source, process.heard = task, task.source, time.monotonic()
        try:
            assert process.popen.stdin is not None
            process.popen.stdin.write(json.dumps(task.message) + "\n")
            process.popen.stdin.flush()
        except OSError:
            # It died; the end of its output says so.
            return

    def _start(self) -> None:
        self._started += 1
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"worker-{os.getpid()}-{self._started}.txt"
        package = str(Path(__file__).resolve().parents[3])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        # One thread each: runs are the same to the bit then, and do not wait for each other.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with log.open("wb") as sink:
            popen = subprocess.Popen(
                [sys.executable, "-P", "-m", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                encoding="utf-8",
                env={**os.environ, **single, "PYTHONPATH": path},
            )
        process = _Process(self._started, log, popen)
        self._processes.append(process)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def _listen(self, process: _Process) -> None:
        assert process.popen.stdout is not None
        try:
            for line in process.popen.stdout:
                self._events.put((process, json.loads(line)))
        except ValueError:
            pass
        self._events.put((process, None))

    def _bury(
        self, process: _Process, on_event: Callable[[Task, dict[str, Any]], None], why: str = ""
    ) -> None:
        """Take leave of a process that ended, and of its task."""
        if process not in self._processes:
            return
        self._processes.remove(process)
        try:
            code = process.popen.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            code = process.popen.wait()
        if not process.ready:
            self._stillborn += 1
            if self._stillborn >= _MOST_STILLBORN:
                raise AntiphonError(
                    f"No process could be started to run strategies: {_last_line(process.log)}"
                )
        if process.task is not None:
            on_event(process.task, {"event": "failed", "reason": why or _ended(code, process.log)})

    def _end_silent(self, on_event: Callable[[Task, dict[str, Any]], None]) -> None:
        if self._silence_s is None:
            return
        for process in list(self._processes):
            silent = time.monotonic() - process.heard
            if process.task is not None and silent > self._silence_s:
                process.popen.kill()
                self._bury(process, on_event, f"nothing was heard of it for {silent:.0f} s")


def _ended(code: int, log: Path) -> str:
    if code == -9:
        return "its process was killed; perhaps the memory was full (fewer --jobs need less)"
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    last = _last_line(log)
    return f"its process ended {how}" + (f": {last}" if last else "")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
