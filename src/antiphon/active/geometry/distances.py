"""Squared Euclidean distances in blocks, by the expansion ``|a|^2 + |b|^2 - 2 a b``."""

from __future__ import annotations

from typing import cast

import numpy as np

from antiphon.active.base import A, Float32, Int64

# Entries of a block of distances that are held at once: 16 MB of float32.
ENTRIES = 4_000_000


def squared_lengths(vectors: A) -> A:
    """Return the squared length of each row, ``(n,)``, in the precision of the vectors."""
    return cast(A, np.einsum("ij,ij->i", vectors, vectors))


def squared_distances(a: Float32, b: Float32) -> Float32:
    """Return all squared distances, ``(len(a), len(b))``, never below 0.

    Notes
    -----
    The error is about ``1e-7 |a| |b|`` in float32: points should be centred, or of unit length.
    """
    found: Float32 = a @ b.T
    found *= -2.0
    found += squared_lengths(a)[:, None]
    found += squared_lengths(b)
    np.maximum(found, 0.0, out=found)
    return found


def nearest_squared(points: Float32, anchors: Float32) -> tuple[Float32, Int64]:
    """Return each point's squared distance to its nearest anchor, and which one that is.

    Parameters
    ----------
    points
        ``(n, d)``.
    anchors
        ``(m, d)``, ``m >= 1``.

    Returns
    -------
    distance
        ``(n,)``, never below 0.
    nearest
        ``(n,)`` int64 rows of ``anchors``; the first of equally near ones.
    """
    distance = np.empty(len(points), points.dtype)
    nearest = np.empty(len(points), np.int64)
    half = 0.5 * squared_lengths(anchors)
    step = max(1, ENTRIES // len(anchors))
    every = np.arange(min(step, len(points)))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        # Minus half of the squared distance, but for the point's own length.
        near = block @ anchors.T
        near -= half
        best = near.argmax(axis=1)
        nearest[start : start + step] = best
        distance[start : start + step] = near[every[: len(block)], best]
    distance *= -2.0
    distance += squared_lengths(points)
    np.maximum(distance, 0.0, out=distance)
    return distance, nearest
