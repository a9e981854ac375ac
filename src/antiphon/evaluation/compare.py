"""Two systems on the same items: difference, interval, test and power in one call."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.exchange import Scale, exchange_test, same_items
from antiphon.evaluation.groups_needed import GroupsNeeded
from antiphon.evaluation.paired import ENOUGH_GROUPS, holm
from antiphon.evaluation.power import groups_to_separate, smallest_detectable_difference
from antiphon.evaluation.resampling import Method, draw, ends
from antiphon.evaluation.statistics import Statistic, evaluator, mean_roc_auc, roc_auc_by_label

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]

# Below this many groups the ends of a bootstrap interval are rough.
_FEW = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems compared on the same items.

    Parameters
    ----------
    a, b
        The statistic of each.
    value, low, high, level, method
        ``a - b`` with its bootstrap interval over groups; NaN ends below two groups.
    standard_error
        Of the difference, over groups.
    p
        Two-sided, of "A and B are interchangeable"; see :func:`exchange_test`.
    p_holm
        Corrected for the number of values compared in the same call (Holm 1979).
    detectable, power
        The smallest true difference that this many groups show with that power.
    n_groups, n_rows
        Groups, and rows in them.
    label
        Number of the value when there are several, else None.
    note
        What limits the result; empty when all is plain.
    """

    a: float
    b: float
    value: float
    low: float
    high: float
    level: float
    method: str
    standard_error: float
    p: float
    p_holm: float
    detectable: float
    power: float
    n_groups: int
    n_rows: int
    label: int | None = None
    note: str = ""

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: by the test, and by an interval on one side of 0.

        The interval alone is not enough for a verdict: with few groups it may miss 0 where no
        test could say so.
        """
        return self.p <= 1.0 - self.level and (self.low > 0 or self.high < 0)

    def groups_to_separate(
        self, *, worth: float | None = None, unit: str = "recordings"
    ) -> GroupsNeeded:
        """Return how many groups would show this difference, or one that is ``worth`` finding."""
        return groups_to_separate(
            self.value,
            self.standard_error,
            self.n_groups,
            worth=worth,
            power=self.power,
            level=self.level,
            unit=unit,
        )

    def lines(self, a: str = "A", b: str = "B", unit: str = "recordings") -> list[str]:
        """Return sentences for a report, with the names of the systems and of the groups."""
        verdict = "no difference is shown"
        if self.shown:
            verdict = f"{a if self.value > 0 else b} is better"
        result = (
            f"{a} {self.a:.4f}, {b} {self.b:.4f}: difference {self.value:+.4f} "
            f"({self.level:.0%} interval {self.low:+.4f} to {self.high:+.4f}, p = {self.p:.3g}) "
            f"over {self.n_groups:,} {unit}: {verdict}."
        )
        limit = (
            f"The smallest difference that {self.n_groups:,} {unit} show with power "
            f"{self.power:g} is {self.detectable:.4f}."
        )
        said = [result, limit]
        if self.note:
            said.append(f"Note: {self.note}.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, NaN as None."""
        return {
            k: None if isinstance(v, float) and math.isnan(v) else v
            for k, v in asdict(self).items()
        }


def compare_systems(
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: Statistic = mean_roc_auc,
    n_resamples: int = 1000,
    n_exchanges: int = 1000,
    level: float = 0.95,
    method: Method = "bca",
    power: float = 0.8,
    scale: Scale | None = None,
) -> Comparison:
    """Compare two systems on the same items by a statistic that gives one value.

    Parameters
    ----------
    score_a, score_b, truth
        ``(n, n_labels)``, or ``(n,)`` for one label.
    groups
        ``(n,)`` recording, site or day of each row: what is independent.
    rng
        The only source of randomness.
    statistic
        One of :mod:`~antiphon.evaluation.intervals`, or any function like them. A threshold in it
        must not differ between rows.
    n_resamples
        Resamples of the interval.
    n_exchanges
        Exchanges of the test; all patterns are tried where there are no more than this.
    level, power
        Of the interval and its test, and of the smallest detectable difference.
    method
        Of the interval.
    scale
        See :func:`exchange_test`; ``rank`` for this project's ranking statistics when None, else
        ``raw``.

    Raises
    ------
    UserError
        If shapes do not fit, a parameter is out of range, or the statistic gives several values
        (then :func:`compare_by_label` is meant).
    """
    found = compare_by_label(
        score_a,
        score_b,
        truth,
        groups,
        rng=rng,
        statistic=statistic,
        n_resamples=n_resamples,
        n_exchanges=n_exchanges,
        level=level,
        method=method,
        power=power,
        scale=scale,
    )
    if len(found) != 1:
        raise UserError(
            f"This statistic gives {len(found)} values: use compare_by_label, or average them."
        )
    return found[0]


def compare_by_label(
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: Statistic = roc_auc_by_label,
    n_resamples: int = 1000,
    n_exchanges: int = 1000,
    level: float = 0.95,
    method: Method = "bca",
    power: float = 0.8,
    scale: Scale | None = None,
) -> list[Comparison]:
    """Compare two systems by each value of a statistic; p values also corrected for their number.

    Parameters as for :func:`compare_systems`.
    """
    a, b, t, group, n_groups = same_items(score_a, score_b, truth, groups)

    of_a = evaluator(statistic, a, t, group, n_groups)
    of_b = evaluator(statistic, b, t, group, n_groups)

    def both(weight: Array) -> Float64:
        first, second = of_a(weight), of_b(weight)
        return np.hstack([first - second, first, second])

    draws = draw(both, n_groups, rng=rng, n_resamples=n_resamples, jackknife=method == "bca")
    k = len(draws.value) // 3
    error = draws.standard_error()
    p = exchange_test(
        a, b, t, groups, statistic=statistic, rng=rng, n_exchanges=n_exchanges, scale=scale
    )
    corrected = holm(p)
    found = []
    for i in range(k):
        low, high, _, note = ends(draws, i, level, method)
        found.append(
            Comparison(
                a=float(draws.value[k + i]),
                b=float(draws.value[2 * k + i]),
                value=float(draws.value[i]),
                low=low,
                high=high,
                level=level,
                method=method,
                standard_error=float(error[i]),
                p=float(p[i]),
                p_holm=float(corrected[i]),
                detectable=smallest_detectable_difference(
                    float(error[i]), n_groups, power=power, level=level
                ),
                power=power,
                n_groups=n_groups,
                n_rows=len(t),
                label=i if k > 1 else None,
                note="; ".join(filter(None, (note, _few(n_groups)))),
            )
        )
    return found


def _few(n_groups: int) -> str:
    if n_groups < ENOUGH_GROUPS:
        least = 2.0 ** (1 - n_groups)
        return (
            f"only {n_groups} groups: no p below {least:.2g} is possible, and the ends of the "
            "interval are rough"
        )
    if n_groups < _FEW:
        return f"only {n_groups} groups: the ends of the interval are rough"
    return ""
