"""The index for approximate search: 1024 bits for each window, in one file.

A bit says on which side of a plane through the centre a vector lies. Two vectors at the angle
``a`` differ in the share ``a / pi`` of their bits (Charikar 2002, "Similarity estimation
techniques from rounding algorithms", STOC, section 3), so the windows with the fewest differing
bits are the candidates, which are then compared by their full vectors. Planes at right angles to
each other make fewer mistakes (Ji et al. 2012, "Super-bit locality-sensitive hashing", NeurIPS).

The file is an Arrow file and is derived: it can be deleted and built again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.fft

from antiphon.replacing import replacing
from antiphon.store.blocks import map_ahead, widened
from antiphon.store.centre import centre

if TYPE_CHECKING:
    from antiphon.store.view import View

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt16 = npt.NDArray[np.uint16]
UInt64 = npt.NDArray[np.uint64]

_BITS = 1024
_WORDS = _BITS // 64
_FORMAT = b"1"
_SCHEMA = pa.schema(
    [
        pa.field("recording_id", pa.int64(), nullable=False),
        # Position among the windows of the recording.
        pa.field("place", pa.int32(), nullable=False),
        pa.field("code", pa.list_(pa.uint64(), _WORDS), nullable=False),
    ]
)
# Codes compared at a time; what is made of them stays in the processor's cache.
_CODES = 4096
# Rows written together: one thread's work at a time.
_BATCH = 32_768
_FAR = np.uint16(_BITS + 1)


@dataclass(frozen=True, slots=True)
class Index:
    """An index and the rows of one view that its codes belong to.

    Parameters
    ----------
    centre
        ``(dim,)`` what was subtracted when the codes were made.
    codes
        Blocks ``(m, 16)`` uint64, mapped from the file.
    row
        ``(n,)`` the view's row for each code, -1 where there is none.
    late
        ``(rows,)`` the view's rows that have no code; None where all have one.
    """

    centre: Float32
    codes: list[UInt64]
    row: Int64
    late: Bool | None

    def candidates(self, query: Float32, count: int, mask: Bool | None) -> Int64:
        """Return the rows whose codes are closest to a query's, at least ``count`` if possible.

        Parameters
        ----------
        query
            ``(dim,)`` float32.
        count
            Ties at the end are cut in the order of the file.
        mask
            ``(rows,)`` rows of the view that are wanted.
        """
        code = encode(query[None] - self.centre)[0]
        far = self.row < 0 if mask is None else (self.row < 0) | ~mask[self.row]
        distance = np.empty(len(self.row), np.uint16)
        begin = 0
        for part in map_ahead(lambda codes: _distance(codes, code), self.codes):
            distance[begin : begin + len(part)] = part
            begin += len(part)
        distance[far] = _FAR
        within = np.cumsum(np.bincount(distance, minlength=_BITS + 2)[: _BITS + 1])
        limit = int(np.searchsorted(within, count))
        if limit > _BITS:
            return self.row[distance < _FAR]
        closer = np.flatnonzero(distance < limit)
        ties = np.flatnonzero(distance == limit)[: count - len(closer)]
        rows: Int64 = self.row[np.concatenate([closer, ties])]
        return rows


def _distance(codes: UInt64, code: UInt64) -> UInt16:
    found = np.empty(len(codes), np.uint16)
    for begin in range(0, len(codes), _CODES):
        part = np.bitwise_count(codes[begin : begin + _CODES] ^ code)
        part.sum(axis=1, dtype=np.uint16, out=found[begin : begin + _CODES])
    return found


def encode(vectors: Float32) -> UInt64:
    """Return ``(n, 16)`` codes of centred vectors ``(n, dim)``.

    The planes are those of a random rotation made of sign changes and cosine transforms; a short
    vector is rotated several times, of a long one 1024 directions are kept.
    """
    dim = vectors.shape[1]
    turns = -(-_BITS // dim)
    # Bits of a hash are the same in all versions of all libraries, a generator's need not be.
    drawn = hashlib.shake_256(b"antiphon index 1").digest(2 * turns * dim)
    sign = np.where(np.frombuffer(drawn, np.uint8) & 1, 1, -1).astype(np.float32)
    sign = sign.reshape(turns, 2, dim)
    turned = np.empty((len(vectors), turns, dim), np.float32)
    for i in range(turns):
        once = scipy.fft.dct(vectors * sign[i, 0], axis=1, norm="ortho")
        turned[:, i] = scipy.fft.dct(once * sign[i, 1], axis=1, norm="ortho")
    bits = turned.reshape(len(vectors), -1)[:, :_BITS] > 0
    return np.packbits(bits, axis=1).view(np.uint64)


def build(view: View, path: Path) -> None:
    """Write the index of a view over an older one; the file is replaced in one step."""
    middle = centre(view)
    recording = view.recording_of_rows()
    first = view.first_rows()
    place = np.arange(len(recording)) - first[np.searchsorted(view.recordings(), recording)]

    def coded(item: tuple[Int64, npt.NDArray[Any]]) -> pa.RecordBatch:
        rows, block = item
        codes = np.concatenate([encode(vectors - middle) for _, vectors in widened(block)])
        code = pa.FixedSizeListArray.from_arrays(pa.array(codes.reshape(-1)), _WORDS)
        columns = [pa.array(recording[rows]), pa.array(place[rows].astype(np.int32)), code]
        return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)

    facts = {b"antiphon.index": _FORMAT, b"antiphon.centre": middle.astype("<f4").tobytes()}
    path.parent.mkdir(exist_ok=True)
    with (
        replacing(path, make_folder=False) as unfinished,
        unfinished.open("wb") as stream,
        pa.ipc.new_file(stream, _SCHEMA.with_metadata(facts)) as writer,
    ):
        waiting: list[pa.RecordBatch] = []
        for batch in map_ahead(coded, view.scan()):
            waiting.append(batch)
            if sum(part.num_rows for part in waiting) >= _BATCH:
                writer.write_table(pa.Table.from_batches(waiting).combine_chunks())
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting).combine_chunks())


def load(view: View, path: Path) -> Index | None:
    """Return a view's index; None where there is none that can be read."""
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            facts = file.schema.metadata or {}
            if facts.get(b"antiphon.index") != _FORMAT or not file.schema.equals(_SCHEMA):
                return None
            table = file.read_all()
    except (OSError, pa.ArrowInvalid):
        return None
    middle = np.frombuffer(facts.get(b"antiphon.centre", b""), "<f4")
    if middle.shape != (view.table.dim,):
        return None
    codes = [
        chunk.flatten().to_numpy().reshape(-1, _WORDS) for chunk in table.column("code").chunks
    ]
    row = _rows(view, table.column("recording_id").to_numpy(), table.column("place").to_numpy())
    late = np.ones(len(view), np.bool_)
    late[row[row >= 0]] = False
    return Index(middle.astype(np.float32), codes, row, late if late.any() else None)


def _rows(view: View, recording: Int64, place: npt.NDArray[np.int32]) -> Int64:
    """Return the view's rows of windows that were coded, -1 where they are not shown."""
    ids = view.recordings()
    if not len(ids):
        return np.full(len(recording), -1, np.int64)
    first = view.first_rows()
    at = np.minimum(np.searchsorted(ids, recording), len(ids) - 1)
    row = first[at] + place
    known = (ids[at] == recording) & (row < np.append(first[1:], len(view))[at])
    return np.where(known, row, -1)
