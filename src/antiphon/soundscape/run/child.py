"""The process that scores: ``python -m antiphon.soundscape.run.child JOB.json``.

It loads the members, scores piece by piece, and writes nothing but the journal. Its parent may
kill it at any moment; it ends by itself when its parent is gone.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from antiphon.engine.local import describe
from antiphon.errors import AntiphonError
from antiphon.soundscape.members.member import Member
from antiphon.soundscape.run.activity import ActivityBoard
from antiphon.soundscape.run.budget import Work
from antiphon.soundscape.run.dispatch import Dispatcher
from antiphon.soundscape.run.hearing import hearing
from antiphon.soundscape.run.job import Job, MemberSpec, member_specs, read_job
from antiphon.soundscape.run.journal import JournalWriter
from antiphon.soundscape.run.preparing import Loaded, Preparer
from antiphon.soundscape.run.results import Results
from antiphon.soundscape.run.scoring import Scorer
from antiphon.soundscape.run.timings import Timings
from antiphon.soundscape.run.workers import Workers
from antiphon.store.faults import is_disk_full
from antiphon.store.locks import hold

DONE, FAULT, DISK_FULL = 0, 3, 4
"""Exit codes: went to the end (or to the deadline), a fault in here, no space for the journal."""


def main(job_file: Path) -> int:
    """Do a job; return one of the exit codes above."""
    faulthandler.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        job = read_job(job_file)
        # Another process may still be about to notice that its parent is gone.
        with hold(job.journal / "scoring.lock", 60.0, "score"), JournalWriter(job.journal) as out:
            score(job, out)
            out.sync()
    except (AntiphonError, OSError) as error:
        sys.stderr.write(f"{describe(error)}\n")
        return DISK_FULL if is_disk_full(error) else FAULT
    return DONE


def score(job: Job, journal: JournalWriter) -> None:
    """Load the members of a job and score what is not in the journal yet."""
    specs = member_specs(job.members, job.ensemble)
    results = Results(job.journal, job.pieces, specs, job.window_s)
    results.update(earlier=True)
    board = ActivityBoard(job.board, job.threads)
    timings = Timings()
    members = _load(job, specs, results, board, journal)
    numbers = {one.spec.name: one.number for one in members}
    done: dict[int, dict[int, int]] = {}
    for name, number in numbers.items():
        for piece, block in results.members[name].blocks.items():
            done.setdefault(piece, {})[number] = block.thinning

    def changed(
        before: Mapping[str, int], now: Mapping[str, int], work: Work, seconds: float
    ) -> None:
        journal.note(
            "plan",
            before=dict(before),
            now=dict(now),
            windows_left=round(work.windows),
            seconds_left=None if work.seconds is None else round(work.seconds, 1),
            seconds_needed=round(seconds, 1),
            overhead=round(work.overhead, 2),
        )

    if job.deadline is not None:
        _time(members, board, timings)
    dispatcher = Dispatcher(
        job, members, timings, _per_window(job, members), done, results.unread, changed
    )
    scorer = Scorer(job, members, dispatcher, journal, board, timings, usage)
    preparer = Preparer(job.window_s, board, timings)
    workers = Workers(job, {m.number: m for m in members}, dispatcher, preparer, scorer)
    journal.note("ready", **usage())
    workers.one_by_one()
    workers.all()


def _load(
    job: Job,
    specs: list[MemberSpec],
    results: Results,
    board: ActivityBoard,
    journal: JournalWriter,
) -> list[Loaded]:
    """Load the members, those that are kept longest first; one that cannot be is given up."""
    loaded = []
    for number, spec in sorted(enumerate(specs), key=lambda item: item[1].priority):
        if results.members[spec.name].dropped:
            continue
        begin = time.perf_counter()
        try:
            with board.at("loading", number):
                member = spec.load(job.workers)
            # Settings that do not fit the network would else fail on every recording, as if that
            # was at fault, and take the other members along.
            _contexts_per_window(job, spec, member)
        except Exception as error:
            reason = f"It could not be loaded: {describe(error)}"
            journal.note("dropped", member=spec.key, reason=reason)
            continue
        # Members that are networks say which runtime they took and what they tried.
        tried = getattr(member, "report", None)
        facts = {} if tried is None else {"runtime": tried.to_json()}
        seconds = round(time.perf_counter() - begin, 3)
        journal.note(
            "loaded", member=spec.key, seconds=seconds, classes=list(member.classes), facts=facts
        )
        loaded.append(Loaded(number, spec, member))
    return sorted(loaded, key=lambda one: one.number)


def _time(members: list[Loaded], board: ActivityBoard, timings: Timings) -> None:
    """Time each member on one context, so that the first plan knows who is far too slow."""
    for one in sorted(members, key=lambda one: one.spec.priority):
        seconds = _seconds(one, board)
        # The first call of a network also makes its buffers.
        if seconds < 1.0:
            seconds = _seconds(one, board)
        timings.add(("score", one.number), 1, seconds)


def _seconds(one: Loaded, board: ActivityBoard) -> float:
    length = round(one.member.context_s * one.member.sample_rate)
    silence, valid = np.zeros((1, length), np.float32), np.array([length], np.int64)
    begin = time.perf_counter()
    # What fails here will fail on recordings too, where it is told of and counted.
    with suppress(Exception), board.at("scoring", one.number):
        one.member.score(one.member.prepare(silence, valid))
    return time.perf_counter() - begin


def _per_window(job: Job, members: list[Loaded]) -> dict[int, float]:
    """Return how many contexts each member hears for a window, on a typical piece."""
    return {one.number: _contexts_per_window(job, one.spec, one.member) for one in members}


def _contexts_per_window(job: Job, spec: MemberSpec, member: Member) -> float:
    if not job.pieces:
        return 1.0
    piece = sorted(job.pieces, key=len)[len(job.pieces) // 2]
    samples = max(1, round(piece.recording.duration_s * member.sample_rate))
    whole = hearing(member, spec, piece.start_s, job.window_s, samples)
    return len(whole.plan) / len(piece)


def usage() -> dict[str, float]:
    """Return the most memory (MB) and the processor time (s) that this process has used.

    Memory is 0 where the system does not tell.
    """
    return {"rss_mb": round(_peak_mb(), 1), "cpu_s": round(time.process_time(), 4)}


def _peak_mb() -> float:
    # What getrusage gives on Linux begins with the parent's memory at the time of the fork.
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    with suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1e6 if sys.platform == "darwin" else 1024)
    return 0.0


def _end_with_parent() -> None:
    """End when standard input does: the parent holds the other end for as long as it lives."""
    while os.read(0, 1):
        pass
    os._exit(FAULT)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
