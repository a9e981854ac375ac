"""Blends of several models into one score matrix, to be scored or written as a submission.

A blend is fitted on a reference set (rank blends keep its quantiles, z-scored logits its means and
spreads) and can then be applied to any rows, even to a single file. Fitted and applied on the same
rows, a rank blend is the usual one. Only rank blends are sums of whole numbers and keep true ties;
the others are float64 sums.

With weights w that sum to 1, scores s of each model and p scores that are probabilities:

=========== ====================================================================================
rank        sum of w x mid-rank of s / n (n reference rows)
probability sum of w x p
logit       logistic(sum of w x logit(p)), p cut off at ``clip`` and 1 - ``clip``
zlogit      logistic(sum of w x (logit(p) - mean) / standard deviation), of each model and class
geometric   exp(sum of w x log(p)), p cut off at ``clip`` from below
power       (sum of w x p^exponent)^(1 / exponent)
=========== ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import finite
from antiphon.evaluation.blending.scoring.quantiles import QuantileMap, Ranking
from antiphon.evaluation.blending.scoring.ranks import whole_weights

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Kind = Literal["rank", "probability", "logit", "zlogit", "geometric", "power"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """How models are blended.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    weights
        ``(m,)``, or ``(m, C)`` for weights of each class (see :func:`weights_by_group` for those
        of taxon groups); not negative, only their ratios count. None is the equal mean. For rank
        blends they are taken as whole numbers
        (:func:`antiphon.evaluation.blending.scoring.ranks.whole_weights`).
    clip
        Probabilities closer than this to 0 or 1 are cut off where a logarithm is taken.
    exponent
        Of the power blend, not 0.

    Raises
    ------
    UserError
        If the kind is unknown or a number is out of range.
    """

    kind: Kind = "rank"
    weights: Float64 | None = None
    clip: float = 1e-6
    exponent: float = 2.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"Blend {self.kind!r} is not known. There are: {', '.join(KINDS)}.")
        if not 0.0 < self.clip < 0.5:
            raise UserError(f"The clip ({self.clip:g}) must lie between 0 and 0.5.")
        if not np.isfinite(self.exponent) or self.exponent == 0.0:
            raise UserError(f"The exponent ({self.exponent:g}) must be a number other than 0.")

    def fit(self, scores: npt.ArrayLike) -> FittedBlend:
        """Fit on a reference set, ``(m, n, C)``.

        Raises
        ------
        UserError
            If a score is not finite, or not a probability where the kind needs one, or the
            weights do not fit.
        """
        values = np.asarray(finite(scores), dtype=np.float64)
        if values.ndim != 3 or not values.size:
            raise UserError(f"Scores must be (models, rows, classes), but have {values.shape}.")
        weights = self._weights(values.shape[0], values.shape[2])
        if self.kind == "rank":
            return FittedBlend(self, weights, QuantileMap.fit(values), None, None)
        _check_probabilities(values, self.kind)
        if self.kind != "zlogit":
            return FittedBlend(self, weights, None, None, None)
        x = self.logits(values)
        # Constant scores have no spread to divide by; their computed one may be a rounding error.
        spread = np.where(np.ptp(x, axis=1) > 0, x.std(axis=1), 1.0)
        return FittedBlend(self, weights, None, x.mean(axis=1), spread)

    def logits(self, values: Float64) -> Float64:
        """Return log-odds of probabilities, cut off at ``clip``."""
        return np.asarray(logit(np.clip(values, self.clip, 1.0 - self.clip)))

    def _weights(self, models: int, classes: int) -> Float64:
        """Return ``(m, 1)`` or ``(m, C)`` weights that sum to 1."""
        if self.weights is None:
            return np.full((models, 1), 1.0 / models)
        w = np.asarray(self.weights, dtype=np.float64)
        if w.shape not in ((models,), (models, classes)):
            raise UserError(
                f"Weights must be ({models},) or ({models}, {classes}), but have shape {w.shape}."
            )
        w = w.reshape(models, -1)
        if not np.isfinite(w).all() or (w < 0).any() or (w.sum(axis=0) <= 0).any():
            raise UserError(
                "Weights must be finite and not negative, and one of each class above 0."
            )
        return np.asarray(w / w.sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class FittedBlend:
    """A blend with what it keeps of its reference set.

    Parameters
    ----------
    blend
        What was fitted.
    weights
        ``(m, 1)`` or ``(m, C)``, summing to 1.
    quantiles
        Of the rank blend.
    mean, spread
        ``(m, C)`` of the logits, for the z-scored blend.
    """

    blend: Blend
    weights: Float64
    quantiles: Ranking | None
    mean: Float64 | None
    spread: Float64 | None

    def apply(self, scores: npt.ArrayLike) -> Float64:
        """Return the blended scores, ``(rows, C)``, of ``(m, rows, C)``.

        Raises
        ------
        UserError
            If a score is not finite or not a probability where it must be, or models or classes
            differ in number from the reference.
        """
        if self.quantiles is not None:
            return self._ranked(scores, self.quantiles)
        values = np.asarray(finite(scores), dtype=np.float64)
        if values.ndim != 3 or len(values) != len(self.weights):
            raise UserError(
                f"Scores must be ({len(self.weights)}, rows, classes), but have {values.shape}."
            )
        blend = self.blend
        _check_probabilities(values, blend.kind)
        if blend.kind == "probability":
            return self._mean(values)
        if blend.kind == "power":
            with np.errstate(divide="ignore"):
                return np.asarray(
                    self._mean(values**blend.exponent) ** np.float64(1.0 / blend.exponent)
                )
        if blend.kind == "geometric":
            return np.asarray(np.exp(self._mean(np.log(np.maximum(values, blend.clip)))))
        x = blend.logits(values)
        if self.mean is not None and self.spread is not None:
            x = (x - self.mean[:, None]) / self.spread[:, None]
        return np.asarray(expit(self._mean(x)))

    def doubled_ranks(self, scores: npt.ArrayLike) -> tuple[Int64, Int64]:
        """Return the whole-number sums of a rank blend, and what each class's are a multiple of.

        Returns
        -------
        sums, scale
            ``(rows, C)`` and ``(C,)``; :meth:`apply` returns their ratio.

        Raises
        ------
        UserError
            If this is not a rank blend.
        """
        if self.quantiles is None:
            raise UserError(f"A {self.blend.kind} blend has no ranks.")
        ranks = self.quantiles.doubled_ranks(scores)
        given = self.blend.weights
        if given is None or np.ndim(given) == 1:
            one = whole_weights(np.ones(len(ranks), dtype=np.int64) if given is None else given)
            whole = np.repeat(one[:, None], ranks.shape[2], axis=1)
        else:
            # Classes are scored apart, so each may have its own denominator.
            whole = np.stack([whole_weights(column) for column in np.asarray(given).T], axis=1)
        total = np.einsum("mnc,mc->nc", ranks, whole)
        return total, whole.sum(axis=0) * 2 * self.quantiles.rows

    def _ranked(self, scores: npt.ArrayLike, quantiles: Ranking) -> Float64:
        total, scale = self.doubled_ranks(scores)
        return np.asarray(total / scale)

    def _mean(self, values: Float64) -> Float64:
        return np.asarray((values * self.weights[:, None]).sum(axis=0))


def blend_scores(
    scores: npt.ArrayLike,
    kind: Kind = "rank",
    weights: npt.ArrayLike | None = None,
    *,
    clip: float = 1e-6,
    exponent: float = 2.0,
) -> Float64:
    """Return the blend of ``(m, n, C)`` scores, ``(n, C)``, fitted on the same rows.

    Parameters as for :class:`Blend`.
    """
    given = None if weights is None else np.asarray(weights, dtype=np.float64)
    return Blend(kind, given, clip, exponent).fit(scores).apply(scores)


def weights_by_group(
    groups: Sequence[str],
    weights: Mapping[str, npt.ArrayLike],
    default: npt.ArrayLike | None = None,
) -> Float64:
    """Return weights of each class, ``(m, C)``, from those of its taxon group.

    Parameters
    ----------
    groups
        Group of each of the C classes, such as ``Aves``.
    weights
        ``(m,)`` of each group.
    default
        ``(m,)`` of groups without weights; None makes these an error.

    Raises
    ------
    UserError
        If a group has no weights, or the weights differ in length.
    """
    missing = sorted({group for group in groups if group not in weights})
    if missing and default is None:
        raise UserError(f"There are no weights for {', '.join(missing)}.")
    columns = [np.asarray(weights.get(group, default), dtype=np.float64) for group in groups]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise UserError("Each group needs one weight for each model.")
    return np.stack(columns, axis=1)


def _check_probabilities(values: Float64, kind: Kind) -> None:
    odd = (values < 0.0) | (values > 1.0)
    if odd.any():
        model, row, column = np.argwhere(odd)[0]
        raise UserError(
            f"A {kind} blend needs probabilities, but the score of model {model}, row {row}, "
            f"class {column} is {values[model, row, column]:g}; {int(odd.sum())} such in all. "
            "Rank blends take any scale."
        )
