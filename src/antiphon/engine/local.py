"""Run independent items on this machine: producers in threads, one consumer, results in order.

An item is read by a *producer* (decoding and features, in one of several threads, which work
ahead of the consumer by a bounded number of blocks) and finished by the *consumer* (inference and
writing, in the calling thread). So decoding, features and inference overlap, memory stays bounded
however long an item is, and everything that writes does so from one thread.

Another runner (a cluster's) has the same ``run`` method; the pipeline only knows that.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from antiphon.engine.items import ItemFailure, RunReport

Item = TypeVar("Item")
Block = TypeVar("Block")

_END = object()


class Runner(Protocol):
    """What the pipeline needs of an engine."""

    def run(
        self,
        items: Iterable[Item],
        produce: Callable[[Item], Iterator[Block]],
        consume: Callable[[Item, Iterator[Block]], None],
        *,
        name: Callable[[Item], str] = str,
        on_failure: Callable[[Item, ItemFailure], None] | None = None,
        fatal: tuple[type[BaseException], ...] = (),
    ) -> RunReport:
        """Do all items; see :meth:`LocalRunner.run`."""
        ...


class _Feed(Generic[Item, Block]):
    """One item on its way: a bounded queue that a producer fills and the consumer empties."""

    def __init__(self, item: Item, depth: int, stop: threading.Event) -> None:
        self.item = item
        self._queue: queue.Queue[object] = queue.Queue(maxsize=depth)
        self._stop = stop
        self._abandoned = threading.Event()

    def fill(self, produce: Callable[[Item], Iterator[Block]]) -> None:
        """Run the producer to its end, an error, or until nobody wants the blocks any more."""
        try:
            for block in produce(self.item):
                if not self._put(block):
                    return
        except BaseException as error:
            self._put(_Raised(error))
        else:
            self._put(_END)

    def _put(self, thing: object) -> bool:
        while not (self._stop.is_set() or self._abandoned.is_set()):
            try:
                self._queue.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def blocks(self) -> Iterator[Block]:
        """Yield the producer's blocks; raise what it raised."""
        while True:
            thing = self._queue.get()
            if thing is _END:
                return
            if isinstance(thing, _Raised):
                raise thing.error
            yield thing  # type: ignore[misc]

    def abandon(self) -> None:
        """Tell the producer to stop; its blocks are not wanted."""
        self._abandoned.set()


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


@dataclass(frozen=True, slots=True)
class LocalRunner:
    """Threads of this process.

    Parameters
    ----------
    workers
        Producer threads, and the number of items read ahead.
    depth
        Blocks that a producer may be ahead of the consumer, per item.
    retries
        How often an item is tried again after an operating-system error (a disk that was
        briefly away). Other errors are not retried: the same file gives the same error.
    pause_s
        Seconds before the first retry, doubled for each one after.
    """

    workers: int = 2
    depth: int = 2
    retries: int = 2
    pause_s: float = 0.5

    def run(
        self,
        items: Iterable[Item],
        produce: Callable[[Item], Iterator[Block]],
        consume: Callable[[Item, Iterator[Block]], None],
        *,
        name: Callable[[Item], str] = str,
        on_failure: Callable[[Item, ItemFailure], None] | None = None,
        fatal: tuple[type[BaseException], ...] = (),
    ) -> RunReport:
        """Do all items, in order, and keep going when one fails.

        Parameters
        ----------
        items
            The work; taken lazily, a few ahead of the consumer, from the calling thread.
        produce
            Yields an item's blocks; runs in a producer thread.
        consume
            Takes an item and its blocks, in the calling thread. The item is done when it returns;
            it is called again, from the start, when an attempt is repeated.
        name
            An item's name for messages.
        on_failure
            Called in the calling thread for each item that is given up.
        fatal
            Errors that end the whole run (a full disk); they are raised to the caller.

        Returns
        -------
        RunReport
            With ``interrupted`` set when the user pressed Ctrl-C; finished items are kept.
        """
        report = RunReport()
        wall, cpu = time.perf_counter(), time.process_time()
        stop = threading.Event()
        todo: queue.SimpleQueue[_Feed[Item, Block] | None] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=_serve, args=(todo, produce), daemon=True)
            for _ in range(max(1, self.workers))
        ]
        for thread in threads:
            thread.start()
        waiting: deque[_Feed[Item, Block]] = deque()
        source = iter(items)
        try:
            while True:
                while len(waiting) <= self.workers:
                    item = next(source, _END)
                    if item is _END:
                        break
                    feed: _Feed[Item, Block] = _Feed(item, self.depth, stop)  # type: ignore[arg-type]
                    waiting.append(feed)
                    todo.put(feed)
                if not waiting:
                    break
                feed = waiting.popleft()
                failure = self._finish(feed, produce, consume, name, stop, fatal)
                if failure is None:
                    report.done += 1
                else:
                    report.failed.append(failure)
                    if on_failure is not None:
                        on_failure(feed.item, failure)
        except KeyboardInterrupt:
            report.interrupted = True
        finally:
            stop.set()
            for _ in threads:
                todo.put(None)
            for thread in threads:
                thread.join(timeout=10.0)
            report.wall_s = time.perf_counter() - wall
            report.cpu_s = time.process_time() - cpu
        return report

    def _finish(
        self,
        feed: _Feed[Item, Block],
        produce: Callable[[Item], Iterator[Block]],
        consume: Callable[[Item, Iterator[Block]], None],
        name: Callable[[Item], str],
        stop: threading.Event,
        fatal: tuple[type[BaseException], ...],
    ) -> ItemFailure | None:
        """Consume one item, trying again where that can help."""
        blocks: Iterator[Block] = feed.blocks()
        attempt = 1
        while True:
            try:
                consume(feed.item, blocks)
                return None
            except fatal:
                raise
            except Exception as error:
                if isinstance(error, OSError) and attempt <= self.retries and not stop.is_set():
                    time.sleep(self.pause_s * 2 ** (attempt - 1))
                    attempt += 1
                    blocks = produce(feed.item)
                    continue
                return ItemFailure(name(feed.item), describe(error), attempt)
            finally:
                feed.abandon()


def describe(error: BaseException) -> str:
    """Return an error's message, with its kind where the message alone says too little."""
    from antiphon.errors import AntiphonError

    text = str(error).strip()
    if isinstance(error, AntiphonError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _serve(
    todo: queue.SimpleQueue[_Feed[Item, Block] | None],
    produce: Callable[[Item], Iterator[Block]],
) -> None:
    """Take feeds and fill them, until told to stop."""
    while (feed := todo.get()) is not None:
        feed.fill(produce)
