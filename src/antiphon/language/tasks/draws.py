"""Random choices, many and cheap: numbers are taken from a generator in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 4096
_FEW = 24


class Draws:
    """A stream of random choices.

    One call to a NumPy generator costs microseconds, one number out of a block a hundredth of it.

    Parameters
    ----------
    rng
        Where the numbers come from.
    """

    __slots__ = ("_left", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = []

    def unit(self) -> float:
        """Return a number of [0, 1)."""
        if not self._left:
            self._left = self._rng.random(_BLOCK).tolist()
        return self._left.pop()

    def below(self, n: int) -> int:
        """Return an integer of 0 to ``n - 1``."""
        return int(self.unit() * n)

    def between(self, low: int, high: int) -> int:
        """Return an integer of ``low`` to ``high``, both included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[int(self.unit() * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order (Fisher and Yates)."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = int(self.unit() * (last + 1))
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def some(self, items: Sequence[T], tries: int) -> Iterator[T]:
        """Yield items in random order, none twice; of many, at most ``tries`` draws."""
        if len(items) <= _FEW:
            yield from self.shuffled(items)
            return
        seen: set[int] = set()
        for _ in range(tries):
            at = int(self.unit() * len(items))
            if at not in seen:
                seen.add(at)
                yield items[at]
