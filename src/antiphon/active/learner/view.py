"""The head as a strategy sees it: computed when asked for, over the pool alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from antiphon.active.base import read_only
from antiphon.active.learner.head import Draws, Head

Float32 = npt.NDArray[np.float32]


class PoolHead:
    """A head over the rows of the pool; answers are kept until the next training.

    Parameters
    ----------
    head
        The head; strategies get copies of its weights.
    x
        ``(n, dim)`` embeddings of the pool.
    draws
        Masks of dropout passes; not those of training, so that asking changes nothing.
    dropout
        Rate of those masks.
    """

    def __init__(self, head: Head, x: Float32, draws: Draws, dropout: float) -> None:
        self._head, self._x, self._draws, self._dropout = head, x, draws, dropout
        self._probabilities: Float32 | None = None
        self._hidden: Float32 | None = None
        self.seconds = 0.0

    def probabilities(self) -> Float32:
        """Return ``(n, n_labels)`` probabilities."""
        if self._probabilities is None:
            if self._hidden is not None:
                hidden, (_, _, weight, bias) = self._hidden, self._head.weights()
                self._probabilities = self._timed(lambda: self._head.link(hidden @ weight.T + bias))
            else:
                self._probabilities = self._timed(lambda: self._head.probabilities(self._x))
        return self._probabilities

    def hidden(self) -> Float32:
        """Return ``(n, n_hidden)`` inputs of the last layer."""
        if self._hidden is None:
            self._hidden = self._timed(lambda: self._head.hidden(self._x))
        return self._hidden

    def output_weight(self) -> Float32:
        """Return ``(n_labels, n_hidden)`` weights of the last layer."""
        return self._head.weights()[2].copy()

    def weights(self) -> tuple[Float32, Float32, Float32, Float32]:
        """Return copies of both layers' weights and biases, ``(outputs, inputs)`` as in torch."""
        w1, b1, w2, b2 = self._head.weights()
        return w1.copy(), b1.copy(), w2.copy(), b2.copy()

    def dropout(self, passes: int) -> Float32:
        """Return ``(passes, n, n_labels)`` probabilities, each pass with other units left out.

        The rate is that of training; without dropout in training all passes are equal.
        """
        if not self._dropout:
            return np.broadcast_to(self.probabilities(), (passes, *self.probabilities().shape))
        return self._timed(
            lambda: self._head.dropout_probabilities(self._x, passes, self._dropout, self._draws)
        )

    def _timed(self, function: Callable[[], Float32]) -> Float32:
        begin = time.perf_counter()
        found = read_only(function())
        self.seconds += time.perf_counter() - begin
        return found
