"""Ctrl-C and termination: the step that runs is finished, a checkpoint written, then it stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class StopRequest:
    """Whether somebody asked the run to stop.

    Attributes
    ----------
    asked
        Set by SIGINT (Ctrl-C) and SIGTERM; a second SIGINT interrupts at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Answer the signals; again where somebody else took them meanwhile, as Lightning does.

        Outside the main thread, where no handlers can be set, nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.signal(number, self._note)
            self._before.setdefault(number, before)

    def remove(self) -> None:
        """Give the signals back to whoever answered them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM in place of dying of them."""
    request = StopRequest()
    request.install()
    try:
        yield request
    finally:
        request.remove()
