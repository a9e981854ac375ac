"""What the labelled windows nearest to a window say about it."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64

# Rows whose similarities are held at once.
BLOCK = 2048


def nearest_labelled(points: Float32, rows: Int64, labelled: Int64, k: int) -> Int64:
    """Return the positions in ``labelled`` of each row's nearest ones, ``(len(rows), k')`` int64.

    Parameters
    ----------
    points
        ``(n, d)`` unit vectors.
    rows, labelled
        Rows of ``points``; there must be a labelled one.
    k
        How many; k' is the smaller of k and the number labelled. Nearest first.
    """
    k = min(k, len(labelled))
    anchors = points[labelled]
    found = np.empty((len(rows), k), np.int64)
    for start in range(0, len(rows), BLOCK):
        similarity = points[rows[start : start + BLOCK]] @ anchors.T
        if k == 1:
            found[start : start + BLOCK, 0] = similarity.argmax(axis=1)
            continue
        best = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(similarity, best, axis=1), axis=1, kind="stable")
        found[start : start + BLOCK] = np.take_along_axis(best, order, axis=1)
    return found


def neighbour_labels(
    points: Float32, rows: Int64, labelled: Int64, labels: Float32, k: int
) -> Float32:
    """Return the mean of each label over the nearest labelled rows, ``(len(rows), n_labels)``.

    Parameters
    ----------
    labels
        ``(len(labelled), n_labels)``: 1, 0 or NaN for unknown. Unknown ones are left out of the
        mean; where all neighbours are unknown it is NaN.
    """
    found = np.empty((len(rows), labels.shape[1]), np.float32)
    known = ~np.isnan(labels)
    value = np.where(known, labels, np.float32(0.0))
    for start in range(0, len(rows), BLOCK):
        near = nearest_labelled(points, rows[start : start + BLOCK], labelled, k)
        total = np.zeros((len(near), labels.shape[1]), np.float32)
        count = np.zeros_like(total)
        for place in range(near.shape[1]):
            total += value[near[:, place]]
            count += known[near[:, place]]
        with np.errstate(invalid="ignore"):
            found[start : start + BLOCK] = total / count
    return found
