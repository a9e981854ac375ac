"""What a strategy sees, what it answers, and how it is found by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.threads import few_threads

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


_CARDS: dict[str, StrategyCard] = {}


def strategy(
    name: str, summary: str, source: str, *, needs_detector: bool = False
) -> Callable[[Strategy], Strategy]:
    """Register a function as the strategy ``name``."""

    def keep(function: Strategy) -> Strategy:
        _CARDS[name] = StrategyCard(name, summary, source, needs_detector, function)
        return function

    return keep


def list_strategies() -> list[StrategyCard]:
    """Return all strategies, by name."""
    _load()
    return [_CARDS[name] for name in sorted(_CARDS)]


def get_strategy(name: str) -> StrategyCard:
    """Return the strategy of that name.

    Raises
    ------
    UserError
        If there is none; the message names the ones there are.
    """
    _load()
    if name not in _CARDS:
        near = difflib.get_close_matches(name, _CARDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(
            f"Strategy {name!r} is not known.{hint} There are: {', '.join(sorted(_CARDS))}."
        )
    return _CARDS[name]


def select(name: str, pool: PoolView, n: int) -> Selection:
    """Choose ``n`` windows by the named strategy and check what it returned.

    A strategy that needs a detector falls back to ``coreset`` before the first training.

    Raises
    ------
    UserError
        If the name is unknown or ``n`` is below 1.
    RuntimeError
        If the strategy returns rows twice, labelled ones, or too few.
    """
    if n < 1:
        raise UserError(f"The number of windows to choose is {n}; it must be at least 1.")
    card = get_strategy(name)
    if card.needs_detector and pool.probabilities is None:
        card = get_strategy("coreset")
    free = pool.candidates()
    wanted = min(n, len(free))
    if wanted == 0:
        return Selection(np.empty(0, np.int64), np.empty(0, np.float32))
    with few_threads(pool.embeddings.size):
        chosen = card.strategy(pool, wanted)
    if len(np.unique(chosen.rows)) != wanted or len(chosen.rows) != wanted:
        raise RuntimeError(
            f"Strategy {card.name!r} returned {len(np.unique(chosen.rows))} different rows, "
            f"{wanted} were wanted."
        )
    if not np.isin(chosen.rows, free).all():
        raise RuntimeError(f"Strategy {card.name!r} returned rows that are labelled or not there.")
    return chosen


def _load() -> None:
    """Import the strategies, each of which registers itself."""
    from antiphon.active.strategies import (  # noqa: F401
        coreset,
        entropy,
        likely,
        margin,
        random,
        weighted_coreset,
    )
