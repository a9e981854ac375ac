"""Embeddings of a teacher in one file, found by the content of the audio."""

from __future__ import annotations

import errno
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from antiphon.errors import DiskFullError, FileError, FormatError

Float32 = npt.NDArray[np.float32]

_HEADER = 256
_VERSION = 1
_ADVICE = "Delete it: it is made again"


def content_key(waveform: Float32, sample_rate: int) -> bytes:
    """Return the SHA-256 of ``(n,)`` samples and their rate in Hz."""
    found = hashlib.sha256(f"{sample_rate} {len(waveform)} ".encode())
    found.update(np.ascontiguousarray(waveform, "<f4").tobytes())
    return found.digest()


class TeacherCache:
    """Rows of one encoder, appended; several processes may share the file.

    The file is a header that names the encoder, then records of one size: key, checksum, values.
    A record that a crash cut short at the end is written over; one that is damaged is an error.

    Parameters
    ----------
    path
        Made where it is not there.
    encoder
        Fingerprint of the encoder and of whatever else decides its embeddings.
    dim
        Length of an embedding.

    Raises
    ------
    FormatError
        The file is no such cache, is of another encoder, or is damaged.
    """

    def __init__(self, path: Path, encoder: str, dim: int) -> None:
        self.path = path
        self._facts = {"format": "antiphon-teacher", "version": _VERSION} | {
            "encoder": encoder,
            "dim": dim,
        }
        self._record = np.dtype([("key", "u1", 32), ("crc", "<u4"), ("row", "<f4", (dim,))])
        self._lock = FileLock(f"{path}.lock")
        self._where: dict[bytes, int] = {}
        self._rows: npt.NDArray[np.void] = np.empty(0, self._record)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if not path.exists() or path.stat().st_size < _HEADER:
                path.write_bytes(json.dumps(self._facts).encode().ljust(_HEADER - 1) + b"\n")
        self._check_header()
        self._refresh()

    def __len__(self) -> int:
        return len(self._where)

    def get(self, keys: Sequence[bytes]) -> list[Float32 | None]:
        """Return the row of each key, None where there is none (yet)."""
        if any(key not in self._where for key in keys):
            self._refresh()
        found = [self._where.get(key) for key in keys]
        return [None if at is None else np.array(self._rows["row"][at]) for at in found]

    def put(self, keys: Sequence[bytes], rows: Float32) -> None:
        """Add rows ``(n, dim)``; keys that are there already keep theirs.

        Raises
        ------
        ValueError
            A row holds values that are not finite.
        DiskFullError, FileError
            It cannot be written; what was there stays.
        """
        if not np.isfinite(rows).all():
            raise ValueError("an embedding of the teacher is not finite")
        with self._lock:
            self._refresh()
            fresh = {k: n for n, k in enumerate(keys) if k not in self._where}
            if not fresh:
                return
            added = np.zeros(len(fresh), self._record)
            added["key"] = [np.frombuffer(key, np.uint8) for key in fresh]
            added["row"] = rows[list(fresh.values())]
            added["crc"] = [_checksum(record) for record in added]
            try:
                with self.path.open("r+b") as file:
                    file.seek(_HEADER + len(self._rows) * self._record.itemsize)
                    file.truncate()
                    file.write(added.tobytes())
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskFullError(f"{self.path}: the disk is full.") from error
                raise FileError(self.path, f"cannot be written: {error}") from error
            self._refresh()

    def _check_header(self) -> None:
        with self.path.open("rb") as file:
            head = file.read(_HEADER)
        try:
            facts = json.loads(head)
        except ValueError as error:
            raise FormatError(self.path, "is no cache of a teacher", "Choose another") from error
        for name, value in self._facts.items():
            if not isinstance(facts, dict) or facts.get(name) != value:
                raise FormatError(self.path, f"is of another {name}", "Choose another file")

    def _refresh(self) -> None:
        """Take in what has been appended since."""
        size = self._record.itemsize
        count = (self.path.stat().st_size - _HEADER) // size
        before = len(self._rows)
        if count <= before:
            return
        rows = np.memmap(self.path, self._record, "r", _HEADER, (count,))
        for number in range(before, count):
            record = rows[number]
            if int(record["crc"]) != _checksum(record):
                raise FormatError(self.path, f"is damaged in record {number}", _ADVICE)
            self._where[record["key"].tobytes()] = number
        self._rows = rows


def _checksum(record: np.void) -> int:
    return zlib.crc32(record["row"].tobytes(), zlib.crc32(record["key"].tobytes()))
