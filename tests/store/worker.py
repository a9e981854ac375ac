"""A worker process for the crash tests: ``python -m tests.store.worker PROJECT LOG [CRASH]``.

Writes a line to LOG when it begins a recording, and one after ``finish`` returned. CRASH names a
point at which the process kills itself with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.store import journal, work
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable
from tests.store.making import ids_of, write


def kill(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(crash: str) -> None:
    if crash == "after-commit":
        commit = VectorTable.commit

        def commit_and_die(*arguments: Any) -> None:
            commit(*arguments)
            kill()

        VectorTable.commit = commit_and_die  # type: ignore[assignment, method-assign]
    elif crash == "before-unclaim":
        work.clear_failures = kill
        work.unclaim = kill
    elif crash == "within-record":
        real = journal.write_all
        count = 0

        def half(handle: int, buffers: Any) -> None:
            nonlocal count
            count += 1
            if count == 20:
                data = b"".join(bytes(b) for b in buffers)
                os.write(handle, data[: len(data) // 2])
                kill()
            real(handle, buffers)

        journal.write_all = half


def main() -> None:
    project, log, crash = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    seed, flush_windows, pause_s = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    folder = ProjectFolder.open(project)
    folder.config.vectors.flush_windows = flush_windows
    arm(crash)
    table = folder.table("toy")
    rng = np.random.default_rng(seed)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    ids = ids_of(folder)
    with table.session() as worker:
        os.write(out, f"ready {os.getpid()}\n".encode())
        while mine := worker.claim(ids, 3):
            for recording_id in mine:
                os.write(out, f"begin {recording_id}\n".encode())
                time.sleep(pause_s * rng.random())
                write(worker, recording_id, parts=2)
                os.write(out, f"finish {recording_id}\n".encode())
    os.write(out, b"end 0\n")


if __name__ == "__main__":
    main()
