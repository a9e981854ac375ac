"""Windows and answers as requests return them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.context import AppContext
from antiphon.app.services.shown import span_infos
from antiphon.app.shapes import Box, Window, WindowInfo
from antiphon.pipeline.annotate import said
from antiphon.pipeline.annotate.leasing import Item
from antiphon.pipeline.annotate.queues import QueueState
from antiphon.pipeline.annotate.said import Said, Span, StoredAnswer

Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=2000)]


class Suggestion(BaseModel):
    """A label that the detector finds, and its calibrated probability."""

    model_config = ConfigDict(extra="forbid")

    label: Name
    probability: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class AnswerInfo(BaseModel):
    """An answer as it is kept; ``scope`` is what ``complete`` speaks of, the time is UTC."""

    id: int
    window: Window
    annotator: str
    kind: str
    present: list[str]
    absent: list[str]
    unsure: list[str]
    complete: bool
    scope: list[str]
    boxes: list[Box]
    note: str | None
    replaces: int | None
    item: int | None
    seconds: float | None
    suggested: list[Suggestion] | None
    created_at: datetime


class ItemInfo(BaseModel):
    """A window of a queue.

    ``seen`` goes back with the answer, so that one which somebody else gave meanwhile is noticed.
    """

    item: int
    queue: int
    window: WindowInfo
    suggested: list[Suggestion]
    utility: float | None
    chance: float | None
    stratum: str | None
    answers: list[AnswerInfo]
    seen: int


class QueueInfo(BaseModel):
    """A queue and how far it is; ``owner`` is null where it is shared."""

    id: int
    name: str
    kind: str
    owner: str | None
    total: int
    done: int
    skipped: int
    held: int
    left: int
    open: bool
    parameters: dict[str, Any]
    created_at: datetime


def span_of(window: Window) -> Span:
    """Return a window of a request as a span."""
    return Span(window.recording, window.channel, window.start_s, window.end_s)


def boxes_of(boxes: Sequence[Box]) -> tuple[said.Box, ...]:
    """Return boxes of a request."""
    return tuple(said.Box(b.label, b.start_s, b.end_s, b.low_hz, b.high_hz) for b in boxes)


def answer_info(answer: StoredAnswer) -> AnswerInfo:
    """Return an answer as requests return it."""
    span, told = answer.span, answer.said
    return AnswerInfo(
        id=answer.id,
        window=Window(
            recording=span.recording_id,
            channel=span.channel,
            start_s=span.start_s,
            end_s=span.end_s,
        ),
        annotator=answer.annotator,
        kind=answer.kind,
        present=list(told.present),
        absent=list(told.absent),
        unsure=list(told.unsure),
        complete=told.complete,
        scope=list(told.scope),
        boxes=[_box(box) for box in told.boxes],
        note=told.note,
        replaces=answer.replaces,
        item=answer.item_id,
        seconds=answer.seconds,
        suggested=None if answer.suggested is None else _suggested(answer.suggested),
        created_at=answer.created_at,
    )


def to_said(
    present: Sequence[str],
    absent: Sequence[str],
    unsure: Sequence[str],
    complete: bool,
    boxes: Sequence[Box],
    note: str | None,
) -> Said:
    """Return what a request says of a window."""
    return Said(tuple(present), tuple(absent), tuple(unsure), complete, boxes_of(boxes), note)


def item_infos(context: AppContext, items: Sequence[Item]) -> list[ItemInfo]:
    """Return windows of queues as requests return them."""
    infos = span_infos(context, [item.span for item in items])
    return [
        ItemInfo(
            item=item.id,
            queue=item.queue_id,
            window=info,
            suggested=_suggested(item.suggested),
            utility=item.utility,
            chance=item.chance,
            stratum=item.stratum,
            answers=[answer_info(answer) for answer in item.answers],
            seen=item.seen,
        )
        for item, info in zip(items, infos, strict=True)
    ]


def queue_info(queue: QueueState) -> QueueInfo:
    """Return a queue as requests return it."""
    return QueueInfo(
        id=queue.id,
        name=queue.name,
        kind=queue.kind,
        owner=queue.owner,
        total=queue.total,
        done=queue.done,
        skipped=queue.skipped,
        held=queue.held,
        left=queue.left,
        open=queue.open,
        parameters=dict(queue.parameters),
        created_at=queue.created_at,
    )


def _box(box: said.Box) -> Box:
    return Box(
        label=box.label,
        start_s=box.start_s,
        end_s=box.end_s,
        low_hz=box.low_hz,
        high_hz=box.high_hz,
    )


def _suggested(found: Sequence[tuple[str, float]]) -> list[Suggestion]:
    return [
        Suggestion(label=name, probability=float(np.clip(share, 0.0, 1.0))) for name, share in found
    ]
