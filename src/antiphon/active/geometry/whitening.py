"""Spaces in which windows are compared: unit length, principal components, half-whitened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.linalg

from antiphon.active.base import Float32
from antiphon.active.geometry.apart import unit_rows
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]
Fit = tuple[Float32, Float32, Float64]
"""Mean, axes and variances of principal components."""

# Rows that are centred or scaled at once.
BLOCK = 2048
# Rows the components are fitted on; a larger pool is sampled.
FITTED = 4096
# Blocks of the Krylov space after the first, columns beyond those wanted, and the size of a matrix
# below which it is decomposed as a whole.
DEPTH = 2
EXTRA = 16
SMALL = 512


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
    Of large covariances the leading eigenvectors are found in a block Krylov space (Musco and
    Musco 2015, arXiv:1504.05477, algorithm 2) in float32 and improved by a step of subspace
    iteration with a Rayleigh-Ritz projection in float64.
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
    # More threads make these decompositions ten times slower.
    with few_threads(0):
        axes, variance = leading_eigenvectors(covariance, min(dims, n, d))
    peak = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    axes *= np.where(peak < 0.0, -1.0, 1.0)
    return mean, axes.astype(np.float32), np.maximum(variance, 0.0)


def leading_eigenvectors(matrix: Float64, k: int) -> tuple[Float64, Float64]:
    """Return the eigenvectors of the ``k`` largest eigenvalues and these, largest first.

    Parameters
    ----------
    matrix
        ``(d, d)`` symmetric and positive semi-definite.

    Returns
    -------
    vectors, values
        ``(d, k)`` orthonormal and ``(k,)``. Where the spectrum is flat, the last ones may be
        mixtures with the next.
    """
    d = len(matrix)
    width = k + EXTRA
    if d < SMALL or (DEPTH + 1) * width > d // 2:
        values, vectors = scipy.linalg.eigh(matrix, subset_by_index=[d - k, d - 1])
        return vectors[:, ::-1], values[::-1]
    narrow = (matrix / max(float(np.trace(matrix)) / d, 1e-30)).astype(np.float32)
    block = np.random.default_rng(0).standard_normal((d, width), dtype=np.float32)
    blocks = []
    for _ in range(DEPTH + 1):
        block, _ = np.linalg.qr(narrow @ block)
        blocks.append(block)
    basis, _ = np.linalg.qr(np.concatenate(blocks, axis=1))
    _, turn = np.linalg.eigh(basis.T @ (narrow @ basis))
    some = (basis @ turn[:, ::-1][:, :width]).astype(np.float64)
    some, _ = np.linalg.qr(matrix @ some)
    values, last = np.linalg.eigh(some.T @ matrix @ some)
    return some @ last[:, ::-1][:, :k], values[::-1][:k]


def principal_components(vectors: Float32, dims: int = 64) -> Float32:
    """Return the scores on the first principal components, ``(n, min(dims, n, d))`` float32."""
    mean, axes, _ = principal_axes(vectors, dims)
    return project(vectors, mean, axes)


def unit_components(vectors: Float32, dims: int = 64) -> Float32:
    """Return the principal components of vectors of length 1, scaled to length 1 again."""
    mean, axes, _ = principal_axes(vectors, dims, unit=True)
    return unit_rows(project(vectors, mean, axes, unit=True))


def partly_whitened(embeddings: Float32, fit: Fit, power: float) -> Float32:
    """Return components of unit-length embeddings, divided by their deviation to some power.

    Parameters
    ----------
    embeddings
        ``(n, d)`` float32; each is scaled to length 1 first.
    fit
        What :func:`principal_axes` gave for unit vectors.
    power
        0 leaves the components as they are, 1 gives all the same variance.
    """
    mean, axes, variance = fit
    floor = 1e-8 * max(float(variance.max()), 1e-12)
    scale = np.maximum(variance, floor) ** (-0.5 * power)
    return project(embeddings, mean, (axes * scale).astype(np.float32), unit=True)


def whiten(
    embeddings: Float32, dims: int = 64, power: float = 0.5, *, fit: Fit | None = None
) -> Float32:
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
        See :func:`partly_whitened`.
    fit
        The components, if :func:`principal_axes` has found them already.
    """
    fit = fit or principal_axes(embeddings, dims, unit=True)
    return unit_rows(partly_whitened(embeddings, fit, power))


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
    shift = mean @ axes
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        part = found[start : start + BLOCK]
        if unit:
            np.matmul(block, axes, out=part)
            length = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
            part /= np.maximum(length, np.float32(1e-12))
            part -= shift
        else:
            # The mean is taken off first: a large one would cost digits.
            np.matmul(block - mean, axes, out=part)
    return found
