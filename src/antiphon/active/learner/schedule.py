"""How many labels each cycle adds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from antiphon.errors import UserError

_PART = re.compile(r"^\s*(\d+)\s*(?:x\s*(\d+))?\s*$")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Batch sizes in order; the last one is repeated until the budget is spent.

    Parameters
    ----------
    sizes
        At least one, each 1 or more.
    """

    sizes: tuple[int, ...] = (50,)

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 1:
            raise UserError("A schedule needs batches of at least one label.")

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read ``50``, or ``25x4,50x5,75x2``: four batches of 25, five of 50, two of 75.

        Raises
        ------
        UserError
            If the text is not of that form.
        """
        sizes: list[int] = []
        for part in text.split(","):
            match = _PART.match(part)
            if match is None or int(match[1]) < 1 or int(match[2] or 1) < 1:
                raise UserError(
                    f"The schedule {text!r} is not understood at {part!r}. Write a batch size, or "
                    "sizes with their numbers of batches: 25x4,50x5,75x2."
                )
            sizes += [int(match[1])] * int(match[2] or 1)
        return cls(tuple(sizes))

    def batches(self, labels: int) -> tuple[int, ...]:
        """Return the sizes of the batches that spend ``labels`` labels, the last one cut short."""
        found: list[int] = []
        left = labels
        while left > 0:
            size = self.sizes[min(len(found), len(self.sizes) - 1)]
            found.append(min(size, left))
            left -= found[-1]
        return tuple(found)

    def __str__(self) -> str:
        parts: list[list[int]] = []
        for size in self.sizes:
            if parts and parts[-1][0] == size:
                parts[-1][1] += 1
            else:
                parts.append([size, 1])
        if len(parts) == 1 and parts[0][1] == 1:
            return str(parts[0][0])
        return ",".join(f"{size}x{count}" for size, count in parts)
