"""Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) in NumPy: plain, and cache by cache."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

Float32 = npt.NDArray[np.float32]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

# Multiplications up to which BLAS takes a product as it lies instead of packing it first; thin
# products are done in pieces below that (OpenBLAS: 10^6).
_SMALL_PRODUCT = 800_000
_FEWEST_ROWS = 8
# Entries of a weight matrix that are updated at once, so that they, their gradient and moments
# stay in the caches of one core.
_BLOCK_ENTRIES = 196_608
# Steps after which the scaled moments are brought back; 0.9^-64 is 849.
_RESCALE_STEPS = 64


def thin_product(left: Float32, right: Float32, out: Float32) -> None:
    """Write ``left @ right`` into ``out``, a few rows at a time, for products with a thin side."""
    rows = _SMALL_PRODUCT // (right.size or 1)
    if rows < _FEWEST_ROWS:
        np.dot(left, right, out=out)
        return
    for begin in range(0, len(left), rows):
        np.dot(left[begin : begin + rows], right, out=out[begin : begin + rows])


class PlainAdam:
    """Adam for one array, operation by operation as ``torch.optim.Adam`` does it.

    Parameters
    ----------
    parameter
        Any shape; changed in place.
    learning_rate
        Step size.
    """

    def __init__(self, parameter: Float32, learning_rate: float) -> None:
        self._parameter, self._learning_rate = parameter, learning_rate
        self._first, self._second = np.zeros_like(parameter), np.zeros_like(parameter)
        self._steps = 0

    def update(self, gradient: Float32) -> None:
        """Take one step."""
        self._steps += 1
        rate = self._learning_rate / (1.0 - BETA1**self._steps)
        correction = math.sqrt(1.0 - BETA2**self._steps)
        first, second = self._first, self._second
        first += (1.0 - BETA1) * (gradient - first)
        second *= BETA2
        second += (1.0 - BETA2) * (gradient * gradient)
        below = np.sqrt(second)
        below /= correction
        below += EPSILON
        np.divide(first, below, out=below)
        below *= rate
        self._parameter -= below


class BlockedAdam:
    """Adam for a weight matrix whose gradient is a product of two thin matrices.

    The matrix is updated block by block, so that the gradient is never held whole and each number
    is read from memory and written to it once a step. The moments are kept divided by the powers
    of their betas, which turns each decay and sum into one multiply-add; the bias correction of
    the second moment is moved into the step size and epsilon. It is the same algorithm as
    :class:`PlainAdam`, rounded differently.

    Parameters
    ----------
    weight
        ``(outputs, inputs)`` float32, C-contiguous; changed in place.
    learning_rate
        Step size.
    """

    def __init__(self, weight: Float32, learning_rate: float) -> None:
        self._weight, self._learning_rate = weight, learning_rate
        self._first = np.zeros(weight.size, np.float32)
        self._second = np.zeros(weight.size, np.float32)
        self._block = max(1, min(len(weight), _BLOCK_ENTRIES // weight.shape[1]))
        scratch = (self._block, weight.shape[1])
        self._gradient, self._below = np.empty(scratch, np.float32), np.empty(scratch, np.float32)
        self._steps = 0
        self._since = 0

    def update(self, left: Float32, right: Float32) -> None:
        """Take one step with the gradient ``left @ right``.

        Parameters
        ----------
        left, right
            ``(outputs, n)`` and ``(n, inputs)``, C-contiguous.
        """
        self._steps += 1
        self._since += 1
        scale1, scale2 = BETA1**self._since, BETA2**self._since
        root = math.sqrt((1.0 - BETA2**self._steps) / scale2)
        size = -self._learning_rate / (1.0 - BETA1**self._steps) * scale1 * root
        epsilon = EPSILON * root
        part1, part2 = (1.0 - BETA1) / scale1, (1.0 - BETA2) / scale2
        flat = self._weight.reshape(-1)
        outputs, inputs = self._weight.shape
        for begin in range(0, outputs, self._block):
            end = min(begin + self._block, outputs)
            gradient, below = self._gradient[: end - begin], self._below[: end - begin]
            thin_product(left[begin:end], right, gradient)
            entries = slice(begin * inputs, end * inputs)
            first, second = self._first[entries], self._second[entries]
            g, d = gradient.reshape(-1), below.reshape(-1)
            blas.saxpy(g, first, a=part1)
            np.multiply(g, g, out=g)
            blas.saxpy(g, second, a=part2)
            np.sqrt(second, out=d)
            np.add(d, epsilon, out=d)
            np.divide(first, d, out=d)
            blas.saxpy(d, flat[entries], a=size)
        if self._since == _RESCALE_STEPS:
            self._first *= scale1
            self._second *= scale2
            self._since = 0
