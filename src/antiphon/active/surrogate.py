"""A Gaussian process on embeddings: what the labels so far say of every window, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.map_dpp import gaussian_kernel

# Rows whose kernel with the labelled ones is held at once.
_BLOCK = 4096

MOST_LABELLED = 4000
"""Labelled windows that are used; the work grows with their cube."""


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
        Beyond :data:`MOST_LABELLED` rows, :func:`representatives` of them are used.
    width
        Of the kernel ``exp(-|x - y|^2 / (2 width^2))``.
    noise
        Variance of a label, in units of the kernel's.

    Notes
    -----
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equations 2.25, 2.26.
    """
    known = ~np.isnan(labels)
    share = (np.nansum(labels, axis=0) + 0.5) / (known.sum(axis=0) + 1.0)
    residual = np.where(known, labels - share, 0.0)
    if len(labelled) > MOST_LABELLED:
        kept = representatives(labels, MOST_LABELLED)
        labelled, residual = labelled[kept], residual[kept]
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


def representatives(labels: Float32, n: int) -> Int64:
    """Return ``n`` rows that stand for all, ``(n,)`` ascending: rare labels first, then any.

    Half are the rows with the rarest labels; the other half is drawn from the rest with a fixed
    seed, so that empty windows and common labels keep their share among them.

    Parameters
    ----------
    labels
        ``(m, n_labels)``, NaN unknown.
    """
    order = np.random.default_rng(0).permutation(len(labels))
    there = np.nan_to_num(labels[order])
    rarity = (there / np.maximum(there.sum(axis=0), 1.0)).max(axis=1, initial=0.0)
    rarest = np.argsort(-rarity, kind="stable")
    first = rarest[: n // 2]
    rest = np.sort(rarest[n // 2 :])[: n - len(first)]
    chosen: Int64 = np.sort(order[np.concatenate([first, rest])])
    return chosen
