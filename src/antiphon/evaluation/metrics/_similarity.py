"""Cosine similarities of embeddings, a strip of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.threads import few_threads

Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[np.floating]

# Bytes of a similarity matrix that is still held as a whole, so that only half of it need be
# multiplied, and of a strip of a larger one.
WHOLE, STRIP = 800_000_000, 64_000_000
_PANEL = 1024


def unit_rows(
    values: npt.ArrayLike, dtype: npt.DTypeLike, what: str, order: Int64 | None = None
) -> Array:
    """Return the rows divided by their length, ``(n, d)`` of ``dtype``.

    Parameters
    ----------
    values
        ``(n, d)``.
    dtype
        float32 or float64.
    what
        Their name in an error.
    order
        Order in which the rows are returned; as they are when None.

    Raises
    ------
    UserError
        If the shape is not ``(n, d)``, or a row holds NaN or infinity or has length 0.
    """
    raw = np.asarray(values)
    if raw.ndim != 2 or raw.shape[1] == 0:
        raise UserError(f"The {what} must have the shape (n, d), but have {raw.shape}.")
    rows = np.arange(len(raw)) if order is None else order
    out: Array = np.empty(raw.shape, dtype)
    for begin in range(0, len(raw), _PANEL):
        mine = rows[begin : begin + _PANEL]
        part = out[begin : begin + _PANEL]
        part[:] = raw[mine]
        # -0 becomes 0, so that equal rows are equal bit by bit.
        part += 0.0
        # Divided by the largest entry first, so that squares neither overflow nor vanish.
        largest = np.abs(part).max(axis=1, keepdims=True)
        for bad, problem in (
            (~np.isfinite(largest[:, 0]), "holds NaN or infinity; leave such rows out"),
            (largest[:, 0] == 0, "is all zero and has no direction; leave such rows out"),
        ):
            if bad.any():
                raise UserError(f"Row {mine[bad].min()} of the {what} {problem}.")
        part /= largest
        part /= np.sqrt(np.einsum("ij,ij->i", part, part))[:, None]
    return out


def copies(x: Array) -> tuple[Int64, Int64]:
    """Return the rows that repeat an earlier one bit by bit, and that earlier row of each."""
    words = np.ascontiguousarray(x).view(np.uint32)
    key = np.random.default_rng(0).integers(0, 2**63, words.shape[1], dtype=np.uint64)
    digest = np.empty(len(x), np.uint64)
    for begin in range(0, len(x), _PANEL):
        part = slice(begin, begin + _PANEL)
        digest[part] = words[part] @ (key | np.uint64(1))
    _, first, place = np.unique(digest, return_index=True, return_inverse=True)
    original = first[place]
    repeated = np.flatnonzero(original != np.arange(len(x)))
    same = np.array([bool((x[i] == x[original[i]]).all()) for i in repeated], dtype=bool)
    repeated = repeated[same]
    return repeated.astype(np.int64), original[repeated].astype(np.int64)


def strips(
    query: Array, gallery: Array, block: int | None, repeated: tuple[Int64, Int64]
) -> Iterator[tuple[int, Array]]:
    """Yield the first row and the similarities ``(rows, n_gallery)`` of each strip of queries.

    A matrix product rounds equal columns differently at its edges, which would break true ties,
    so columns of repeated rows are copied from the first of them.

    Parameters
    ----------
    query, gallery
        Unit rows; the same object when the set is searched by itself.
    block
        Queries in a strip; chosen by memory when None.
    repeated
        What :func:`copies` says of the gallery.
    """
    n, m = len(query), len(gallery)
    size = n * m * gallery.itemsize
    if query is gallery and block is None and size <= WHOLE:
        whole = _whole(query)
        whole[:, repeated[0]] = whole[:, repeated[1]]
        yield 0, whole
        return
    rows = block or max(1, STRIP // (m * gallery.itemsize))
    for begin in range(0, n, rows):
        part = query[begin : begin + rows]
        with few_threads(gallery.size):
            strip = part @ gallery.T
        strip[:, repeated[0]] = strip[:, repeated[1]]
        yield begin, strip


def _whole(x: Array) -> Array:
    n = len(x)
    out = np.empty((n, n), x.dtype)
    with few_threads(x.size):
        for begin in range(0, n, _PANEL):
            end = min(n, begin + _PANEL)
            np.matmul(x[begin:end], x[begin:].T, out=out[begin:end, begin:])
            for other in range(end, n, _PANEL):
                # Tiles, so that both sides of the transposition stay in the cache.
                out[other : other + _PANEL, begin:end] = out[begin:end, other : other + _PANEL].T
    return out
