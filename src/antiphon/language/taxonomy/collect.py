"""The first pass of compiling: names to numbers in memory, their text to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.language.taxonomy.checklists.records import RECORDS, ChecklistReader
from antiphon.language.taxonomy.hashing import UInt64, hash_text, sort_keys
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.names import name_keys
from antiphon.language.taxonomy.ranks import (
    RANK_CODE,
    STATUS_CODE,
    SYNONYMS,
    rank_code,
    status_code,
)
from antiphon.language.taxonomy.rejections import Rejections
from antiphon.language.taxonomy.spool import Buckets

UInt8 = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Rows:
    """What is known of each name, in the order of reading; all arrays of shape ``(n,)``.

    Parameters
    ----------
    sort
        :func:`antiphon.language.taxonomy.hashing.sort_keys` of the name.
    ids, parents, accepted
        Hashes of the ids, 0 for none; an id of another checklist has another hash.
    rank, status
        Codes, see :mod:`antiphon.language.taxonomy.ranks`.
    checklist
        Place of the checklist, the first is preferred.
    path
        Place in :attr:`Collector.paths`, -1 for none.
    """

    sort: UInt64
    ids: UInt64
    parents: UInt64
    accepted: UInt64
    rank: UInt8
    status: UInt8
    checklist: UInt8
    path: Int32

    def __len__(self) -> int:
        return len(self.sort)


_KINDS = (np.uint64, np.uint64, np.uint64, np.uint64, np.uint8, np.uint8, np.uint8, np.int32)


class Collector:
    """Takes the batches of all readers.

    Parameters
    ----------
    folder
        For the text.
    """

    def __init__(self, folder: Path) -> None:
        self.buckets = Buckets(folder)
        self.paths: list[tuple[int, str]] = []
        self.kingdoms: dict[int, str] = {}
        self._path_codes: dict[tuple[int, str], int] = {}
        self._columns: list[npt.NDArray[Any]] = [np.empty(0, kind) for kind in _KINDS]
        self.count = 0

    def read(self, reader: ChecklistReader, place: int, rejections: Rejections) -> int:
        """Take all names of a checklist; returns how many lines it gave."""
        lines = 0
        for batch in reader.batches(rejections):
            lines += batch.num_rows
            self._take(_checked(batch, rejections), place)
        return lines

    def add(
        self, place: int, names: list[str], ids: list[str], ranks: list[int], statuses: list[int]
    ) -> None:
        """Take names that no line gives, of higher taxa."""
        nothing = pa.nulls(len(names), pa.string())
        name = pa.array(names, pa.string())
        self._store(
            place,
            name,
            pa.array(ids, pa.string()),
            (nothing, nothing, nothing),
            np.array(ranks, np.uint8),
            np.array(statuses, np.uint8),
            np.full(len(names), -1, np.int32),
        )

    def rows(self) -> Rows:
        """Return everything taken so far."""
        return Rows(*(column[: self.count] for column in self._columns))

    def forget(self) -> None:
        """Let go of what :meth:`rows` returned."""
        self._columns = [np.empty(0, kind) for kind in _KINDS]

    def _take(self, batch: pa.RecordBatch, place: int) -> None:
        if not batch.num_rows:
            return
        status = _coded(batch.column("status"), lambda w: status_code(w) or 0)
        accepted = batch.column("accepted")
        # A name that points at another one is a synonym, whatever its status says.
        points = pc.is_valid(accepted).to_numpy(zero_copy_only=False)
        synonym = np.isin(status, list(SYNONYMS))
        status[points & ~synonym] = STATUS_CODE["synonym"]
        self._store(
            place,
            batch.column("name"),
            batch.column("id"),
            (batch.column("parent"), accepted, batch.column("authorship")),
            _coded(batch.column("rank"), rank_code),
            status,
            self._path_column(batch.column("path"), place),
        )

    def _store(
        self,
        place: int,
        name: pa.Array,
        ids: pa.Array,
        others: tuple[pa.Array, pa.Array, pa.Array],
        rank: UInt8,
        status: UInt8,
        path: Int32,
    ) -> None:
        parent, accepted, authorship = others
        sort = sort_keys(name_keys(name))
        for i in np.flatnonzero(rank == RANK_CODE["kingdom"]).tolist():
            self.kingdoms[self.count + i] = name[i].as_py()
        self.buckets.add(self.count, sort, name, ids, authorship)
        checklist = np.full(len(name), place, np.uint8)
        hashes = [id_hashes(column, place) for column in (ids, parent, accepted)]
        found: list[npt.NDArray[Any]] = [sort, *hashes, rank, status, checklist, path]
        end = self.count + len(name)
        for i, values in enumerate(found):
            if end > len(self._columns[i]):
                # Doubled: pages that are not written take no memory.
                longer = np.empty(max(2 * end, 1 << 16), values.dtype)
                longer[: self.count] = self._columns[i][: self.count]
                self._columns[i] = longer
            self._columns[i][self.count : end] = values
        self.count = end

    def _path_column(self, column: pa.Array, place: int) -> Int32:
        encoded = column.dictionary_encode()
        codes = []
        for path in encoded.dictionary.to_pylist():
            key = (place, path.rstrip("\t"))
            if key[1] and key not in self._path_codes:
                self._path_codes[key] = len(self.paths)
                self.paths.append(key)
            codes.append(self._path_codes.get(key, -1))
        places = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        found: Int32 = np.array([*codes, -1], np.int32)[places]
        return found


def _checked(batch: pa.RecordBatch, rejections: Rejections) -> pa.RecordBatch:
    """Leave out the lines that cannot be used."""
    known = pc.is_in(
        batch.column("status"),
        value_set=_known_statuses(batch.column("status").unique().to_pylist()),
    )
    reasons = {
        "the line has no id": pc.is_null(batch.column("id")),
        "the line has no name": pc.fill_null(pc.equal(batch.column("name"), ""), True),
        "its status is not known": pc.invert(known),
    }
    for reason, fault in reasons.items():
        if pc.any(fault).as_py():
            out = batch.filter(fault)
            rejections.add(reason, out.column("id").to_pylist(), out.column("name").to_pylist())
            batch = batch.filter(pc.invert(fault))
            return _checked(batch, rejections)
    return batch.select(RECORDS.names)


def _known_statuses(words: Iterable[str | None]) -> pa.Array:
    return pa.array([word for word in words if status_code(word) is not None], pa.string())


def _coded(column: pa.Array, code: Callable[[str], int]) -> UInt8:
    encoded = column.fill_null("").dictionary_encode()
    codes = [code(word) for word in encoded.dictionary.to_pylist()]
    found: UInt8 = np.array([*codes, 0], np.uint8)[encoded.indices.to_numpy()]
    return found


def id_hashes(column: pa.Array, place: int) -> UInt64:
    """Return the hash of each id of a checklist (its place); 0 for none."""
    hashes = hash_text(column, place + 1)
    # 0 stands for no id.
    np.maximum(hashes, np.uint64(1), out=hashes)
    hashes[pc.is_null(column).to_numpy(zero_copy_only=False)] = 0
    return hashes
