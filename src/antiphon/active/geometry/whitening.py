"""Spaces in which windows are compared: unit length, principal components, half-whitened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.linalg

from antiphon.active.base import Float32
from antiphon.active.geometry.apart import unit_rows
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]

# Rows that are centred or scaled at once.
BLOCK = 4096
# Rows the components are fitted on; a larger pool is sampled.
FITTED = 8192


def principal_axes(
    vectors: Float32,
    dims: int,
    *,
    unit: bool = False,
    centred: bool = True,
    fitted: int = FITTED,
) -> tuple[Float32, Float32, Float64]:
    """Fit principal components.

    Parameters
    ----------
    vectors
        ``(n, d)`` float32.
    dims
        How many components; fewer where n or d is smaller.
    unit
        Whether the vectors are scaled to length 1 first.
    centred
        Whether their mean is taken off; the mean returned is 0 if not.
    fitted
        Rows to fit on; if there are more, as many are drawn, always the same ones.

    Returns
    -------
    mean
        ``(d,)`` float32.
    axes
        ``(d, k)`` float32, orthonormal columns, largest variance first. Signs are such that the
        largest entry of each is positive.
    variance
        ``(k,)`` float64 along the axes.

    Notes
    -----
    The eigenvectors of the covariance are found in float32 and improved by two steps of subspace
    iteration with a Rayleigh-Ritz projection in float64 (Saad 2011, Numerical Methods for Large
    Eigenvalue Problems, algorithm 5.3): twice as fast as float64 from the start.
    """
    n, d = vectors.shape
    rows = vectors
    if n > fitted:
        some = np.random.default_rng(0).choice(n, fitted, replace=False)
        rows = vectors[np.sort(some)]
    rows = unit_rows(rows) if unit else rows
    mean = np.zeros(d, np.float32)
    if centred:
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = np.zeros((d, d))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] - mean
        covariance += block.T @ block
    covariance /= max(1, len(rows) - 1)
    k = min(dims, n, d)
    # More threads make this decomposition ten times slower.
    with few_threads(0):
        scale = max(float(np.trace(covariance)) / d, 1e-30)
        _, found = scipy.linalg.eigh(
            (covariance / scale).astype(np.float32), subset_by_index=[d - k, d - 1]
        )
        axes = found.astype(np.float64)
        for _ in range(2 if k < d else 1):
            axes, _ = np.linalg.qr(covariance @ axes if k < d else axes)
            variance, turn = np.linalg.eigh(axes.T @ covariance @ axes)
            axes = axes @ turn[:, ::-1]
    peak = axes[np.abs(axes).argmax(axis=0), np.arange(k)]
    axes *= np.where(peak < 0.0, -1.0, 1.0)
    return mean, axes.astype(np.float32), np.maximum(variance[::-1], 0.0)


def principal_components(vectors: Float32, dims: int = 64) -> Float32:
    """Return the scores on the first principal components, ``(n, min(dims, n, d))`` float32."""
    mean, axes, _ = principal_axes(vectors, dims)
    return project(vectors, mean, axes)


def unit_components(vectors: Float32, dims: int = 64) -> Float32:
    """Return the principal components of vectors of length 1, scaled to length 1 again."""
    mean, axes, _ = principal_axes(vectors, dims, unit=True)
    return unit_rows(project(vectors, mean, axes, unit=True))


def whiten(embeddings: Float32, dims: int = 64, power: float = 0.5) -> Float32:
    """Return partly whitened, unit-length principal components, ``(n, k)`` float32.

    Cosine distances of raw embeddings are ruled by a few directions (loudness, background). The
    components of the unit vectors are divided by their standard deviation to some power.

    Parameters
    ----------
    embeddings
        ``(n, d)`` float32.
    dims
        How many components; k is the smallest of it, n and d.
    power
        0 leaves the components as they are, 1 gives all the same variance.
    """
    mean, axes, variance = principal_axes(embeddings, dims, unit=True)
    floor = 1e-8 * max(float(variance.max()), 1e-12)
    scale = np.maximum(variance, floor) ** (-0.5 * power)
    return unit_rows(project(embeddings, mean, (axes * scale).astype(np.float32), unit=True))


def project(vectors: Float32, mean: Float32, axes: Float32, *, unit: bool = False) -> Float32:
    """Return ``(vectors - mean) @ axes``, ``(n, k)`` float32, block by block.

    Parameters
    ----------
    vectors
        ``(n, d)``.
    mean, axes
        ``(d,)`` and ``(d, k)``.
    unit
        Whether the vectors are scaled to length 1 first.
    """
    found = np.empty((len(vectors), axes.shape[1]), np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        block = unit_rows(block) if unit else block
        # The mean is taken off first: a large one would cost digits.
        np.matmul(block - mean, axes, out=found[start : start + BLOCK])
    return found
