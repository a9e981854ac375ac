"""A table of embeddings on disk: a Lance dataset that is also the journal of what is done.

A recording is done when its rows are in the committed dataset. All rows of a recording come in one
commit, so it is there whole or not at all. Everything that changes the dataset's data holds the
table's lock: commits, recovery, compaction.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import StoreError
from antiphon.store import work
from antiphon.store.faults import is_disk_full, writing
from antiphon.store.journal import Finished
from antiphon.store.locks import hold, try_lock

_LOCK_WAIT_S = 600.0
# More fragments than this are merged into fewer of about this many rows.
_MAX_FRAGMENTS = 64
_FRAGMENT_ROWS = 131_072
# Readers may use a version for so long after it was compacted away.
_KEEP_VERSIONS = timedelta(minutes=30)
_FORMAT = "1"


class StoredTable:
    """The dataset of a table, its lock and its write-ahead folder.

    Parameters
    ----------
    folder
        Where tables lie.
    row
        The catalogue's entry.
    catalogue
        Identity of the catalogue whose recordings the rows speak of.
    """

    def __init__(self, folder: Path, row: work.TableRow, catalogue: str) -> None:
        self.row = row
        self.path = folder / f"{row.name}.lance"
        self.wal_dir = folder / f"{row.name}.wal"
        self.search_dir = folder / f"{row.name}.search"
        self.schema = table_schema(row.dim, row.dtype)
        self._catalogue = catalogue
        self._by_fragment: dict[int, npt.NDArray[np.int64]] = {}
        self._done: tuple[int, set[int]] = (-1, set())

    def make(self) -> None:
        """Make the dataset if it is not there.

        Raises
        ------
        StoreError
            If what is there belongs to another catalogue or another table.
        """
        with writing(self.wal_dir):
            self.wal_dir.mkdir(parents=True, exist_ok=True)
        if self._open_dataset() is None:
            with self.locked("make the table"):
                if self._open_dataset() is None:
                    self._create()

    def dataset(self) -> lance.LanceDataset:
        """Open the newest version of the dataset.

        Raises
        ------
        StoreError
            If it is not there, or belongs to another catalogue or another table.
        """
        dataset = self._open_dataset()
        if dataset is None:
            raise StoreError(
                f"{self.path}: these embeddings are gone. Restore the folder from a backup, or "
                "run antiphon embed again."
            )
        return dataset

    def _open_dataset(self) -> lance.LanceDataset | None:
        if not (self.path / "_versions").is_dir():
            return None
        try:
            dataset = lance.dataset(self.path)
        except ValueError as error:
            if "not found" in str(error).lower():
                return None
            raise self._damaged(error) from error
        except OSError as error:
            raise self._damaged(error) from error
        facts = {k.decode(): v.decode() for k, v in (dataset.schema.metadata or {}).items()}
        if facts.get("antiphon.format", "") > _FORMAT:
            raise StoreError(
                f"{self.path}: a newer Antiphon wrote these embeddings (format "
                f"{facts['antiphon.format']}, known up to {_FORMAT}). Install a newer Antiphon: "
                "pip install --upgrade antiphon"
            )
        if facts.get("antiphon.key") != self.row.key:
            raise StoreError(
                f"{self.path}: these embeddings come from another encoder or other windows than "
                f"the catalogue says of {self.row.name!r}. Move the folder away and embed again."
            )
        if facts.get("antiphon.catalogue") != self._catalogue:
            raise StoreError(
                f"{self.path}: these embeddings belong to another catalogue, whose recordings "
                "have other numbers. Put the catalogue they were made with back, or move the "
                "folder away and embed again."
            )
        return dataset

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path}: these embeddings cannot be read ({_first_line(error)}). Check the disk; "
            "if the folder is damaged, move it away and embed again."
        )

    def _create(self) -> None:
        facts = {
            "antiphon.format": _FORMAT,
            "antiphon.key": self.row.key,
            "antiphon.catalogue": self._catalogue,
            "antiphon.encoder": self.row.encoder,
            "antiphon.spec": canonical(dict(self.row.spec)),
            "antiphon.windows": canonical(dict(self.row.windows)),
        }
        # What was derived from a dataset that is gone does not fit the new one.
        shutil.rmtree(self.search_dir, ignore_errors=True)
        with writing(self.path):
            dataset = lance.write_dataset(
                self.schema.with_metadata(facts).empty_table(), self.path, mode="create"
            )
            _sync_dataset(self.path, dataset)

    @contextmanager
    def locked(self, purpose: str) -> Iterator[None]:
        """Hold the table's lock, which everything that changes the dataset's data needs."""
        with hold(self.wal_dir / "table.lock", _LOCK_WAIT_S, purpose):
            yield

    def done(self) -> set[int]:
        """Return the ids of recordings whose rows are committed."""
        dataset = self.dataset()
        if self._done[0] != dataset.version:
            known: dict[int, npt.NDArray[np.int64]] = {}
            for fragment in dataset.get_fragments():
                # The rows of a fragment never change, so only new ones are read.
                ids = self._by_fragment.get(fragment.fragment_id)
                if ids is None:
                    column = fragment.to_table(columns=["recording_id"]).column("recording_id")
                    ids = np.unique(column.to_numpy())
                known[fragment.fragment_id] = ids
            self._by_fragment = known
            every = set(np.concatenate(list(known.values())).tolist()) if known else set()
            self._done = (dataset.version, every)
        return set(self._done[1])

    def commit(self, finished: Iterable[Finished]) -> list[int]:
        """Commit finished recordings in one step, those that are there already left out.

        The caller holds the table's lock. A crash between this commit and the removal of the
        write-ahead file would otherwise double the rows.

        Returns
        -------
        list of int
            Ids that were committed now.

        Raises
        ------
        StoreError
            If the disk is full; then nothing is committed and nothing is lost.
        """
        there = self.done()
        fresh = [item for item in finished if item.recording_id not in there]
        if not fresh:
            return []
        reader = pa.RecordBatchReader.from_batches(
            self.schema, (part.read(self.schema) for item in fresh for part in item.parts)
        )
        before = self._data_files()
        try:
            with writing(self.path):
                dataset = lance.write_dataset(reader, self.path, mode="append")
        except BaseException as error:
            if is_disk_full(error):
                # Holding the table's lock, nobody else writes data files: these are ours.
                self._remove_uncommitted(before)
            raise
        _sync_dataset(self.path, dataset)
        return [item.recording_id for item in fresh]

    def _data_files(self) -> set[Path]:
        return set((self.path / "data").glob("*.lance"))

    def _remove_uncommitted(self, before: set[Path]) -> None:
        """Delete data files of a write that failed, unless it was committed after all."""
        dataset = self._open_dataset()
        if dataset is None:
            return
        used = {
            self.path / "data" / Path(file.path).name
            for fragment in dataset.get_fragments()
            for file in fragment.data_files()
        }
        for path in self._data_files() - before - used:
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Merge small fragments and delete old versions, if there is anything to gain.

        Readers keep what they have open for half an hour. Does nothing while an index is built.
        """
        busy = try_lock(self.maintenance_lock)
        if busy is None:
            return
        try:
            with self.locked("tidy the table"), writing(self.path):
                dataset = self.dataset()
                if len(dataset.get_fragments()) > _MAX_FRAGMENTS:
                    dataset.optimize.compact_files(target_rows_per_fragment=_FRAGMENT_ROWS)
                    dataset = self.dataset()
                    _sync_dataset(self.path, dataset)
                # With both locks held nobody is writing, so files that no version names are
                # left-overs of killed processes.
                dataset.cleanup_old_versions(older_than=_KEEP_VERSIONS, delete_unverified=True)
        finally:
            busy.release()

    @property
    def index_path(self) -> Path:
        """The index for approximate search."""
        return self.search_dir / "index.arrow"

    @property
    def maintenance_lock(self) -> Path:
        """Lock file of what rewrites the dataset without adding to it."""
        return self.wal_dir / "maintenance.lock"


