"""Results kept in memory up to a number of bytes, each computed once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteCache(Generic[T]):
    """The results used last, for any number of threads.

    Threads that ask for one thing at one time share its computation; an error reaches all of
    them and is not kept.

    Parameters
    ----------
    most_bytes
        What may be kept; a result larger than that is passed on and forgotten.
    size
        Bytes of a result.
    at_once
        Computations that may run at one time, so that memory stays bounded.
    """

    def __init__(self, most_bytes: int, size: Callable[[T], int], *, at_once: int = 2) -> None:
        self._most = most_bytes
        self._size = size
        self._slots = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._running: dict[Hashable, Future[T]] = {}

    @property
    def kept_bytes(self) -> int:
        """Bytes of all results that are kept."""
        with self._lock:
            return self._bytes

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result for a key; ``make`` it when it is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            future = self._running.get(key)
            mine = future is None
            if future is None:
                future = self._running[key] = Future()
        if not mine:
            return future.result()
        try:
            with self._slots:
                result = make()
        except BaseException as error:
            with self._lock:
                del self._running[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._running[key]
            self._keep(key, result)
        future.set_result(result)
        return result

    def _keep(self, key: Hashable, result: T) -> None:
        size = self._size(result)
        if size > self._most:
            return
        self._kept[key] = result
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._size(self._kept.popitem(last=False)[1])
