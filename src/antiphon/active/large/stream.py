"""Vectors that do not fit in memory: where they come from, chunks, a projection to few numbers.

What is computed does not depend on how a source cuts its blocks: they are cut anew into chunks of
one size, and each chunk is worked on by one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from antiphon.active.geometry.whitening import principal_axes
from antiphon.errors import UserError
from antiphon.store.blocks import map_ahead, widened

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Block = tuple[Int64, npt.NDArray[Any]]

# Values of a chunk: 4 MB as float32.
_CHUNK_VALUES = 2**20
_SMALLEST = 1e-12


class VectorSource(Protocol):
    """Vectors of many windows; :class:`antiphon.store.view.View` is one.

    Rows are numbered from 0. ``scan`` may be called more than once and yields the same order each
    time.
    """

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def scan(self, mask: Bool | None = None) -> Iterator[Block]:
        """Yield rows ``(m,)`` int64 and their vectors ``(m, dim)`` float16 or float32.

        Parameters
        ----------
        mask
            ``(n,)`` rows that are wanted; all when None.
        """
        ...

    def vectors(self, rows: Int64) -> Float32:
        """Return the vectors of ``rows``, ``(len(rows), dim)`` float32."""
        ...


class ArraySource:
    """An array, or a file mapped into memory, as a :class:`VectorSource`.

    Parameters
    ----------
    array
        ``(n, dim)`` float16 or float32.
    block_rows
        Rows of a block.
    """

    def __init__(self, array: npt.NDArray[Any], block_rows: int = 8_192) -> None:
        if array.ndim != 2:
            raise UserError(f"Vectors have the shape {array.shape}; it must be (windows, length).")
        self._array = array
        self._block_rows = block_rows

    def __len__(self) -> int:
        return len(self._array)

    def scan(self, mask: Bool | None = None) -> Iterator[Block]:
        """Yield rows and vectors in row order; see :meth:`VectorSource.scan`."""
        for begin in range(0, len(self), self._block_rows):
            end = min(begin + self._block_rows, len(self))
            rows = np.arange(begin, end, dtype=np.int64)
            if mask is None:
                yield rows, self._array[begin:end]
            elif mask[begin:end].any():
                rows = rows[mask[begin:end]]
                yield rows, self._array[rows]

    def vectors(self, rows: Int64) -> Float32:
        """Return the vectors of ``rows`` as float32."""
        return np.asarray(self._array[rows], dtype=np.float32)


def chunk_rows(dim: int) -> int:
    """Return how many rows of vectors of length ``dim`` are worked on at once."""
    return int(np.clip(_CHUNK_VALUES // dim, 256, 8_192))


def chunks(source: VectorSource, mask: Bool) -> Iterator[Block]:
    """Yield the source's rows in chunks of :func:`chunk_rows`, whatever its own blocks are.

    Parameters
    ----------
    mask
        ``(n,)`` rows that are wanted.

    Yields
    ------
    rows
        ``(m,)`` int64.
    vectors
        ``(m, dim)`` in the source's number type, not to be written to.
    """
    kept_rows: list[Int64] = []
    kept: list[npt.NDArray[Any]] = []
    held = 0
    for block_rows, block in source.scan(mask):
        size = chunk_rows(block.shape[1])
        begin = 0
        while begin < len(block_rows):
            end = min(len(block_rows), begin + size - held)
            kept_rows.append(block_rows[begin:end])
            kept.append(block[begin:end])
            held += end - begin
            begin = end
            if held == size:
                yield _joined(kept_rows), _joined(kept)
                kept_rows, kept, held = [], [], 0
    if held:
        yield _joined(kept_rows), _joined(kept)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Projection:
    """Half-power PCA whitening of unit vectors, as a product with one matrix.

    Parameters
    ----------
    matrix
        ``(dim, d)`` float32, principal axes over the fourth root of their variance.
    offset
        ``(d,)`` float32, what is subtracted after the product.
    """

    matrix: Float32
    offset: Float32

    def __call__(self, vectors: Float32) -> Float32:
        """Return ``(n, d)`` float32 of length 1; NaN rows for vectors that are not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            length = np.sqrt(np.vecdot(vectors, vectors))[:, None]
            found = vectors @ self.matrix
            found /= np.maximum(length, _SMALLEST)
            found -= self.offset
            found /= np.maximum(np.sqrt(np.vecdot(found, found))[:, None], _SMALLEST)
        return cast(Float32, found)


def fit_projection(vectors: Float32, dims: int) -> Projection:
    """Fit a projection on some vectors, a random sample of many.

    Parameters
    ----------
    vectors
        ``(m, dim)`` float32, at least one.
    dims
        Length of projected vectors, at most the vectors' own.

    Notes
    -----
    The arithmetic is that of :func:`antiphon.active.geometry.whitening.whiten`: vectors are scaled
    to length 1, centred, turned to their principal axes, and divided by the fourth root of the
    variance.
    """
    mean, axes, variance = principal_axes(vectors, dims, unit=True, fitted=len(vectors))
    floor = 1e-8 * max(float(variance.max()), 1e-12)
    matrix = np.ascontiguousarray(axes * np.maximum(variance, floor) ** -0.25, dtype=np.float32)
    return Projection(matrix, mean @ matrix)


def vector_chunks(source: VectorSource, rows: Int64) -> Iterator[Float32]:
    """Yield the vectors of ``rows`` some at a time, ``(m, dim)`` float32.

    Raises
    ------
    UserError
        If a vector is not finite.
    """
    step = 2_048
    for begin in range(0, len(rows), step):
        part = rows[begin : begin + step]
        block = source.vectors(part)
        check_finite(part, block)
        yield block


def check_finite(rows: Int64, vectors: Float32) -> None:
    """Raise if a row's vector holds NaN or infinity.

    Raises
    ------
    UserError
        With the first such row.
    """
    finite = np.isfinite(vectors)
    if not finite.all():
        bad = rows[~finite.all(axis=1)]
        raise UserError(
            f"{len(bad)} vectors hold NaN or infinity; the first is row {bad.min()}. Embed those "
            "recordings again, or exclude the rows."
        )


def as_float32(block: npt.NDArray[Any]) -> Float32:
    """Return a block as float32; the block itself where it is that already."""
    if block.dtype != np.float16:
        return np.asarray(block, dtype=np.float32)
    if not np.isfinite(block).all():
        return block.astype(np.float32)
    found = np.empty(block.shape, np.float32)
    for part, vectors in widened(np.ascontiguousarray(block)):
        found[part] = vectors
    return found


def scan_ahead(
    source: VectorSource, mask: Bool, work: Callable[[Block], Any]
) -> Iterator[tuple[Int64, Any]]:
    """Yield rows and ``work((rows, vectors))`` chunk by chunk, in the stream's order.

    Parameters
    ----------
    work
        Called from several threads.
    """
    yield from map_ahead(lambda block: (block[0], work(block)), chunks(source, mask))
