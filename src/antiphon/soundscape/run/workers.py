"""Threads of the scoring process: some read and prepare ahead, one for each core scores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping

from antiphon.soundscape.run.dispatch import Dispatcher, Task
from antiphon.soundscape.run.job import Job
from antiphon.soundscape.run.preparing import Loaded, PreparedPiece, Preparer
from antiphon.soundscape.run.scoring import Scorer


class Workers:
    """Run a job's pieces through preparing and scoring, in memory that does not grow.

    At most ``workers`` pieces wait between the two; every other one is in some thread's hands.

    Parameters
    ----------
    job
        The job.
    members
        Those that are loaded, by number.
    dispatcher, preparer, scorer
        What is next, and what is done with it.
    """

    def __init__(
        self,
        job: Job,
        members: Mapping[int, Loaded],
        dispatcher: Dispatcher,
        preparer: Preparer,
        scorer: Scorer,
    ) -> None:
        self._job, self._members = job, members
        self._dispatcher, self._preparer, self._scorer = dispatcher, preparer, scorer
        self._ready: queue.Queue[PreparedPiece | None] = queue.Queue(maxsize=max(1, job.workers))
        self._stop = threading.Event()
        self._error: BaseException | None = None

    def one_by_one(self) -> None:
        """Do the pieces of :attr:`Job.alone`, in this thread."""
        for piece in self._job.alone:
            task = self._dispatcher.alone(piece)
            if task is None:
                continue
            ready = self._prepare(task)
            if ready is not None:
                self._scorer.score(ready)

    def all(self) -> None:
        """Do all other pieces.

        Raises
        ------
        Exception
            What went wrong in a thread and is no fault of a member or a recording, such as a full
            disk.
        """
        preparers = [self._thread(self._prepare_all) for _ in range(self._job.preparers)]
        workers = [self._thread(self._score_all) for _ in range(self._job.workers)]
        for thread in preparers:
            thread.join()
        for _ in workers:
            self._put(None)
        for thread in workers:
            thread.join()
        if self._error is not None:
            raise self._error

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._error = self._error or error
                self._stop.set()
                self._dispatcher.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _prepare_all(self) -> None:
        while not self._stop.is_set():
            task = self._dispatcher.next()
            if task is None:
                return
            ready = self._prepare(task)
            if ready is not None:
                self._put(ready)

    def _prepare(self, task: Task) -> PreparedPiece | None:
        wanted = {k: (self._members[k], thinning) for k, thinning in task.thinning.items()}
        try:
            return self._preparer.prepare(task.piece, self._job.pieces[task.piece], wanted)
        # Whatever a decoder throws is the recording's fault and costs that recording only.
        except Exception as error:
            self._scorer.unread(task.piece, error)
            return None

    def _score_all(self) -> None:
        while not self._stop.is_set():
            try:
                ready = self._ready.get(timeout=0.1)
            except queue.Empty:
                continue
            if ready is None:
                return
            self._scorer.score(ready)

    def _put(self, ready: PreparedPiece | None) -> None:
        while not self._stop.is_set():
            try:
                self._ready.put(ready, timeout=0.1)
            except queue.Full:
                continue
            return
