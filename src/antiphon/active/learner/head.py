"""The fixed head of the task: linear, ReLU, dropout, linear; trained by Adam without torch."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from antiphon.active.learner.adam import BlockedAdam, PlainAdam, thin_product

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# Rows whose hidden features stay in the cache until the last layer has used them.
_INFERENCE_ROWS = 1024


class Draws(Protocol):
    """All that is random in training; another source of it makes two loops comparable."""

    def weight(self, outputs: int, inputs: int) -> Float32:
        """Return ``(outputs, inputs)`` initial weights."""
        ...

    def permutation(self, n: int) -> Int64:
        """Return an order of ``n`` rows."""
        ...

    def kept(self, shape: tuple[int, int], rate: float) -> npt.NDArray[np.bool_]:
        """Return which units stay under dropout of ``rate``."""
        ...


class NumpyDraws:
    """Draws from generators of NumPy.

    Parameters
    ----------
    generator
        Gives initial weights, orders and masks in turn.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def weight(self, outputs: int, inputs: int) -> Float32:
        """Return Xavier-uniform weights (Glorot and Bengio 2010, equation 16)."""
        bound = math.sqrt(6.0 / (outputs + inputs))
        drawn = self._generator.random((outputs, inputs), dtype=np.float32)
        drawn *= np.float32(2.0 * bound)
        drawn -= np.float32(bound)
        return drawn

    def permutation(self, n: int) -> Int64:
        """Return an order of ``n`` rows."""
        return self._generator.permutation(n).astype(np.int64)

    def kept(self, shape: tuple[int, int], rate: float) -> npt.NDArray[np.bool_]:
        """Return which units stay."""
        kept: npt.NDArray[np.bool_] = self._generator.random(shape, dtype=np.float32) >= rate
        return kept


