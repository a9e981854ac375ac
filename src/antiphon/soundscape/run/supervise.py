"""Watch over the scoring process: give up what kills it, keep the file current, end in time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from antiphon.engine.progress import Reporter
from antiphon.soundscape.run.activity import Activity, ActivityBoard, Doing, crashed, overdue
from antiphon.soundscape.run.child import DISK_FULL, DONE
from antiphon.soundscape.run.job import Job, MemberSpec, write_job
from antiphon.soundscape.run.journal import JournalWriter, piece_key
from antiphon.soundscape.run.process import ScoringProcess, death
from antiphon.soundscape.run.results import Results
from antiphon.store.faults import disk_full

Ending = Literal["done", "deadline", "interrupted", "gave up"]

MOST_RESTARTS = 10
"""Times that the scoring process is started again, beyond one for each member."""

_TICK_S = 0.1
# A rewrite may take this share of the parent's time, and comes no sooner than this.
_REWRITE_SHARE, _REWRITE_S = 0.02, 2.0
# Front ends run in the same code for all members, so the recording is tried first as the cause.
_FRONT_END_LIVES = 2


@dataclass(slots=True)
class Limits:
    """How long things may take, in seconds.

    Parameters
    ----------
    hang_s
        One step of a member or a decoder.
    load_s
        Loading a member, which may time several runtimes.
    """

    hang_s: float = 120.0
    load_s: float = 600.0

    def by_activity(self) -> dict[Doing, float]:
        """Return the limit of each activity."""
        hang = self.hang_s
        return {"loading": self.load_s, "reading": hang, "preparing": hang, "scoring": hang}


@dataclass(slots=True)
class Watched:
    """What happened while a job was done.

    Parameters
    ----------
    ending
        Why it ended.
    crashes
        What killed the scoring process, or hung in it, a sentence each.
    fault
        Why it was given up, else empty.
    rewrites
        How often the file was written while it ran.
    """

    ending: Ending = "done"
    crashes: list[str] = field(default_factory=list)
    fault: str = ""
    rewrites: int = 0


class Supervisor:
    """Has a job done, whatever its members do.

    Parameters
    ----------
    job
        The job; its deadline is the one that the scoring process keeps.
    members
        All members.
    results
        Follows the journal.
    rewrite
        Writes the file anew.
    limits
        How long things may take.
    kill_at
        Returns the seconds of :func:`time.monotonic` at which the process is killed, given how
        long the last rewrite took.
    reporter
        Told how many windows are done.
    """

    def __init__(
        self,
        job: Job,
        members: Sequence[MemberSpec],
        results: Results,
        rewrite: Callable[[], None],
        limits: Limits,
        kill_at: Callable[[float], float],
        reporter: Reporter,
    ) -> None:
        self._job, self._members, self._results = job, members, results
        self._rewrite, self._limits, self._kill_at = rewrite, limits, kill_at
        self._reporter = reporter
        self._front_ends: Counter[int] = Counter()
        self._killed = 0
        self._cost = 0.0
        self._last = time.monotonic()
        self._scored: set[int] = set()
        self._fresh = False

    def run(self) -> Watched:
        """Do the job.

        Raises
        ------
        DiskFullError
            There is no space for the journal or the file; the last whole file stays.
        FileError
            The file cannot be written; likewise.
        """
        watched = Watched()
        job_file = self._job.journal / "job.json"
        left = MOST_RESTARTS + len(self._members)
        board = ActivityBoard.create(self._job.board, self._job.threads)
        while True:
            board.clear()
            write_job(job_file, self._job)
            process = ScoringProcess(job_file)
            hung: Activity | None = None
            try:
                hung = self._watch(process, board, watched)
                code = process.code
            except KeyboardInterrupt:
                watched.ending, code = "interrupted", None
            finally:
                process.end()
            self._update()
            if watched.ending in ("deadline", "interrupted") or code == DONE:
                return watched
            if code == DISK_FULL:
                raise disk_full(self._job.journal)
            left -= 1
            if left < 0:
                watched.ending = "gave up"
                watched.fault = watched.crashes[-1]
                return watched
            if hung is not None:
                self._blame([hung], "did not end", watched)
            else:
                assert code is not None
                self._blame(crashed(board.busy(), process.said), _how(code, process), watched)
                self._spare(code)

    def _watch(
        self, process: ScoringProcess, board: ActivityBoard, watched: Watched
    ) -> Activity | None:
        """Follow the process to its end or its deadline; return what hangs, if anything does."""
        limits = self._limits.by_activity()
        while process.code is None:
            time.sleep(_TICK_S)
            self._update()
            now = time.monotonic()
            end = self._kill_at(self._cost)
            if now >= end:
                watched.ending = "deadline"
                return None
            if late := overdue(board.busy(), now, limits):
                return late[0]
            if self._fresh and rewrite_is_due(now - self._last, self._cost, end - now):
                self._rewrite()
                self._last = time.monotonic()
                self._cost, self._fresh = self._last - now, False
                watched.rewrites += 1
        return None

    def _update(self) -> None:
        if not self._results.update():
            return
        self._fresh = True
        done = {i for member in self._results.members.values() for i in member.blocks}
        self._reporter.advance(sum(len(self._job.pieces[i]) for i in done - self._scored))
        self._scored = done

    def _spare(self, code: int) -> None:
        """Use fewer workers where the process was killed and nothing it did alone explains it.

        It is most likely the system that kills it for its memory.
        """
        self._killed = self._killed + 1 if code == -9 and self._job.alone else 0
        if self._killed > 1:
            self._job = replace(self._job, workers=max(1, self._job.workers // 2))

    def _blame(self, suspects: list[Activity], how: str, watched: Watched) -> None:
        """Give up what killed the process; where it may be several things, try them alone."""
        if len(suspects) != 1:
            pieces = tuple(dict.fromkeys(one.piece for one in suspects if one.piece >= 0))
            then = "; what it did is tried one by one." if pieces else "."
            watched.crashes.append(f"The scoring process {how}{then}")
            self._job = replace(self._job, alone=pieces)
            return
        one = suspects[0]
        self._job = replace(self._job, alone=())
        where = "" if one.piece < 0 else f" {self._job.pieces[one.piece].recording.path}"
        said = f"The scoring process {how} while {one.doing}{where}"
        front_end = one.doing == "preparing" and one.member >= 0
        if front_end:
            self._front_ends[one.member] += 1
        with JournalWriter(self._job.journal) as journal:
            if one.doing in ("loading", "scoring") or (
                front_end and self._front_ends[one.member] >= _FRONT_END_LIVES
            ):
                spec = self._members[one.member]
                watched.crashes.append(f"{said} with {spec.name}, which is given up.")
                journal.note("dropped", member=spec.key, reason=f"{said}.", fatal=True)
            elif one.piece >= 0:
                piece = self._job.pieces[one.piece]
                watched.crashes.append(f"{said}, which is left out.")
                key = piece_key(piece, self._job.window_s)
                journal.note("unread", piece=key, reason=f"{said}.", fatal=True)
            else:
                watched.crashes.append(f"{said}.")


def rewrite_is_due(since_s: float, cost_s: float, left_s: float) -> bool:
    """Return whether the file is to be written anew while members score.

    Parameters
    ----------
    since_s
        Seconds since the last time.
    cost_s
        That it took.
    left_s
        Until the last file is written, which must not wait for this one.
    """
    return since_s >= max(_REWRITE_S, cost_s / _REWRITE_SHARE) and cost_s < left_s


def _how(code: int, process: ScoringProcess) -> str:
    if code < 0:
        return f"died ({death(code)})"
    lines = [line for line in process.said.splitlines() if line.strip()]
    return f"ended with {death(code)}" + (f" ({lines[-1].strip()})" if lines else "")
