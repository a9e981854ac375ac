"""Lines of a checklist that were not taken: counted by reason, with examples, listed on request."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

EXAMPLES = 5


@dataclass(slots=True)
class Rejections:
    """What was left out of a checklist, and what was odd about lines that were kept.

    Parameters
    ----------
    checklist
        Its name.
    listing
        An open text file that gets a line (CSV: checklist, reason, id, name) for each rejected
        line; None keeps counts and examples only.
    """

    checklist: str
    listing: TextIO | None = None
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, ids: Sequence[str | None], names: Sequence[str | None]) -> None:
        """Count lines, with their ids and names, under one reason."""
        if not ids:
            return
        self.counts[reason] = self.counts.get(reason, 0) + len(ids)
        shown = self.examples.setdefault(reason, [])
        for i, name in zip(ids[: EXAMPLES - len(shown)], names, strict=False):
            shown.append(f"{i or '?'} {name or ''}".strip())
        if self.listing is not None:
            writer = csv.writer(self.listing, lineterminator="\n")
            writer.writerows(
                (self.checklist, reason, i, n) for i, n in zip(ids, names, strict=True)
            )

    def to_json(self) -> dict[str, dict[str, object]]:
        """Return counts and examples by reason."""
        return {
            reason: {"count": count, "examples": self.examples[reason]}
            for reason, count in self.counts.items()
        }
