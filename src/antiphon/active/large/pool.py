"""Rows of a large archive as an ordinary pool: checks, scores, vectors and the head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.active.base import HeadView, KnownHead, PoolView
from antiphon.active.large.scan import check_probability
from antiphon.active.large.stream import VectorSource
from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Scores = Callable[[Float32], Float32]


def check_rows(rows: npt.ArrayLike, size: int) -> Int64:
    """Return row numbers, checked."""
    found = np.asarray(rows)
    if found.size == 0:
        return np.empty(0, np.int64)
    if not np.issubdtype(found.dtype, np.integer) or found.ndim != 1:
        raise UserError(f"Rows are whole numbers in a list; these are {found.dtype}.")
    if found.min() < 0 or found.max() >= size:
        raise UserError(f"Rows go from 0 to {size - 1}; there is a row {found.min()} or beyond.")
    if len(np.unique(found)) != len(found):
        raise UserError("A labelled row is given twice.")
    return found.astype(np.int64, copy=False)


def free_rows(size: int, labelled: Int64, excluded: npt.ArrayLike | None) -> Bool:
    """Return which rows may be chosen, ``(size,)``."""
    free = np.ones(size, bool)
    free[labelled] = False
    if excluded is not None:
        out = np.asarray(excluded)
        if out.dtype == np.bool_ and out.shape != (size,):
            raise UserError(f"The excluded rows are {out.shape} marks for {size} windows.")
        free[out if out.dtype == np.bool_ else check_rows(np.unique(out), size)] = False
    return free


def scores_of(
    probabilities: Float32 | None,
    score_block: Scores | None,
    head: Callable[[Float32], HeadView] | None,
) -> Callable[[Int64, Float32], Float32] | None:
    """Return a function from rows and vectors to probabilities, or None without any."""
    if probabilities is not None:
        table = probabilities
        return lambda rows, vectors: table[rows]
    if score_block is not None:
        score = score_block
        return lambda rows, vectors: score(vectors)
    if head is not None:
        make = head
        return lambda rows, vectors: make(vectors).probabilities()
    return None


def places(rows: Int64, wanted: Int64) -> Int64:
    """Return where each of ``wanted`` stands in ``rows``."""
    order = np.argsort(rows)
    return order[np.searchsorted(rows, wanted, sorter=order)]


def pool_of(
    source: VectorSource,
    rows: Int64,
    labelled: Int64,
    labels: Float32,
    recording: Int64 | None,
    generator: np.random.Generator,
    metadata: pa.Table | None,
) -> PoolView:
    """Return the pool of some rows, without its head."""
    return PoolView(
        embeddings=source.vectors(rows),
        labelled=np.searchsorted(rows, labelled).astype(np.int64),
        labels=labels,
        recording=np.full(len(rows), -1, np.int64) if recording is None else recording[rows],
        generator=generator,
        metadata=None if metadata is None else metadata.take(pa.array(rows)),
    )


def head_of(
    pool: PoolView,
    rows: Int64,
    probabilities: Float32 | None,
    score_block: Scores | None,
    head: Callable[[Float32], HeadView] | None,
) -> HeadView | None:
    """Return what strategies see of the head."""
    if head is not None:
        return head(pool.embeddings)
    if probabilities is not None:
        found = probabilities[rows]
    elif score_block is not None:
        found = score_block(pool.embeddings)
    else:
        return None
    return KnownHead(check_probability(found, rows, pool.labels.shape[1]))
