"""The process that does one job: ``python -m antiphon.app.jobs.worker``.

The order is one line of JSON on standard input; what happens goes out as lines of JSON. When the
input ends, the job is cancelled: the server asked for it, or died.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

_LOCK_WAIT_S = 2.0
_NICE = 10


def main() -> int:
    """Do the job that standard input asks for."""
    # A server that was started in the background may have handed on a deaf ear.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out = _own_output()

    def tell(**message: Any) -> None:
        # Nobody listens any more when the server is gone; then the input ends as well.
        with contextlib.suppress(OSError):
            out.write(json.dumps(message) + "\n")
            out.flush()

    try:
        order = json.loads(_first_line())
        threading.Thread(target=_watch, daemon=True).start()
        with contextlib.suppress(OSError, AttributeError):
            # Answers and pictures of people at the pages go first.
            os.nice(_NICE)
        outcome = _work(order, tell)
    except KeyboardInterrupt:
        tell(cancelled=True)
        return 130
    except Exception as error:
        tell(error=_sentence(error), trace=traceback.format_exc())
        return 1
    tell(outcome=outcome)
    return 0


def _work(order: dict[str, Any], tell: Any) -> dict[str, Any]:
    from antiphon.app.jobs.preferences import Preferences
    from antiphon.app.jobs.records import lock_path
    from antiphon.app.jobs.steps import run_job
    from antiphon.errors import StoreError
    from antiphon.store.locks import try_lock
    from antiphon.store.project import ProjectFolder

    folder = ProjectFolder.open(Path(order["project"]))
    try:
        lock = None
        until = time.monotonic() + _LOCK_WAIT_S
        while (lock := try_lock(lock_path(folder))) is None:
            # Somebody may just look whether it is taken.
            if time.monotonic() > until:
                raise StoreError(
                    "Another running Antiphon is training on this project; wait until it is done."
                )
            time.sleep(0.05)
        try:
            outcome = run_job(
                folder,
                order["kind"],
                Preferences(**order["preferences"]),
                lambda step: tell(step=step),
            )
            return outcome.model_dump(mode="json")
        finally:
            lock.release()
    finally:
        folder.close()


def _own_output() -> TextIO:
    """Return the stream for messages; whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _first_line() -> bytes:
    """Return the first line of the input.

    Read past Python's buffer, whose lock a thread that waits for more would hold at exit.
    """
    line = b""
    while not line.endswith(b"\n") and (some := os.read(0, 65_536)):
        line += some
    return line


def _watch() -> None:
    """Interrupt the work when the input ends."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    if os.name == "nt":
        _thread.interrupt_main()
    else:
        # A signal also ends a wait for another thread.
        os.kill(os.getpid(), signal.SIGINT)


def _sentence(error: Exception) -> str:
    from antiphon.errors import AntiphonError

    if isinstance(error, AntiphonError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory to train. Close other programs and try again."
    return f"Training failed for a reason that Antiphon did not expect: {error!r}."


if __name__ == "__main__":
    sys.exit(main())
