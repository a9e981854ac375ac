"""Locks between processes, held by the operating system and so freed when a process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from antiphon.errors import StoreError
from antiphon.store.faults import writing


def try_lock(path: Path) -> FileLock | None:
    """Take a lock and return it, or None if a living process holds it.

    The caller releases it. A child made by ``fork`` shares its parent's lock; workers are made
    with ``spawn`` or as threads.
    """
    lock = FileLock(path, thread_local=False)
    try:
        with writing(path):
            lock.acquire(timeout=0)
    except (Timeout, RuntimeError):
        # RuntimeError: this very thread holds it through another object.
        return None
    return lock


@contextmanager
def hold(path: Path, wait_s: float, purpose: str) -> Iterator[None]:
    """Hold a lock, waiting for it.

    Raises
    ------
    StoreError
        If it is not free after ``wait_s`` seconds.
    """
    lock = FileLock(path, thread_local=False)
    try:
        with writing(path):
            lock.acquire(timeout=wait_s, poll_interval=0.02)
    except Timeout as error:
        raise StoreError(
            f"{path}: waited {wait_s:g} s to {purpose}; another process is still busy with the "
            "same embeddings. Look for a hanging process, or wait and run the command again."
        ) from error
    try:
        yield
    finally:
        lock.release()
