"""Call a strategy that may be anybody's, and check what it returns."""

from __future__ import annotations

import queue
import signal
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import PoolView, Selection, Strategy
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# A strategy that swallows the interruption is interrupted again after so many seconds.
_AGAIN_S = 1.0


class StrategyError(UserError):
    """A strategy raised, took too long, or returned what cannot be labelled."""


class _LateError(BaseException):
    """Time is up; not an Exception, so that a strategy's ``except Exception`` lets it pass."""


def ask(
    name: str, strategy: Strategy, pool: PoolView, n: int, *, time_limit_s: float | None = None
) -> Selection:
    """Return a strategy's choice of ``n`` rows, checked.

    Parameters
    ----------
    name
        For messages.
    time_limit_s
        Seconds of wall time after which the strategy is given up; None for no limit. In the main
        thread it is interrupted, as soon as it runs Python code. In other threads, and on
        Windows, nothing can interrupt it: it runs in a thread that is left behind and ends with
        the process.

    Raises
    ------
    StrategyError
        Naming the strategy, if it raises or exits, does not end in time, or returns duplicates,
        labelled or foreign rows, something else than whole numbers, another number of rows, or
        utilities that do not go with them.
    """
    try:
        if time_limit_s is None:
            chosen = strategy(pool, n)
        elif _can_interrupt():
            chosen = _interrupted(strategy, pool, n, time_limit_s)
        else:
            chosen = _in_thread(strategy, pool, n, time_limit_s)
    except StrategyError:
        raise
    except _LateError:
        raise StrategyError(
            f"Strategy {name!r} did not end within {time_limit_s:g} s in cycle {pool.cycle}."
        ) from None
    except (Exception, SystemExit) as error:
        raise StrategyError(
            f"Strategy {name!r} failed in cycle {pool.cycle}: {type(error).__name__}: {error}"
        ) from error
    rows = _checked_rows(name, getattr(chosen, "rows", None), pool, n)
    return Selection(rows, _checked_utility(name, getattr(chosen, "utility", None), n))


def _checked_rows(name: str, rows: Any, pool: PoolView, n: int) -> Int64:
    found = _array(rows)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        kind = "nothing" if rows is None else f"rows of type {found.dtype} and shape {found.shape}"
        raise StrategyError(f"Strategy {name!r} returned {kind}; expected whole numbers, (n,).")
    found = found.astype(np.int64)
    if len(found) != n:
        raise StrategyError(f"Strategy {name!r} returned {len(found)} rows; {n} were wanted.")
    in_order = np.sort(found)
    twice = in_order[:-1][np.diff(in_order) == 0]
    if len(twice):
        raise StrategyError(f"Strategy {name!r} returned row {int(twice[0])} more than once.")
    foreign = found[(found < 0) | (found >= pool.size)]
    if len(foreign):
        raise StrategyError(
            f"Strategy {name!r} returned row {int(foreign[0])}, which is not in the pool of "
            f"{pool.size} rows."
        )
    labelled = found[np.isin(found, pool.labelled)]
    if len(labelled):
        raise StrategyError(
            f"Strategy {name!r} returned row {int(labelled[0])}, which is labelled already."
        )
    return found


def _checked_utility(name: str, utility: Any, n: int) -> Float32:
    found = _array(utility)
    if found.shape != (n,) or found.dtype.kind not in "fiub":
        kind = f"type {found.dtype} and shape {found.shape}"
        raise StrategyError(
            f"Strategy {name!r} returned utilities of {kind}; expected one number for each row."
        )
    numbers: Float32 = found.astype(np.float32)
    if np.isnan(numbers).any():
        raise StrategyError(f"Strategy {name!r} returned a utility that is not a number (NaN).")
    return numbers


def _array(thing: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(thing)
    except ValueError:
        # Rows of different lengths.
        return np.empty((), dtype=object)


def _can_interrupt() -> bool:
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer")


def _interrupted(strategy: Strategy, pool: PoolView, n: int, seconds: float) -> Selection:
    def stop(*_: object) -> None:
        raise _LateError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        return strategy(pool, n)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _in_thread(strategy: Strategy, pool: PoolView, n: int, seconds: float) -> Selection:
    answer: queue.SimpleQueue[Selection | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            answer.put(strategy(pool, n))
        except BaseException as error:
            answer.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise _LateError from None
    if isinstance(found, BaseException):
        raise found
    return found
