"""How a long run tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives the progress of a run; the command line draws it, tests record it."""

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin a phase of ``total`` units (None when unknown), such as seconds of audio."""
        ...

    def advance(self, amount: float) -> None:
        """Add ``amount`` units to the phase."""
        ...

    def note(self, message: str) -> None:
        """Tell one sentence, such as a file that was skipped and why."""
        ...

    def finish(self) -> None:
        """End the phase."""
        ...


class Silent:
    """A reporter that tells nobody."""

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Do nothing."""

    def advance(self, amount: float) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
