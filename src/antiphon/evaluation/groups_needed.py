"""How many groups would separate two systems, in sentences."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

ASSUMPTIONS = (
    "more groups are like those measured: same sites, seasons, species and labelling",
    "the standard error falls with the square root of the number of groups",
    "the difference is about normally distributed over resamples of groups",
    "the classes that are averaged stay the same",
)
"""What :func:`~antiphon.evaluation.power.groups_to_separate` rests on."""


@dataclass(frozen=True, slots=True)
class GroupsNeeded:
    """How many groups would separate two systems.

    Parameters
    ----------
    needed, low, high
        Groups in all for the wanted power, and the interval of that number; infinite where no
        number is enough, as the high end is when the difference may be 0.
    have
        Groups measured so far.
    difference
        The difference to be found.
    assumed
        Whether it was given (the smallest that matters) or is the one that was measured.
    power, level
        As asked.
    unit
        What a group is.
    note
        What limits the number; empty when all is plain.
    """

    needed: float
    low: float
    high: float
    have: int
    difference: float
    assumed: bool
    power: float
    level: float
    unit: str
    note: str = ""
    assumptions: tuple[str, ...] = ASSUMPTIONS

    @property
    def more(self) -> float:
        """Groups to be added to those there are; 0 when these are enough."""
        return max(0.0, self.needed - self.have)

    def lines(self) -> list[str]:
        """Return sentences for a report."""
        whose = "A difference of" if self.assumed else "The measured difference of"
        goal = f"with power {self.power:g} (two-sided test at {1.0 - self.level:.3g})"
        if math.isinf(self.needed):
            said = [f"{whose} {self.difference:+.4g} is shown {goal} by no number of {self.unit}."]
        else:
            most = "no limit" if math.isinf(self.high) else f"{self.high:,.0f}"
            first = (
                f"{whose} {self.difference:+.4g} is shown {goal} by {self.needed:,.0f} {self.unit} "
                f"({self.level:.0%} interval {self.low:,.0f} to {most}): "
            )
            said = [f"{first}{self.more:,.0f} more than the {self.have:,} there are."]
        if self.note:
            said.append(f"{self.note[0].upper()}{self.note[1:]}.")
        said.append(f"Assumed: {'; '.join(self.assumptions)}.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, infinity as None."""
        fields = {**asdict(self), "more": self.more, "assumptions": list(self.assumptions)}
        return {k: None if v in (math.inf, -math.inf) else v for k, v in fields.items()}
