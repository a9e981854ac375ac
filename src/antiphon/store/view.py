"""A snapshot of a table of embeddings: rows, windows and vectors that agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.store import search
from antiphon.store.centre import centre
from antiphon.store.index import Index, load

if TYPE_CHECKING:
    from antiphon.store.vectors import VectorTable

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

WINDOW_SCHEMA = pa.schema(
    [
        pa.field("recording_id", pa.int64(), nullable=False),
        pa.field("channel", pa.int16(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
    ]
)
"""Columns of :meth:`View.windows`."""

_BLOCK = 16_384
# Larger blocks are slower: the system then gives fresh memory to each of them.
_BLOCK_BYTES = 4 * 2**20
_AHEAD_BYTES = 16 * 2**20


class View:
    """One version of a table, with the windows of the recordings that were there.

    Rows are numbered from 0 by recording id, channel and start. The numbers hold for this view.

    Parameters
    ----------
    table
        The table.
    dataset
        One version of its dataset.
    live
        Sorted ids of the recordings whose windows are shown.
    """

    def __init__(self, table: VectorTable, dataset: lance.LanceDataset, live: Int64) -> None:
        self.table = table
        self.dataset = dataset
        self.version = int(dataset.version)
        self.live = live
        self._windows: pa.Table | None = None
        self._offset: Int64 = np.empty(0, np.int64)
        self._total = 0
        self._ids: Int64 = np.empty(0, np.int64)
        self._first: Int64 = np.empty(0, np.int64)
        self._centre: Float32 | None = None
        self._index: Index | None = None
        self._index_made = -1

    def __len__(self) -> int:
        return int(self.windows().num_rows)

    def windows(self) -> pa.Table:
        """Return all windows in row order, with :data:`WINDOW_SCHEMA`."""
        if self._windows is None:
            found = self.dataset.scanner(columns=WINDOW_SCHEMA.names, scan_in_order=True).to_table()
            recording = found.column("recording_id").to_numpy()
            keep = np.flatnonzero(np.isin(recording, self.live))
            order = np.lexsort(
                (
                    found.column("start_s").to_numpy()[keep],
                    found.column("channel").to_numpy()[keep],
                    recording[keep],
                )
            )
            self._total = len(recording)
            self._offset = keep[order].astype(np.int64)
            self._ids, self._first = np.unique(recording[self._offset], return_index=True)
            self._windows = found.select(WINDOW_SCHEMA.names).take(self._offset).cast(WINDOW_SCHEMA)
        return self._windows

    def recordings(self) -> Int64:
        """Return the sorted ids of the recordings that have windows here."""
        self.windows()
        return self._ids

    def first_rows(self) -> Int64:
        """Return the first row of each of :meth:`recordings`."""
        self.windows()
        return self._first

    def recording_of_rows(self) -> Int64:
        """Return the id of each row's recording, ``(n,)``."""
        ids: Int64 = self.windows().column("recording_id").to_numpy()
        return ids

    def vectors(self, rows: npt.ArrayLike) -> Float32:
        """Return embeddings ``(len(rows), dim)`` float32 in the order of ``rows``.

        Raises
        ------
        IndexError
            If a row is not one of this view.
        """
        rows = np.asarray(rows)
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64, copy=False)
        size = len(self)
        if len(rows) and not (int(rows.min()) >= 0 and int(rows.max()) < size):
            raise IndexError(f"rows go from 0 to {size - 1}")
        found = np.empty((len(rows), self.table.dim), np.float32)
        if len(rows) > _BLOCK and len(rows) > size // 2:
            wanted = np.full(size, -1, np.int64)
            wanted[rows] = np.arange(len(rows))
            for some, vectors in self.scan():
                place = wanted[some]
                found[place[place >= 0]] = vectors[place >= 0]
            # A row that is asked for twice was filled in at its last place only.
            again = wanted[rows] != np.arange(len(rows))
            found[again] = found[wanted[rows[again]]]
            return found
        for begin in range(0, len(rows), _BLOCK):
            some = self._offset[rows[begin : begin + _BLOCK]]
            unique, inverse = np.unique(some, return_inverse=True)
            got = self.dataset.take(unique, columns=["vector"]).column("vector")
            found[begin : begin + len(some)] = as_matrix(got, self.table.dim)[inverse]
        return found

    def all_vectors(self) -> Float32:
        """Return the embeddings of all rows, ``(n, dim)`` float32."""
        found = np.empty((len(self), self.table.dim), np.float32)
        for rows, vectors in self.scan():
            found[rows] = vectors
        return found

    def scan(self, mask: Bool | None = None) -> Iterator[tuple[Int64, npt.NDArray[Any]]]:
        """Yield rows and their embeddings block by block, in the order they lie on the disk.

        Parameters
        ----------
        mask
            ``(n,)`` rows that are wanted; all when None.

        Yields
        ------
        rows
            ``(m,)`` int64.
        vectors
            ``(m, dim)`` in the table's number type.
        """
        size = len(self)
        if mask is not None and len(mask) != size:
            raise ValueError(f"the mask has {len(mask)} entries, the table {size} windows")
        row_at = np.full(self._total, -1, np.int64)
        chosen = np.arange(size) if mask is None else np.flatnonzero(mask)
        row_at[self._offset[chosen]] = chosen
        if len(chosen) * 8 < self._total:
            yield from self._scan_few(chosen)
            return
        begin = 0
        for batch in self.dataset.to_batches(
            columns=["vector"],
            batch_size=max(1, min(_BLOCK // 2, _BLOCK_BYTES // (4 * self.table.dim))),
            # Without this bound Lance reads hundreds of megabytes ahead.
            batch_readahead=2,
            io_buffer_size=_AHEAD_BYTES,
            scan_in_order=True,
        ):
            rows = row_at[begin : begin + batch.num_rows]
            begin += batch.num_rows
            wanted = rows >= 0
            if wanted.any():
                vectors = as_matrix(batch.column("vector"), self.table.dim)
                yield (rows, vectors) if wanted.all() else (rows[wanted], vectors[wanted])

    def _scan_few(self, chosen: Int64) -> Iterator[tuple[Int64, npt.NDArray[Any]]]:
        ordered = chosen[np.argsort(self._offset[chosen])]
        for begin in range(0, len(ordered), _BLOCK // 2):
            rows = ordered[begin : begin + _BLOCK // 2]
            got = self.dataset.take(self._offset[rows], columns=["vector"]).column("vector")
            yield rows, as_matrix(got, self.table.dim)

    def centre(self) -> Float32:
        """Return what is subtracted from vectors to compare them; see :mod:`.centre`."""
        if self._centre is None:
            self._centre = centre(self)
        return self._centre

    def index(self) -> Index | None:
        """Return the index for approximate search, None where there is none."""
        path = self.table.index_path
        try:
            made = path.stat().st_mtime_ns
        except OSError:
            self._index, self._index_made = None, -1
            return None
        if made != self._index_made:
            self._index, self._index_made = load(self, path), made
        return self._index

    def nearest(
        self,
        query: npt.ArrayLike,
        k: int,
        *,
        mask: Bool | None = None,
        exact: bool | None = None,
    ) -> tuple[Int64, Float32]:
        """Return the rows that are most similar to a query, best first.

        Similarity is the cosine between a window's vector and the query after the table's mean
        vector, ``m = mean * n / (n + 50)`` over its ``n`` windows, was subtracted from both:
        ``(x - m) . (q - m) / (|x - m| |q - m|)``. Equal scores come in row order.

        Parameters
        ----------
        query
            ``(dim,)``, or ``(q, dim)``: then a row counts by the query it is most similar to.
        k
            At most so many rows.
        mask
            ``(n,)`` bool: only these rows.
        exact
            True compares all rows, False asks the index (where there is none, all rows are
            compared), None uses the index where there is one.

        Returns
        -------
        rows
            ``(m,)`` int64, ``m <= k``.
        score
            ``(m,)`` float32 centred cosine similarity, -1 to 1; 0 where a vector is ``m`` itself.

        Raises
        ------
        StoreError
            If the query does not have the table's dimension.
        """
        return search.nearest(self, query, k, mask=mask, exact=exact)


def as_matrix(column: Any, dim: int) -> npt.NDArray[Any]:
    """Return a column of fixed-size lists as a matrix, without copying where possible."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
    values: npt.NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(-1, dim)
