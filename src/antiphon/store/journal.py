"""Write-ahead files: what a worker has finished and not yet committed to the vector table.

A worker appends to *segments*, files ``<owner>.<number>.wal``. A segment is a header and records;
a record is a header and a payload, each with a CRC-32. A record that was torn by a crash
fails its length or its checksum, and reading stops there: what comes after it was never promised.

A recording arrives as any number of *parts* (Arrow record batches), then a *finish* that counts
them. Parts without their finish are dropped on recovery, so that a recording is there whole or
not at all. A *drop* takes back the parts of an attempt that failed.

What survives: an append that returned survives ``kill -9`` (the operating system has the bytes);
it survives a power cut once :meth:`WriteAhead.sync` has run after it. A recording whose finish is
lost is embedded again, never half kept.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from antiphon.errors import StoreError

_MAGIC = b"ANTIPHON-WAL\x00\x00\x00\x01"
_FILE_HEADER = struct.Struct("<16s32s")
# Magic, kind, recording, rows, length and CRC-32 of the payload; then the CRC-32 of all that.
_RECORD = struct.Struct("<4sBxxxqIQI")
_CHECK = struct.Struct("<I")
_HEADER_SIZE = _RECORD.size + _CHECK.size
_RECORD_MAGIC = b"rec\n"

PART, FINISH, DROP = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part of a recording lies: bytes of a segment that hold ``rows`` rows."""

    path: Path
    offset: int
    length: int
    rows: int
    check: int

    def read(self, schema: pa.Schema) -> pa.RecordBatch:
        """Read the rows back.

        Raises
        ------
        StoreError
            If the file is not as it was written.
        """
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(self.offset)
            data = stream.read(self.length)
        if zlib.crc32(data) != self.check:
            raise StoreError(
                f"{self.path}: this write-ahead file has been damaged since it was written. "
                "Check the disk, then move the file away; its recordings are embedded again."
            )
        return pa.ipc.read_record_batch(pa.py_buffer(data), schema)


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording that is complete in write-ahead files, with the rows of all its parts."""

    recording_id: int
    parts: list[Part]
    rows: int


@dataclass(slots=True)
class Pending:
    """Bookkeeping over an owner's records, in the order they were written.

    Parameters
    ----------
    finished
        Complete recordings by id.
    open
        Parts of recordings that are not finished.
    """

    finished: dict[int, Finished] = field(default_factory=dict)
    open: dict[int, list[Part]] = field(default_factory=dict)

    def take(self, kind: int, recording_id: int, rows: int, part: Part | None) -> None:
        """Take in one record."""
        if kind == PART and part is not None:
            self.open.setdefault(recording_id, []).append(part)
        elif kind == DROP:
            self.open.pop(recording_id, None)
        elif kind == FINISH:
            parts = self.open.pop(recording_id, [])
            # A count that does not fit means that parts are gone: then it is not finished.
            if sum(p.rows for p in parts) == rows and rows > 0:
                self.finished[recording_id] = Finished(recording_id, parts, rows)

    @property
    def rows(self) -> int:
        """Rows of finished recordings."""
        return sum(item.rows for item in self.finished.values())

    def paths(self) -> set[Path]:
        """Return the segments that hold something still needed."""
        parts = [p for item in self.finished.values() for p in item.parts]
        parts += [p for some in self.open.values() for p in some]
        return {part.path for part in parts}


class WriteAhead:
    """The write-ahead file of one living worker.

    Parameters
    ----------
    folder
        Where segments lie.
    owner
        The worker's name.
    table_key
        Digest of the table (64 hexadecimal digits), so that a segment is never read into another.
    """

    def __init__(self, folder: Path, owner: str, table_key: str) -> None:
        self.folder = folder
        self.owner = owner
        self.pending = Pending()
        self._key = bytes.fromhex(table_key)
        self._number = 0
        self._path: Path | None = None
        self._handle = -1
        self._size = 0
        self._dirty = False

    def append(self, recording_id: int, batch: pa.RecordBatch) -> None:
        """Write a part of a recording.

        Raises
        ------
        OSError
            If the disk is full; the segment is then as it was before.
        """
        data = batch.serialize()
        self._write(PART, recording_id, batch.num_rows, data)

    def finish(self, recording_id: int) -> int:
        """Write that a recording is complete and return its rows."""
        rows = sum(part.rows for part in self.pending.open.get(recording_id, ()))
        self._write(FINISH, recording_id, rows, b"")
        return rows

    def drop(self, recording_id: int) -> None:
        """Take back the parts of a recording that was not finished."""
        if recording_id in self.pending.open:
            # Whether or not the disk takes the record: parts without a finish count for nothing.
            self.pending.open.pop(recording_id)
            self._write(DROP, recording_id, 0, b"")

    def _write(self, kind: int, recording_id: int, rows: int, data: pa.Buffer | bytes) -> None:
        if self._handle < 0:
            self._start_segment()
        view = memoryview(data)
        check = zlib.crc32(view)
        header = _RECORD.pack(_RECORD_MAGIC, kind, recording_id, rows, len(view), check)
        header += _CHECK.pack(zlib.crc32(header))
        # An interrupt can have come between a write and its bookkeeping below.
        if os.lseek(self._handle, 0, os.SEEK_END) != self._size:
            self._cut()
        try:
            write_all(self._handle, [header, view])
        except BaseException:
            # A torn record in the middle would hide everything after it.
            self._cut()
            raise
        assert self._path is not None
        part = Part(self._path, self._size + len(header), len(view), rows, check)
        self._size += len(header) + len(view)
        self._dirty = True
        self.pending.take(kind, recording_id, rows, part if kind == PART else None)

    def _cut(self) -> None:
        os.ftruncate(self._handle, self._size)
        os.lseek(self._handle, self._size, os.SEEK_SET)

    def _start_segment(self) -> None:
        self._number += 1
        path = self.folder / f"{self.owner}.{self._number:06d}.wal"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, 0o644)
        header = _FILE_HEADER.pack(_MAGIC, self._key)
        try:
            write_all(handle, [header])
        except BaseException:
            os.close(handle)
            path.unlink(missing_ok=True)
            raise
        self._path, self._handle, self._size = path, handle, len(header)

    def sync(self) -> None:
        """Force what was written to the disk."""
        if self._dirty and self._handle >= 0:
            os.fsync(self._handle)
            self._dirty = False

    def forget(self, recording_ids: Sequence[int]) -> None:
        """Let go of finished recordings that are committed, and of segments nobody needs."""
        for recording_id in recording_ids:
            self.pending.finished.pop(recording_id, None)
        self._end_segment()
        needed = self.pending.paths()
        for path in segments(self.folder, self.owner):
            if path not in needed:
                path.unlink(missing_ok=True)

    def _end_segment(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._path, self._handle, self._size, self._dirty = None, -1, 0, False

    def close(self) -> None:
        """Close the file; segments stay for recovery."""
        self._end_segment()


def write_all(handle: int, buffers: Sequence[bytes | memoryview]) -> None:
    """Write buffers in full, whatever the operating system takes at a time."""
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        while len(view):
            view = view[os.write(handle, view) :]


def segments(folder: Path, owner: str) -> list[Path]:
    """Return an owner's segments in the order they were written."""
    return sorted(folder.glob(f"{owner}.*.wal"))


