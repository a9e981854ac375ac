"""Which members score the rest of a run, so that it ends within its budget.

A pure function of what was measured: it is called again and again while machines slow down or
recover, and can be tried by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DROPPED = 0
"""Thinning of a member that does not score at all."""

THINNINGS = (1, 2, 4)
"""A member scores all, every second or every fourth of its contexts before it is dropped."""

LAST_THINNINGS = (1, 2, 4, 8, 16)
"""Of the member that is kept longest, which is never dropped."""

RESTORE_SHARE = 0.9
"""A member gets more to do only if the run then takes less than this share of the time left.

The gap to 1 keeps a plan from changing to and fro with every small change of the machine's speed.
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a member costs.

    Parameters
    ----------
    name
        Of the member.
    priority
        1 is kept longest; the members with the highest number give way first, of equal ones the
        later in the list.
    seconds
        Of one worker for each window where nothing is left out; None before it was measured.
    group
        Members of one group share the seconds of preparing their input.
    """

    name: str
    priority: int
    seconds: float | None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What is left, and what there is for it.

    Parameters
    ----------
    windows
        That are not scored yet.
    seconds
        Until the deadline; None for a run without one.
    workers
        Cores that work side by side.
    shared
        Seconds of one worker for each window to prepare the input of a group.
    fixed
        Seconds for each window to decode it, whoever scores it.
    overhead
        Seconds that pass for each second accounted for: waiting, other programs.
    """

    windows: float
    seconds: float | None
    workers: int
    shared: Mapping[str, float]
    fixed: float = 0.0
    overhead: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What each member does with the windows that are left.

    Parameters
    ----------
    thinning
        By member: 1 for all contexts, ``k`` for every ``k``-th, :data:`DROPPED` for none.
    seconds
        That the rest takes by this plan.
    fits
        Whether that is within the time left.
    """

    thinning: Mapping[str, int]
    seconds: float
    fits: bool


def everything(loads: Sequence[Load]) -> Plan:
    """Return the plan by which every member does all it can."""
    return Plan({load.name: 1 for load in loads}, 0.0, True)


def projected(thinning: Mapping[str, int], loads: Sequence[Load], work: Work) -> float:
    """Return the seconds that the rest of a run takes by a plan.

    Members that were not measured cost nothing yet. Preparing for a group costs as much as the
    member of it asks for that is thinned least.
    """
    active = [load for load in loads if thinning[load.name] != DROPPED]
    if not active:
        return 0.0
    each = work.fixed + sum((load.seconds or 0.0) / thinning[load.name] for load in active)
    for group in {load.group for load in active}:
        least = min(thinning[load.name] for load in active if load.group == group)
        each += work.shared.get(group, 0.0) / least
    return each * work.windows * work.overhead / max(1, work.workers)


def make_plan(loads: Sequence[Load], work: Work, now: Mapping[str, int] | None = None) -> Plan:
    """Return the plan for the rest of a run.

    Members give way in the order of their priority, the highest number first: thinned step by
    step, then dropped, until the rest fits. What is thinned or dropped comes back, the lowest
    number first, where it fits with room to spare (:data:`RESTORE_SHARE`). The member that is
    kept longest is thinned further than others and never dropped: where even that does not fit,
    recordings are scored as far as the time goes.

    Parameters
    ----------
    loads
        The members.
    work
        What is left.
    now
        The plan in force, by member; all members in full when not given.
    """
    thinning = {load.name: (now or {}).get(load.name, 1) for load in loads}
    if work.seconds is None:
        thinning = dict.fromkeys(thinning, 1)
    elif loads:
        _reduce(thinning, loads, work)
        _restore(thinning, loads, work)
    seconds = projected(thinning, loads, work)
    return Plan(thinning, seconds, work.seconds is None or seconds <= work.seconds)


def by_importance(loads: Sequence[Load]) -> list[Load]:
    """Return the members with the one that is kept longest first."""
    return sorted(loads, key=lambda load: load.priority)


def _reduce(thinning: dict[str, int], loads: Sequence[Load], work: Work) -> None:
    assert work.seconds is not None
    ordered = by_importance(loads)
    for load in reversed(ordered):
        for step in _steps(load is ordered[0]):
            if projected(thinning, loads, work) <= work.seconds:
                return
            if _less(step, thinning[load.name]):
                thinning[load.name] = step


def _restore(thinning: dict[str, int], loads: Sequence[Load], work: Work) -> None:
    assert work.seconds is not None
    ordered = by_importance(loads)
    for load in ordered:
        for step in _steps(load is ordered[0]):
            if not _less(thinning[load.name], step):
                break
            tried = {**thinning, load.name: step}
            if projected(tried, loads, work) <= RESTORE_SHARE * work.seconds:
                thinning[load.name] = step
                break


def _steps(last: bool) -> tuple[int, ...]:
    return LAST_THINNINGS if last else (*THINNINGS, DROPPED)


def _less(one: int, other: int) -> bool:
    """Return whether thinning by ``one`` leaves less work than by ``other``."""
    return one != other and (one == DROPPED or (other != DROPPED and one > other))
