"""Retrieval: each item asks for its nearest others by cosine, and is judged by what comes first.

The protocol of "What Matters for Bioacoustic Encoding" (Schwinger et al., ICLR 2026): relevant is
what shares a label with the query, the query itself is left out, queries without anything relevant
are skipped, and the area under the ROC curve is averaged over the other queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._similarity import copies, strips, unit_rows

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[np.floating]

_NAMES = {True: "embeddings", False: "gallery embeddings"}
# Marks bins that hold a positive.
_FLAG = 1 << 40
_MOST_BINS, _FEW = 4096, 2
# Width of a bin below which the number of a bin might not fit 32 bits.
_NARROW = 1e-8
# Bytes of a block of shared labels.
_RELEVANCE = 32_000_000


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalScores:
    """How well the neighbours of items share their labels.

    Parameters
    ----------
    roc_auc
        Mean of ``per_query_auc`` over its numbers; NaN if there is none.
    precision_at
        For each k, the mean share of relevant items among the k nearest, over the same ``queries``.
    per_query_auc
        ``(n,)`` in the order of the queries; NaN where skipped or where everything is relevant.
    per_query_precision
        For each k ``(n,)``, the share of relevant items among the k nearest; NaN where skipped.
    queries
        Queries with something relevant.
    skipped
        Queries without.
    all_relevant
        Queries with nothing irrelevant to rank: they have no area, but count in ``precision_at``.
    """

    roc_auc: float
    precision_at: dict[int, float]
    per_query_auc: Float64
    per_query_precision: dict[int, Float64]
    queries: int
    skipped: int
    all_relevant: int


def retrieval_scores(
    embeddings: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    gallery: npt.ArrayLike | None = None,
    gallery_labels: npt.ArrayLike | None = None,
    k: Sequence[int] = (1,),
    block: int | None = None,
    dtype: npt.DTypeLike = np.float64,
) -> RetrievalScores:
    """Return the mean per-query ROC-AUC and the precision at k of retrieval by cosine.

    Parameters
    ----------
    embeddings
        ``(n, d)`` queries. Without a gallery each is compared with all others, not with itself.
    labels
        ``(n,)`` one label each (integers or names), or ``(n, n_labels)`` of 0 and 1. Two items are
        relevant to each other if they share any label; a row without labels shares none.
    gallery, gallery_labels
        ``(m, d)`` items to search instead (such as the training set) and their labels in the same
        form.
    k
        For which precision is returned.
    block
        Queries handled at a time; chosen by memory when None.
    dtype
        Of the similarities. In float32 it costs about half; neighbours closer than about 1e-7 may
        change places, which moves the mean by some 1e-9 at 10,000 items.

    Raises
    ------
    UserError
        If shapes do not fit, a row is all zero, NaN or infinite, a label is not 0 or 1, fewer than
        two items are there, or k exceeds the items that can be found.

    Notes
    -----
    Ties are exact. The area counts them half; precision at k is its mean over all orders of the
    items tied at rank k. Copies of one embedding are true ties; so are multiples by a power of
    two. Other multiples tie only as far as rounding leaves them equal.

    Memory is that of the unit rows plus at most 0.8 GB (0.1 GB where the similarity matrix would
    exceed that), whatever the number of items.
    """
    itself = gallery is None
    mine, theirs = _labels(labels, gallery_labels, itself)
    for rows, given, name in (
        (embeddings, mine, _NAMES[True]),
        (embeddings if gallery is None else gallery, theirs, _NAMES[itself]),
    ):
        if np.shape(rows)[:1] != given.shape[:1]:
            raise UserError(
                f"The {name} have the shape {np.shape(rows)}, but there are {len(given)} labels."
            )
    for at in k:
        if not 1 <= at <= len(theirs) - itself:
            raise UserError(
                f"Precision at {at} needs {at} items besides the query, but there are "
                f"{len(theirs) - itself}."
            )
    order: Int64 = np.arange(len(theirs))
    relevant: _Sorted | _Shared
    if theirs.ndim == 1:
        # Sorted by label, the items relevant to a query stand side by side.
        order = np.argsort(theirs, kind="stable")
        theirs = theirs[order]
        relevant = _Sorted(theirs if itself else mine, theirs)
    else:
        relevant = _Shared(mine, theirs)
    found = unit_rows(embeddings if gallery is None else gallery, dtype, _NAMES[itself], order)
    query = found if itself else unit_rows(embeddings, dtype, _NAMES[True])
    if query.shape[1] != found.shape[1]:
        raise UserError(
            f"The {_NAMES[True]} have {query.shape[1]} dimensions and the {_NAMES[False]} "
            f"{found.shape[1]}; both must come from one encoder."
        )
    asking = order if itself else np.arange(len(query))
    auc = np.full(len(query), np.nan)
    precision = np.full((len(query), len(k)), np.nan)
    number = np.zeros(len(query), np.int64)
    for begin, strip in strips(query, found, block, copies(found)):
        places: Iterator[slice | Int64] = relevant.of(begin, begin + len(strip))
        for i, (row, at_) in enumerate(zip(strip, places, strict=True), begin):
            values = _drop_self(row, at_, i) if itself else row[at_]
            number[asking[i]] = len(values)
            if len(values):
                auc[asking[i]] = _area(row, values, itself)
                precision[asking[i]] = [_precision(row, values, at) for at in k]
    asked = number > 0
    ranked = asked & ~np.isnan(auc)
    return RetrievalScores(
        roc_auc=float(auc[ranked].mean()) if ranked.any() else float("nan"),
        precision_at={
            at: float(precision[asked, j].mean()) if asked.any() else float("nan")
            for j, at in enumerate(k)
        },
        per_query_auc=auc,
        per_query_precision={at: precision[:, j].copy() for j, at in enumerate(k)},
        queries=int(asked.sum()),
        skipped=int((~asked).sum()),
        all_relevant=int((asked & ~ranked).sum()),
    )


def _labels(
    labels: npt.ArrayLike, gallery_labels: npt.ArrayLike | None, itself: bool
) -> tuple[npt.NDArray[np.number], npt.NDArray[np.number]]:
    """Return the labels of queries and gallery: codes ``(n,)``, or float32 ``(n, n_labels)``."""
    if itself != (gallery_labels is None):
        raise UserError("Give the gallery and its labels together.")
    mine = np.asarray(labels)
    theirs = mine if gallery_labels is None else np.asarray(gallery_labels)
    if mine.ndim not in (1, 2) or mine.shape[1:] != theirs.shape[1:]:
        raise UserError(
            "Labels must be (n,), or (n, n_labels) of 0 and 1 with one set of labels, but have "
            f"the shapes {mine.shape} and {theirs.shape}."
        )
    if len(theirs) < 1 + itself or len(mine) == 0:
        raise UserError("Retrieval needs a query and at least one other item.")
    for array in (mine, theirs):
        if array.ndim == 2 and not ((array == 0) | (array == 1)).all():
            row, column = np.argwhere(~((array == 0) | (array == 1)))[0]
            raise UserError(
                f"Label {column} of row {row} is {array[row, column]}; it must be 0 or 1."
            )
        if array.ndim == 1 and array.dtype.kind == "f" and np.isnan(array).any():
            raise UserError(f"The label of row {np.flatnonzero(np.isnan(array))[0]} is NaN.")
    if mine.ndim == 2:
        one = mine.astype(np.float32)
        return one, one if itself else theirs.astype(np.float32)
    _, codes = np.unique(np.concatenate([mine, theirs]), return_inverse=True)
    return codes[: len(mine)], codes[len(mine) :]


class _Sorted:
    """Relevant items of single labels, the gallery sorted by label."""

    def __init__(self, mine: npt.NDArray[np.number], theirs: npt.NDArray[np.number]) -> None:
        self.first = np.searchsorted(theirs, mine, side="left").tolist()
        self.last = np.searchsorted(theirs, mine, side="right").tolist()

    def of(self, begin: int, end: int) -> Iterator[slice]:
        """Yield the span of the gallery that is relevant to each query."""
        for i in range(begin, end):
            yield slice(self.first[i], self.last[i])


class _Shared:
    """Relevant items of label sets: those that share a label."""

    def __init__(self, mine: npt.NDArray[np.number], theirs: npt.NDArray[np.number]) -> None:
        self.mine, self.theirs = mine, theirs

    def of(self, begin: int, end: int) -> Iterator[Int64]:
        """Yield the places in the gallery that are relevant to each query."""
        rows = max(1, _RELEVANCE // (4 * len(self.theirs)))
        for first in range(begin, end, rows):
            shared = self.mine[first : min(end, first + rows)] @ self.theirs.T
            for row in shared:
                yield np.flatnonzero(row > 0)


def _drop_self(row: Array, places: slice | Int64, own: int) -> Array:
    """Return the similarities of relevant items but the query, and move the query to the end."""
    if isinstance(places, slice):
        values = np.concatenate([row[places.start : own], row[own + 1 : places.stop]])
    else:
        values = row[places[places != own]]
    row[own] = -2.0
    return values


def _area(row: Array, positive: Array, itself: bool) -> float:
    """Return the area under the ROC curve of the row's entries, ties counted half.

    Counting, over all entries, how many positives exceed them takes one look into a table of equal
    bins. Only entries in a bin that holds a positive are sorted and compared exactly.

    Parameters
    ----------
    row
        ``(m,)``; the query itself, if it is there, holds -2, below every similarity.
    positive
        The relevant entries among them.
    itself
        Whether the query is there.
    """
    many = len(positive)
    negatives = len(row) - itself - many
    if negatives == 0:
        return float("nan")
    positive = np.sort(positive)
    low, high = positive[0], positive[-1]
    bins = min(_MOST_BINS, 32 * many)
    width = (float(high) - float(low)) / bins
    if many <= _FEW or width < _NARROW:
        doubled = _wins(np.sort(row), positive)
    else:
        start, scale = row.dtype.type(float(low) - 1.5 * width), row.dtype.type(1.0 / width)
        scaled = row - start
        scaled *= scale
        # By way of int32, because processors convert to it in bulk.
        place = scaled.astype(np.int32).astype(np.intp)
        own = ((positive - start) * scale).astype(np.int32)
        above = many - np.cumsum(np.bincount(own, minlength=bins + 3))
        above[own] += _FLAG
        count = above.take(place, mode="clip")
        unsure = np.flatnonzero(count >= _FLAG)
        doubled = 2 * int(count.sum() - count[unsure].sum())
        doubled += _wins(np.sort(row[unsure]), positive)
    # Every positive exceeds the query; among themselves they tie on average.
    wins = doubled - 2 * many * itself - many * many
    return wins / (2 * many * negatives)


def _wins(ordered: Array, positive: Array) -> int:
    """Return twice the entries below each positive, ties half; it is itself among the entries."""
    left = ordered.searchsorted(positive)
    after = ordered[np.minimum(left + 1, len(ordered) - 1)]
    # The search to the right is only needed where a positive ties with another entry.
    if np.count_nonzero(after == positive) > (left[-1] + 1 == len(ordered)):
        return int(left.sum() + ordered.searchsorted(positive, "right").sum())
    return 2 * int(left.sum()) + len(positive)


def _precision(row: Array, positive: Array, at: int) -> float:
    """Return the share of relevant entries among the largest, averaged over orders of ties."""
    last = row.max() if at == 1 else np.partition(row, len(row) - at)[len(row) - at]
    if at == 1 and positive.max() < last:
        return 0.0
    over, tied = int((row > last).sum()), int((row == last).sum())
    right, shared = int((positive > last).sum()), int((positive == last).sum())
    return (right + (at - over) * shared / tied) / at
