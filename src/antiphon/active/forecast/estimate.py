"""A number with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Parameters
    ----------
    value
        The estimate.
    low, high
        Ends of the two-sided interval; infinite where there is no bound.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def of_draws(draws: npt.ArrayLike, level: float) -> Estimate:
    """Return the median of draws and their central interval of a level such as 0.9."""
    tail = (1.0 - level) / 2.0
    low, value, high = np.quantile(np.asarray(draws, dtype=np.float64), [tail, 0.5, 1.0 - tail])
    return Estimate(float(value), float(low), float(high))
