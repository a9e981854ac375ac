"""Columns on disk while a taxonomy is compiled: text sorted by buckets, arrays by appending."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.language.taxonomy.hashing import Int64, UInt64

BUCKETS = 64
AUTHORSHIP_ROWS = 8192
"""Rows of a batch of the authorship column, which is compressed batch by batch."""

_TEXT = pa.schema(
    [
        ("row", pa.int32()),
        ("name", pa.string()),
        ("id", pa.string()),
        ("authorship", pa.string()),
    ]
)


class Buckets:
    """Text of rows, put into files by the first bits of the sort key.

    Parameters
    ----------
    folder
        Where the files are made.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"bucket-{i}.arrows" for i in range(BUCKETS)]
        self._files = [pa.OSFile(str(path), "wb") for path in self._paths]
        self._writers = [pa.ipc.new_stream(file, _TEXT) for file in self._files]

    def add(
        self, first: int, sort: UInt64, name: pa.Array, ids: pa.Array, authorship: pa.Array
    ) -> None:
        """Add rows, numbered from ``first`` on."""
        bucket = bucket_of(sort)
        order = np.argsort(bucket, kind="stable")
        rows = pa.array((order + first).astype(np.int32))
        batch = pa.RecordBatch.from_arrays(
            [rows, name.take(order), ids.take(order), authorship.take(order)], schema=_TEXT
        )
        ends = np.cumsum(np.bincount(bucket, minlength=BUCKETS))
        begin = 0
        for i, end in enumerate(ends.tolist()):
            if end > begin:
                self._writers[i].write_batch(batch.slice(begin, end - begin))
            begin = end

    def read(self, bucket: int) -> pa.Table:
        """Return the rows of a bucket, as they were added; closes it."""
        self._writers[bucket].close()
        self._files[bucket].close()
        with pa.OSFile(str(self._paths[bucket]), "rb") as file:
            table = pa.ipc.open_stream(file).read_all()
        self._paths[bucket].unlink()
        return table.combine_chunks()

    def close(self) -> None:
        """Close all files."""
        for writer, file in zip(self._writers, self._files, strict=True):
            if not file.closed:
                writer.close()
                file.close()


def bucket_of(sort: UInt64) -> Int64:
    """Return the bucket of each sort key; later buckets have higher keys."""
    shift = np.uint64(64 - (BUCKETS - 1).bit_length())
    return (sort >> shift).astype(np.int64)


class TextColumn:
    """A text column written by appending, then mapped as an Arrow array without being loaded."""

    def __init__(self, folder: Path, name: str) -> None:
        self._content, self._ends = folder / f"{name}.text", folder / f"{name}.ends"
        self._files = (self._content.open("wb"), self._ends.open("wb"))
        self._files[1].write(np.zeros(1, np.int32).tobytes())
        self._size, self._rows = 0, 0

    def append(self, column: pa.Array) -> None:
        """Append values; a null is written as empty text.

        Raises
        ------
        OverflowError
            If the column has more than 2 GiB of text.
        """
        column = column.fill_null("")
        _, ends, content = column.buffers()
        offsets = np.frombuffer(ends, np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
        begin, end = int(offsets[0]), int(offsets[-1])
        if self._size + end - begin > np.iinfo(np.int32).max:
            raise OverflowError("a text column has more than 2 GiB")
        if end > begin:
            self._files[0].write(content.slice(begin, end - begin))
        self._files[1].write((offsets[1:] - begin + self._size).astype(np.int32).tobytes())
        self._size += end - begin
        self._rows += len(column)

    def array(self) -> pa.Array:
        """Return what was appended."""
        for file in self._files:
            file.close()
        content = pa.py_buffer(b"") if not self._size else _mapped(self._content)
        return pa.StringArray.from_buffers(self._rows, _mapped(self._ends), content)


def _mapped(path: Path) -> Any:
    return pa.memory_map(str(path)).read_buffer()


class AuthorshipFile:
    """Writes the authorship column: an Arrow IPC file of compressed batches of equal size."""

    def __init__(self, path: Path) -> None:
        schema = pa.schema([("authorship", pa.string())])
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_file(str(path), schema, options=options)
        self._held: list[pa.Array] = []
        self._rows = 0

    def __enter__(self) -> AuthorshipFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._rows:
            self._write(pa.concat_arrays(self._held))
        self._writer.close()

    def append(self, column: pa.Array) -> None:
        """Append values."""
        self._held.append(column)
        self._rows += len(column)
        if self._rows >= AUTHORSHIP_ROWS:
            held = pa.concat_arrays(self._held)
            whole = len(held) // AUTHORSHIP_ROWS * AUTHORSHIP_ROWS
            for begin in range(0, whole, AUTHORSHIP_ROWS):
                self._write(held.slice(begin, AUTHORSHIP_ROWS))
            self._held, self._rows = [held.slice(whole)], len(held) - whole

    def _write(self, column: pa.Array) -> None:
        self._writer.write_batch(pa.record_batch([column], names=["authorship"]))


def write_batch(path: Path, columns: dict[str, pa.Array | npt.NDArray[Any]]) -> None:
    """Write columns as an Arrow IPC file of one batch."""
    arrays = [c if isinstance(c, pa.Array) else pa.array(c) for c in columns.values()]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
