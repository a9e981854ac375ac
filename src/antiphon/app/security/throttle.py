"""Slow down who guesses passwords: growing delays for each name and each address."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Record:
    """Attempts that failed in a row, and when the next one may come."""

    failures: int = 0
    again_at: float = -math.inf
    last: float = -math.inf


@dataclass(frozen=True, slots=True)
class Limit:
    """How a kind of key is slowed down.

    Parameters
    ----------
    free
        Failures that cost nothing.
    longest_s
        The delay doubles from one second up to this.
    """

    free: int
    longest_s: float


# A stranger must not be able to lock somebody out for long, so names wait a minute at most.
BY_NAME = Limit(free=5, longest_s=60.0)
# People behind one router share an address.
BY_ADDRESS = Limit(free=20, longest_s=900.0)
_FORGET_S = 3600.0
_MOST_KEYS = 20_000


class Throttle:
    """Counts failed logins; may be used from several threads.

    Parameters
    ----------
    clock
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], _Record] = {}

    def begin(self, name: str, address: str) -> float:
        """Count an attempt as failed until :meth:`succeeded`; return seconds to wait instead.

        Returns
        -------
        float
            0.0 if the attempt may be made; otherwise it must not be made and is not counted.
        """
        keys = self._keys(name, address)
        with self._lock:
            now = self._clock()
            self._forget(now)
            wait = max(
                (self._records[key].again_at - now for key, _ in keys if key in self._records),
                default=0.0,
            )
            if wait > 0.0:
                return wait
            for key, limit in keys:
                record = self._records.setdefault(key, _Record())
                record.failures += 1
                record.last = now
                over = record.failures - limit.free
                if over >= 0:
                    record.again_at = now + min(2.0 ** min(over, 30), limit.longest_s)
            return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name, and take this attempt back from its address."""
        with self._lock:
            (by_name, _), (by_address, _) = self._keys(name, address)
            self._records.pop(by_name, None)
            record = self._records.get(by_address)
            if record is not None:
                # Not forgotten: one's own account must not pay for guesses at others'.
                record.failures -= 1
                record.again_at = -math.inf

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, str], Limit], ...]:
        return ((("name", name.casefold()), BY_NAME), (("address", address), BY_ADDRESS))

    def _forget(self, now: float) -> None:
        if len(self._records) < _MOST_KEYS // 2:
            return
        old = [key for key, record in self._records.items() if now - record.last > _FORGET_S]
        for key in old:
            del self._records[key]
        while len(self._records) > _MOST_KEYS:
            del self._records[next(iter(self._records))]
