"""Questions about files, answered from win counts: resamples, splits, folds, files left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.resampling.clustered import (
    StandardError,
    check_same_rows,
    contributions,
    standard_error,
)
from antiphon.evaluation.blending.resampling.counts import (
    Wins,
    class_auc,
    leave_one_out,
    macro_auc,
    margins,
    mean_of_classes,
    win_counts,
)
from antiphon.evaluation.intervals import Interval
from antiphon.evaluation.resampling import Draws, Method, ends

__all__ = [
    "Bootstrap",
    "StandardError",
    "Wins",
    "WithinBetween",
    "bootstrap",
    "bootstrap_many",
    "class_auc",
    "contributions",
    "fold_scores",
    "jackknife",
    "macro_auc",
    "split_scores",
    "standard_error",
    "win_counts",
    "within_between",
]

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

Which = Literal["a", "b", "difference"]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Macro AUCs of two models on the same resamples of files.

    Parameters
    ----------
    draws
        Columns a, b, a - b: values on all files, on each resample and without each file.
    """

    draws: Draws

    @property
    def a(self) -> Float64:
        """Macro AUC of the first model on each resample, ``(replicates,)``."""
        return self.draws.drawn[:, 0]

    @property
    def b(self) -> Float64:
        """Macro AUC of the second model on each resample."""
        return self.draws.drawn[:, 1]

    @property
    def difference(self) -> Float64:
        """First minus second on each resample."""
        return self.draws.drawn[:, 2]

    def interval(
        self, which: Which = "difference", level: float = 0.95, method: Method = "percentile"
    ) -> Interval:
        """Return the interval of one model's macro AUC or of the difference."""
        column = ("a", "b", "difference").index(which)
        low, high, count, note = ends(self.draws, column, level, method)
        value = float(self.draws.value[column])
        return Interval(value, low, high, level, method, self.draws.n_groups, count, note)


def bootstrap(
    wins_a: Wins, wins_b: Wins, replicates: int, generator: np.random.Generator
) -> Bootstrap:
    """Draw files with replacement and score both models on the same draws.

    Each resample averages over the classes that it contains; both models over the same ones.

    Raises
    ------
    UserError
        If the two are not of the same rows, or ``replicates`` is below 1.
    """
    draws = bootstrap_many([wins_a, wins_b], replicates, generator)

    def with_difference(values: Float64) -> Float64:
        return np.column_stack([values, values[..., 0] - values[..., 1]])

    left_out = None if draws.left_out is None else with_difference(draws.left_out)
    return Bootstrap(
        Draws(
            value=with_difference(draws.value[None])[0],
            drawn=with_difference(draws.drawn),
            left_out=left_out,
            n_groups=draws.n_groups,
        )
    )


def bootstrap_many(
    models: Sequence[Wins], replicates: int, generator: np.random.Generator
) -> Draws:
    """Draw files with replacement and score all models on the same draws.

    Returns
    -------
    Draws
        One column for each model: macro AUC on all files, on each resample, without each file;
        no resamples below two files.

    Raises
    ------
    UserError
        If there is no model, they are not of the same rows, or ``replicates`` is below 1.
    """
    if not models:
        raise UserError("There is no model to resample.")
    if replicates < 1:
        raise UserError(f"The replicates ({replicates}) must be at least 1.")
    for other in models[1:]:
        check_same_rows(models[0], other)
    used = np.flatnonzero((models[0].positives[0] + models[0].negatives[0]) > 0)
    value = np.array([float(macro_auc(wins)) for wins in models])
    if len(used) < 2:
        return Draws(value, np.empty((0, len(models))), None, len(used))
    weights = np.zeros((replicates, models[0].n_files))
    weights[:, used] = generator.multinomial(
        len(used), np.full(len(used), 1.0 / len(used)), size=replicates
    )
    drawn = np.column_stack([macro_auc(wins, weights) for wins in models])
    left_out = np.column_stack([jackknife(wins)[used] for wins in models])
    return Draws(value, drawn, left_out, len(used))


def jackknife(wins: Wins) -> Float64:
    """Return the macro AUC without each file, ``(F,)``."""
    return mean_of_classes(leave_one_out(wins))


def fold_scores(wins: Wins, fold: npt.ArrayLike) -> Float64:
    """Return the macro AUC on the files of each fold, ``(folds,)``.

    Parameters
    ----------
    fold
        ``(F,)`` fold of each file, whole numbers from 0.

    Raises
    ------
    UserError
        If there is not one fold for each file.
    """
    number = np.asarray(fold)
    if number.shape != (wins.n_files,) or number.dtype.kind not in "iu" or (number < 0).any():
        raise UserError(f"There must be one fold, from 0, for each of the {wins.n_files} files.")
    return macro_auc(wins, number[None, :] == np.arange(int(number.max()) + 1)[:, None])


def split_scores(wins: Wins, first: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Return the macro AUC on one part of the files and on the rest, for many splits.

    Parameters
    ----------
    first
        ``(r, F)`` bool: files of the first part of each split.

    Returns
    -------
    ndarray, ndarray
        ``(r,)`` each, first part and rest.
    """
    part = np.atleast_2d(np.asarray(first, dtype=bool))
    return macro_auc(wins, part), macro_auc(wins, ~part)


@dataclass(frozen=True, slots=True, eq=False)
class WithinBetween:
    """AUCs over pairs from the same file and over pairs from two files.

    Parameters
    ----------
    within, between
        ``(C,)``; NaN where a class has no such pair.
    pairs_within, pairs_between
        ``(C,)`` pairs of a positive and a negative.
    macro_within, macro_between
        Means over the classes that have both, so that they compare the same classes; NaN if
        none has.
    """

    within: Float64
    between: Float64
    pairs_within: Int64
    pairs_between: Int64
    macro_within: float
    macro_between: float


def within_between(wins: Wins) -> WithinBetween:
    """Return how well windows are ranked inside files, and between files.

    A model that only knows which species a site has ranks files and not windows: high between, near
    0.5 within.
    """
    by_positive, _, diagonal = margins(wins)
    total, inside = by_positive.sum(axis=1), diagonal.sum(axis=1)
    pairs_within = (wins.positives * wins.negatives).sum(axis=1)
    pairs = wins.positives.sum(axis=1) * wins.negatives.sum(axis=1)
    pairs_between = pairs - pairs_within
    with np.errstate(invalid="ignore", divide="ignore"):
        within = inside / np.where(pairs_within, 2.0 * pairs_within, np.nan)
        between = (total - inside) / np.where(pairs_between, 2.0 * pairs_between, np.nan)
    both = ~np.isnan(within) & ~np.isnan(between)
    means = [float(v[both].mean()) if both.any() else float("nan") for v in (within, between)]
    return WithinBetween(within, between, pairs_within, pairs_between, *means)
