"""Exact intervals of shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Float64 = npt.NDArray[np.float64]


def clopper_pearson(k: npt.ArrayLike, n: npt.ArrayLike, level: float) -> tuple[Float64, Float64]:
    """Return exact binomial intervals of ``k`` successes in ``n`` (Clopper and Pearson 1934).

    Parameters
    ----------
    k, n
        Arrays of one shape; the interval is (0, 1) where ``n`` is 0.
    level
        Two-sided, between 0 and 1.
    """
    successes, trials = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    failures = trials - successes
    tail = (1.0 - level) / 2.0
    # betaincinv wants parameters above 0; the ends that this replaces are set below.
    low = betaincinv(np.maximum(successes, 0.5), failures + 1.0, tail)
    high = betaincinv(successes + 1.0, np.maximum(failures, 0.5), 1.0 - tail)
    return np.where(successes == 0, 0.0, low), np.where(failures == 0, 1.0, high)
