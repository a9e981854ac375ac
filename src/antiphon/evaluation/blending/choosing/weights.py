"""Weights of a rank blend, judged where they were not chosen; equal weights are the prior.

Whoever tries a thousand weights on the recordings that judge them finds some that look better. So
the choice is repeated without a part of the recordings (or of the sites) and judged on that part.
Learned weights are kept only if they beat equal ones there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.candidates import best_of, greedy, weight_grid
from antiphon.evaluation.blending.choosing.nested import Nested, judge_choice, rank_sum
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.report.number_text import signed_interval
from antiphon.evaluation.blending.resampling.wins import standard_error, win_counts
from antiphon.evaluation.blending.scoring.many import RankBlends
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks, whole_weights

Int64 = npt.NDArray[np.int64]
Method = Literal["grid", "greedy"]

FOLDS, REPEATS = 5, 2


@dataclass(frozen=True, slots=True)
class WeightSearch:
    """The result of a search for weights.

    Parameters
    ----------
    models
        Names of the m models.
    method
        ``grid`` or ``greedy``.
    n_candidates
        Weights that were tried on all recordings.
    best
        Whole weights with the highest score on all recordings.
    shrinkage
        Share of the way from equal weights to ``best`` that is gone, 0 to 1.
    learned
        Whole weights after shrinkage.
    apparent
        Macro AUC of ``learned`` minus that of equal weights on the recordings they were chosen on.
    nested
        The same where they were not chosen: by file, and by site where sites are known.
    keep_equal
        Whether equal weights are to be kept.
    reason
        Why, one sentence.
    """

    models: tuple[str, ...]
    method: Method
    n_candidates: int
    best: tuple[int, ...]
    shrinkage: float
    learned: tuple[int, ...]
    apparent: float
    nested: tuple[Nested, ...]
    keep_equal: bool
    reason: str

    @property
    def recommended(self) -> tuple[int, ...]:
        """Weights to use."""
        return (1,) * len(self.models) if self.keep_equal else self.learned

    @property
    def optimism(self) -> float:
        """Apparent minus nested gain, by file: what the choice only seemed to bring."""
        return self.apparent - self.nested[0].gain

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {
            "models": list(self.models),
            "method": self.method,
            "n_candidates": self.n_candidates,
            "best": list(self.best),
            "shrinkage": self.shrinkage,
            "learned": list(self.learned),
            "recommended": list(self.recommended),
            "apparent_gain": self.apparent,
            "optimism": self.optimism,
            "keep_equal": self.keep_equal,
            "reason": self.reason,
            "nested": [one.to_json() for one in self.nested],
        }


@dataclass(frozen=True, slots=True)
class _Learned:
    best: Int64
    weights: Int64
    shrinkage: float
    gain: float


def search_weights(
    problem: Problem,
    *,
    rng: np.random.Generator,
    method: Method = "grid",
    folds: int = FOLDS,
    repeats: int = REPEATS,
    replicates: int = 1000,
) -> WeightSearch:
    """Choose weights of a rank blend, and say whether they are to be trusted.

    Parameters
    ----------
    problem
        At least two models and four recordings.
    rng
        The only source of randomness.
    method
        ``grid``: the best of :func:`~antiphon.evaluation.blending.choosing.candidates.weight_grid`.
        ``greedy``: forward selection.
    folds, repeats
        Parts of the recordings in the outer loop, and how often they are drawn anew. Up to 12
        sites are left out one at a time instead.
    replicates
        Resamples for the intervals.

    Raises
    ------
    UserError
        If there are too few models or recordings, or the method is not known.

    Notes
    -----
    The best candidate is drawn towards equal weights by ``1 - (SE / gain)^2``, at least 0, with
    gain and clustered standard error of its lead over equal weights on the recordings it was
    chosen on (positive-part shrinkage; James and Stein 1961): a lead within one standard error
    changes nothing. The outer loop repeats grid, choice and shrinkage. Ranks are taken once over
    all windows: they use no truth.

    Equal weights are kept unless the nested gain by file has an interval above 0 and that by site,
    where sites are known, is not below 0. The interval holds the learned weights fixed, so it
    leaves out a part of the error, that of the choice.
    """
    if len(problem.models) < 2 or len(problem.files) < 4:
        raise UserError(
            f"Weights can be chosen for at least two models on at least four recordings, not for "
            f"{len(problem.models)} on {len(problem.files)}."
        )
    if method not in ("grid", "greedy"):
        raise UserError(f"There is no search {method!r}, only grid and greedy.")
    ranks = doubled_mid_ranks(problem.scores)
    grid = weight_grid(len(problem.models), rng)

    def learn(rows: npt.NDArray[np.bool_]) -> _Learned:
        return _learn(ranks[:, rows], problem.truth[rows], problem.file[rows], grid, method)

    def choose(rows: npt.NDArray[np.bool_]) -> Int64:
        return learn(rows).weights

    whole = learn(np.ones(len(problem.rows), bool))
    by_file = np.arange(len(problem.files))
    nested = [
        judge_choice(problem, ranks, "file", by_file, choose, folds, repeats, replicates, rng)
    ]
    if problem.site is not None:
        site = np.unique([str(s) for s in problem.site], return_inverse=True)[1]
        if site.max() > 0:
            nested.append(
                judge_choice(problem, ranks, "site", site, choose, folds, repeats, replicates, rng)
            )
    keep, reason = _verdict(nested)
    return WeightSearch(
        models=problem.models,
        method=method,
        n_candidates=len(grid) if method == "grid" else 0,
        best=tuple(whole.best.tolist()),
        shrinkage=whole.shrinkage,
        learned=tuple(whole.weights.tolist()),
        apparent=whole.gain,
        nested=tuple(nested),
        keep_equal=keep,
        reason=reason,
    )


def _learn(
    ranks: npt.NDArray[np.int32],
    truth: npt.NDArray[np.bool_],
    file: Int64,
    grid: Int64,
    method: Method,
) -> _Learned:
    """Choose and shrink on these rows."""
    n_models = len(ranks)
    blends = RankBlends(ranks, truth)
    best = best_of(blends, grid)[0] if method == "grid" else greedy(blends, n_models)
    equal = np.ones(n_models, np.int64)
    best = whole_weights(best)
    if (best == equal).all():
        return _Learned(equal, equal, 0.0, 0.0)
    a, b = (win_counts(rank_sum(ranks, w), truth, file) for w in (best, equal))
    gain = float(np.diff(blends.macro_auc(np.stack([equal, best])))[0])
    error = standard_error(a, b).macro
    shrinkage = max(0.0, 1.0 - (error / gain) ** 2) if gain > 0 and error == error else 0.0
    share = (1.0 - shrinkage) / n_models + shrinkage * best / best.sum()
    # Hundredths keep the weights readable and the sums exact.
    weights = equal if shrinkage == 0 else whole_weights(np.round(100 * share).astype(np.int64))
    kept = float(np.diff(blends.macro_auc(np.stack([equal, weights])))[0])
    return _Learned(best, weights, shrinkage, kept)


def _verdict(nested: Sequence[Nested]) -> tuple[bool, str]:
    by_file = nested[0]
    said = signed_interval(by_file.gain, by_file.low, by_file.high)
    if not by_file.better:
        if not any(any(x != w[0] for x in w) for w in by_file.weights):
            return True, "Equal weights are kept: no candidate led by more than its error."
        return True, (
            "Equal weights are kept: on recordings that had no part in the choice, the learned "
            f"ones gain {said}, and that interval does not lie above 0."
        )
    if len(nested) > 1 and nested[1].gain < 0:
        return True, (
            f"Equal weights are kept: the learned ones gain {said} on other recordings, but lose "
            f"{-nested[1].gain:.4f} at other sites."
        )
    return False, (
        f"Learned weights are used: on recordings that had no part in the choice they gain {said}."
    )
