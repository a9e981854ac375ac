"""What was estimated of an archive."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from antiphon.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True)
class ArchiveQuality:
    """What a detector does in a whole archive.

    Parameters
    ----------
    precision, recall, f1, prevalence
        Shares, with intervals; NaN where there is nothing to divide by.
    positives, detections
        Windows of the archive that hold the sound, and that are detected (estimated, unless their
        number was given).
    unweighted
        The same shares with all labelled windows counted alike: what ignoring the design would
        give.
    least_recall
        A lower bound of the recall if the stratum without a labelled positive that matters most
        holds as many as it may (one-sided, same level); NaN where every stratum has positives or
        the design has no strata.
    n
        Labelled windows.
    design
        How they were drawn.
    about
        ``this archive``, or ``archives like this one`` where groups were given.
    note
        What limits it; empty when all is plain.
    """

    precision: Interval
    recall: Interval
    f1: Interval
    prevalence: Interval
    positives: Interval
    detections: Interval
    unweighted: dict[str, float]
    least_recall: float
    n: int
    design: str
    about: str
    note: str = ""

    def lines(self) -> list[str]:
        """Return sentences for a report."""
        said = [f"From {self.n:,} labelled windows ({self.design} sample), about {self.about}:"]
        for name in ("precision", "recall", "f1", "prevalence"):
            found: Interval = getattr(self, name)
            if math.isnan(found.value):
                said.append(f"{name}: {found.note}.")
                continue
            said.append(
                f"{name}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f}); unweighted, and "
                f"so biased: {self.unweighted[name]:.3f}."
            )
        if not math.isnan(self.least_recall):
            said.append(f"Recall may be as low as {self.least_recall:.3f}: {self.note}.")
        elif self.note:
            said.append(f"Note: {self.note}.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, NaN as None."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: plain(v) for k, v in value.items()}
            return None if isinstance(value, float) and math.isnan(value) else value

        return {k: plain(v) for k, v in asdict(self).items()}
