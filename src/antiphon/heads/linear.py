"""Multi-label logistic regression: all labels in one solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.heads.base import (
    ClassWeight,
    Float32,
    check_embeddings,
    check_training_data,
    entry_weights,
    name_reasons,
    require,
    standardisation,
    untrainable,
)
from antiphon.heads.logistic import LogisticProblem, Solution
from antiphon.threads import few_threads

DEFAULT_L2 = 100.0


@dataclass(frozen=True, eq=False)
class LinearHead:
    """``logit = weight @ ((x - mean) / scale) + bias``.

    Parameters
    ----------
    weight, bias
        ``(n_labels, dim)`` and ``(n_labels,)`` float32, for standardised embeddings.
    mean, scale
        ``(dim,)`` float32, of the labelled training rows.
    untrained
        Columns without a fit, each with the reason; their weights are 0 and their bias is the
        smoothed prior of :func:`antiphon.heads.base.untrainable`.
    unconverged
        Columns whose fit stopped at the limit of iterations; usable, but not at the minimum.
    """

    weight: Float32
    bias: Float32
    mean: Float32
    scale: Float32
    untrained: Mapping[int, str] = field(default_factory=dict)
    unconverged: tuple[int, ...] = ()
    kind: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        # Divided once; the mean stays apart because folding it into the bias would cancel.
        object.__setattr__(self, "_folded", np.ascontiguousarray((self.weight / self.scale).T))

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.bias)

    @property
    def dim(self) -> int:
        """Length of the embeddings."""
        return len(self.mean)

    def untrained_reasons(self, labels: Sequence[str]) -> dict[str, str]:
        """Return :attr:`untrained` by label name."""
        return name_reasons(self.untrained, labels)

    def logits(self, X: npt.ArrayLike) -> Float32:
        """Return ``(n, n_labels)`` float32 logits of ``(n, dim)`` embeddings.

        Raises
        ------
        UserError
            If the embeddings have another length.
        """
        x = check_embeddings(X, self.dim)
        folded: Float32 = self.__dict__["_folded"]
        out = np.empty((len(x), self.n_labels), np.float32)
        # By blocks, so that the centred copy stays in cache.
        for begin in range(0, len(x), 4096):
            rows = slice(begin, begin + 4096)
            np.matmul(x[rows] - self.mean, folded, out=out[rows])
        out += self.bias
        return out

    def to_tensors(self) -> dict[str, Float32]:
        """Return the four arrays by name."""
        return {
            "weight": self.weight,
            "bias": self.bias,
            "mean": self.mean,
            "scale": self.scale,
        }

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Float32], untrained: Mapping[int, str] | None = None
    ) -> Self:
        """Build the head from :meth:`to_tensors`.

        Raises
        ------
        ValueError
            If a tensor is missing, of the wrong shape or not finite, or a scale is not above 0.
        """
        weight = require(tensors, "weight", (None, None))
        labels, dim = weight.shape
        scale = require(tensors, "scale", (dim,))
        if (scale <= 0).any():
            raise ValueError("the tensor 'scale' holds numbers that are not above 0")
        return cls(
            weight=weight,
            bias=require(tensors, "bias", (labels,)),
            mean=require(tensors, "mean", (dim,)),
            scale=scale,
            untrained=dict(untrained or {}),
        )


def fit_linear(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    l2: float = DEFAULT_L2,
    class_weight: ClassWeight = "balanced",
    sample_weight: npt.ArrayLike | None = None,
    max_iter: int = 300,
    tol: float = 1e-4,
) -> LinearHead:
    """Fit logistic regressions for all labels at once.

    Parameters
    ----------
    X
        ``(n, dim)`` embeddings; standardised inside.
    Y
        ``(n, n_labels)``: 1 present, 0 absent, NaN unknown. An unknown entry is no part of that
        label's fit.
    l2
        Strength of L2, above 0: the loss summed over entries plus ``l2 / 2`` times the squared
        weights of standardised columns (``1 / C`` of scikit-learn); the bias is free.
    class_weight
        ``"balanced"`` or None, see :func:`antiphon.heads.base.entry_weights`.
    sample_weight
        ``(n,)`` weights of the rows, or None.
    max_iter, tol
        Limits of the solver, see :meth:`antiphon.heads.logistic.LogisticProblem.solve`.

    Returns
    -------
    LinearHead
        Its ``untrained`` names labels that have no positive or no negative.

    Raises
    ------
    UserError
        If data or parameters are not as described.
    """
    return fit_linear_path(
        X,
        Y,
        [l2],
        class_weight=class_weight,
        sample_weight=sample_weight,
        max_iter=max_iter,
        tol=tol,
    )[0]


def fit_linear_path(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    l2: Sequence[float],
    *,
    class_weight: ClassWeight = "balanced",
    sample_weight: npt.ArrayLike | None = None,
    max_iter: int = 300,
    tol: float = 1e-4,
) -> list[LinearHead]:
    """Fit one head for each strength of L2, sharing all that does not depend on it.

    The strongest comes first and each solution is where the next one starts; the heads are
    returned in the order asked for. Other parameters and errors as in :func:`fit_linear`.
    """
    strengths = np.asarray(l2, dtype=np.float64)
    if strengths.ndim != 1 or not len(strengths) or not (np.isfinite(strengths)).all():
        raise UserError("l2 must be one or more finite numbers above 0.")
    if (strengths <= 0).any():
        raise UserError(f"l2 is {strengths.min():g}; it must be above 0.")
    x, y = check_training_data(X, Y)
    weight = entry_weights(y, class_weight, sample_weight)
    used = (weight > 0).any(axis=0)
    reasons, prior = untrainable(y, weight)
    fitted = np.array([i for i in range(y.shape[1]) if i not in reasons], dtype=np.intp)
    if not used.any():
        mean, scale = standardisation(x)
    else:
        if not used.all():
            x, y, weight = x[used], y[used], weight[:, used]
        mean, scale = standardisation(x)
    solutions: dict[int, Solution] = {}
    if len(fitted):
        design = x - mean
        design /= scale
        target = np.nan_to_num(np.ascontiguousarray(y.T[fitted]), nan=0.0)
        cost = np.ascontiguousarray(weight[fitted])
        previous: Solution | None = None
        with few_threads(design.size):
            problem = LogisticProblem(design)
            for position in np.argsort(-strengths, kind="stable"):
                previous = problem.solve(
                    target,
                    cost,
                    float(strengths[position]),
                    tol=tol,
                    max_iter=max_iter,
                    start=previous,
                )
                solutions[int(position)] = previous
    heads = []
    for position in range(len(strengths)):
        weights = np.zeros((y.shape[1], x.shape[1]), np.float32)
        bias = prior.astype(np.float32)
        unconverged: tuple[int, ...] = ()
        if len(fitted):
            solution = solutions[position]
            weights[fitted] = solution.weight
            bias[fitted] = solution.bias
            unconverged = tuple(fitted[~solution.converged].tolist())
        heads.append(LinearHead(weights, bias, mean, scale, dict(reasons), unconverged))
    return heads
