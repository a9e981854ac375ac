"""Embeddings on disk, keyed by content, in shards that are written whole or not at all.

A record is keyed by the hash of the audio, the encoder's fingerprint and the window rule, so
renaming or moving files costs nothing and a changed file, model or rule is embedded anew. A shard's
name is the digest of its content: a damaged one is noticed when the cache is opened, set aside, and
its records are made again. A killed process loses the shard that it was filling, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from antiphon.errors import FileError
from antiphon.replacing import replacing

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_SUFFIX = ".safetensors"
_DIGEST = 20
# Larger shards are fewer files; smaller ones lose less when a process is killed.
SHARD_BYTES = 8_000_000
SHARD_SECONDS = 30.0


class CacheError(FileError):
    """The cache cannot be written: that ends a run, unlike a recording that cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """Embeddings of one span of a file.

    Parameters
    ----------
    vectors
        ``(k, dim)`` float32, one for each window of the encoder.
    row
        ``(k,)`` int64: which row of the result a window belongs to, ascending from 0.
    valid_s
        ``(k,)`` float64: seconds of audio in each window.
    """

    vectors: Float32
    row: Int64
    valid_s: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Place:
    shard: Path
    begin: int
    end: int


class FeatureCache:
    """A folder of shards.

    Parameters
    ----------
    folder
        Made when first written to.
    shard_bytes, shard_seconds
        A shard is written when it holds so much, or when so long has passed since the last.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shard_bytes: int = SHARD_BYTES,
        shard_seconds: float = SHARD_SECONDS,
    ) -> None:
        self.folder = folder
        self._bytes, self._seconds = shard_bytes, shard_seconds
        self._places: dict[str, _Place] = {}
        self._waiting: dict[str, Record] = {}
        self._held = 0
        self._written = time.monotonic()
        self.damaged: list[str] = []
        for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
            self._open(path)

    def __len__(self) -> int:
        return len(self._places) + len(self._waiting)

    def __contains__(self, key: str) -> bool:
        return key in self._places or key in self._waiting

    def add(self, key: str, record: Record) -> None:
        """Keep a record; it is on the disk after the next :meth:`flush` at the latest.

        Raises
        ------
        ValueError
            If a vector is not finite, or the parts do not fit: nothing like that is stored.
        CacheError
            If a shard cannot be written.
        """
        n = len(record.vectors)
        if record.vectors.ndim != 2 or not n == len(record.row) == len(record.valid_s):
            raise ValueError(f"a record of {record.vectors.shape} with {len(record.row)} rows")
        if not np.isfinite(record.vectors).all():
            raise ValueError("a record with NaN or infinity")
        self._waiting[key] = record
        self._held += record.vectors.nbytes
        late = time.monotonic() - self._written > self._seconds
        if self._held >= self._bytes or late:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a shard.

        Raises
        ------
        CacheError
            If it cannot be written; what waits is kept.
        """
        self._written = time.monotonic()
        if not self._waiting:
            return
        keys = list(self._waiting)
        ends = np.cumsum([len(self._waiting[k].vectors) for k in keys])
        tensors = {
            "vectors": np.concatenate([r.vectors for r in self._waiting.values()]),
            "row": np.concatenate([r.row for r in self._waiting.values()]).astype(np.int64),
            "valid_s": np.concatenate([r.valid_s for r in self._waiting.values()]),
        }
        facts = {"keys": json.dumps(keys), "ends": json.dumps(ends.tolist())}
        data = save(tensors, metadata=facts)
        path = self.folder / f"{_digest(data)}{_SUFFIX}"
        _write(path, data)
        self._index(path, keys, ends.tolist())
        self._waiting.clear()
        self._held = 0

    def get(self, keys: list[str]) -> dict[str, Record]:
        """Return the records of these keys; those that are not there are left out."""
        found = {k: self._waiting[k] for k in keys if k in self._waiting}
        wanted: dict[Path, list[str]] = {}
        for key in keys:
            if key in self._places and key not in found:
                wanted.setdefault(self._places[key].shard, []).append(key)
        for shard, mine in wanted.items():
            found.update(self._read(shard, mine))
        return found

    def _read(self, shard: Path, keys: list[str]) -> Iterator[tuple[str, Record]]:
        with safe_open(shard, framework="np") as file:
            parts = {name: file.get_tensor(name) for name in ("vectors", "row", "valid_s")}
        for key in keys:
            place = self._places[key]
            at = slice(place.begin, place.end)
            yield key, Record(parts["vectors"][at], parts["row"][at], parts["valid_s"][at])

    def _open(self, path: Path) -> None:
        try:
            whole = _digest(path.read_bytes()) == path.stem
            facts: dict[str, Any] = {}
            if whole:
                with safe_open(path, framework="np") as file:
                    facts = file.metadata() or {}
            keys, ends = json.loads(facts["keys"]), json.loads(facts["ends"])
        except (OSError, SafetensorError, ValueError, KeyError):
            self.damaged.append(path.name)
            path.rename(path.with_suffix(".damaged"))
            return
        self._index(path, keys, ends)

    def _index(self, path: Path, keys: list[str], ends: list[int]) -> None:
        for key, begin, end in zip(keys, [0, *ends[:-1]], ends, strict=True):
            self._places[key] = _Place(path, begin, end)


class AudioHashes:
    """Hashes of whole audio files, remembered for as long as size and time stay the same.

    Parameters
    ----------
    path
        Where they are remembered between runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = {}
        self._changed = False
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            self._known = dict(json.loads(line) for line in lines)
        except (OSError, ValueError, TypeError):
            # Only a memory: what is lost is computed again.
            self._known = {}

    def of(self, path: Path) -> str:
        """Return the BLAKE2b hash of a file's bytes, 32 hex digits.

        Raises
        ------
        FileError
            If it cannot be read.
        """
        try:
            state = path.stat()
            name = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
            known = self._known.get(name)
            if known is None:
                with path.open("rb") as file:
                    known = hashlib.file_digest(
                        file, lambda: hashlib.blake2b(digest_size=16)
                    ).hexdigest()
                self._known[name] = known
                self._changed = True
        except OSError as error:
            raise FileError(path, f"it cannot be read ({error.strerror or error})") from error
        return known

    def save(self) -> None:
        """Remember what was computed; several processes may do so, the last one wins."""
        if self._changed:
            lines = (json.dumps(pair) for pair in self._known.items())
            _write(self._path, "\n".join(lines).encode())
            self._changed = False


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write a file under another name and move it into its place when it is on the disk."""
    words = ("it cannot be written", "Check free space and permissions")
    with replacing(path, *words, kind=CacheError, sync=True) as part:
        part.write_bytes(data)
