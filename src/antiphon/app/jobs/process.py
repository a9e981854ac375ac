"""The worker process seen from the server: start it, hear what it says, end it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_GRACE_S = 5.0
_ERROR_CHARACTERS = 4000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker:
    """A process that does one job.

    A process and not a thread: long stretches of a training hold Python's interpreter lock, and
    every request to the server would wait for it.

    Parameters
    ----------
    order
        ``project``, ``kind`` and ``preferences``, as plain JSON values.
    heard
        Called from a thread with each message of the worker.
    ended
        Called from that thread when the process is gone, with a sentence if it died without
        having said how the job ended, else None.
    """

    def __init__(
        self,
        order: Mapping[str, Any],
        heard: Callable[[Mapping[str, Any]], None],
        ended: Callable[[str | None], None],
    ) -> None:
        self._heard, self._ended = heard, ended
        self._process = subprocess.Popen(
            [sys.executable, "-m", "antiphon.app.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            # Ctrl-C in the server's terminal is the server's to answer.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        self._errors = ""
        self._threads = [
            threading.Thread(target=work, name=f"training {name}", daemon=True)
            for name, work in (("errors", self._read_errors), ("messages", self._listen))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def cancel(self) -> None:
        """Ask it to end, and end it if it has not done so after a few seconds."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):
            stdin.close()
        timer = threading.Timer(_GRACE_S, self._process.kill)
        timer.daemon = True
        timer.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the process is gone and :attr:`ended` was called; return whether it is."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors = (self._errors + line.decode(errors="replace"))[-_ERROR_CHARACTERS:]

    def _listen(self) -> None:
        last: Mapping[str, Any] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                last = json.loads(line)
                self._heard(last)
        code = self._process.wait()
        self._threads[0].join(1.0)
        over = {"outcome", "error", "cancelled"} & set(last)
        self._ended(None if over else _cause(code, self._errors))


def _cause(code: int, errors: str) -> str:
    """Say why a process ended that had not finished."""
    after = "Nothing that was labelled is lost; start the training again."
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        memory = " Perhaps the machine ran out of memory." if name == "SIGKILL" else ""
        return f"The training process was killed ({name}).{memory} {after}"
    last = errors.strip().splitlines()[-1:] or [f"exit code {code}"]
    return f"The training process stopped unexpectedly: {last[0]}. {after}"


def _environment() -> dict[str, str]:
    """Return the environment of a worker: one core is left to the server."""
    spare = str(max(1, (os.cpu_count() or 1) - 1))
    return {**dict.fromkeys(_THREADS, spare), **os.environ, "PYTHONUNBUFFERED": "1"}
