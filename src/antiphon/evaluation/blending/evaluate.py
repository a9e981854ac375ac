"""Everything that is known of an ensemble from its score files and the truth, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.postprocess import Stage, apply_step, run_steps
from antiphon.evaluation.blending.choosing.shares import Crossing, Share, exact_path, model_shares
from antiphon.evaluation.blending.choosing.weights import WeightSearch, search_weights
from antiphon.evaluation.blending.files.intake import Windows, take_in
from antiphon.evaluation.blending.files.rows import first_few
from antiphon.evaluation.blending.files.submission import ScoreFile
from antiphon.evaluation.blending.files.taxonomy import taxon_of
from antiphon.evaluation.blending.files.truth import Truth
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.classes import Breakdown, break_down
from antiphon.evaluation.blending.resampling.splits import Splits, simulate_splits
from antiphon.evaluation.blending.resampling.wins import win_counts
from antiphon.evaluation.blending.scoring.blends import FittedBlend
from antiphon.evaluation.blending.settings import Settings
from antiphon.evaluation.blending.systems import EQUAL_RANK, System, named_scores, score_systems
from antiphon.evaluation.blending.trust.suspects import Component, check_components

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The result of :func:`evaluate`.

    Parameters
    ----------
    settings
        As given.
    components
        Each model and whether it takes part.
    matched_by
        What recordings were matched by in the membership test; empty if there was none.
    problem
        The models that take part.
    notes
        How rows and classes were treated.
    n_unlabelled
        Scored recordings without truth.
    systems
        Models, blends, and the chosen one last.
    weights
        Weight of each model that takes part in the chosen blend, as shares of 1.
    shares, crossing
        What each model brings; empty and None with one model, the crossing with other than two.
    search
        None if there was none.
    stages
        After the blend.
    splits, breakdown
        Of all systems; of the chosen one.
    score
        ``(n, C)`` of the chosen system on the rows of ``problem``.
    """

    settings: Settings
    components: tuple[Component, ...]
    matched_by: str
    problem: Problem
    notes: tuple[str, ...]
    n_unlabelled: int
    systems: tuple[System, ...]
    weights: Mapping[str, float]
    shares: tuple[Share, ...]
    crossing: Crossing | None
    search: WeightSearch | None
    stages: tuple[Stage, ...]
    splits: Splits
    breakdown: Breakdown
    score: Float64
    _fitted: FittedBlend
    _windows: Windows

    @property
    def chosen(self) -> System:
        """The system that the report is about."""
        return self.systems[-1]

    def to_json(self) -> dict[str, Any]:
        """Return every number of the report as plain values, None for NaN."""
        p = self.problem
        numbers = {
            "recordings": len(p.files),
            "windows": len(p.rows),
            "classes": len(p.classes),
            "scored_classes": int(p.scored.sum()),
            "unlabelled_recordings": self.n_unlabelled,
            "notes": list(self.notes),
            "matched_by": self.matched_by,
            "components": [c.to_json() for c in self.components],
            "systems": [s.to_json() for s in self.systems],
            "chosen": self.chosen.name,
            "kind": self.settings.kind,
            "weights": dict(self.weights),
            "shares": [s.to_json() for s in self.shares],
            "two_models": None if self.crossing is None else self.crossing.to_json(),
            "search": None if self.search is None else self.search.to_json(),
            "steps": [s.to_json() for s in self.stages],
            "splits": self.splits.to_json(),
            "breakdown": self.breakdown.to_json(),
            "seed": self.settings.seed,
            "replicates": self.settings.replicates,
        }
        return {name: _plain(value) for name, value in numbers.items()}

    def submission(self) -> tuple[tuple[str, ...], Float64]:
        """Return row names and scores of the chosen system on all scored windows.

        Windows that judge get the values that were evaluated, but for steps that reach to
        neighbours without truth.

        Raises
        ------
        UserError
            If some model lacks windows that another has.
        """
        windows = self._windows
        if windows.left_out:
            raise UserError(
                f"{windows.left_out} windows without truth are not in every score file, so that no "
                "submission can be written. Score them with all models, or with none."
            )
        index = [windows.models.index(name) for name in self.problem.models]
        score = self._fitted.apply(windows.scores[index])
        taxa = _taxa(self.problem, self.settings)
        for step in self.settings.steps:
            score = apply_step(score, step, windows.rows, windows.file, taxa)
        return windows.rows, score