def table_schema(dim: int, dtype: str) -> pa.Schema:
    """Return the columns of a table of embeddings.

    ``channel`` is -1 for the mix; ``end_s`` is the end of the audio in the window, so that a
    padded last window ends where its recording does.
    """
    number = {"float16": pa.float16(), "float32": pa.float32()}[dtype]
    return pa.schema(
        [
            pa.field("recording_id", pa.int64(), nullable=False),
            pa.field("channel", pa.int16(), nullable=False),
            pa.field("start_s", pa.float64(), nullable=False),
            pa.field("end_s", pa.float64(), nullable=False),
            pa.field("vector", pa.list_(number, dim), nullable=False),
        ]
    )


def canonical(value: Any) -> str:
    """Return JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _sync_dataset(path: Path, dataset: lance.LanceDataset) -> None:
    """Force a new version to the disk before its source is deleted."""
    names = [
        path / "data" / Path(file.path).name
        for fragment in dataset.get_fragments()
        for file in fragment.data_files()
    ]
    for folder, suffix in (("_versions", "*.manifest"), ("_transactions", "*.txn")):
        newest = sorted((path / folder).glob(suffix), key=lambda p: p.stat().st_mtime_ns)
        names += [*newest[-1:], path / folder]
    for name in [*names, path / "data", path]:
        try:
            handle = os.open(name, os.O_RDONLY)
        except OSError:
            # Folders cannot be opened on every system; there the file's own sync has to do.
            continue
        try:
            os.fsync(handle)
        except OSError as error:
            if is_disk_full(error):
                raise
        finally:
            os.close(handle)
