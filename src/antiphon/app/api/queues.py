"""Requests about queues of windows to label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.api.describing import (
    ItemInfo,
    Name,
    QueueInfo,
    item_infos,
    queue_info,
    span_of,
)
from antiphon.app.api.search import Filter
from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Person, Someone
from antiphon.app.shapes import Id, Window
from antiphon.errors import StoreError, UserError
from antiphon.pipeline.annotate.leasing import lease, release
from antiphon.pipeline.annotate.queues import (
    QueueState,
    close_queue,
    list_queues,
    make_queue,
    queue_state,
)

router = APIRouter(prefix="/api/queues", tags=["queues"])

_MOST = 10_000

Items = Annotated[list[Id], Field(max_length=1000)]


class NewQueue(BaseModel):
    """Which windows a queue is to hold.

    ``strategy`` chooses as ``antiphon next`` does; ``search`` ranks by ``like`` or by the filter's
    score; ``random`` and ``stratified`` draw with known chances, the latter over the range of the
    scores of ``label``; ``disagreement`` lists windows that people answered differently;
    ``chosen`` takes ``windows`` as they are. ``mine`` keeps it for the person who makes it.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["strategy", "search", "random", "stratified", "disagreement", "chosen"]
    n: Annotated[int, Field(ge=1, le=_MOST)] = 50
    strategy: Name | None = None
    name: Name | None = None
    mine: bool = False
    filter: Filter = Filter()
    like: Window | None = None
    windows: Annotated[list[Window], Field(max_length=_MOST)] | None = None
    label: Name | None = None
    per_recording: Annotated[int, Field(ge=1, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53)] | None = None


class Next(BaseModel):
    """How many windows more; ``holding`` are the items that the page has, held for longer."""

    model_config = ConfigDict(extra="forbid")

    n: Annotated[int, Field(ge=0, le=200)] = 1
    holding: Items = []


class Given(BaseModel):
    """Windows that are new to the page; ``lost`` are items that it has and others took.

    ``left`` counts windows that are neither answered nor skipped, held ones included.
    """

    items: list[ItemInfo]
    lost: list[int]
    left: int


class Released(BaseModel):
    """Items that the page has and will not answer."""

    model_config = ConfigDict(extra="forbid")

    items: Items


@router.get("")
def every(context: Context, person: Someone) -> list[QueueInfo]:
    """Return the queues that the person may label, the newest first; a manager sees all."""
    whose = None if person.is_manager else person.name
    return [queue_info(queue) for queue in list_queues(context.folder, person=whose)]


@router.post("")
def make(context: Context, person: Someone, new: NewQueue) -> QueueInfo:
    """Choose windows and make a queue of them."""
    windows = None if new.windows is None else [span_of(window) for window in new.windows]
    kind = "chosen" if windows is not None and new.kind == "search" else new.kind
    queue = make_queue(
        context.folder,
        context.table(),
        kind,
        len(windows) if windows else new.n,
        owner=person.name if new.mine else None,
        name=new.name,
        strategy=new.strategy or "antiphon",
        where=new.filter.to_filter(),
        like=None if new.like is None else span_of(new.like),
        windows=windows or (),
        label=new.label,
        per_recording=new.per_recording,
        seed=new.seed,
        window_set=context.windows(),
    )
    return queue_info(queue)


@router.get("/{queue_id}")
def one(context: Context, person: Someone, queue_id: Id) -> QueueInfo:
    """Return a queue and how far it is."""
    return queue_info(_allowed(context, person, queue_id))


@router.post("/{queue_id}/next")
def give(context: Context, person: Someone, queue_id: Id, body: Next) -> Given:
    """Hold the next windows for five minutes and return them; what the page has is held on."""
    _allowed(context, person, queue_id, lambda queue: queue.owner in (None, person.name))
    got = lease(context.folder, queue_id, person.name, body.n, holding=body.holding)
    return Given(items=item_infos(context, got.items), lost=list(got.lost), left=got.left)


@router.post("/{queue_id}/release")
def let_go(context: Context, person: Someone, queue_id: Id, body: Released) -> QueueInfo:
    """Let windows go, so that others get them."""
    _allowed(context, person, queue_id)
    release(context.folder, person.name, body.items)
    return queue_info(queue_state(context.folder, queue_id))


@router.post("/{queue_id}/close")
def close(context: Context, person: Someone, queue_id: Id) -> QueueInfo:
    """Close a queue: of one's own, or a shared one as a manager."""
    _allowed(
        context,
        person,
        queue_id,
        lambda queue: person.is_manager or queue.owner == person.name,
    )
    return queue_info(close_queue(context.folder, queue_id))


def _allowed(
    context: AppContext,
    person: Person,
    queue_id: int,
    may: Callable[[QueueState], bool] | None = None,
) -> QueueState:
    """Return a queue that the person may see, and use as they want to."""
    # Each request of a page that labels comes by here: the windows of other queues are not counted.
    try:
        queue = queue_state(context.folder, queue_id)
    except StoreError:
        raise
    except UserError as error:
        raise HTTPException(404, str(error)) from error
    if not (person.is_manager or queue.owner in (None, person.name)):
        raise HTTPException(404, f"There is no queue {queue_id}.")
    if may is not None and not may(queue):
        raise HTTPException(403, "This queue is not yours to change.")
    return queue
