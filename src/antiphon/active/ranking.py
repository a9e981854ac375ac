"""The arithmetic that strategies share."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, Selection


def top(rows: Int64, utility: Float32, n: int, generator: np.random.Generator) -> Selection:
    """Return the ``n`` rows of largest utility, ties broken at random.

    Parameters
    ----------
    rows, utility
        ``(k,)`` candidates and what each is worth.
    """
    shuffle = generator.permutation(len(rows))
    order = shuffle[np.argsort(-utility[shuffle], kind="stable")[:n]]
    return Selection(rows[order], utility[order].astype(np.float32))


def binary_entropy(probability: Float32) -> Float32:
    """Return ``-p log2 p - (1 - p) log2 (1 - p)`` in bits, element by element."""
    p = np.clip(probability, 1e-7, 1.0 - 1e-7)
    entropy: Float32 = -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
    return entropy


def whiten(embeddings: Float32, dims: int = 64) -> Float32:
    """Return half-power PCA-whitened, unit-length vectors, ``(n, min(dims, dim))`` float32.

    Cosine distances of raw embeddings are ruled by a few directions (loudness, background). The
    components are divided by the fourth root of their variance, half way to full whitening.
    """
    unit = _unit(embeddings)
    mean = unit.mean(axis=0)
    centred = unit - mean
    covariance = (centred.T @ centred).astype(np.float64) / max(1, len(unit) - 1)
    values, vectors = np.linalg.eigh(covariance)
    keep = np.argsort(-values)[: min(dims, len(unit), unit.shape[1])]
    scale = np.maximum(values[keep], 1e-8 * max(values.max(), 1e-12)) ** -0.25
    return _unit(centred @ (vectors[:, keep] * scale).astype(np.float32))


def farthest_first(
    points: Float32,
    candidates: Int64,
    labelled: Int64,
    weight: Float32,
    n: int,
    generator: np.random.Generator,
) -> Selection:
    """Choose greedily the largest ``weight * distance`` to the labelled and chosen points.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors; the distance is Euclidean between them.
    candidates, labelled
        Rows that may be chosen, and rows that are covered already.
    weight
        ``(n_points,)`` non-negative.
    n
        How many to choose, at most the number of candidates.
    generator
        Chooses the first row when nothing is labelled: the candidate nearest to the mean of
        256 random ones, so that the start is a common sound and not an odd one.

    Notes
    -----
    Sener and Savarese (2018), algorithm 1, with one matrix-vector product for each choice.
    """
    free = points[candidates]
    nearest = np.full(len(free), 4.0, np.float32)
    for start in range(0, len(labelled), 1024):
        block = points[labelled[start : start + 1024]]
        np.minimum(nearest, 2.0 - 2.0 * (free @ block.T).max(axis=1), out=nearest)
    gain = weight[candidates]
    taken = np.zeros(len(free), dtype=bool)
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    for i in range(n):
        if i == 0 and len(labelled) == 0:
            some = generator.choice(len(free), size=min(256, len(free)), replace=False)
            best = int(some[np.argmax(free[some] @ free[some].mean(axis=0))])
            value = 1.0
        else:
            score = gain * np.sqrt(np.maximum(nearest, 0.0))
            score[taken] = -1.0
            best = int(np.argmax(score))
            value = float(score[best])
        rows[i], utility[i] = candidates[best], value
        np.minimum(nearest, 2.0 - 2.0 * (free @ free[best]), out=nearest)
        taken[best] = True
    return Selection(rows, utility)


def _unit(vectors: Float32) -> Float32:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Float32 = vectors / np.maximum(length, 1e-12)
    return unit
