"""Recordings that cannot be read: told once each, counted, and an error when they are many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

from antiphon.errors import UserError

# Draws before the share of failed ones is judged.
_ENOUGH = 1000


def warn(message: str) -> None:
    """Tell one sentence as a warning."""
    warnings.warn(message, stacklevel=2)


class FaultMonitor:
    """Keeps count of what workers could not read.

    Parameters
    ----------
    recordings
        How many there are.
    max_share
        Share of them, and of the draws, that may fail.
    note
        Is told about each faulty recording once.
    consequence
        What becomes of its example, the end of what is told.
    """

    def __init__(
        self,
        recordings: int,
        max_share: float,
        note: Callable[[str], None] = warn,
        consequence: str = "Another clip takes its place.",
    ) -> None:
        self._recordings = recordings
        self._max_share = max_share
        self._note = note
        self._consequence = consequence
        # A single faulty file is no reason to stop, however few there are.
        self._allowed = max(1.0, max_share * recordings) if max_share else 0.0
        self._draws = 0
        self._failed_draws = 0
        self.faults: dict[str, str] = {}

    def add(self, draws: int, faults: Iterable[tuple[str, str]]) -> None:
        """Count draws and the faults met on the way.

        Parameters
        ----------
        draws
            Examples made.
        faults
            Name and problem of each recording that could not be read.

        Raises
        ------
        UserError
            More than the share fails.
        """
        self._draws += draws
        # A partner of mixup brings its faults along, which its own example tells as well.
        found = dict(faults)
        self._failed_draws += len(found)
        for name, problem in found.items():
            if name not in self.faults:
                self.faults[name] = problem
                self._note(f"{problem} {self._consequence}")
        by_count = len(self.faults) > self._allowed or len(self.faults) == self._recordings
        seen = self._draws + self._failed_draws
        by_draws = seen >= _ENOUGH and self._failed_draws > self._max_share * seen
        if self.faults and (by_count or by_draws):
            what = (
                f"{len(self.faults)} of {self._recordings} recordings"
                if by_count
                else f"{self._failed_draws} of {seen} draws"
            )
            raise UserError(
                f"{what} could not be read, more than the share of {self._max_share:g} that "
                f"max_fault_share allows. The first: {next(iter(self.faults.values()))}"
            )
