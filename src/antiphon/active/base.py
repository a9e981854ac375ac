"""What a strategy sees and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
T = TypeVar("T")
A = TypeVar("A", bound=np.ndarray[Any, Any])


class HeadView(Protocol):
    """The current head as a strategy may see it; each answer is computed when first asked for.

    All arrays have one row for each row of the pool and are read-only.
    """

    def probabilities(self) -> Float32:
        """Return ``(n, n_labels)`` probabilities."""
        ...

    def hidden(self) -> Float32:
        """Return ``(n, n_hidden)`` inputs of the last layer."""
        ...

    def output_weight(self) -> Float32:
        """Return ``(n_labels, n_hidden)`` weights of the last layer."""
        ...

    def dropout(self, passes: int) -> Float32:
        """Return ``(passes, n, n_labels)`` probabilities under as many random dropout masks."""
        ...


class KnownHead:
    """A head of which only the probabilities are known: a project's trained detector.

    Parameters
    ----------
    probabilities
        ``(n, n_labels)`` float32.
    hidden
        ``(n, n_hidden)`` float32, what the last layer sees: the embeddings, for a linear head.
    output_weight
        ``(n_labels, n_hidden)`` float32; the probabilities themselves are read as the last layer
        when it is not given.
    """

    def __init__(
        self,
        probabilities: Float32,
        hidden: Float32 | None = None,
        output_weight: Float32 | None = None,
    ) -> None:
        self._probabilities = read_only(probabilities)
        self._hidden = read_only(probabilities if hidden is None else hidden)
        identity = np.eye(probabilities.shape[1], dtype=np.float32)
        self._weight = read_only(identity if output_weight is None else output_weight)

    def probabilities(self) -> Float32:
        """Return ``(n, n_labels)`` probabilities."""
        return self._probabilities

    def hidden(self) -> Float32:
        """Return ``(n, n_hidden)`` inputs of the last layer."""
        return self._hidden

    def output_weight(self) -> Float32:
        """Return ``(n_labels, n_hidden)`` weights of the last layer."""
        return self._weight

    def dropout(self, passes: int) -> Float32:
        """Return the same probabilities for each pass: nothing is known of their spread."""
        return np.broadcast_to(self._probabilities, (passes, *self._probabilities.shape))


@dataclass(frozen=True, slots=True)
class PoolView:
    """All that a strategy may know; arrays are read-only, hidden labels are not in it.

    Parameters
    ----------
    embeddings
        ``(n, dim)`` float32, one row for each window of the pool; validation rows are not in it.
    labelled
        ``(m,)`` int64, rows that carry labels already, in the order they were labelled; never
        chosen again.
    labels
        ``(m, n_labels)`` float32 for those rows: 1 present, 0 absent, NaN unknown.
    recording
        ``(n,)`` int64, the recording or source of each row; -1 where it is not known.
    generator
        The only source of randomness.
    head
        The current head, or None before the first training.
    metadata
        What is known of each row but its labels, or None.
    cycle
        1 for the first selection.
    budget
        Labels that may be spent in all, or None when that is not known.
    multilabel
        Whether a row may carry several labels.
    cache
        Memory that lasts from cycle to cycle; see :meth:`derive`.
    """

    embeddings: Float32
    labelled: Int64
    labels: Float32
    recording: Int64
    generator: np.random.Generator
    head: HeadView | None = None
    metadata: pa.Table | None = None
    cycle: int = 1
    budget: int | None = None
    multilabel: bool = True
    cache: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("embeddings", "labelled", "labels", "recording"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def size(self) -> int:
        """Windows in the pool, labelled ones included."""
        return len(self.embeddings)

    @property
    def probabilities(self) -> Float32 | None:
        """``(n, n_labels)`` float32 from the head, or None before the first training."""
        return None if self.head is None else self.head.probabilities()

    def candidates(self) -> Int64:
        """Return the rows that carry no label yet, ascending, ``(n - m,)`` int64."""
        free = np.ones(self.size, dtype=bool)
        free[self.labelled] = False
        return np.flatnonzero(free).astype(np.int64)

    def derive(self, key: str, function: Callable[[Float32], T]) -> T:
        """Return ``function(embeddings)``, computed once for all cycles of a run.

        Parameters
        ----------
        key
            Names the function and its settings; what depends on labels does not belong here.
        """
        if key not in self.cache:
            self.cache[key] = function(self.embeddings)
        found: T = self.cache[key]
        return found


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
    needs_head: bool
    strategy: Strategy


def strategy(
    name: str, summary: str, source: str, *, needs_head: bool = False
) -> Callable[[Strategy], StrategyCard]:
    """Make a function the strategy ``name``; the decorated name is its card."""

    def card(function: Strategy) -> StrategyCard:
        return StrategyCard(name, summary, source, needs_head, function)

    return card


def read_only(array: A) -> A:
    """Return a view of the array that cannot be written through."""
    view = array.view()
    view.setflags(write=False)
    return view
