"""The account of a run: what became of every row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_EXAMPLES = 5


@dataclass(slots=True)
class PairCounts:
    """What became of the rows.

    Every row is drawn once or more, or is rejected as thinned out; every draw is a pair or a
    rejection: ``rows + more_draws == pairs + rejected.total()``.

    Parameters
    ----------
    rows
        Rows read.
    more_draws
        Draws beyond the first one of a row.
    pairs
        Pairs made.
    rejected
        Rows or draws without a pair, by reason.
    examples
        Some row ids by reason.
    by_task
        Pairs by task.
    refused
        By task and reason, how often a task could not be put to a row; another task was tried then.
    """

    rows: int = 0
    more_draws: int = 0
    pairs: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    by_task: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        """Whether every row and draw is accounted for."""
        return self.rows + self.more_draws == self.pairs + self.rejected.total()

    def reject(self, reason: str, row_id: str) -> None:
        """Count a rejection."""
        self.rejected[reason] += 1
        held = self.examples.setdefault(reason, [])
        if len(held) < _EXAMPLES:
            held.append(row_id)

    def add(self, other: PairCounts) -> None:
        """Add the counts of another part of the rows."""
        self.rows += other.rows
        self.more_draws += other.more_draws
        self.pairs += other.pairs
        self.rejected += other.rejected
        self.by_task += other.by_task
        self.refused += other.refused
        for reason, ids in other.examples.items():
            held = self.examples.setdefault(reason, [])
            held += ids[: _EXAMPLES - len(held)]
