"""Many runs in parallel processes; one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from antiphon.active.base import Strategy
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.record import Run
from antiphon.errors import AntiphonError

Source = Callable[[], LabelledSet]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make.

    Parameters
    ----------
    name
        Of the data set, for messages.
    source
        Gives the data set. It is called once in each process, so it must travel between
        processes: a function of a module, or :func:`functools.partial` of one.
    strategy
        A name, or a strategy that travels between processes.
    config, seed
        As for :func:`~antiphon.active.learner.loop.run_loop`.
    """

    name: str
    source: Source
    strategy: str | Strategy
    config: LoopConfig
    seed: int

    @property
    def title(self) -> str:
        """Strategy, set and seed."""
        named = self.strategy if isinstance(self.strategy, str) else None
        strategy = named or getattr(self.strategy, "name", type(self.strategy).__name__)
        return f"{strategy} on {self.name}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that came to nothing, and why."""

    task: Task
    reason: str


def run_many(
    tasks: Sequence[Task], processes: int | None = None
) -> Iterator[tuple[Task, Run | Failure]]:
    """Make runs in parallel and yield each as it ends.

    Tasks of one data set should stand together: a process keeps the set it read last.

    Parameters
    ----------
    tasks
        In the order in which they are begun.
    processes
        At once, each with one thread for linear algebra; as many as there are processors when
        None. With 1 the runs are made in this process.

    Yields
    ------
    tuple
        The task, and its run or why there is none. The runs that were under way when a process
        died (out of memory, killed) are made again, each alone.

    Notes
    -----
    When the iterator is closed, or on Ctrl-C, running processes are ended and their runs are lost.
    """
    count = processes or os.cpu_count() or 1
    if count == 1 or len(tasks) == 1:
        for task in tasks:
            yield task, _outcome(task)
        return
    left = list(tasks)
    while left:
        left, suspects = yield from _one_pool(left, count)
        # A process that died takes its neighbours' runs with it; each is made again alone.
        for task in suspects:
            _, again = yield from _one_pool([task], 1)
            if again:
                yield task, Failure(task, "its process died (out of memory, or killed)")


def _one_pool(
    tasks: list[Task], count: int
) -> Generator[tuple[Task, Run | Failure], None, tuple[list[Task], list[Task]]]:
    """Make runs until all are made or a process dies.

    Returns
    -------
    tuple
        The tasks that were not begun, and those that were under way when a process died.
    """
    waiting = list(reversed(tasks))
    running: dict[Future[Run | Failure], Task] = {}
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            min(count, len(tasks)), multiprocessing.get_context("spawn"), initializer=_prepare
        )
        try:
            while waiting or running:
                # Few are handed over at a time, so that few are under way when a process dies.
                while waiting and len(running) < count:
                    task = waiting.pop()
                    running[pool.submit(_outcome, task)] = task
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    if not isinstance(future.exception(), BrokenProcessPool):
                        yield running.pop(future), future.result()
                    else:
                        return list(reversed(waiting)), list(running.values())
        except BrokenProcessPool:
            return [*reversed(waiting), task], list(running.values())
        finally:
            for process in list((pool._processes or {}).values()):
                if running:
                    process.terminate()
            pool.shutdown(wait=not running, cancel_futures=True)
    return [], []


_last: tuple[Source, LabelledSet] | None = None


def _outcome(task: Task) -> Run | Failure:
    try:
        return run_loop(_data(task.source), task.strategy, task.config, task.seed)
    except AntiphonError as error:
        return Failure(task, str(error))
    except MemoryError:
        return Failure(task, "not enough memory")
    except Exception as error:
        return Failure(task, f"{type(error).__name__}: {error}")


def _data(source: Source) -> LabelledSet:
    global _last
    if _last is None or not _same(_last[0], source):
        _last = (source, source())
    return _last[1]


def _same(one: Source, other: Source) -> bool:
    parts = ("func", "args", "keywords")
    if all(hasattr(source, part) for source in (one, other) for part in parts):
        return all(getattr(one, part) == getattr(other, part) for part in parts)
    return one == other


def _prepare() -> None:
    """Leave Ctrl-C to the parent, which ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are born meanwhile use one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
