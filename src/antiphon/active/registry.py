"""Find a strategy by its name and choose windows with it."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

import numpy as np

from antiphon.active import strategies
from antiphon.active.base import PoolView, Selection, StrategyCard
from antiphon.errors import UserError
from antiphon.threads import few_threads


def list_strategies() -> list[StrategyCard]:
    """Return all strategies, by name."""
    return [_cards()[name] for name in sorted(_cards())]


def get_strategy(name: str) -> StrategyCard:
    """Return the strategy of that name.

    Raises
    ------
    UserError
        If there is none; the message names the ones there are.
    """
    cards = _cards()
    if name not in cards:
        near = difflib.get_close_matches(name, cards, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(
            f"Strategy {name!r} is not known.{hint} There are: {', '.join(sorted(cards))}."
        )
    return cards[name]


def select(name: str, pool: PoolView, n: int) -> Selection:
    """Choose ``n`` windows by the named strategy and check what it returned.

    A strategy that needs a detector falls back to ``coreset-whitened`` before the first training.

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
    if card.needs_head and pool.head is None:
        card = get_strategy("coreset-whitened")
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


@cache
def _cards() -> dict[str, StrategyCard]:
    """Collect the cards of all modules in ``strategies/``; a new strategy is one new file."""
    found = {}
    for module in pkgutil.iter_modules(strategies.__path__):
        for thing in vars(importlib.import_module(f"{strategies.__name__}.{module.name}")).values():
            if isinstance(thing, StrategyCard):
                found[thing.name] = thing
    return found
