"""The loop of labelling and training: settings, jobs, figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from antiphon.active.registry import list_strategies
from antiphon.app.jobs.figures import Figures, desk_of
from antiphon.app.jobs.preferences import (
    Preferences,
    checked,
    load_preferences,
    save_preferences,
)
from antiphon.app.jobs.queue import current_queue
from antiphon.app.jobs.records import Job, Kind
from antiphon.app.jobs.runner import BusyError, runner_of
from antiphon.app.security.identity import Context, Manager, Someone


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Watch for answers from when the server answers; the context ends it."""
    await asyncio.to_thread(runner_of(app.state.context).start)
    yield


router = APIRouter(prefix="/api/loop", tags=["loop"], lifespan=_lifespan)

_BUSY: dict[int | str, dict[str, Any]] = {409: {"description": "A training is running already."}}


class Strategy(BaseModel):
    """A way to choose windows."""

    name: str
    summary: str
    source: str
    needs_detector: bool


class Progress(BaseModel):
    """How far the queue is, and how many answers it has had since the last training."""

    id: int
    name: str
    total: int
    done: int
    skipped: int
    held: int
    left: int
    since_training: int
    strategy: str


class Loop(BaseModel):
    """How the loop stands."""

    settings: Preferences
    may_change: bool
    job: Job | None
    last: Job | None
    queue: Progress | None


class Change(BaseModel):
    """Settings to change; those left out stay."""

    model_config = ConfigDict(extra="forbid")

    strategy: str | None = Field(default=None, max_length=100)
    batch: int | None = None
    auto: bool | None = None
    target: float | None = Field(default=None, allow_inf_nan=False)
    min_gain: float | None = Field(default=None, allow_inf_nan=False)
    per_labels: int | None = None


@router.get("")
def loop(context: Context, person: Someone) -> Loop:
    """Return settings, the running job and how far the queue is."""
    runner = runner_of(context)
    jobs = runner.jobs()
    running = next((job for job in jobs if job.state == "running"), None)
    last = next((job for job in jobs if job.state != "running"), None)
    queue = current_queue(context.folder)
    progress = None
    if queue is not None:
        progress = Progress(
            id=queue.id,
            name=queue.name,
            total=queue.total,
            done=queue.done,
            skipped=queue.skipped,
            held=queue.held,
            left=queue.left,
            since_training=runner.waiting_answers(),
            strategy=str(queue.parameters.get("strategy") or ""),
        )
    return Loop(
        settings=load_preferences(context.folder),
        may_change=person.is_manager,
        job=running,
        last=last,
        queue=progress,
    )


@router.get("/figures")
def figures(context: Context, _person: Someone) -> Figures:
    """Return the learning curve, what there is of each label, cost and prediction."""
    return desk_of(context).figures(load_preferences(context.folder))


@router.get("/strategies")
def strategies(_person: Someone) -> list[Strategy]:
    """Return the ways to choose windows."""
    return [
        Strategy(
            name=card.name,
            summary=card.summary,
            source=card.source,
            needs_detector=card.needs_head,
        )
        for card in list_strategies()
    ]


@router.put("/settings")
def change_settings(context: Context, _person: Manager, change: Change) -> Preferences:
    """Change settings of the loop, for everybody."""
    before = load_preferences(context.folder)
    asked = {k: v for k, v in change.model_dump().items() if v is not None}
    after = checked(before.model_dump() | asked)
    if after != before:
        save_preferences(context.folder, after)
        runner_of(context).look()
    return after


@router.post("/train", response_model=Job, responses=_BUSY)
def train(context: Context, person: Manager) -> Job | JSONResponse:
    """Train now, on all labels there are."""
    return _start(context, "train", person.name)


@router.post("/batch", response_model=Job, responses=_BUSY)
def batch(context: Context, person: Manager) -> Job | JSONResponse:
    """Choose the windows of the queue anew, with the detector as it is."""
    return _start(context, "batch", person.name)


@router.post("/cancel")
def cancel(context: Context, person: Manager) -> dict[str, bool]:
    """Cancel the running job, if there is one."""
    return {"cancelled": runner_of(context).cancel(person.name)}


@router.get("/jobs")
def jobs(
    context: Context, _person: Someone, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[Job]:
    """Return the jobs of the project, the newest first."""
    return runner_of(context).jobs()[:limit]


def _start(context: Context, kind: Kind, by: str) -> Job | JSONResponse:
    try:
        return runner_of(context).run(kind, by)
    except BusyError as error:
        return JSONResponse({"error": str(error)}, status_code=409)
