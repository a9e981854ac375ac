"""One hidden layer, trained by AdamW in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.heads.base import (
    Bool,
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
from antiphon.threads import few_threads

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
_TENSORS = ("hidden_weight", "hidden_bias", "weight", "bias")


@dataclass(frozen=True, eq=False)
class MLPHead:
    """``logit = weight @ relu(hidden_weight @ ((x - mean) / scale) + hidden_bias) + bias``.

    Parameters
    ----------
    hidden_weight, hidden_bias
        ``(hidden, dim)`` and ``(hidden,)`` float32.
    weight, bias
        ``(n_labels, hidden)`` and ``(n_labels,)`` float32.
    mean, scale
        ``(dim,)`` float32, of the training rows.
    untrained
        Columns without a fit, each with the reason; their logit is a constant.
    epochs
        Epochs after which the kept weights were reached, 0 for a head that was loaded.
    """

    hidden_weight: Float32
    hidden_bias: Float32
    weight: Float32
    bias: Float32
    mean: Float32
    scale: Float32
    untrained: Mapping[int, str] = field(default_factory=dict)
    epochs: int = 0
    kind: ClassVar[str] = "mlp"

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
        out = np.empty((len(x), self.n_labels), np.float32)
        for begin in range(0, len(x), 4096):
            rows = slice(begin, begin + 4096)
            hidden = (x[rows] - self.mean) / self.scale @ self.hidden_weight.T + self.hidden_bias
            np.maximum(hidden, 0.0, out=hidden)
            out[rows] = hidden @ self.weight.T + self.bias
        return out

    def to_tensors(self) -> dict[str, Float32]:
        """Return the six arrays by name."""
        return {name: getattr(self, name) for name in (*_TENSORS, "mean", "scale")}

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
        first = require(tensors, "hidden_weight", (None, None))
        hidden, dim = first.shape
        weight = require(tensors, "weight", (None, hidden))
        scale = require(tensors, "scale", (dim,))
        if (scale <= 0).any():
            raise ValueError("the tensor 'scale' holds numbers that are not above 0")
        return cls(
            hidden_weight=first,
            hidden_bias=require(tensors, "hidden_bias", (hidden,)),
            weight=weight,
            bias=require(tensors, "bias", (len(weight),)),
            mean=require(tensors, "mean", (dim,)),
            scale=scale,
            untrained=dict(untrained or {}),
        )


@few_threads(0)
def fit_mlp(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    hidden: int = 128,
    dropout: float = 0.2,
    class_weight: ClassWeight = "balanced",
    sample_weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    validation: npt.ArrayLike | None = None,
    epochs: int = 100,
    patience: int = 10,
    batch: int = 128,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-2,
    seed: int = 0,
) -> MLPHead:
    """Fit a network with one hidden layer by masked binary cross-entropy.

    Parameters
    ----------
    X, Y, class_weight, sample_weight
        As in :func:`antiphon.heads.linear.fit_linear`.
    hidden
        Units of the hidden layer.
    dropout
        Share of hidden units that is silenced in training, at least 0 and below 1.
    groups
        ``(n,)`` recording or site of each row. Whole groups, about a fifth of the rows, are set
        aside for early stopping; with one group there is no early stopping.
    validation
        ``(n,)`` bool, rows set aside for early stopping; replaces the split by ``groups``.
    epochs, patience
        Most epochs, and how many without a better validation loss end the training. The weights
        of the best epoch are kept. Without validation rows all epochs are run.
    batch, learning_rate, weight_decay
        Of AdamW (Loshchilov and Hutter 2019, algorithm 2), decay on weights, not on biases.
    seed
        Decides the split, the first weights, the order and the dropout: equal seeds, equal heads.

    Raises
    ------
    UserError
        If data or parameters are not as described.
    """
    if hidden < 1 or not 0.0 <= dropout < 1.0 or epochs < 1 or batch < 1:
        raise UserError(
            f"hidden ({hidden}), epochs ({epochs}) and batch ({batch}) must be at least 1, and "
            f"dropout ({dropout:g}) at least 0 and below 1."
        )
    x, y = check_training_data(X, Y)
    rng = np.random.default_rng(seed)
    cost = entry_weights(y, class_weight, sample_weight).T
    reasons, prior = untrainable(y, cost.T)
    held = _held_rows(len(x), groups, validation, rng)
    # A label keeps its rows of both sides in the balance, so that both losses weigh alike.
    train = np.flatnonzero((cost > 0).any(axis=1) & ~held)
    if len(train) == 0:
        train, held = np.arange(len(x)), np.zeros(len(x), dtype=bool)
    mean, scale = standardisation(x[train])
    design = (x - mean) / scale
    target = np.nan_to_num(y, nan=0.0)
    for column in reasons:
        cost[:, column] = 0.0
    weights = _start(x.shape[1], hidden, y.shape[1], rng)
    optimiser = _AdamW(weights, learning_rate, weight_decay)
    best, best_loss, best_epoch = [w.copy() for w in weights], np.inf, 0
    validated = bool((cost[held] > 0).any())
    for epoch in range(1, epochs + 1):
        order = rng.permutation(train)
        for begin in range(0, len(order), batch):
            rows = order[begin : begin + batch]
            optimiser.step(
                _gradients(weights, design[rows], target[rows], cost[rows], dropout, rng)
            )
        if not validated:
            continue
        loss = _loss(weights, design[held], target[held], cost[held])
        if loss < best_loss:
            best, best_loss, best_epoch = [w.copy() for w in weights], loss, epoch
        elif epoch - best_epoch >= patience:
            break
    if not validated:
        best, best_epoch = weights, epochs
    first, first_bias, second, second_bias = best
    for column in reasons:
        second[column] = 0.0
        second_bias[column] = prior[column]
    if not all(np.isfinite(w).all() for w in best):
        raise UserError(
            f"The training of the MLP diverged with learning rate {learning_rate:g}; lower it."
        )
    return MLPHead(first, first_bias, second, second_bias, mean, scale, reasons, best_epoch)


def _held_rows(
    n: int, groups: npt.ArrayLike | None, validation: npt.ArrayLike | None, rng: np.random.Generator
) -> Bool:
    held = np.zeros(n, dtype=bool)
    if validation is not None:
        given = np.asarray(validation)
        if given.shape != (n,) or given.dtype != np.bool_ or given.all():
            raise UserError(
                f"validation must be {n} booleans, one for each row, with some rows left to train."
            )
        return given.copy()
    if groups is None:
        return held
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    if group.shape != (n,):
        raise UserError(f"groups must name a group for each of the {n} rows.")
    sizes = np.bincount(group)
    for one in rng.permutation(len(names))[:-1]:
        if held.sum() >= 0.2 * n:
            break
        # A group that would take half of the rows away is of more use in training.
        if held.sum() + sizes[one] <= 0.5 * n:
            held |= group == one
    return held


def _start(dim: int, hidden: int, labels: int, rng: np.random.Generator) -> list[Float32]:
    """He et al. (2015) for the hidden layer, small output weights, biases at zero."""
    first = rng.standard_normal((hidden, dim), np.float32) * np.float32(np.sqrt(2.0 / dim))
    second = rng.standard_normal((labels, hidden), np.float32) * np.float32(0.1 / np.sqrt(hidden))
    return [first, np.zeros(hidden, np.float32), second, np.zeros(labels, np.float32)]


def _forward(weights: Sequence[Float32], x: Float32) -> tuple[Float32, Float32]:
    hidden = np.maximum(x @ weights[0].T + weights[1], np.float32(0.0))
    return hidden, hidden @ weights[2].T + weights[3]


def _gradients(
    weights: Sequence[Float32],
    x: Float32,
    target: Float32,
    cost: Float32,
    dropout: float,
    rng: np.random.Generator,
) -> list[Float32]:
    hidden = np.maximum(x @ weights[0].T + weights[1], np.float32(0.0))
    active = (hidden > 0).astype(np.float32)
    if dropout:
        keep = (rng.random(hidden.shape, np.float32) >= dropout) / np.float32(1.0 - dropout)
        hidden *= keep
        active *= keep
    logit = hidden @ weights[2].T + weights[3]
    residual = cost * (np.float32(0.5) * (np.tanh(np.float32(0.5) * logit) + 1) - target)
    residual /= np.float32(len(x))
    back = (residual @ weights[2]) * active
    return [back.T @ x, back.sum(axis=0), residual.T @ hidden, residual.sum(axis=0)]


def _loss(weights: Sequence[Float32], x: Float32, target: Float32, cost: Float32) -> float:
    logit = _forward(weights, x)[1].astype(np.float64)
    entries = np.logaddexp(0.0, logit) - target * logit
    return float((cost * entries).sum() / cost.sum(dtype=np.float64))


class _AdamW:
    """AdamW over a list of arrays, changed in place; one-dimensional arrays do not decay."""

    def __init__(self, weights: list[Float32], rate: float, decay: float) -> None:
        self._weights, self._rate, self._decay = weights, rate, decay
        self._first = [np.zeros_like(w) for w in weights]
        self._second = [np.zeros_like(w) for w in weights]
        self._count = 0

    def step(self, gradients: Sequence[Float32]) -> None:
        self._count += 1
        bias_1 = 1.0 - _BETA_1**self._count
        bias_2 = 1.0 - _BETA_2**self._count
        for w, g, m, v in zip(self._weights, gradients, self._first, self._second, strict=True):
            m += np.float32(1.0 - _BETA_1) * (g - m)
            v += np.float32(1.0 - _BETA_2) * (g * g - v)
            if w.ndim == 2:
                w *= np.float32(1.0 - self._rate * self._decay)
            root = np.sqrt(v / np.float32(bias_2)) + np.float32(_EPSILON)
            w -= np.float32(self._rate / bias_1) * m / root
