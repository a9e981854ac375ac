"""Score prepared pieces with every member that is to, and put what they say on disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from antiphon.engine.local import describe
from antiphon.soundscape.members.member import MemberScores
from antiphon.soundscape.run.activity import ActivityBoard
from antiphon.soundscape.run.dispatch import Dispatcher
from antiphon.soundscape.run.hearing import piece_scores
from antiphon.soundscape.run.job import Job
from antiphon.soundscape.run.journal import JournalWriter, piece_key
from antiphon.soundscape.run.preparing import Loaded, PreparedPiece
from antiphon.soundscape.run.timings import Timings

STRIKES = 3
"""Pieces on which a member may fail before it is given up."""


class Scorer:
    """Scores pieces; safe from several threads.

    Parameters
    ----------
    job
        The job.
    members
        Those that are loaded.
    dispatcher
        Told what is done, what failed, and who is given up.
    journal
        Where scores go.
    board, timings
        Told what is being done, and what it took.
    usage
        Returns what this process has used so far.
    """

    def __init__(
        self,
        job: Job,
        members: Sequence[Loaded],
        dispatcher: Dispatcher,
        journal: JournalWriter,
        board: ActivityBoard,
        timings: Timings,
        usage: Callable[[], dict[str, float]],
    ) -> None:
        self._members = {one.number: one for one in members}
        self._job, self._dispatcher, self._journal = job, dispatcher, journal
        self._board, self._timings, self._usage = board, timings, usage
        self._strikes = dict.fromkeys(self._members, 0)
        self._lock = threading.Lock()

    def unread(self, piece: int, error: BaseException) -> None:
        """Take in that a piece cannot be read."""
        self._journal.note("unread", piece=self._key(piece), reason=describe(error))
        self._dispatcher.finished(piece)

    def score(self, ready: PreparedPiece) -> None:
        """Score a piece with its members, one after the other."""
        for number in ready.hearings:
            if not self._dispatcher.still_wanted(number):
                continue
            one = self._members[number]
            try:
                self._score(ready, one)
            except _LateError:
                continue
            except _FailedError as failure:
                self._strike(ready.number, one, str(failure))
        self._journal.note("piece", piece=self._key(ready.number), **self._usage())
        self._dispatcher.finished(ready.number)

    def _score(self, ready: PreparedPiece, one: Loaded) -> None:
        chunks, order = ready.of(one.number)
        found: list[MemberScores] = []
        total = 0.0
        for chunk in chunks:
            if chunk.prepared is None:
                raise _FailedError(f"its front end failed: {chunk.failure}")
            if not self._dispatcher.still_wanted(one.number):
                raise _LateError
            begin = time.perf_counter()
            try:
                with self._board.at("scoring", one.number, ready.number):
                    found.append(one.member.score(chunk.prepared))
            except Exception as error:
                raise _FailedError(describe(error)) from error
            seconds = time.perf_counter() - begin
            self._timings.add(("score", one.number), len(chunk.starts), seconds)
            total += seconds
        if not chunks:
            return
        try:
            scores = piece_scores(found, order, ready.hearings[one.number], one.spec)
        except Exception as error:
            raise _FailedError(describe(error)) from error
        thinning = ready.thinning[one.number]
        key = self._key(ready.number)
        self._journal.add(key, one.spec.key, scores, thinning=thinning, seconds=total)
        self._dispatcher.scored(ready.number, one.number, thinning)

    def _strike(self, piece: int, one: Loaded, reason: str) -> None:
        self._dispatcher.refuse(piece, one.number)
        self._journal.note("failed", member=one.spec.key, piece=self._key(piece), reason=reason)
        with self._lock:
            self._strikes[one.number] += 1
            out = self._strikes[one.number] == STRIKES
        if out:
            said = f"It failed on {STRIKES} pieces, last with: {reason}"
            self._journal.note("dropped", member=one.spec.key, reason=said)
            self._dispatcher.drop(one.number)

    def _key(self, piece: int) -> str:
        return piece_key(self._job.pieces[piece], self._job.window_s)


class _FailedError(Exception):
    """A member failed on a piece."""


class _LateError(Exception):
    """The plan changed, or the time is up, while a member scored."""
