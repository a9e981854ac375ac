"""Models and blends, scored on the same resamples of recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.deltas import LEVEL, Delta, delta_of
from antiphon.evaluation.blending.resampling.wins import Wins, bootstrap_many, within_between
from antiphon.evaluation.blending.scoring.blends import KINDS, Blend, FittedBlend, Kind
from antiphon.evaluation.paired import holm
from antiphon.evaluation.resampling import ends

Float64 = npt.NDArray[np.float64]
Sort = Literal["model", "blend", "chosen"]

EQUAL_RANK = "equal rank"
"""The blend that the others are compared with."""


@dataclass(frozen=True, slots=True)
class System:
    """A model or a blend, scored.

    Parameters
    ----------
    name
        Of the model, or kind of the blend.
    sort
        ``model``, ``blend``, or ``chosen`` for the one that the rest of the report is about.
    auc, low, high
        Macro ROC-AUC and its 95 % bootstrap interval over recordings.
    within, between
        The same over pairs of windows from one recording, and from two.
    delta
        Against the equal rank blend; None for itself.
    p_holm
        Its p, corrected for the number of systems.
    """

    name: str
    sort: Sort
    auc: float
    low: float
    high: float
    within: float
    between: float
    delta: Delta | None
    p_holm: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["delta"] = None if self.delta is None else self.delta.to_json()
        return {k: None if v != v else v for k, v in fields.items()}


def named_scores(
    problem: Problem, kind: Kind, weights: Sequence[float]
) -> tuple[list[tuple[str, Float64]], FittedBlend]:
    """Return the scores of models and equal blends, the chosen one last, and how it blends."""
    scores = problem.scores
    given = None if len(set(weights)) == 1 else np.asarray(weights, np.float64)
    proper = bool(scores.min() >= 0.0 and scores.max() <= 1.0)
    named: list[tuple[str, Float64]] = list(zip(problem.models, scores, strict=True))
    if len(problem.models) == 1:
        # Alone, a model keeps its own scale.
        return named, Blend("probability" if proper else kind).fit(scores)
    chosen = Blend(kind, given).fit(scores)
    kinds = [one for one in KINDS if one == "rank" or proper]
    named += [(f"equal {one}", Blend(one).fit(scores).apply(scores)) for one in kinds]
    name = f"{'equal' if given is None else 'weighted'} {kind}"
    named = [pair for pair in named if pair[0] != name]
    named.append((name, chosen.apply(scores)))
    return named, chosen


def score_systems(
    names: Sequence[str],
    wins: Sequence[Wins],
    n_models: int,
    reference: int,
    replicates: int,
    rng: np.random.Generator,
) -> tuple[System, ...]:
    """Return intervals of all systems and their differences from one, on the same resamples.

    Parameters
    ----------
    names, wins
        Of the systems: models first, the chosen one last.
    n_models
        How many of them are models.
    reference
        Which one the others are compared with.
    """
    draws = bootstrap_many(wins, replicates, rng)
    deltas = [
        None
        if k == reference
        else delta_of((name, names[reference]), (one, wins[reference]), draws, (k, reference))
        for k, (name, one) in enumerate(zip(names, wins, strict=True))
    ]
    corrected = holm([np.nan if d is None else d.p for d in deltas])
    systems = []
    for k, (name, one) in enumerate(zip(names, wins, strict=True)):
        low, high, _, _ = ends(draws, k, LEVEL, "percentile")
        parts = within_between(one)
        sort: Sort = "model" if k < n_models else "blend"
        systems.append(
            System(
                name=name,
                sort="chosen" if k == len(names) - 1 else sort,
                auc=float(draws.value[k]),
                low=low,
                high=high,
                within=parts.macro_within,
                between=parts.macro_between,
                delta=deltas[k],
                p_holm=float(corrected[k]),
            )
        )
    return tuple(systems)
