"""One worker's session of embedding, and taking over what dead workers left.

Several processes may embed into one table at once, and any of them may be killed at any moment.
No recording is embedded twice, none is lost, none is half there. The argument:

Three places hold state. The *dataset* (Lance) holds committed rows; a commit is atomic and holds
a recording whole. A worker's *write-ahead file* holds what it finished and has not committed. A
*claim* (SQL, primary key table and recording) says who has taken a recording on. A worker is
alive as long as the operating system's lock on ``<owner>.lock`` is held.

1. A worker writes a recording only while it holds the claim, and a claim has one owner.
2. A claim is deleted only (a) after the recording's rows are committed, (b) when its owner gave
   it up and dropped its parts, or (c) by recovery, after the dead owner's finished recordings
   were committed.
3. After a claim is made, the worker reads the dataset anew and gives back what is done.

From 1 and 2: when worker W gets the claim on R, no write-ahead file holds R uncommitted, for its
writer's claim would still be there. So R is either committed before the claim was made, and step
3 sees it, or it is nowhere, and as long as W holds the claim nobody else makes it. Hence R is
embedded once.

A flush commits, then deletes the write-ahead file, then deletes the claims. Killed in between,
recovery finds the recordings in the write-ahead file and in the dataset, and commits only those
that the dataset lacks; both happen under the table's lock, so that two recoveries, or a recovery
and a flush, never act on the same reading. A worker makes its lock under the table's lock as
well, so recovery never takes a newborn worker for a dead one.

What ``kill -9`` loses: recordings in flight. What a power cut loses: also recordings finished
within the last ``fsync_s`` seconds. Either is embedded again by the next run.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from filelock import FileLock, Timeout

from antiphon.errors import AntiphonError, StoreError
from antiphon.store import work
from antiphon.store.catalogue import Catalogue
from antiphon.store.faults import writing
from antiphon.store.journal import WriteAhead
from antiphon.store.recovery import recover
from antiphon.store.vectors import VectorTable

_log = logging.getLogger(__name__)

# Each flush leaves a small file in the dataset; a run of days would leave thousands.
_TIDY_EVERY = 100


class EmbeddingSession:
    """A worker's hold on a table: claim recordings, write their windows, commit.

    Use it with ``with``. Methods may be called from several threads.

    Parameters
    ----------
    table
        The table to write to.
    catalogue
        The project's catalogue.
    retry_failed
        Let recordings be claimed that failed before this session began.
    """

    def __init__(
        self, table: VectorTable, catalogue: Catalogue, *, retry_failed: bool = False
    ) -> None:
        self.table = table
        self.catalogue = catalogue
        self.owner = uuid.uuid4().hex
        self._retry_failed = retry_failed
        self._settings = table.folder.config.vectors
        self._mutex = threading.RLock()
        self._wal = WriteAhead(table.wal_dir, self.owner, table.row.key)
        self._lock: FileLock | None = None
        self._failed_since: datetime | None = None
        self._flushed_at = self._synced_at = time.monotonic()
        self._flushes = 0

    def __enter__(self) -> Self:
        recover(self.table, self.catalogue)
        path = self.table.wal_dir / f"{self.owner}.lock"
        with self.table.locked("start a worker"):
            lock = FileLock(path, thread_local=False)
            try:
                with writing(path):
                    # Somebody who looks for dead workers may hold it for an instant.
                    lock.acquire(timeout=60.0)
            except Timeout as error:
                raise StoreError(f"{path}: cannot be locked. Run the command again.") from error
            self._lock = lock
        self._failed_since = work.now() if self._retry_failed else None
        self._flushed_at = self._synced_at = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except AntiphonError as second:
            if error is None:
                raise
            # The first error is the one to tell; what is unwritten stays for recovery.
            _log.warning("%s", second)

    def done(self) -> set[int]:
        """Return the ids of recordings that are embedded, those not yet committed included."""
        with self._mutex:
            return self.table.done() | set(self._wal.pending.finished)

    def claim(self, candidates: Sequence[int], limit: int) -> list[int]:
        """Take on the next recordings.

        Parameters
        ----------
        candidates
            Recordings in the wanted order.
        limit
            At most so many.

        Returns
        -------
        list of int
            The first candidates that are not done, not failed and held by nobody; empty when
            there is none left.
        """
        with self._mutex:
            mine: list[int] = []
            done = self.done()
            while len(mine) < limit:
                known, wanted = done, limit - len(mine)
                with self.catalogue.database.write() as connection:
                    got = work.claim(
                        connection,
                        self.table.id,
                        self.owner,
                        (i for i in candidates if i not in known),
                        wanted,
                        self._failed_since,
                    )
                # Another worker may have committed and given up its claim just before.
                done = self.done()
                late = [i for i in got if i in done]
                mine += [i for i in got if i not in done]
                if not late:
                    break
                with self.catalogue.database.write() as connection:
                    work.unclaim(connection, self.table.id, self.owner, late)
            return mine

    def begin(self, recording_id: int) -> None:
        """Start a recording; parts of an earlier attempt are taken back."""
        with self._mutex, writing(self.table.wal_dir):
            self._wal.drop(recording_id)

    def append(
        self,
        recording_id: int,
        channel: npt.ArrayLike,
        start_s: npt.ArrayLike,
        end_s: npt.ArrayLike,
        vectors: npt.ArrayLike,
    ) -> None:
        """Write some windows of a recording; a recording may come in any number of parts.

        Parameters
        ----------
        channel
            ``(n,)`` zero-based, -1 for the mix.
        start_s, end_s
            ``(n,)`` seconds within the recording, float64.
        vectors
            ``(n, dim)``.

        Raises
        ------
        ValueError
            If shapes do not fit, a value is not finite, or it does not fit the number type.
        StoreError
            If the disk is full; the session can go on once there is space.
        """
        batch = self._batch(recording_id, channel, start_s, end_s, vectors)
        with self._mutex, writing(self.table.wal_dir):
            self._wal.append(recording_id, batch)

    def _batch(
        self,
        recording_id: int,
        channel: npt.ArrayLike,
        start_s: npt.ArrayLike,
        end_s: npt.ArrayLike,
        vectors: npt.ArrayLike,
    ) -> pa.RecordBatch:
        start = np.asarray(start_s, dtype=np.float64)
        end = np.asarray(end_s, dtype=np.float64)
        where = np.asarray(channel, dtype=np.int16)
        given = np.asarray(vectors)
        n = len(start)
        if start.shape != (n,) or end.shape != (n,) or where.shape != (n,):
            raise ValueError("channel, start_s and end_s must be one-dimensional and equally long")
        if given.shape != (n, self.table.dim):
            raise ValueError(
                f"vectors have the shape {given.shape}; this table takes ({n}, {self.table.dim})"
            )
        if not (np.isfinite(start).all() and np.isfinite(end).all() and (start <= end).all()):
            raise ValueError("start_s and end_s must be finite, and start_s not after end_s")
        dtype = np.dtype(self.table.row.dtype)
        with np.errstate(over="ignore"):
            numbers = given.astype(dtype, copy=False)
        if not _all_finite(numbers):
            if np.isfinite(given).all():
                raise ValueError(
                    f"an embedding holds {np.abs(given).max():g}, which {dtype} cannot; set "
                    "dtype = 'float32' under [vectors] in antiphon.toml"
                )
            raise ValueError("the encoder gave an embedding that is not finite")
        values: Any = pa.array(np.ascontiguousarray(numbers).reshape(-1))
        return pa.RecordBatch.from_arrays(
            [
                pa.array(np.full(n, recording_id, dtype=np.int64)),
                pa.array(where),
                pa.array(start),
                pa.array(end),
                pa.FixedSizeListArray.from_arrays(values, self.table.dim),
            ],
            schema=self.table.schema,
        )

    def finish(self, recording_id: int) -> int:
        """Say that a recording is complete, and return its windows. From here on it is kept.

        Commits when enough has come together.

        Raises
        ------
        ValueError
            If nothing was written for it.
        StoreError
            If the disk is full. When this comes from the commit, the recording is kept anyway.
        """
        with self._mutex:
            if not self._wal.pending.open.get(recording_id):
                raise ValueError(f"recording {recording_id} has no windows")
            with writing(self.table.wal_dir):
                rows = self._wal.finish(recording_id)
                now = time.monotonic()
                if now - self._synced_at >= self._settings.fsync_s:
                    self._wal.sync()
                    self._synced_at = now
            waiting = self._wal.pending.rows
            if (
                waiting >= self._settings.flush_windows
                or now - self._flushed_at >= self._settings.flush_s
            ):
                self.flush()
            return rows

    def fail(self, recording_id: int, reason: str) -> None:
        """Give a recording up, and keep why."""
        with self._mutex:
            with writing(self.table.wal_dir):
                self._wal.drop(recording_id)
            with self.catalogue.database.write() as connection:
                work.add_failure(connection, self.table.id, self.owner, recording_id, reason)

    def release(self, recording_ids: Sequence[int] | None = None) -> None:
        """Give claims back without a failure, all that are not finished when None."""
        with self._mutex:
            finished = set(self._wal.pending.finished)
            with self.catalogue.database.write() as connection:
                if recording_ids is None:
                    held = work.held(connection, self.table.id, self.owner)
                else:
                    held = list(recording_ids)
                free = [i for i in held if i not in finished]
                with writing(self.table.wal_dir):
                    for recording_id in free:
                        self._wal.drop(recording_id)
                work.unclaim(connection, self.table.id, self.owner, free)

    def flush(self) -> None:
        """Commit all finished recordings.

        Raises
        ------
        StoreError
            If the disk is full; what was finished stays in the write-ahead file.
        """
        with self._mutex:
            finished = list(self._wal.pending.finished.values())
            self._flushed_at = time.monotonic()
            if not finished:
                return
            ids = [item.recording_id for item in finished]
            with self.table.locked("commit embeddings"):
                self.table.commit(finished)
                self._wal.forget(ids)
            with self.catalogue.database.write() as connection:
                work.unclaim(connection, self.table.id, self.owner, ids)
                work.clear_failures(connection, self.table.id, ids)
            self._flushes += 1
            if self._flushes % _TIDY_EVERY == 0:
                self.table.tidy()

    def close(self) -> None:
        """Commit, give back what is not finished, and end the session.

        Raises
        ------
        StoreError
            If the commit fails; the next session takes over what was finished.
        """
        with self._mutex:
            if self._lock is None:
                return
            lock, self._lock = self._lock, None
            try:
                self.flush()
                self._wal.pending.open.clear()
                self._wal.forget([])
                with self.catalogue.database.write() as connection:
                    work.unclaim(connection, self.table.id, self.owner)
                with self.table.locked("end a worker"):
                    (self.table.wal_dir / f"{self.owner}.lock").unlink(missing_ok=True)
            finally:
                self._wal.close()
                lock.release()


def _all_finite(numbers: npt.NDArray[Any]) -> bool:
    """Return whether no value is infinite or not a number."""
    if numbers.dtype == np.float16:
        # All bits of the exponent set; NumPy's own test converts every value first.
        bits = np.ascontiguousarray(numbers).view(np.uint16)
        return not bool(((bits & 0x7C00) == 0x7C00).any())
    return bool(np.isfinite(numbers).all())
