"""What a strategy sees and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PoolView:
    """All that a strategy may know; arrays are read-only, hidden labels are not in it.

    Parameters
    ----------
    embeddings
        ``(n, dim)`` float32, one row for each window of the pool.
    labelled
        ``(m,)`` int64, rows that carry labels already; never chosen again.
    labels
        ``(m, n_labels)`` float32 for those rows: 1 present, 0 absent, NaN unknown.
    probabilities
        ``(n, n_labels)`` float32 from the current detector, or None before the first training.
    recording
        ``(n,)`` int64, the recording of each row.
    generator
        The only source of randomness.
    """

    embeddings: Float32
    labelled: Int64
    labels: Float32
    probabilities: Float32 | None
    recording: Int64
    generator: np.random.Generator

    def __post_init__(self) -> None:
        for array in (self.embeddings, self.labelled, self.labels, self.recording):
            array.setflags(write=False)
        if self.probabilities is not None:
            self.probabilities.setflags(write=False)

    @property
    def size(self) -> int:
        """Windows in the pool, labelled ones included."""
        return len(self.embeddings)

    def candidates(self) -> Int64:
        """Return the rows that carry no label yet, ascending, ``(n - m,)`` int64."""
        free = np.ones(self.size, dtype=bool)
        free[self.labelled] = False
        return np.flatnonzero(free).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows to label next.

    Parameters
    ----------
    rows
        ``(k,)`` int64 rows of the pool, the most wanted first.
    utility
        ``(k,)`` float32, how much each was wanted when it was chosen; larger is more.
    """

    rows: Int64
    utility: Float32


class Strategy(Protocol):
    """A way to choose; it gets a view and a number, and returns that many rows or all there are."""

    def __call__(self, pool: PoolView, n: int) -> Selection:
        """Choose ``n`` rows of the pool's candidates."""
        ...


@dataclass(frozen=True, slots=True)
class StrategyCard:
    """A strategy with its name, one line on what it does, and where it comes from."""

    name: str
    summary: str
    source: str
    needs_detector: bool
    strategy: Strategy


def strategy(
    name: str, summary: str, source: str, *, needs_detector: bool = False
) -> Callable[[Strategy], StrategyCard]:
    """Make a function the strategy ``name``; the decorated name is its card."""

    def card(function: Strategy) -> StrategyCard:
        return StrategyCard(name, summary, source, needs_detector, function)

    return card
