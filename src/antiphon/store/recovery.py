"""Taking over what dead workers left; the argument is in :mod:`antiphon.store.session`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from antiphon.store import journal, work
from antiphon.store.catalogue import Catalogue
from antiphon.store.locks import try_lock

if TYPE_CHECKING:
    from antiphon.store.vectors import VectorTable

_log = logging.getLogger(__name__)


def recover(table: VectorTable, catalogue: Catalogue) -> list[int]:
    """Commit what dead workers finished, and delete their claims and files.

    Returns
    -------
    list of int
        Recordings that were committed now.

    Raises
    ------
    StoreError
        If the disk is full; then nothing is lost and the next recovery tries again.
    """
    with catalogue.database.read() as connection:
        claiming = work.owners(connection, table.id)
    if not (claiming or _owners_on_disk(table)):
        return []
    committed: list[int] = []
    with table.locked("take over what a killed run left"):
        # Read again: under the lock no worker is born, and no other recovery runs.
        with catalogue.database.read() as connection:
            claiming = work.owners(connection, table.id)
        for owner in sorted(claiming | _owners_on_disk(table)):
            lock = try_lock(table.wal_dir / f"{owner}.lock")
            if lock is None:
                continue
            try:
                committed += _take_over(table, catalogue, owner)
            finally:
                lock.release()
    if committed:
        _log.info("%s: took over %d recordings of a killed run.", table.name, len(committed))
    return committed


def dead_owners(table: VectorTable) -> list[str]:
    """Return the workers that left something and are not alive."""
    dead = []
    for owner in sorted(_owners_on_disk(table)):
        lock = try_lock(table.wal_dir / f"{owner}.lock")
        if lock is not None:
            lock.release()
            dead.append(owner)
    return dead


def _take_over(table: VectorTable, catalogue: Catalogue, owner: str) -> list[int]:
    paths = journal.segments(table.wal_dir, owner)
    pending, lost = journal.read_segments(paths, table.row.key)
    if lost:
        _log.info(
            "%s: %d bytes of an unfinished write were dropped; the recording is embedded again.",
            table.name,
            lost,
        )
    committed = table.commit(pending.finished.values())
    for path in paths:
        path.unlink(missing_ok=True)
    with catalogue.database.write() as connection:
        work.unclaim(connection, table.id, owner)
        work.clear_failures(connection, table.id, list(pending.finished))
    # The lock file goes last: with it, the owner is forgotten.
    (table.wal_dir / f"{owner}.lock").unlink(missing_ok=True)
    return committed


def _owners_on_disk(table: VectorTable) -> set[str]:
    locks = {p.stem for p in table.wal_dir.glob("*.lock")} - {"table", "maintenance"}
    return locks | journal.owners(table.wal_dir)
