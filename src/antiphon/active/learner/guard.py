"""Call a strategy that may be anybody's, and check what it returns."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import PoolView, Selection, Strategy
from antiphon.errors import AntiphonError, UserError

Int64 = npt.NDArray[np.int64]


class StrategyError(UserError):
    """A strategy raised, took too long, or returned what cannot be labelled."""


def ask(
    name: str, strategy: Strategy, pool: PoolView, n: int, *, time_limit_s: float | None = None
) -> Selection:
    """Return a strategy's choice of ``n`` rows, checked.

    Parameters
    ----------
    name
        For messages.
    time_limit_s
        Seconds of wall time after which the strategy is interrupted. That works in the main
        thread of a process and not on Windows; elsewhere there is no limit.

    Raises
    ------
    StrategyError
        Naming the strategy, if it raises, does not end in time, or returns duplicates, labelled
        or foreign rows, something else than whole numbers, or another number of rows.
    """
    try:
        with _limit(name, time_limit_s):
            chosen = strategy(pool, n)
    except AntiphonError:
        raise
    except Exception as error:
        raise StrategyError(
            f"Strategy {name!r} failed in cycle {pool.cycle}: {type(error).__name__}: {error}"
        ) from error
    rows = _whole_numbers(name, getattr(chosen, "rows", None))
    if len(rows) != n:
        raise StrategyError(f"Strategy {name!r} returned {len(rows)} rows; {n} were wanted.")
    if len(np.unique(rows)) != n:
        twice = np.sort(rows)[:-1][np.diff(np.sort(rows)) == 0]
        raise StrategyError(f"Strategy {name!r} returned row {int(twice[0])} more than once.")
    foreign = rows[(rows < 0) | (rows >= pool.size)]
    if len(foreign):
        raise StrategyError(
            f"Strategy {name!r} returned row {int(foreign[0])}, which is not in the pool of "
            f"{pool.size} rows."
        )
    labelled = rows[np.isin(rows, pool.labelled)]
    if len(labelled):
        raise StrategyError(
            f"Strategy {name!r} returned row {int(labelled[0])}, which is labelled already."
        )
    return Selection(rows, np.asarray(chosen.utility, np.float32))


def _whole_numbers(name: str, rows: Any) -> Int64:
    found = np.asarray(rows)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        kind = "nothing" if rows is None else f"rows of type {found.dtype} and shape {found.shape}"
        raise StrategyError(f"Strategy {name!r} returned {kind}; expected whole numbers, (n,).")
    return found.astype(np.int64)


@contextmanager
def _limit(name: str, seconds: float | None) -> Iterator[None]:
    possible = hasattr(signal, "setitimer") and (
        threading.current_thread() is threading.main_thread()
    )
    if seconds is None or not possible:
        yield
        return

    def stop(*_: object) -> None:
        raise StrategyError(f"Strategy {name!r} did not end within {seconds:g} s.")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
