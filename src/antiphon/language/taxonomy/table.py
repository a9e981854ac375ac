"""The names of a compiled file as arrays that lie in the mapped file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import FormatError
from antiphon.language.taxonomy.container import Container
from antiphon.language.taxonomy.hashing import Int64, UInt64
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.ranks import LINNEAN, RANK_CODE, RANKS
from antiphon.language.taxonomy.spool import AUTHORSHIP_ROWS

UInt8 = npt.NDArray[np.uint8]

_LEVEL = np.full(256, -1, np.int8)
_LEVEL[[RANK_CODE[rank] for rank in LINNEAN]] = np.arange(len(LINNEAN))


class NameTable:
    """One row per name, ordered by :func:`~antiphon.language.taxonomy.hashing.sort_keys`.

    Parameters
    ----------
    container
        The compiled file.

    Attributes
    ----------
    name, id
        Text columns: the name without authors, the checklist's id.
    sort, rank, status, checklist, kingdom
        Shape ``(n,)``; ``kingdom`` is that of the accepted taxon, 255 where it has none.
    accepted, parent
        Rows of the accepted taxon and of the taxon above, the latter -1 where there is none.
    """

    def __init__(self, container: Container) -> None:
        batch = container.batch("taxa.arrow")
        try:
            self.name: pa.Array = batch.column("name")
            self.id: pa.Array = batch.column("id")
            self.sort: UInt64 = batch.column("sort").to_numpy()
            self.accepted: Int32 = batch.column("accepted").to_numpy()
            self.parent: Int32 = batch.column("parent").to_numpy()
            self.rank: UInt8 = batch.column("rank").to_numpy()
            self.status: UInt8 = batch.column("status").to_numpy()
            self.checklist: UInt8 = batch.column("checklist").to_numpy()
            self.kingdom: UInt8 = batch.column("kingdom").to_numpy()
        except KeyError as error:
            raise FormatError(container.path, f"lacks a column of names ({error})") from error
        authorship = container.reader("authorship.arrow")
        self._authors = lru_cache(64)(lambda batch: authorship.get_batch(batch).column(0))
        ids = container.batch("ids.arrow")
        self._id_hash = ids.column("hash").to_numpy()
        self._id_row = ids.column("row").to_numpy()

    def __len__(self) -> int:
        return len(self.sort)

    def lengths(self) -> Int64:
        """Return the length of each name in bytes, shape ``(n,)``."""
        ends = np.frombuffer(self.name.buffers()[1], np.int32, len(self) + 1, self.name.offset * 4)
        found: Int64 = np.diff(ends).astype(np.int64)
        return found

    def authorship(self, row: int) -> str:
        """Return who named a taxon, and when; empty where the checklist does not say."""
        column = self._authors(row // AUTHORSHIP_ROWS)
        return str(column[row % AUTHORSHIP_ROWS].as_py() or "")

    def rank_names(self, rows: Int32) -> pa.Array:
        """Return the names of the ranks of rows; null for row -1."""
        codes = np.where(rows >= 0, self.rank[rows], 0)
        return pa.array(RANKS).take(pa.array(codes, mask=rows < 0))

    def texts(self, column: pa.Array, rows: Int32) -> pa.Array:
        """Return the values of a text column at rows; null for row -1."""
        return column.take(pa.array(rows, mask=rows < 0))

    def ranges(self, sort: UInt64) -> tuple[Int64, Int64]:
        """Return first row and number of rows of each sort key, shape ``(m,)``."""
        # Sorted, so that neighbours share the pages that the search touches.
        order = np.argsort(sort)
        wanted = sort[order]
        begin = np.empty(len(sort), np.int64)
        count = np.empty(len(sort), np.int64)
        first = np.searchsorted(self.sort, wanted, "left")
        begin[order] = first
        count[order] = _runs(self.sort, wanted, first)
        return begin, count

    def with_ids(self, ids: pa.Array, hashes: npt.NDArray[np.uint32]) -> tuple[Int64, Int32]:
        """Return pairs of a place in ``ids`` and a row that has that id."""
        begin = np.searchsorted(self._id_hash, hashes, "left")
        count = np.searchsorted(self._id_hash, hashes, "right") - begin
        which, place = expand(begin, count)
        rows: Int32 = self._id_row[place]
        same = equal_text(self.id.take(pa.array(rows)), ids.take(pa.array(which)))
        return which[same], rows[same]

    def lineages(self, rows: Int32) -> Int32:
        """Return the rows of the taxa above, and of the taxa themselves, by rank.

        Parameters
        ----------
        rows
            Accepted taxa, none of them -1, shape ``(m,)``.

        Returns
        -------
        numpy.ndarray
            Shape ``(8, m)``, in the order of :data:`~antiphon.language.taxonomy.ranks.LINNEAN`;
            -1 where a taxon has none of that rank.
        """
        unique, where = np.unique(rows, return_inverse=True)
        above = self.parent[unique]
        found = np.full((len(LINNEAN), len(unique)), -1, np.int32)
        has = above >= 0
        if has.any():
            found[:, has] = self.lineages(above[has])
        level = _LEVEL[self.rank[unique]]
        own = np.flatnonzero(level >= 0)
        found[level[own], own] = unique[own]
        spread: Int32 = found[:, where]
        return spread

    def chain(self, row: int) -> Iterator[int]:
        """Yield a taxon and all above it, upwards."""
        while row >= 0:
            yield row
            row = int(self.parent[row])


def expand(begin: Int64, count: Int64) -> tuple[Int64, Int64]:
    """Return for ranges of places the number of the range and each place in it."""
    which = np.repeat(np.arange(len(begin)), count)
    inner = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, begin[which] + inner


def equal_text(a: pa.Array, b: pa.Array) -> npt.NDArray[np.bool_]:
    """Return where two text columns are equal."""
    import pyarrow.compute as pc

    same: Any = pc.fill_null(pc.equal(a, b), False).to_numpy(zero_copy_only=False)
    return np.asarray(same, bool)


def _runs(column: UInt64, wanted: UInt64, first: Int64) -> Int64:
    """Return how often each wanted value is in the column, from its first place on."""
    count = np.zeros(len(wanted), np.int64)
    active = np.arange(len(wanted))
    while len(active):
        place = first[active] + count[active]
        inside = place < len(column)
        active, place = active[inside], place[inside]
        active = active[column[place] == wanted[active]]
        count[active] += 1
    return count
