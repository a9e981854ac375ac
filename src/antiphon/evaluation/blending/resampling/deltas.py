"""The difference of two systems on the same windows, and the smallest that could be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from antiphon.evaluation.blending.resampling.wins import Wins, bootstrap_many, standard_error
from antiphon.evaluation.power import smallest_detectable_difference
from antiphon.evaluation.resampling import Draws, tails

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Delta:
    """Macro ROC-AUC of one system minus that of another, recordings being what is drawn.

    Parameters
    ----------
    name, reference
        The two systems.
    value, low, high
        Difference, and its 95 % bootstrap interval; NaN ends where there is none.
    standard_error
        The larger of two: that of the resamples, in which classes of few recordings come and go,
        and the clustered one with the classes held (Obuchowski 1997), which holds still what only
        one recording tells.
    p
        Two-sided, Student's on ``standard_error`` with one degree of freedom less than recordings.
    detectable
        The smallest true difference that this test would find 8 times in 10. A difference well
        below it that is called "no difference" was never looked for hard enough.
    n_files
        Recordings.
    """

    name: str
    reference: str
    value: float
    low: float
    high: float
    standard_error: float
    p: float
    detectable: float
    n_files: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return bool(self.low > 0 or self.high < 0)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def paired_delta(
    name: str,
    wins: Wins,
    reference: str,
    other: Wins,
    *,
    rng: np.random.Generator,
    replicates: int = 2000,
) -> Delta:
    """Return the difference ``wins - other`` with what is known of its error.

    Raises
    ------
    UserError
        If the two are not of the same rows, or ``replicates`` is below 1.
    """
    draws = bootstrap_many([wins, other], replicates, rng)
    return delta_of((name, reference), (wins, other), draws, (0, 1))


def delta_of(
    names: tuple[str, str], wins: tuple[Wins, Wins], draws: Draws, columns: tuple[int, int]
) -> Delta:
    """Return the difference of two systems that were resampled together.

    Parameters
    ----------
    names, wins
        System and reference.
    draws, columns
        Resamples of several systems, and which two of them these are.
    """
    from scipy.special import stdtr

    a, b = columns
    value = float(draws.value[a] - draws.value[b])
    low = high = p = detectable = float("nan")
    n = draws.n_groups
    apart = draws.drawn[:, a] - draws.drawn[:, b]
    apart = apart[~np.isnan(apart)]
    if len(apart) > 1:
        low, high = (float(v) for v in np.quantile(apart, tails(LEVEL, n)))
    error = standard_error(*wins).macro
    if len(apart) > 1:
        # Few groups spread too little when drawn from themselves.
        error = max(error, float(np.std(apart, ddof=1)) * (n / (n - 1)) ** 0.5)
    if n > 1 and error == error:
        detectable = smallest_detectable_difference(error, n, level=LEVEL)
        if error > 0:
            p = float(2.0 * stdtr(n - 1, -abs(value) / error))
        else:
            p = 1.0 if value == 0 else p
    return Delta(*names, value, low, high, error, p, detectable, n)


def detectable_text(deltas: Sequence[Delta]) -> str:
    """Return the range of the smallest detectable differences, for a sentence."""
    known = [d.detectable for d in deltas if d.detectable == d.detectable]
    if not known:
        return "unknown"
    low, high = min(known), max(known)
    return f"{high:.4f}" if f"{low:.4f}" == f"{high:.4f}" else f"{low:.4f} to {high:.4f}"
