"""What is known of jobs: running ones and those of the past, kept in the project's catalogue."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import select

from antiphon.store.locks import try_lock
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Event

_EVENT = "job"

Kind = Literal["train", "batch"]
State = Literal["running", "done", "waiting", "failed", "cancelled", "interrupted"]


class Step(BaseModel):
    """A part of a job: ``todo``, ``running``, ``done`` or ``skipped``; times when it is over."""

    name: str
    title: str
    state: Literal["todo", "running", "done", "skipped"] = "todo"
    seconds: float | None = None
    cpu_s: float | None = None


class Measured(BaseModel):
    """A number with its interval; None where there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Outcome(BaseModel):
    """What a job brought.

    Parameters
    ----------
    detector
        Name of the new detector; None if nothing could be trained.
    windows, groups, group_by
        Labelled windows it was trained on, and the recordings, sites or days they come from.
    untrained
        Labels that could not be learnt, each with the reason.
    labels_spent
        Labelled spans at that time.
    average_precision
        Mean over labels, on held-out groups.
    queue, left
        The queue that was renewed, and the windows it has left.
    notes
        What was left out and why, one sentence each.
    """

    detector: str | None = None
    windows: int = 0
    groups: int = 0
    group_by: str = ""
    untrained: dict[str, str] = Field(default_factory=dict)
    labels_spent: int | None = None
    average_precision: Measured | None = None
    queue: int | None = None
    left: int | None = None
    notes: list[str] = Field(default_factory=list)


class Job(BaseModel):
    """One job.

    Parameters
    ----------
    id
        Random, so that two servers never give the same.
    kind
        ``train``: train, renew the queue, measure; ``batch``: only renew the queue.
    state
        ``waiting``: nothing could be trained yet, the outcome's notes say what is missing;
        ``failed``: ``error`` says why; ``interrupted``: its server died.
    by
        Who started it; None if it started by itself.
    server
        Which running app does it.
    answers_until
        Largest id of an answer when it began; later answers count for the next one.
    """

    id: str
    kind: Kind
    state: State = "running"
    by: str | None = None
    server: str = ""
    answers_until: int = 0
    began: datetime = Field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    steps: list[Step] = Field(default_factory=list)
    outcome: Outcome | None = None
    error: str | None = None


def lock_path(folder: ProjectFolder) -> Path:
    """Return the file whose lock the one training of a project holds."""
    return folder.root / "training.lock"


def is_busy(folder: ProjectFolder) -> bool:
    """Return whether a living process trains on the project."""
    lock = try_lock(lock_path(folder))
    if lock is None:
        return True
    lock.release()
    return False


def keep_job(folder: ProjectFolder, job: Job) -> None:
    """Keep how a job stands."""
    folder.catalogue.add_event(_EVENT, job.model_dump(mode="json"))


class JobHistory:
    """All jobs of a project, read on from where the last look ended.

    Parameters
    ----------
    folder
        The project.
    """

    def __init__(self, folder: ProjectFolder) -> None:
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._seen = 0
        self._lock = threading.Lock()

    def load(self) -> list[Job]:
        """Return all jobs in the order they began, as they were last kept."""
        query = (
            select(Event.id, Event.data)
            .where(Event.kind == _EVENT, Event.id > self._seen)
            .order_by(Event.id)
        )
        with self._lock:
            with self._folder.catalogue.database.read() as connection:
                rows = connection.execute(query).all()
            for number, data in rows:
                job = Job.model_validate(data)
                self._jobs[job.id] = job
                self._seen = number
            return [job.model_copy(deep=True) for job in self._jobs.values()]
