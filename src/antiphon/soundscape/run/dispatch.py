"""Which piece is scored next, and by which members: the plan, applied and kept up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from antiphon.soundscape.run.budget import DROPPED, Load, Work, by_importance, everything, make_plan
from antiphon.soundscape.run.job import Job
from antiphon.soundscape.run.preparing import Loaded
from antiphon.soundscape.run.timings import Timings


@dataclass(frozen=True, slots=True)
class Task:
    """A piece to score.

    Parameters
    ----------
    piece
        Its number.
    thinning
        By number of the member, those that are kept longest first.
    """

    piece: int
    thinning: Mapping[int, int]


class Dispatcher:
    """Hand out pieces in order; when all were handed out, what was left out before.

    Safe from several threads.

    Parameters
    ----------
    job
        Pieces, workers and deadline.
    members
        Those that are loaded.
    timings
        What they cost.
    per_window
        Contexts that each member (by number) hears for a window when it hears all.
    done
        By number of the piece: every how many contexts members have heard already.
    skip
        Numbers of pieces that are not to be touched.
    changed
        Called with the old and the new plan (by name) and the facts that led to it.
    clock
        Seconds; as :attr:`Job.deadline` counts them.
    """

    def __init__(
        self,
        job: Job,
        members: Sequence[Loaded],
        timings: Timings,
        per_window: Mapping[int, float],
        done: Mapping[int, Mapping[int, int]],
        skip: Collection[int],
        changed: Callable[[Mapping[str, int], Mapping[str, int], Work, float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job, self._timings, self._changed, self._clock = job, timings, changed, clock
        self._members = {one.number: one for one in members}
        self._per_window = per_window
        self._done = {i: dict(done.get(i, {})) for i in range(len(job.pieces))}
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._closed = False
        skipped = {*skip, *job.alone}
        self._ahead = [i for i in range(len(job.pieces)) if i not in skipped]
        self._next = 0
        self._refused: set[tuple[int, int]] = set()
        self._out: dict[int, Task] = {}
        self.plan = everything(self._loads())
        self._replan()

    def next(self) -> Task | None:
        """Return the next piece to prepare, None when there is nothing (more) to do.

        Waits where only what is under way decides whether something is left.
        """
        with self._lock:
            while not (self._closed or self._late()):
                task = self._following() or self._left_out()
                if task is not None or not self._out:
                    return task
                self._ended.wait(timeout=0.5)
        return None

    def close(self) -> None:
        """Hand out nothing more."""
        with self._lock:
            self._closed = True
            self._ended.notify_all()

    def alone(self, piece: int) -> Task | None:
        """Return all that is to be done for one piece."""
        with self._lock:
            thinning = self._wanted(piece)
            return self._hand_out(piece, thinning) if thinning and not self._late() else None

    def still_wanted(self, member: int) -> bool:
        """Return whether a member is to score what was prepared for it."""
        with self._lock:
            if member not in self._members or self._late():
                return False
            dropped = self.plan.thinning[self._members[member].spec.name] == DROPPED
            return not dropped or self._next >= len(self._ahead)

    def scored(self, piece: int, member: int, thinning: int) -> None:
        """Take in that a member's scores of a piece are on disk."""
        with self._lock:
            before = self._done[piece].get(member, thinning)
            self._done[piece][member] = min(before, thinning)

    def refuse(self, piece: int, member: int) -> None:
        """Take in that a member cannot score a piece, so that it is not asked again."""
        with self._lock:
            self._refused.add((piece, member))

    def drop(self, member: int) -> None:
        """Take in that a member is given up."""
        with self._lock:
            self._members.pop(member, None)
            self._replan()

    def finished(self, piece: int) -> None:
        """Take in that the task of a piece has ended, and plan anew."""
        with self._lock:
            self._out.pop(piece, None)
            self._ended.notify_all()
            self._timings.tick(self._clock(), self._job.workers)
            self._replan()

    def _hand_out(self, piece: int, thinning: dict[int, int]) -> Task:
        self._out[piece] = Task(piece, thinning)
        return self._out[piece]

    def _following(self) -> Task | None:
        """Return the next piece that the plan has something to do for."""
        while self._next < len(self._ahead):
            piece = self._ahead[self._next]
            self._next += 1
            thinning = self._wanted(piece)
            if thinning:
                return self._hand_out(piece, thinning)
        return None

    def _late(self) -> bool:
        return self._job.deadline is not None and self._clock() >= self._job.deadline

    def _loads(self) -> list[Load]:
        return [
            Load(one.spec.name, one.spec.priority, self._cost(one), one.group)
            for one in self._members.values()
        ]

    def _cost(self, one: Loaded) -> float | None:
        each = self._timings.get(("score", one.number))
        return None if each is None else each * self._per_window[one.number]

    def _ordered(self) -> list[Loaded]:
        number = {one.spec.name: one for one in self._members.values()}
        return [number[load.name] for load in by_importance(self._loads())]

    def _wanted(self, piece: int) -> dict[int, int]:
        """Return who is to score a piece by the plan and has not done so."""
        return {
            one.number: self.plan.thinning[one.spec.name]
            for one in self._ordered()
            if self.plan.thinning[one.spec.name] != DROPPED
            and one.number not in self._done[piece]
            and (piece, one.number) not in self._refused
        }

    def _left_out(self) -> Task | None:
        """Return a piece that a member left out or thinned, if it can be done in time."""
        left = None if self._job.deadline is None else self._job.deadline - self._clock()
        for one in self._ordered():
            for piece in self._ahead:
                if piece in self._out:
                    continue
                if self._done[piece].get(one.number) == 1 or (piece, one.number) in self._refused:
                    continue
                needs = (self._cost(one) or 0.0) * len(self._job.pieces[piece])
                if left is not None and needs * max(1.0, self._timings.overhead) > left:
                    break
                # Asked for once only: it is on its way now, or fails.
                self._refused.add((piece, one.number))
                return self._hand_out(piece, {one.number: 1})
        return None

    def _work(self) -> Work:
        pieces = self._job.pieces
        left = sum(len(pieces[i]) for i in self._ahead[self._next :] if self._wanted_by_any(i))
        # What is being prepared and scored is half done, on average.
        under_way = len(self._out) * (sum(map(len, pieces)) / max(1, len(pieces))) / 2
        groups = {one.group: one for one in self._members.values()}
        reading = [
            self._timings.get(("read", rate))
            for rate in {one.member.sample_rate for one in self._members.values()}
        ]
        return Work(
            windows=left + under_way,
            seconds=None if self._job.deadline is None else self._job.deadline - self._clock(),
            workers=self._job.workers,
            shared={
                group: (self._timings.get(("prepare", group)) or 0.0) * self._per_window[one.number]
                for group, one in groups.items()
            },
            fixed=sum(value or 0.0 for value in reading),
            overhead=self._timings.overhead,
        )

    def _wanted_by_any(self, piece: int) -> bool:
        return any(k not in self._done[piece] for k in self._members)

    def _replan(self) -> None:
        loads, work = self._loads(), self._work()
        before = dict(self.plan.thinning)
        self.plan = make_plan(loads, work, before)
        now = dict(self.plan.thinning)
        if now != {name: before[name] for name in now}:
            self._changed(before, now, work, self.plan.seconds)
