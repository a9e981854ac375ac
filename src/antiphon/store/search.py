"""Search by similarity: exact in bounded memory, or through an index that can be made anew."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from antiphon.errors import StoreError
from antiphon.store.faults import writing
from antiphon.store.locks import hold

if TYPE_CHECKING:
    from antiphon.store.vectors import VectorTable
    from antiphon.store.view import View

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

INDEX_NAME = "vector_nearest"
# RaBitQ: one bit for each dimension, no codebook to train; the best candidates are compared by
# their full vectors. Gao & Long 2024, "RaBitQ", SIGMOD.
_INDEX_TYPE = "IVF_RQ"
# Below this many windows comparing all of them is as quick.
_MIN_ROWS = 256
_REFINE = 5
# Rows compared at a time; their float32 copy stays in the processor's cache.
_SMALL = 512
_FEW = 8
# A mask that lets fewer rows than this share through is searched exactly.
_SELECTIVE = 0.05


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
    norm = np.sqrt(np.einsum("ij,ij->i", queries, queries))[:, None]
    queries = np.ascontiguousarray(queries / np.where(norm > 0, norm, 1), dtype=np.float32)
    selective = open_rows < max(_SELECTIVE * size, 10 * k)
    if exact is not True and not selective and has_index(view):
        found = _through_index(view, queries, k, mask, open_rows)
        if found is not None:
            return found
    return _exact(view, queries, k, mask)


def _exact(view: View, queries: Float32, k: int, mask: Bool | None) -> tuple[Int64, Float32]:
    """Compare all rows, block by block; equal scores come in row order."""
    best_rows = np.empty(0, np.int64)
    best = np.empty(0, np.float32)
    buffer = np.empty((_SMALL, queries.shape[1]), np.float32)
    for rows, block in view.scan(mask):
        score = np.empty(len(rows), np.float32)
        for begin in range(0, len(rows), _SMALL):
            part = block[begin : begin + _SMALL]
            vectors = _widen(part, buffer[: len(part)])
            norm = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
            norm[norm == 0] = 1.0
            score[begin : begin + _SMALL] = _best(vectors, queries) / norm
        best_rows, best = _top(np.concatenate([best_rows, rows]), np.concatenate([best, score]), k)
    return best_rows, best


def _best(vectors: Float32, queries: Float32) -> Float32:
    """Return each row's largest product with a query.

    For few queries BLAS would start threads that fight with those reading the file.
    """
    if len(queries) > _FEW:
        score: Float32 = (queries @ vectors.T).max(axis=0)
        return score
    best: Float32 = np.einsum("ij,j->i", vectors, queries[0])
    for query in queries[1:]:
        np.maximum(best, np.einsum("ij,j->i", vectors, query), out=best)
    return best


@functools.cache
def _float16_values() -> Float32:
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _widen(block: npt.NDArray[np.floating], buffer: Float32) -> Float32:
    """Return float16 or float32 rows as float32, in the buffer where they must be converted.

    Looking the 65,536 values up is twice as quick as NumPy's own conversion.
    """
    if block.dtype == np.float32:
        return block
    return _float16_values().take(block.view(np.uint16), out=buffer, mode="clip")


def _top(rows: Int64, score: Float32, k: int) -> tuple[Int64, Float32]:
    if len(score) > k:
        # All that tie with the k-th stay until the exact order is made.
        limit = np.partition(score, len(score) - k)[len(score) - k]
        keep = score >= limit
        rows, score = rows[keep], score[keep]
    order = np.lexsort((rows, -score))[:k]
    return rows[order], score[order]


def _through_index(
    view: View, queries: Float32, k: int, mask: Bool | None, open_rows: int
) -> tuple[Int64, Float32] | None:
    """Ask the index for more than is wanted, then filter; None when too little is left."""
    total = view.dataset.count_rows()
    share = open_rows / max(total, 1)
    wanted = min(total, math.ceil(1.5 * k / share) + (0 if share == 1.0 else 32))
    best: dict[int, float] = {}
    for query in queries:
        found = view.dataset.scanner(
            columns=["_distance"],
            nearest={
                "column": "vector",
                "q": query,
                "k": wanted,
                "metric": "cosine",
                "nprobes": _probes(total),
                "refine_factor": _REFINE,
            },
            with_row_address=True,
        ).to_table()
        rows = view.rows_at(found.column("_rowaddr").to_numpy())
        score = 1.0 - found.column("_distance").to_numpy()
        keep = rows >= 0
        if mask is not None:
            keep &= mask[rows]
        if keep.sum() < k:
            return None
        for row, value in zip(rows[keep].tolist(), score[keep].tolist(), strict=True):
            best[row] = max(value, best.get(row, -math.inf))
    rows = np.fromiter(best.keys(), np.int64, len(best))
    return _top(rows, np.fromiter(best.values(), np.float32, len(best)), k)


def _partitions(rows: int) -> int:
    return max(1, round(math.sqrt(rows) / 4))


def _probes(rows: int) -> int:
    """Return how many partitions a query looks into: a quarter, at least eight."""
    return max(8, _partitions(rows) // 4)


def has_index(view: View) -> bool:
    """Return whether a view's version has an index."""
    return any(index.name == INDEX_NAME for index in view.dataset.describe_indices())


def build_index(table: VectorTable) -> None:
    """Build the index over all rows, in place of an older one.

    Other processes may add rows meanwhile; rows that came after are compared one by one in a
    search, so none is overlooked. A table of a few windows gets none.

    Raises
    ------
    StoreError
        If the disk is full, or another process is building for ten minutes already.
    """
    with hold(table.maintenance_lock, 600.0, "build the index"), writing(table.path):
        dataset = table.dataset()
        rows = dataset.count_rows()
        if rows < _MIN_ROWS:
            return
        dataset.create_index(
            "vector",
            _INDEX_TYPE,
            name=INDEX_NAME,
            metric="cosine",
            replace=True,
            num_partitions=_partitions(rows),
        )


def drop_index(table: VectorTable) -> None:
    """Delete the index, if there is one."""
    with hold(table.maintenance_lock, 600.0, "delete the index"), writing(table.path):
        dataset = table.dataset()
        if any(index.name == INDEX_NAME for index in dataset.describe_indices()):
            dataset.drop_index(INDEX_NAME)
