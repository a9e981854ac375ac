"""A choice of weights repeated without a part of the data, and judged on that part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.deltas import LEVEL
from antiphon.evaluation.blending.resampling.wins import Wins, class_auc, win_counts
from antiphon.evaluation.resampling import tails

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Grouping = Literal["file", "site"]

# Sites up to which each is left out once.
_EACH_SITE = 12


@dataclass(frozen=True, slots=True)
class Nested:
    """Learned against equal weights, on recordings that had no part in the choice.

    Parameters
    ----------
    grouping
        What was held out together.
    n_groups, folds, repeats
        Of the outer loop.
    gain, low, high
        Macro AUC of learned minus equal weights, with its 95 % bootstrap interval over the groups;
        pairs of windows are those within a held-out part, pooled over the parts of each class.
    weights
        Learned without each part, as shares of 1, ``(folds * repeats, m)``.
    """

    grouping: Grouping
    n_groups: int
    folds: int
    repeats: int
    gain: float
    low: float
    high: float
    weights: tuple[tuple[float, ...], ...]

    @property
    def better(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low > 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        fields = {k: None if v != v else v for k, v in asdict(self).items()}
        return {**fields, "weights": [list(w) for w in self.weights]}


def rank_sum(ranks: npt.NDArray[np.int32], weights: Int64) -> Int64:
    """Return the whole-number scores of a rank blend, ``(n, C)``."""
    return np.asarray(np.tensordot(weights, ranks.astype(np.int64), axes=1))


def judge_choice(
    problem: Problem,
    ranks: npt.NDArray[np.int32],
    grouping: Grouping,
    group: npt.NDArray[np.integer],
    choose: Callable[[npt.NDArray[np.bool_]], Int64],
    folds: int,
    repeats: int,
    replicates: int,
    rng: np.random.Generator,
) -> Nested:
    """Choose weights without each part of the groups, and judge them on that part.

    Parameters
    ----------
    ranks
        ``(m, n, C)`` doubled mid-ranks of the problem's scores.
    group
        ``(n_files,)`` what is held out together, from 0.
    choose
        From ``(n,)`` rows to choose on to ``(m,)`` whole weights.
    folds, repeats, replicates
        Parts, how often they are drawn anew, and resamples of groups. Up to 12 sites are left out
        one at a time.

    Raises
    ------
    UserError
        If no part can be left out.
    """
    n_groups = int(group.max()) + 1
    each = grouping == "site" and n_groups <= _EACH_SITE
    count, times = (n_groups, 1) if each else (min(folds, n_groups), repeats)
    drawn = np.ones((1, n_groups))
    if n_groups > 1:
        draws = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=replicates)
        drawn = np.vstack([drawn, draws])
    of_file = drawn[:, group]
    equal = np.ones(len(ranks), np.int64)
    gains, learned = np.zeros(len(drawn)), []
    for _ in range(times):
        fold = rng.permutation(n_groups) % count
        pairs: list[tuple[Wins, Wins]] = []
        for k in range(count):
            held_out = (fold[group] == k)[problem.file]
            if not (_has_pairs(problem.truth[~held_out]) and held_out.any()):
                continue
            weights = choose(~held_out)
            learned.append(tuple((weights / weights.sum()).tolist()))
            pairs.append(
                (
                    _wins(problem, ranks, weights, held_out),
                    _wins(problem, ranks, equal, held_out),
                )
            )
        if not pairs:
            raise UserError(
                f"No {grouping} can be left out with a class left to choose weights on."
            )
        gains += _pooled([a for a, _ in pairs], of_file) - _pooled([b for _, b in pairs], of_file)
    gains /= times
    known = gains[1:][~np.isnan(gains[1:])]
    low = high = np.nan
    if len(known) > 1:
        low, high = np.quantile(known, tails(LEVEL, n_groups))
    return Nested(
        grouping, n_groups, count, times, float(gains[0]), float(low), float(high), tuple(learned)
    )


def _has_pairs(truth: npt.NDArray[np.bool_]) -> bool:
    positive = truth.sum(axis=0)
    return bool(((positive > 0) & (positive < len(truth))).any())


def _wins(
    problem: Problem,
    ranks: npt.NDArray[np.int32],
    weights: Int64,
    rows: npt.NDArray[np.bool_],
) -> Wins:
    score = rank_sum(ranks[:, rows], weights)
    return win_counts(score, problem.truth[rows], problem.file[rows], len(problem.files))


def _pooled(parts: Sequence[Wins], weights: Float64) -> Float64:
    """Return the macro AUC over pairs inside the parts, for ``(b, F)`` weights of files, ``(b,)``.

    Scores of two parts come from different weights and are not compared (Parker, Guenter and
    Bedo 2007, *BMC Bioinformatics* 8: 326, on the bias of pooling them).
    """
    won = np.zeros((len(weights), parts[0].n_classes))
    total = np.zeros_like(won)
    for wins in parts:
        pairs = (weights @ wins.positives.T) * (weights @ wins.negatives.T)
        won += np.nan_to_num(class_auc(wins, weights)) * pairs
        total += pairs
    there = total > 0
    area = np.where(there, won / np.where(there, total, 1.0), 0.0)
    count = there.sum(axis=1)
    return np.asarray(area.sum(axis=1) / np.where(count > 0, count, np.nan))
