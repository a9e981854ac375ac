"""Search by similarity: exact in bounded memory, or through an index that can be made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import StoreError
from antiphon.store.blocks import map_ahead, widened
from antiphon.store.faults import writing
from antiphon.store.index import Index, build
from antiphon.store.locks import hold

if TYPE_CHECKING:
    from antiphon.store.vectors import VectorTable
    from antiphon.store.view import View

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# Below this many windows comparing all of them is as quick.
_MIN_ROWS = 256
# Candidates of the index that are compared by their full vectors.
_CANDIDATES = 400
_CANDIDATES_PER_HIT = 10
_FEW = 8


def nearest(
    view: View, query: npt.ArrayLike, k: int, *, mask: Bool | None, exact: bool | None
) -> tuple[Int64, Float32]:
    """Return the rows most similar to a query; see :meth:`View.nearest`."""
    queries = np.atleast_2d(np.asarray(query, dtype=np.float32))
    if queries.ndim != 2 or queries.shape[1] != view.table.dim or not len(queries):
        raise StoreError(
            f"A query for {view.table.name!r} has {view.table.dim} values; this one has the shape "
            f"{np.shape(query)}. It comes from another encoder."
        )
    if not np.isfinite(queries).all():
        raise StoreError("The query holds a value that is not finite; check the clip.")
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    size = len(view)
    if mask is not None:
        mask = np.asarray(mask, dtype=np.bool_)
        if mask.shape != (size,):
            raise ValueError(f"the mask has the shape {mask.shape}, the table {size} windows")
    open_rows = size if mask is None else int(mask.sum())
    k = min(k, open_rows)
    if k == 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    middle = view.centre()
    if exact is not True:
        wanted = max(_CANDIDATES, _CANDIDATES_PER_HIT * k)
        # Few rows are compared as quickly as candidates are.
        index = view.index() if open_rows > 4 * wanted else None
        if index is not None:
            return _through_index(view, index, queries, middle, k, wanted, mask)
    return _exact(view, queries, middle, k, mask)


def _exact(
    view: View, queries: Float32, middle: Float32, k: int, mask: Bool | None
) -> tuple[Int64, Float32]:
    """Compare all rows, block by block; equal scores come in row order."""
    directions = _directions(queries, middle)

    def best_of(item: tuple[Int64, npt.NDArray[Any]]) -> tuple[Int64, Float32]:
        rows, block = item
        return _top(rows, _score(block, directions, middle), k)

    best_rows = np.empty(0, np.int64)
    best = np.empty(0, np.float32)
    for rows, score in map_ahead(best_of, view.scan(mask)):
        best_rows, best = _top(np.concatenate([best_rows, rows]), np.concatenate([best, score]), k)
    return best_rows, best


def _directions(queries: Float32, middle: Float32) -> Float32:
    """Return centred queries of length 1, or of zeros."""
    centred = queries - middle
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.ascontiguousarray(centred / np.where(norm > 0, norm, 1), dtype=np.float32)


def _score(block: npt.NDArray[Any], directions: Float32, middle: Float32) -> Float32:
    """Return each row's largest centred cosine with a query.

    The centre is subtracted row by row: from products of raw vectors the small difference of two
    large numbers would be left.
    """
    score = np.empty(len(block), np.float32)
    for part, vectors in widened(block):
        vectors -= middle
        norm = np.sqrt(np.vecdot(vectors, vectors))
        norm[norm == 0] = 1.0
        score[part] = _best(vectors, directions) / norm
    return np.clip(score, -1.0, 1.0, out=score)


def _best(vectors: Float32, queries: Float32) -> Float32:
    """Return each row's largest product with a query.

    For few queries a matrix product would start threads that fight with those reading the file.
    """
    if len(queries) > _FEW:
        score: Float32 = (queries @ vectors.T).max(axis=0)
        return score
    best: Float32 = np.vecdot(vectors, queries[0])
    for query in queries[1:]:
        np.maximum(best, np.vecdot(vectors, query), out=best)
    return best


def _top(rows: Int64, score: Float32, k: int) -> tuple[Int64, Float32]:
    if len(score) > k:
        # All that tie with the k-th stay until the exact order is made.
        limit = np.partition(score, len(score) - k)[len(score) - k]
        keep = score >= limit
        rows, score = rows[keep], score[keep]
    order = np.lexsort((rows, -score))[:k]
    return rows[order], score[order]


def _through_index(
    view: View,
    index: Index,
    queries: Float32,
    middle: Float32,
    k: int,
    wanted: int,
    mask: Bool | None,
) -> tuple[Int64, Float32]:
    """Compare the index's candidates, and all rows that came after it was built."""
    found = [index.candidates(query, wanted, mask) for query in queries]
    rows = np.unique(np.concatenate(found))
    score = _score(view.vectors(rows), _directions(queries, middle), middle)
    if index.late is not None:
        late = index.late if mask is None else index.late & mask
        late_rows, late_score = _exact(view, queries, middle, k, late)
        rows, score = np.concatenate([rows, late_rows]), np.concatenate([score, late_score])
    return _top(rows, score, k)


def has_index(view: View) -> bool:
    """Return whether a search in a view can use an index."""
    return view.index() is not None


def build_index(table: VectorTable) -> None:
    """Build the index over all rows, in place of an older one.

    Other processes may add rows meanwhile; rows that came after are compared one by one in a
    search, so none is overlooked. A table of a few windows gets none.

    Raises
    ------
    StoreError
        If the disk is full, or another process is building for ten minutes already.
    """
    with hold(table.maintenance_lock, 600.0, "build the index"), writing(table.index_path):
        view = table.view()
        if len(view) >= _MIN_ROWS:
            build(view, table.index_path)


def drop_index(table: VectorTable) -> None:
    """Delete the index, if there is one."""
    with hold(table.maintenance_lock, 600.0, "delete the index"), writing(table.index_path):
        table.index_path.unlink(missing_ok=True)
