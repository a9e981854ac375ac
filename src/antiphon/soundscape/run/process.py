"""The scoring process as its parent sees it: started, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_MODULE = "antiphon.soundscape.run.child"
# Of what the process says on its standard error, the last characters are kept.
_KEPT = 1 << 16
# One thread for each worker: pools of linear algebra would only get in each other's way.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ScoringProcess:
    """A running scoring process.

    It is not in the terminal's group, so that Ctrl-C reaches the parent alone, which ends it in
    order. When the parent dies, its standard input ends, and so does it.

    Parameters
    ----------
    job_file
        What it is to do.
    """

    def __init__(self, job_file: Path) -> None:
        environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(job_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=environment,
        )
        self._said = bytearray()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """What it wrote on its standard error, the end of it."""
        if self.code is not None:
            self._listener.join(timeout=2.0)
        return bytes(self._said).decode("utf-8", "replace")

    def end(self) -> None:
        """Kill it, if it runs; what it has put on disk stays."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stderr):
            if stream is not None:
                self._listener.join(timeout=2.0)
                stream.close()

    def _listen(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        while data := os.read(stream.fileno(), 1 << 12):
            self._said += data
            del self._said[:-_KEPT]


def death(code: int) -> str:
    """Return how a process ended, for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
