"""A Gaussian process on embeddings: what the labels so far say of every window, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.map_dpp import gaussian_kernel

# Rows whose kernel with the labelled ones is held at once.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of some windows.

    Parameters
    ----------
    probability
        ``(n, n_labels)`` float32 in (0, 1): the posterior mean, cut off at the ends.
    variance
        ``(n,)`` float32 in (0, 1]: 1 far from all labelled windows, near 0 beside one.
    """

    probability: Float32
    variance: Float32


def believe(
    points: Float32,
    rows: Int64,
    labelled: Int64,
    labels: Float32,
    *,
    width: float,
    noise: float,
) -> Belief:
    """Regress labels on labelled windows and return the belief about others.

    One Gaussian process with a squared-exponential kernel serves all labels; each label's prior
    mean is its smoothed share among the labelled windows. Unlike a head that is trained by
    gradient descent it knows from the first few labels on where it knows nothing.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors.
    rows, labelled
        Positions asked for, and ``(m,)`` positions with labels.
    labels
        ``(m, n_labels)``: 1 present, 0 absent, NaN unknown, which counts as the prior mean.
    width
        Of the kernel ``exp(-|x - y|^2 / (2 width^2))``.
    noise
        Variance of a label, in units of the kernel's.

    Notes
    -----
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equations 2.25, 2.26.
    """
    known = np.where(np.isnan(labels), 0.0, 1.0)
    share = (np.nansum(labels, axis=0) + 0.5) / (known.sum(axis=0) + 1.0)
    residual = np.where(known > 0.0, labels - share, 0.0)
    given = points[labelled]
    covariance = gaussian_kernel(given, given, width) + noise * np.eye(len(given))
    factor = scipy.linalg.cho_factor(covariance, lower=True)
    weight = scipy.linalg.cho_solve(factor, residual)
    probability = np.empty((len(rows), labels.shape[1]), np.float32)
    variance = np.empty(len(rows), np.float32)
    # The triangle's inverse turns a solve for each block into a product.
    inverse = scipy.linalg.solve_triangular(factor[0], np.eye(len(given)), lower=True)
    for begin in range(0, len(rows), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        cross = gaussian_kernel(points[rows[part]], given, width)
        probability[part] = np.clip(share + cross @ weight, 1e-3, 1.0 - 1e-3)
        explained = ((cross @ inverse.T) ** 2).sum(axis=1)
        variance[part] = np.maximum(1.0 - explained, 1e-6)
    return Belief(probability, variance)