def owners(folder: Path) -> set[str]:
    """Return whose segments lie in a folder."""
    return {path.name.split(".")[0] for path in folder.glob("*.wal")}


def read_segments(paths: Sequence[Path], table_key: str) -> tuple[Pending, int]:
    """Read what an owner wrote, up to the first torn record of each segment.

    Returns
    -------
    Pending
        What is complete and what is not.
    int
        Bytes that could not be read.

    Raises
    ------
    StoreError
        If a segment was written by a newer version or belongs to another table.
    """
    pending = Pending()
    lost = 0
    for path in paths:
        try:
            with path.open("rb") as stream:
                lost += _read_segment(path, stream.fileno(), table_key, pending)
        except FileNotFoundError:
            # A living owner has just committed it.
            continue
    return pending, lost


def _read_segment(path: Path, handle: int, table_key: str, pending: Pending) -> int:
    size = os.fstat(handle).st_size
    with os.fdopen(os.dup(handle), "rb") as stream:
        head = stream.read(_FILE_HEADER.size)
        if len(head) < _FILE_HEADER.size:
            return size
        magic, key = _FILE_HEADER.unpack(head)
        if magic[:-1] == _MAGIC[:-1] and magic[-1] > _MAGIC[-1]:
            raise StoreError(
                f"{path}: a newer Antiphon wrote this file. Install a newer Antiphon: "
                "pip install --upgrade antiphon"
            )
        if magic != _MAGIC:
            return size
        if key != bytes.fromhex(table_key):
            raise StoreError(
                f"{path}: this file belongs to another table of embeddings. Move it away; the "
                "recordings in it are embedded again."
            )
        end = _FILE_HEADER.size
        for kind, recording_id, rows, part in _records(path, stream, size):
            pending.take(kind, recording_id, rows, part if kind == PART else None)
            end = part.offset + part.length
        return size - end


def _records(path: Path, stream: BinaryIO, size: int) -> Iterator[tuple[int, int, int, Part]]:
    """Yield intact records: kind, recording, rows and where the payload lies."""
    position = _FILE_HEADER.size
    while True:
        header = stream.read(_HEADER_SIZE)
        if len(header) < _HEADER_SIZE:
            return
        if _CHECK.pack(zlib.crc32(header[: _RECORD.size])) != header[_RECORD.size :]:
            return
        magic, kind, recording_id, rows, length, check = _RECORD.unpack(header[: _RECORD.size])
        start = position + _HEADER_SIZE
        if magic != _RECORD_MAGIC or start + length > size:
            return
        data = stream.read(length)
        if len(data) < length or zlib.crc32(data) != check:
            return
        yield kind, recording_id, rows, Part(path, start, length, rows, check)
        position = start + length
