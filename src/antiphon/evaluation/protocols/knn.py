"""k nearest neighbours by cosine, k chosen on validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.crossval import grouped_folds
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Int64,
    Labelled,
    Pair,
    check_groups,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.linear import FOLDS
from antiphon.evaluation.protocols.result import ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, score_side, validation_score

K_GRID = (1, 3, 5, 10, 20, 50)
"""Numbers of neighbours tried."""

# Entries of a block of similarities.
_BLOCK = 4_000_000
# A vote of one neighbour outweighs the similarities of all, which only break ties.
_TIE = np.float32(1e-3)


def unit(x: Float32) -> Float32:
    """Return rows of length 1, ``(n, dim)``; a row of zeros stays zero."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    scaled: Float32 = x / np.where(length > 0, length, 1.0).astype(np.float32)[:, None]
    return scaled


def nearest_neighbours(
    queries: Float32, gallery: Float32, k: int, *, itself: bool = False
) -> tuple[Int64, Float32]:
    """Return the ``k`` gallery rows with the largest cosine to each query, best first.

    Parameters
    ----------
    queries, gallery
        ``(n, dim)`` and ``(m, dim)`` rows of length 1 (:func:`unit`).
    k
        At most m (m - 1 if ``itself``).
    itself
        Whether both are the same rows, of which none may find itself.

    Returns
    -------
    rows, similarity
        ``(n, k)`` each; of equal similarities the earlier row comes first.
    """
    n, m = len(queries), len(gallery)
    rows, similarity = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    size = max(1, _BLOCK // m)
    for begin in range(0, n, size):
        part = slice(begin, min(begin + size, n))
        found = queries[part] @ gallery.T
        at = np.arange(part.stop - begin)
        if itself:
            found[at, at + begin] = -np.inf
        if k == 1:
            rows[part, 0] = found.argmax(axis=1)
            similarity[part, 0] = found[at, rows[part, 0]]
            continue
        first = np.argpartition(-found, k - 1, axis=1)[:, :k] if k < m else np.arange(m)[None, :]
        first = np.sort(np.broadcast_to(first, (len(at), k)), axis=1)
        values = np.take_along_axis(found, first, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        rows[part] = np.take_along_axis(first, order, axis=1)
        similarity[part] = np.take_along_axis(values, order, axis=1)
    return rows, similarity


def vote(side: Labelled, rows: Int64, similarity: Float32, k: int) -> Float32:
    """Return class scores of queries from their first ``k`` neighbours, ``(n, C)``.

    The share of neighbours with the label, plus a thousandth of their mean cosine, which decides
    where shares are equal.

    Parameters
    ----------
    side
        The gallery.
    rows, similarity
        From :func:`nearest_neighbours`.
    """
    label = side.matrix
    out = np.zeros((len(rows), side.n_classes), np.float32)
    for place in range(k):
        weight = np.float32(1.0) + _TIE * similarity[:, place : place + 1]
        out += weight * label[rows[:, place]]
    out /= np.float32(k)
    return out


def knn_probe(
    train_x: npt.ArrayLike,
    train_y: npt.ArrayLike,
    test_x: npt.ArrayLike,
    test_y: npt.ArrayLike,
    *,
    validation: Pair | None = None,
    groups: npt.ArrayLike | None = None,
    test_groups: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
    names: Sequence[str] | None = None,
    grid: Sequence[int] = K_GRID,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Classify test items by the training items nearest to them by cosine.

    Parameters
    ----------
    train_x, train_y, test_x, test_y, validation, groups, test_groups, multilabel, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`: validation, or else grouped
        folds of the training side, choose ``k``.
    grid
        Numbers of neighbours to choose from, the smaller of equals; those above the number of
        training items are left out, and said to be.

    Returns
    -------
    ProtocolResult
        Family ``knn``; measures as in the linear probe. Details: ``k``, ``validation_curve``,
        ``per_class``, ``scores``.
    """
    sides = {"training": (train_x, train_y), "test": (test_x, test_y)}
    if validation is not None:
        sides["validation"] = validation
    checked = check_sides(sides, multilabel=multilabel, names=names)
    train, test = checked["training"], checked["test"]
    gallery = unit(train.x)
    given = sorted({int(k) for k in grid})
    if not given or given[0] < 1:
        raise UserError("The grid of k must hold whole numbers of at least 1.")
    if validation is not None:
        side = checked["validation"]
        tried = _possible(given, len(gallery))
        rows, similarity = nearest_neighbours(unit(side.x), gallery, tried[-1])
        curve = {k: validation_score(vote(train, rows, similarity, k), side) for k in tried}
    else:
        by = check_groups(groups, len(train.x), "training")
        curve = _by_folds(train, gallery, given, by, seed)
    k = max(curve, key=lambda tried: (curve[tried], -tried))
    rows, similarity = nearest_neighbours(unit(test.x), gallery, k)
    scores = vote(train, rows, similarity, k)
    measures, details = score_side(
        scores, test, check_groups(test_groups, len(test.x), "test"), seed, n_resamples
    )
    details |= {"k": k, "validation_curve": curve, "scores": scores}
    left_out = [k for k in given if k not in curve]
    notes = [f"k of {', '.join(map(str, left_out))} exceed the items to search."] * bool(left_out)
    return ProtocolResult(
        "knn",
        measures,
        details,
        unique_notes(class_notes(train, test, class_names(names, train.n_classes)), notes),
    )


def _possible(grid: list[int], items: int) -> list[int]:
    tried = [k for k in grid if k <= items]
    if not tried:
        raise UserError(f"The smallest k is {grid[0]}, but there are {items} items to search.")
    return tried


def _by_folds(
    train: Labelled,
    gallery: Float32,
    grid: list[int],
    groups: npt.NDArray[np.generic] | None,
    seed: int,
) -> dict[int, float]:
    group = np.arange(len(gallery)) if groups is None else groups
    fold = grouped_folds(group, train.matrix, FOLDS, seed)
    smallest = len(gallery) - int(np.bincount(fold).max())
    tried = _possible(grid, smallest)
    scores = {k: np.empty((len(gallery), train.n_classes), np.float32) for k in tried}
    for number in range(int(fold.max()) + 1):
        held, kept = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        rows, similarity = nearest_neighbours(gallery[held], gallery[kept], tried[-1])
        side = train.rows(kept)
        for k in tried:
            scores[k][held] = vote(side, rows, similarity, k)
    return {k: validation_score(scores[k], train) for k in tried}
