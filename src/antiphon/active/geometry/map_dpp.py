"""Determinantal point processes: kernels of quality and similarity, and their greedy mode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64

Float64 = npt.NDArray[np.float64]

# Share of the largest variance below which a candidate counts as explained by the chosen ones.
EXHAUSTED = 1e-9


def gaussian_kernel(points: Float32, others: Float32, width: float) -> Float64:
    """Return ``exp(-|x - y|^2 / (2 width^2))`` for unit vectors, ``(n, m)`` float64.

    Unlike the cosine it has full rank, so that a batch may be larger than the dimension.
    """
    squared = np.maximum(2.0 - 2.0 * (points @ others.T).astype(np.float64), 0.0)
    kernel: Float64 = np.exp(squared / (-2.0 * width * width))
    return kernel


def condition(kernel: Float64, cross: Float64, given: Float64) -> Float64:
    """Return the kernel once some points are known to be in the set: a Schur complement.

    Parameters
    ----------
    kernel
        ``(k, k)`` of the candidates.
    cross
        ``(m, k)`` between the given points and the candidates.
    given
        ``(m, m)`` of the given points.

    Notes
    -----
    Kulesza and Taskar (2012), arXiv:1207.6083, equation 2.42.
    """
    if len(given) == 0:
        return kernel
    # Near-duplicates among the given points make their kernel singular.
    solid = given + 1e-6 * np.eye(len(given))
    factor = np.linalg.cholesky(solid)
    half = np.linalg.solve(factor, cross)
    rest: Float64 = kernel - half.T @ half
    return rest


def greedy_mode(kernel: Float64, n: int) -> tuple[Int64, Float64]:
    """Choose greedily the set of ``n`` with the largest determinant of its kernel.

    Parameters
    ----------
    kernel
        ``(k, k)`` positive semi-definite, with ``n <= k``.

    Returns
    -------
    rows, variance
        ``(n,)`` each: positions in the order they were chosen, and by what factor each
        multiplied the determinant. Once all variance is explained, the rest follows by the
        diagonal, with a variance of 0.

    Notes
    -----
    Chen, Zhang and Zhou (2018), arXiv:1709.05135, algorithm 1: incremental Cholesky rows, which
    takes ``O(n^2 k)``.
    """
    variance = np.diag(kernel).astype(np.float64)
    diagonal = variance.copy()
    least = EXHAUSTED * max(float(variance.max(initial=0.0)), 1e-300)
    factor = np.empty((n, len(kernel)))
    rows = np.empty(n, np.int64)
    gained = np.zeros(n)
    free = np.ones(len(kernel), dtype=bool)
    for i in range(n):
        best = int(np.argmax(np.where(free, variance, -np.inf)))
        if variance[best] <= least:
            rest = np.flatnonzero(free)
            rows[i:] = rest[np.argsort(-diagonal[rest], kind="stable")[: n - i]]
            break
        rows[i], gained[i], free[best] = best, variance[best], False
        factor[i] = (kernel[best] - factor[:i, best] @ factor[:i]) / np.sqrt(variance[best])
        variance -= factor[i] ** 2
    return rows, gained
