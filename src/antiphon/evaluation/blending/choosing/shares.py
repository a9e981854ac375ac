"""What each model brings to the blend: without it, and for every share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.deltas import Delta, paired_delta
from antiphon.evaluation.blending.resampling.wins import Wins, win_counts
from antiphon.evaluation.blending.scoring.many import RankBlends
from antiphon.evaluation.blending.scoring.path import rank_path
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks

Float64 = npt.NDArray[np.float64]

STEPS = 50
"""Shares of a model that are scored, besides 0."""

NEAR = 0.001
"""Macro ROC-AUC that counts as nearly the best."""

# Pairs of a positive and a negative up to which all breakpoints of two models are found.
_MOST_PAIRS = 5_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One model against the equal rank blend of the others.

    Parameters
    ----------
    model
        Its name.
    with_it
        Equal rank blend of all models minus that of the others.
    share, auc
        ``(STEPS + 1,)`` share of the model in the blend with the others, and macro ROC-AUC.
    """

    model: str
    with_it: Delta
    share: Float64
    auc: Float64

    @property
    def best_share(self) -> float:
        """Share with the highest score on these recordings; an apparent figure."""
        return float(self.share[int(np.argmax(self.auc))])

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "model": self.model,
            "with_it": self.with_it.to_json(),
            "share": self.share.tolist(),
            "auc": self.auc.tolist(),
            "best_share": self.best_share,
        }


@dataclass(frozen=True, slots=True)
class Crossing:
    """The curve of two models, exactly.

    Parameters
    ----------
    first, second
        Their names; the weight is that of the second.
    breakpoints
        Weights at which the curve changes.
    best
        The highest macro ROC-AUC of any weight.
    low, high
        Ends of the weights, from the lowest to the highest, that reach it.
    near_low, near_high
        The same for those that come within :data:`NEAR` of it.
    """

    first: str
    second: str
    breakpoints: int
    best: float
    low: float
    high: float
    near_low: float
    near_high: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def model_shares(
    problem: Problem, whole: Wins, *, rng: np.random.Generator, replicates: int = 2000
) -> tuple[Share, ...]:
    """Return what each of two or more models brings to the equal rank blend of all.

    Parameters
    ----------
    problem
        The models and recordings.
    whole
        Wins of the equal rank blend of all.
    """
    ranks = doubled_mid_ranks(problem.scores)
    n = len(ranks)
    blends = RankBlends(ranks, problem.truth)
    total = ranks.sum(axis=0, dtype=np.int64)
    steps = np.arange(STEPS + 1)
    found = []
    for k, name in enumerate(problem.models):
        rest = win_counts(total - ranks[k], problem.truth, problem.file, len(problem.files))
        delta = paired_delta(
            "all models", whole, f"without {name}", rest, rng=rng, replicates=replicates
        )
        # The model against the mean of the others, in whole numbers.
        weights = np.repeat((STEPS - steps)[:, None], n, axis=1)
        weights[:, k] = steps * (n - 1)
        found.append(Share(name, delta, steps / STEPS, blends.macro_auc(weights)))
    return tuple(found)


def exact_path(problem: Problem) -> Crossing | None:
    """Return the exact curve of two models, or None if there are not two or too many pairs."""
    positive = problem.positives
    pairs = int((positive * (len(problem.rows) - positive)).sum())
    if len(problem.models) != 2 or pairs > _MOST_PAIRS:
        return None
    path = rank_path(problem.scores[0], problem.scores[1], problem.truth).macro
    best, near = path.best_intervals(), path.best_intervals(NEAR)
    first, second = problem.models
    return Crossing(
        first=first,
        second=second,
        breakpoints=len(path.breaks),
        best=path.best,
        low=best[0].low,
        high=best[-1].high,
        near_low=near[0].low,
        near_high=near[-1].high,
    )