def evaluate(files: Sequence[ScoreFile], truth: Truth, settings: Settings) -> Evaluation:
    """Evaluate models and blends.

    Parameters
    ----------
    files
        Scores of each model.
    truth
        Labelled windows.

    Raises
    ------
    FileError
        If files do not fit together.
    UserError
        If a setting does not fit, or no model may take part.
    """
    rng = np.random.default_rng(settings.seed)
    whole, windows = take_in(
        files, truth, unlisted=settings.unlisted, site_pattern=settings.site_pattern
    )
    components, matched_by = check_components(
        whole,
        windows,
        settings.declared,
        keep=settings.keep,
        canaries=settings.canaries,
        site_pattern=settings.site_pattern,
        rng=rng,
    )
    problem = whole.with_models(_taking_part(components, settings))
    search = None
    if settings.search is not None and len(problem.models) > 1:
        search = search_weights(
            problem, rng=rng, method=settings.search, replicates=settings.replicates
        )
    weights = _weights(problem, settings, search)
    named, fitted = named_scores(problem, settings.kind, weights)
    score, stages = run_steps(
        fitted.apply(problem.scores),
        settings.steps,
        problem,
        rng=rng,
        taxa=_taxa(problem, settings),
        replicates=settings.replicates,
    )
    if settings.steps:
        more = "1 step" if len(stages) == 1 else f"{len(stages)} steps"
        named.append((f"{named[-1][0]} + {more}", score))
    wins = [win_counts(s, problem.truth, problem.file, len(problem.files)) for _, s in named]
    names = [name for name, _ in named]
    many = len(problem.models) > 1
    reference = names.index(EQUAL_RANK) if many else 0
    first = [reference, *(k for k in range(len(names)) if k != reference)]
    return Evaluation(
        settings=settings,
        components=components,
        matched_by=matched_by,
        problem=problem,
        notes=tuple(problem.notes()),
        n_unlabelled=windows.n_unlabelled,
        systems=score_systems(
            names, wins, len(problem.models), reference, settings.replicates, rng
        ),
        weights=dict(zip(problem.models, weights, strict=True)),
        shares=model_shares(problem, wins[reference], rng=rng, replicates=settings.replicates)
        if many
        else (),
        crossing=exact_path(problem),
        search=search,
        stages=stages,
        splits=simulate_splits(
            [names[k] for k in first],
            [wins[k] for k in first],
            rng=rng,
            n_splits=settings.n_splits,
            public_share=settings.public_share,
        ),
        breakdown=break_down(wins[-1], problem, taxa=settings.taxa, rng=rng),
        score=score,
        _fitted=fitted,
        _windows=windows,
    )


def _taking_part(components: Sequence[Component], settings: Settings) -> list[str]:
    names = [c.name for c in components if c.takes_part]
    if not names:
        raise UserError(
            "No model may take part: "
            + " ".join(f"{c.name}: {' '.join(c.reasons)}" for c in components)
            + " To see their figures all the same, keep them by name."
        )
    unknown = sorted(set(settings.weights) - {c.name for c in components})
    if unknown:
        raise UserError(
            f"There are weights for {first_few(unknown)}, but the models are "
            f"{', '.join(c.name for c in components)}."
        )
    barred = [c for c in components if not c.takes_part and settings.weights.get(c.name, 0) > 0]
    if barred:
        raise UserError(
            f"{barred[0].name} cannot have a weight: {barred[0].reasons[-1]} "
            "To use it all the same, keep it by name."
        )
    return names


def _weights(
    problem: Problem, settings: Settings, search: WeightSearch | None
) -> tuple[float, ...]:
    given: Sequence[float] = (1,) * len(problem.models)
    if settings.weights:
        given = [float(settings.weights.get(name, 0.0)) for name in problem.models]
        if min(given) < 0 or not any(given) or not np.isfinite(given).all():
            raise UserError("Weights must be finite and not negative, and one must be above 0.")
    elif search is not None and settings.kind == "rank":
        given = search.recommended
    total = sum(given)
    return tuple(w / total for w in given)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _taxa(problem: Problem, settings: Settings) -> tuple[str, ...] | None:
    return None if settings.taxa is None else taxon_of(problem.classes, settings.taxa)
