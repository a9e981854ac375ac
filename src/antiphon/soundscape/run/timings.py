"""What members cost on this machine now: recent calls count more than those of an hour ago."""

from __future__ import annotations

import threading
from collections.abc import Hashable

HALF_LIFE = 64.0
"""Contexts after which a measurement counts half."""


class Rate:
    """Seconds per unit, as a mean that forgets.

    Parameters
    ----------
    half_life
        Units after which a measurement counts half.
    """

    def __init__(self, half_life: float = HALF_LIFE) -> None:
        self._half_life = half_life
        self._units = 0.0
        self._seconds = 0.0

    def add(self, units: float, seconds: float) -> None:
        """Take in a measurement of ``units`` that took ``seconds``."""
        if units <= 0:
            return
        # As if the units came one after the other, each forgetting the ones before it.
        kept = 0.5 ** (units / self._half_life)
        weight = 1.0 - kept
        self._units = self._units * kept + weight
        self._seconds = self._seconds * kept + weight * (seconds / units)

    @property
    def value(self) -> float | None:
        """Seconds per unit; None before the first measurement."""
        return self._seconds / self._units if self._units else None


class Timings:
    """Rates by key, and how the time that passes compares with them; safe from several threads.

    Seconds are those on the clock, also of threads that prepare beside the workers. What is
    accounted for may therefore be more than what passes, and with other programs around, less.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rates: dict[Hashable, Rate] = {}
        self._passed = Rate(half_life=20.0)
        self._accounted = 0.0
        self._since: float | None = None

    def add(self, key: Hashable, units: float, seconds: float) -> None:
        """Take in that ``units`` of ``key`` took ``seconds`` of one thread."""
        with self._lock:
            self._rates.setdefault(key, Rate()).add(units, seconds)
            self._accounted += seconds

    def get(self, key: Hashable) -> float | None:
        """Return seconds per unit; None before the first measurement."""
        with self._lock:
            rate = self._rates.get(key)
            return None if rate is None else rate.value

    def tick(self, now: float, workers: int) -> None:
        """Compare what was accounted for since the last tick with what passed.

        Parameters
        ----------
        now
            Seconds of a clock that never goes back.
        workers
            Cores in use.
        """
        with self._lock:
            if self._since is not None:
                self._passed.add(self._accounted, (now - self._since) * workers)
            self._since, self._accounted = now, 0.0

    @property
    def overhead(self) -> float:
        """Seconds of a core that pass for each second accounted for, from 0.2 to 10."""
        with self._lock:
            value = self._passed.value
        return 1.0 if value is None else min(10.0, max(0.2, value))
