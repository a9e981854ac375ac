"""What each thread of the scoring process does now, where its parent can see it after a crash."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.store.faults import writing

Doing = Literal["nothing", "loading", "reading", "preparing", "scoring"]

_DOING: tuple[Doing, ...] = ("nothing", "loading", "reading", "preparing", "scoring")
_COLUMNS = 5
# "Current thread 0x00007f... (most recent call first):", as faulthandler writes it.
_CURRENT = re.compile(r"Current thread 0x([0-9a-fA-F]+)")


@dataclass(frozen=True, slots=True)
class Activity:
    """What one thread is doing.

    Parameters
    ----------
    thread
        Its number, as :func:`threading.get_ident` gives it.
    doing
        What.
    member, piece
        Numbers of both in the job; -1 for none.
    since
        Seconds of :func:`time.monotonic` at which it began.
    """

    thread: int
    doing: Doing
    member: int
    piece: int
    since: float


class ActivityBoard:
    """A small file that both processes map: a row for each thread of the scoring one.

    Parameters
    ----------
    path
        The file.
    threads
        Rows.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._rows: npt.NDArray[np.int64] = np.memmap(
            path, np.int64, "r+", shape=(threads, _COLUMNS)
        )
        self._free = iter(range(threads))
        self._mine = threading.local()
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, threads: int) -> ActivityBoard:
        """Make the file, with nobody doing anything."""
        with writing(path):
            path.write_bytes(np.zeros((threads, _COLUMNS), np.int64).tobytes())
        return cls(path, threads)

    def clear(self) -> None:
        """Forget what was done, before another process begins."""
        self._rows[:] = 0

    @contextmanager
    def at(self, doing: Doing, member: int = -1, piece: int = -1) -> Iterator[None]:
        """Say what the calling thread does while the block runs."""
        row = self._row()
        self._rows[row, 1:] = (_DOING.index(doing), member, piece, time.monotonic_ns())
        try:
            yield
        finally:
            self._rows[row, 1:] = (0, -1, -1, 0)

    def busy(self) -> list[Activity]:
        """Return what threads are doing, those that do nothing left out."""
        return [
            Activity(int(t), _DOING[int(d)], int(m), int(p), s / 1e9)
            for t, d, m, p, s in np.array(self._rows)
            if 0 < d < len(_DOING)
        ]

    def _row(self) -> int:
        row: int | None = getattr(self._mine, "row", None)
        if row is None:
            with self._lock:
                row = next(self._free)
            self._mine.row = row
            self._rows[row, 0] = threading.get_ident()
        return row


def crashed(busy: list[Activity], said: str) -> list[Activity]:
    """Return who may have crashed a process: one activity where the trace says which.

    Parameters
    ----------
    busy
        What its threads were doing.
    said
        Its standard error, with the trace of :mod:`faulthandler` if it got to write one.
    """
    match = _CURRENT.search(said)
    if match is not None:
        thread = int(match[1], 16)
        found = [one for one in busy if one.thread == thread]
        if found:
            return found
    return busy


def overdue(busy: list[Activity], now: float, limits: dict[Doing, float]) -> list[Activity]:
    """Return activities that have taken longer than their limit, the longest first."""
    # A row that is being written may be read with its new activity and its old time, 0.
    late = [
        one
        for one in busy
        if one.since > 0 and now - one.since > limits.get(one.doing, float("inf"))
    ]
    return sorted(late, key=lambda one: one.since)
