"""The AUC of two models as a function of the weight between them: exact, with every breakpoint.

With the weight w in [0, 1] the blend is (1 - w) a + w b. A pair of a positive and a negative with
differences d_a and d_b changes sides at w = d_a / (d_a - d_b), if their signs differ, and is a tie
there. Between such breakpoints the AUC is constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import checked_truth, finite, scored_classes
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks

Array = npt.NDArray[Any]
Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Pairs compared at once, and breakpoints kept at most (16 bytes each, and as much for sorting).
_PAIRS = 1 << 20
MOST_BREAKPOINTS = 50_000_000


@dataclass(frozen=True, slots=True)
class WeightInterval:
    """Weights with the same AUC; a single one if ``low == high``.

    Parameters
    ----------
    low, high
        Ends.
    closed_low, closed_high
        Whether the ends belong to it.
    """

    low: float
    high: float
    closed_low: bool
    closed_high: bool


@dataclass(frozen=True, slots=True, eq=False)
class WeightPath:
    """A curve that is constant between breakpoints.

    Parameters
    ----------
    breaks
        ``(K,)`` ascending weights, the first 0 and the last 1.
    at
        ``(K,)`` AUC at each breakpoint (pairs that meet there count half).
    between
        ``(K - 1,)`` AUC between each breakpoint and the next.
    """

    breaks: Float64
    at: Float64
    between: Float64

    def value(self, weight: npt.ArrayLike) -> Float64:
        """Return the AUC at weights in [0, 1], of any shape.

        Raises
        ------
        UserError
            If a weight lies outside.
        """
        w = np.asarray(weight, dtype=np.float64)
        if not ((w >= 0.0) & (w <= 1.0)).all():
            raise UserError("Weights on the path must lie between 0 and 1.")
        place = np.searchsorted(self.breaks, w, "left")
        on = self.breaks[place] == w
        return np.asarray(np.where(on, self.at[place], self.between[np.maximum(place - 1, 0)]))

    @property
    def best(self) -> float:
        """Largest AUC on the curve."""
        return float(max(self.at.max(), self.between.max()))

    def best_intervals(self, within: float = 0.0) -> list[WeightInterval]:
        """Return where the AUC is the largest, or at most ``within`` below it, in order."""
        # Points and open pieces in turn: at 0, between 0 and 1, at 1, ...
        values = np.empty(2 * len(self.breaks) - 1)
        values[0::2], values[1::2] = self.at, self.between
        good = values >= self.best - within - 1e-12
        edge = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
        return [
            WeightInterval(
                low=float(self.breaks[first // 2]),
                high=float(self.breaks[(last + 1) // 2]),
                closed_low=bool(first % 2 == 0),
                closed_high=bool(last % 2 == 0),
            )
            for first, last in zip(edge[0::2], edge[1::2] - 1, strict=True)
        ]

    def exact_breaks(self, largest: int) -> list[Fraction]:
        """Return the breakpoints as fractions, for a path of ranks.

        Parameters
        ----------
        largest
            Largest denominator: the largest difference of ranks in one model plus that in the
            other, such as 4 n for doubled mid-ranks of n rows.
        """
        return [Fraction(float(w)).limit_denominator(largest) for w in self.breaks]


@dataclass(frozen=True, slots=True, eq=False)
class WeightPaths:
    """The curve of the macro AUC, and that of each class.

    Parameters
    ----------
    macro
        Mean over scored classes.
    by_class
        Curve of each class, None for classes that are not scored.
    """

    macro: WeightPath
    by_class: tuple[WeightPath | None, ...]


def rank_path(a: npt.ArrayLike, b: npt.ArrayLike, truth: npt.ArrayLike) -> WeightPaths:
    """Return the curves of the rank blend of two models.

    Doubled mid-ranks are whole numbers, so breakpoints are ratios of whole numbers below 4 n, and
    float64 tells all of them apart: pairs that meet at the same weight do so exactly.

    Parameters
    ----------
    a, b
        ``(n, C)`` scores; weight 0 is ``a`` alone, weight 1 is ``b``.
    truth
        ``(n, C)`` bool.

    Raises
    ------
    UserError
        If shapes differ, a score is not finite, no class is scored, or there are more than
        :data:`MOST_BREAKPOINTS` breakpoints.
    """
    return _paths(doubled_mid_ranks(a), doubled_mid_ranks(b), checked_truth(truth))


def score_path(a: npt.ArrayLike, b: npt.ArrayLike, truth: npt.ArrayLike) -> WeightPaths:
    """Return the curves of the blend of two models' scores as they are (probabilities, logits).

    As :func:`rank_path`; each breakpoint is right to the rounding of float64, so pairs that meet
    at one weight may be told apart by the last bits.
    """
    values_a, values_b = (np.asarray(finite(s), dtype=np.float64) for s in (a, b))
    return _paths(values_a, values_b, checked_truth(truth))


def _paths(a: Array, b: Array, truth: Bool) -> WeightPaths:
    if a.shape != truth.shape or b.shape != truth.shape:
        raise UserError(
            f"Scores and truth must have one shape, but have {a.shape}, {b.shape}, {truth.shape}."
        )
    scored = scored_classes(truth)
    by_class: list[WeightPath | None] = [None] * truth.shape[1]
    breaks, steps_at, steps_after = [], [], []
    start, total = 0.0, 0
    for c in np.flatnonzero(scored):
        positive = truth[:, c]
        where, at, after, first = _events(a[:, c], b[:, c], positive, MOST_BREAKPOINTS - total)
        pairs = 2.0 * positive.sum() * (~positive).sum()
        by_class[c] = _curve(where, at, after, first, pairs)
        share = 1.0 / (pairs * scored.sum())
        breaks.append(where)
        steps_at.append(at * share)
        steps_after.append(after * share)
        start += first * share
        total += len(where)
    place, inverse = np.unique(np.concatenate(breaks), return_inverse=True)
    macro = _curve(
        place,
        np.bincount(inverse, np.concatenate(steps_at), len(place)),
        np.bincount(inverse, np.concatenate(steps_after), len(place)),
        start,
    )
    return WeightPaths(macro, tuple(by_class))


def _events(a: Array, b: Array, positive: Bool, most: int) -> tuple[Float64, Int64, Int64, int]:
    """Return breakpoints of one class, changes of doubled wins to and from each, and the start.

    The start is right after weight 0 as if no pair had met there; the changes at 0 and 1 then make
    the values at both ends right.
    """
    a_positive, b_positive = a[positive], b[positive]
    a_negative, b_negative = a[~positive], b[~positive]
    step = max(1, _PAIRS // len(a_negative))
    first = 0
    parts: list[tuple[Float64, Int64, Int64]] = []
    kept = 0
    for begin in range(0, len(a_positive), step):
        d_a = (a_positive[begin : begin + step, None] - a_negative[None]).ravel()
        d_b = (b_positive[begin : begin + step, None] - b_negative[None]).ravel()
        sign_a, sign_b = np.sign(d_a).astype(np.int64), np.sign(d_b).astype(np.int64)
        # A pair that is a tie at weight 0 starts as what it is right after, and the other way
        # round at weight 1: 0 is where it is met.
        before = np.where(sign_a == 0, sign_b, sign_a)
        first += int((before + 1).sum())
        meet = np.flatnonzero(sign_a != sign_b)
        x, y = d_a[meet].astype(np.float64), d_b[meet].astype(np.float64)
        where = x / (x - y) + 0.0  # Never -0
        # At the breakpoint the pair is a tie; beyond it, it has the sign of the second model.
        parts.append(_merged(where, -before[meet], sign_b[meet]))
        kept += len(parts[-1][0])
        if kept > most:
            raise UserError(
                f"The path has more than {MOST_BREAKPOINTS:,} breakpoints, too many to keep; "
                "score it on a grid of weights instead."
            )
    where, to, beyond = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return (*_merged(where, to, beyond), first)


def _merged(where: Float64, at: Array, after: Array) -> tuple[Float64, Int64, Int64]:
    """Add up the changes at equal weights, in order of the weights."""
    unique, inverse = np.unique(where, return_inverse=True)
    to, beyond = (
        np.rint(np.bincount(inverse, change, len(unique))).astype(np.int64)
        for change in (at, after)
    )
    return unique, to, beyond


def _curve(where: Float64, at: Array, after: Array, start: float, pairs: float = 1.0) -> WeightPath:
    """Sum the changes up; ``at`` leads from a piece to the breakpoint, ``after`` on from it."""
    piece = (start + np.concatenate([[0], _running(at + after)])) / pairs
    value_at = piece[:-1] + at / pairs
    if len(where) and where[0] == 0.0:
        piece = piece[1:]
    else:
        where, value_at = np.append(0.0, where), np.append(piece[0], value_at)
    if where[-1] == 1.0:
        piece = piece[:-1]
    else:
        where, value_at = np.append(where, 1.0), np.append(value_at, piece[-1])
    return WeightPath(where, value_at, piece)


def _running(steps: Array) -> Array:
    """Return the running sum, in blocks so that rounding does not pile up over millions."""
    if not len(steps):
        return steps
    size = max(1, int(np.sqrt(len(steps))))
    padded = np.pad(steps, (0, -len(steps) % size)).reshape(-1, size)
    within = np.cumsum(padded, axis=1)
    before = np.concatenate([[0.0], np.cumsum(padded.sum(axis=1))[:-1]])
    return np.asarray((within + before[:, None]).ravel()[: len(steps)])
