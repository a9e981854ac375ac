"""A run of the detector in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable

from antiphon.engine.progress import Reporter
from antiphon.errors import UserError


class Progress:
    """A reporter that keeps how far a phase is.

    Attributes
    ----------
    share
        0 to 1; None where the end is not known.
    """

    def __init__(self) -> None:
        self.share: float | None = None
        self._total = self._done = 0.0

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin a phase."""
        self._total, self._done, self.share = total or 0.0, 0.0, None

    def advance(self, amount: float) -> None:
        """Add to the phase."""
        self._done += amount
        if self._total:
            self.share = min(1.0, self._done / self._total)

    def note(self, message: str) -> None:
        """Do nothing: windows that are embedded can all be scored."""

    def finish(self) -> None:
        """End the phase."""
        self.share = None


class Background:
    """One run at a time, in a thread of its own.

    Attributes
    ----------
    error
        Why the last run failed; None if it did not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = False
        self.progress = Progress()
        self.error: str | None = None

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._running

    def start(self, job: Callable[[Reporter], object]) -> None:
        """Start a run.

        Raises
        ------
        UserError
            If one goes on.
        """
        with self._lock:
            if self._running:
                raise UserError("The detector is running already.")
            self._running, self.error, self.progress = True, None, Progress()
        threading.Thread(target=self._work, args=(job,), name="detect", daemon=True).start()

    def _work(self, job: Callable[[Reporter], object]) -> None:
        try:
            job(self.progress)
        except Exception as error:
            # Nobody waits for this thread: the page asks for the error.
            self.error = str(error)
        finally:
            self._running = False
