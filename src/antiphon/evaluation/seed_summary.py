"""What several seeds of a system say, in numbers and sentences."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """The mean over seeds, with an interval that says what it is about.

    Parameters
    ----------
    value, low, high, level
        Mean over seeds of the statistic on all rows, and the interval; NaN ends where there is
        none.
    about
        ``seeds``: what other seeds would give on these recordings. ``recordings``: what these
        models would give on other recordings. ``both``.
    method
        ``t``, ``components`` or ``bootstrap``.
    n_seeds, n_groups
        How many there are; no groups where only one number for each seed is known.
    seed_sd
        Standard deviation between seeds, as they were measured (recordings the same); NaN with one
        seed.
    error_seeds, error_recordings, error
        Standard errors of the mean: from seeds, from recordings, from both (counting once what is
        common to them); NaN where not known.
    note
        What limits it; empty when all is plain.
    """

    value: float
    low: float
    high: float
    level: float
    about: Literal["seeds", "recordings", "both"]
    method: str
    n_seeds: int
    n_groups: int
    seed_sd: float
    error_seeds: float
    error_recordings: float
    error: float
    note: str = ""

    def lines(self, unit: str = "recordings") -> list[str]:
        """Return sentences for a report."""
        scope = {
            "seeds": f"over {self.n_seeds} seeds on the same recordings: it says nothing of others",
            "recordings": f"over {self.n_groups:,} {unit} with one seed: it says nothing of others",
            "both": f"over {self.n_seeds} seeds and {self.n_groups:,} {unit}",
        }[self.about]
        first = f"{self.value:.4f}"
        if math.isfinite(self.low):
            first += f" ({self.level:.0%} interval {self.low:.4f} to {self.high:.4f}, {scope})"
        said = [f"{first}."]
        if self.about == "both":
            said.append(
                f"Standard error {self.error:.4f}: {self.error_seeds:.4f} from seeds, "
                f"{self.error_recordings:.4f} from {unit}."
            )
        if self.note:
            said.append(f"Note: {self.note}.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, NaN as None."""
        return {
            k: None if isinstance(v, float) and math.isnan(v) else v
            for k, v in asdict(self).items()
        }
