"""Jobs of one running app: one at a time, by hand or after a batch of answers."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from antiphon.app.context import AppContext
from antiphon.app.jobs.preferences import load_preferences
from antiphon.app.jobs.process import Worker
from antiphon.app.jobs.queue import answers_since, current_id, current_queue, last_answer
from antiphon.app.jobs.records import (
    Job,
    JobHistory,
    Kind,
    Outcome,
    State,
    is_busy,
    keep_job,
)
from antiphon.app.jobs.steps import steps_of
from antiphon.errors import UserError

_STOP_WAIT_S = 8.0
# Answers may come in dozens a second; the database is asked no more often than this.
_PAUSE_S = 0.5

_log = logging.getLogger(__name__)


class BusyError(UserError):
    """A job is running on the project already."""


class JobRunner:
    """Does jobs in the background; everything may be called from several threads.

    Parameters
    ----------
    context
        The running app.
    """

    def __init__(self, context: AppContext) -> None:
        self._folder = context.folder
        self._history = JobHistory(context.folder)
        self._server = secrets.token_hex(6)
        self._lock = threading.RLock()
        self._job: Job | None = None
        self._worker: Worker | None = None
        self._cancelled_by: str | None = None
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="training watch", daemon=True)
        context.after_answer.append(self._answered)
        context.on_close.append(self.close)

    def start(self) -> None:
        """Begin to watch for answers, and report jobs of servers that died."""
        self.jobs()
        self._watcher.start()
        self._wake.set()

    def close(self) -> None:
        """End what is running and wait for it."""
        self._closing.set()
        self._wake.set()
        with self._lock:
            worker = self._worker
            if worker is not None:
                self._cancelled_by = "the end of the server"
                worker.cancel()
        if worker is not None:
            worker.wait(_STOP_WAIT_S)
        if self._watcher.is_alive():
            self._watcher.join(_STOP_WAIT_S)

    # Jobs

    def run(self, kind: Kind, by: str | None) -> Job:
        """Start a job.

        Parameters
        ----------
        by
            Who asked for it; None if nobody did.

        Raises
        ------
        BusyError
            If one is running, here or in another app on the same project.
        """
        with self._lock:
            if self._closing.is_set():
                raise BusyError("The server is stopping.")
            if self._job is not None and self._job.state == "running":
                raise BusyError("A training is running already; wait for it or cancel it.")
            if is_busy(self._folder):
                raise BusyError(
                    "Another running Antiphon is training on this project; wait until it is done."
                )
            self._folder.table()
            preferences = load_preferences(self._folder)
            job = Job(
                id=secrets.token_hex(6),
                kind=kind,
                by=by,
                server=self._server,
                answers_until=last_answer(self._folder),
                steps=steps_of(kind),
            )
            keep_job(self._folder, job)
            self._job, self._cancelled_by = job, None
            order = {
                "project": str(self._folder.root),
                "kind": kind,
                "preferences": preferences.model_dump(),
            }
            try:
                self._worker = Worker(
                    order, partial(self._heard, job.id), partial(self._ended, job.id)
                )
            except OSError as error:
                self._finish("failed", error=f"The training process could not start: {error}.")
                raise UserError(f"The training process could not start: {error}.") from error
            return job.model_copy(deep=True)

    def cancel(self, by: str) -> bool:
        """Cancel the running job; return whether there was one."""
        with self._lock:
            if self._worker is None or self._job is None or self._job.state != "running":
                return False
            self._cancelled_by = by
            self._worker.cancel()
            return True

    def current(self) -> Job | None:
        """Return the job that this app is doing."""
        with self._lock:
            if self._job is None or self._job.state != "running":
                return None
            return self._job.model_copy(deep=True)

    def jobs(self) -> list[Job]:
        """Return all jobs of the project, the newest first.

        One whose server died is found to be interrupted, and kept as that.
        """
        mine = self.current()
        found = self._history.load()
        for place, job in enumerate(found):
            if job.state != "running" or job.server == self._server:
                continue
            if is_busy(self._folder):
                continue
            # It may have ended between the two looks.
            fresh = next(other for other in self._history.load() if other.id == job.id)
            if fresh.state == "running":
                fresh.state = "interrupted"
                fresh.error = "The server stopped while this was running."
                keep_job(self._folder, fresh)
            found[place] = fresh
        if mine is not None:
            found = [mine if job.id == mine.id else job for job in found]
        return found[::-1]

    def waiting_answers(self) -> int:
        """Return how many answers to the queue have come in since the last training."""
        queue_id = current_id(self._folder)
        if queue_id is None:
            return 0
        return answers_since(self._folder, queue_id, self._trained_until())

    def worker_pid(self) -> int | None:
        """Return the number of the worker process."""
        with self._lock:
            return None if self._worker is None else self._worker.pid

    def look(self) -> None:
        """Look again whether a training is due, because settings have changed."""
        self._wake.set()

    # What the worker says

    def _heard(self, job: str, message: Mapping[str, Any]) -> None:
        with self._lock:
            if self._job is None or self._job.id != job:
                return
            if "step" in message:
                for step in self._job.steps:
                    if step.name == message["step"]["name"]:
                        step.__dict__.update(message["step"])
            elif "outcome" in message:
                outcome = Outcome(**message["outcome"])
                nothing = self._job.kind == "train" and outcome.detector is None
                self._finish("waiting" if nothing else "done", outcome=outcome)
            elif "error" in message:
                _log.error("training failed:\n%s", message.get("trace", message["error"]))
                self._finish("failed", error=message["error"])
            elif "cancelled" in message:
                self._finish("cancelled", error=f"Cancelled by {self._cancelled_by}.")

    def _ended(self, job: str, cause: str | None) -> None:
        with self._lock:
            # One that has said how it ended may still be winding up when the next one runs.
            if self._job is None or self._job.id != job:
                return
            if cause is not None:
                if self._cancelled_by is not None:
                    self._finish("cancelled", error=f"Cancelled by {self._cancelled_by}.")
                else:
                    self._finish("failed", error=cause)
            self._job = self._worker = None
        self._wake.set()

    def _finish(self, state: State, **facts: Any) -> None:
        assert self._job is not None
        job = self._job.model_copy(update={"state": state, "ended": datetime.now(UTC), **facts})
        # The catalogue may be what failed.
        try:
            keep_job(self._folder, job)
        except Exception:
            _log.exception("how a training ended could not be kept")
        self._job = job

    # Training by itself

    def _answered(self, _answer: object) -> None:
        self._wake.set()

    def _watch(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._closing.is_set():
                return
            try:
                self._consider()
            except Exception:
                _log.exception("whether to train could not be found out")
            self._closing.wait(_PAUSE_S)

    def _consider(self) -> None:
        """Start a job when a batch of answers is in, or when the queue runs dry."""
        preferences = load_preferences(self._folder)
        queue = current_queue(self._folder)
        if not preferences.auto or queue is None or self.current() is not None:
            return
        kind: Kind | None = None
        given = answers_since(self._folder, queue.id, self._trained_until())
        if given >= preferences.batch:
            kind = "train"
        elif queue.left == 0 and not self._just_filled():
            # All was answered or skipped, with too few answers for a training.
            kind = "train" if given else "batch"
        if kind is not None:
            with contextlib.suppress(BusyError):
                self.run(kind, None)

    def _just_filled(self) -> bool:
        """Return whether the last job tried to fill the queue, and trying again is no use."""
        jobs = self._history.load()
        if not jobs:
            return False
        outcome = jobs[-1].outcome
        nothing_left = outcome is not None and not outcome.left
        return nothing_left or jobs[-1].answers_until >= last_answer(self._folder)

    def _trained_until(self) -> int:
        trained = [job.answers_until for job in self._history.load() if job.kind == "train"]
        return max(trained, default=0)


def runner_of(context: AppContext) -> JobRunner:
    """Return the runner of a running app, the same one every time."""
    return context.service(JobRunner, lambda: JobRunner(context))