class Head:
    """Linear(dim, hidden) - ReLU - dropout - Linear(hidden, n_labels).

    Weights are laid out as torch does, ``(outputs, inputs)``; weights and Adam's moments last
    from one call of :meth:`train` to the next.

    Parameters
    ----------
    dim, hidden, n_labels
        Sizes.
    draws
        Initial weights, orders of rows, dropout masks. The head computes in the precision of the
        weights, which is float32 unless they come from elsewhere.
    learning_rate
        Of Adam (Kingma and Ba 2015), betas 0.9 and 0.999, epsilon 1e-8.
    dropout
        Share of hidden units that are left out in training.
    multilabel
        Sigmoid and binary cross-entropy, or softmax and cross-entropy.
    exact
        Adam with the whole matrices, operation by operation as torch does it.
    """

    def __init__(
        self,
        dim: int,
        hidden: int,
        n_labels: int,
        draws: Draws,
        *,
        learning_rate: float = 1e-3,
        dropout: float = 0.0,
        multilabel: bool = True,
        exact: bool = False,
    ) -> None:
        self.draws = draws
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.multilabel = multilabel
        # Copies, row by row in memory: they are changed in place.
        self.w1 = np.array(draws.weight(hidden, dim), order="C")
        self.b1 = np.zeros(hidden, self.w1.dtype)
        self.w2 = np.array(draws.weight(n_labels, hidden), order="C")
        self.b2 = np.zeros(n_labels, self.w1.dtype)
        fused = not exact and self.w1.dtype == np.float32
        self._first = (BlockedAdam if fused else PlainAdam)(self.w1, learning_rate)
        self._others = [PlainAdam(p, learning_rate) for p in (self.b1, self.w2, self.b2)]

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum(p.size for p in self._parameters())

    def weights(self) -> tuple[Float32, Float32, Float32, Float32]:
        """Return ``(hidden, dim)``, ``(hidden,)``, ``(n_labels, hidden)`` and ``(n_labels,)``."""
        return self.w1, self.b1, self.w2, self.b2

    # Inference

    def hidden(self, x: Float32) -> Float32:
        """Return ``(n, hidden)`` inputs of the last layer."""
        out = x @ self.w1.T
        out += self.b1
        np.maximum(out, 0.0, out=out)
        return out

    def logits(self, x: Float32) -> Float32:
        """Return ``(n, n_labels)``, a few thousand rows at a time."""
        found = np.empty((len(x), len(self.b2)), self.w1.dtype)
        for begin in range(0, len(x), _INFERENCE_ROWS):
            part = slice(begin, begin + _INFERENCE_ROWS)
            found[part] = self.hidden(x[part]) @ self.w2.T + self.b2
        return found

    def probabilities(self, x: Float32) -> Float32:
        """Return ``(n, n_labels)`` by sigmoid, or by softmax where a row has one label."""
        return self.link(self.logits(x))

    def link(self, logits: Float32) -> Float32:
        """Turn logits into probabilities."""
        if self.multilabel:
            probability: Float32 = expit(logits)
            return probability
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Float32 = shifted / shifted.sum(axis=1, keepdims=True)
        return found

    def dropout_probabilities(self, x: Float32, passes: int, rate: float, draws: Draws) -> Float32:
        """Return ``(passes, n, n_labels)``, each pass with other hidden units left out.

        All passes share the first layer. Gal and Ghahramani (2016).
        """
        found = np.empty((passes, len(x), len(self.b2)), self.w1.dtype)
        for begin in range(0, len(x), _INFERENCE_ROWS):
            part = slice(begin, begin + _INFERENCE_ROWS)
            hidden = self.hidden(x[part])
            hidden /= 1.0 - rate
            for i in range(passes):
                kept = hidden * draws.kept((len(hidden), hidden.shape[1]), rate)
                found[i, part] = self.link(kept @ self.w2.T + self.b2)
        return found

    # Training

    def train(self, x: Float32, y: Float32, *, epochs: int = 10, batch: int = 32) -> float:
        """Train on labelled rows and return the mean loss of the last epoch.

        Parameters
        ----------
        x, y
            ``(m, dim)`` and ``(m, n_labels)`` of 0 and 1.
        epochs
            Passes, each in a fresh order.
        batch
            Rows of a mini-batch; the last one of an epoch may be smaller.
        """
        loss = 0.0
        for epoch in range(epochs):
            order = self.draws.permutation(len(x))
            for begin in range(0, len(x), batch):
                rows = order[begin : begin + batch]
                value = self.step(x[rows], y[rows], want_loss=epoch == epochs - 1)
                loss += value * len(rows)
        return loss / max(1, len(x))

    def step(self, x: Float32, y: Float32, *, want_loss: bool = False) -> float:
        """Take one step of Adam on a mini-batch; return its loss, or 0 if it is not wanted."""
        # Hidden units go down and rows across: products with the large matrix are faster so.
        hidden = np.empty((len(self.w1), len(x)), self.w1.dtype)
        thin_product(self.w1, np.ascontiguousarray(x.T), hidden)
        hidden += self.b1[:, None]
        np.maximum(hidden, 0.0, out=hidden)
        active = hidden > 0.0
        if self.dropout:
            kept = self.draws.kept((len(x), len(hidden)), self.dropout).T
            active &= kept
            hidden *= kept
            hidden /= 1.0 - self.dropout
        logits: Float32 = hidden.T @ self.w2.T
        logits += self.b2
        loss = self._loss(logits, y) if want_loss else 0.0
        # The mean is over all entries for binary cross-entropy, over rows for cross-entropy.
        scale = y.size if self.multilabel else len(y)
        at_logits = self.link(logits)
        at_logits -= y
        at_logits /= scale
        at_hidden: Float32 = np.dot(self.w2.T, at_logits.T)
        if self.dropout:
            at_hidden /= 1.0 - self.dropout
        at_hidden *= active
        b1, w2, b2 = self._others
        b2.update(at_logits.sum(axis=0))
        w2.update(at_logits.T @ hidden.T)
        b1.update(at_hidden.sum(axis=1))
        if isinstance(self._first, BlockedAdam):
            self._first.update(at_hidden, x)
        else:
            self._first.update(at_hidden @ x)
        return loss

    def _loss(self, logits: Float32, y: Float32) -> float:
        if self.multilabel:
            return float(np.mean(np.logaddexp(0.0, logits) - y * logits))
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float(np.mean(total - (y * logits).sum(axis=1)))

    def _parameters(self) -> list[Float32]:
        return [self.w1, self.b1, self.w2, self.b2]
