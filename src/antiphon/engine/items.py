"""What became of the items of a run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One item that could not be done.

    Parameters
    ----------
    item
        The item's name, as a user knows it (a path).
    reason
        What went wrong and what to do, one sentence or two.
    attempts
        How often it was tried.
    """

    item: str
    reason: str
    attempts: int


@dataclass(slots=True)
class RunReport:
    """Counts and failures of one run.

    Parameters
    ----------
    done
        Items finished in this run.
    failed
        Items given up, each with its reason.
    interrupted
        True when the run was stopped before its end; what was finished is kept.
    wall_s, cpu_s
        Seconds on the clock and of processor time, all threads of this process together.
    """

    done: int = 0
    failed: list[ItemFailure] = field(default_factory=list)
    interrupted: bool = False
    wall_s: float = 0.0
    cpu_s: float = 0.0
