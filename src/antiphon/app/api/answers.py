"""Requests that answer a window, take answers back, and tell what was answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.api.describing import (
    AnswerInfo,
    ItemInfo,
    Key,
    Names,
    Suggestion,
    answer_info,
    item_infos,
    span_of,
    to_said,
)
from antiphon.app.api.settling import check_settler
from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Person, Someone
from antiphon.app.shapes import Box, Id, Window
from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import (
    AnswerConflict,
    StoredAnswer,
    answer,
    history,
    standing,
    undo,
)
from antiphon.pipeline.annotate.leasing import item_of
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.annotate.sharing import to_answer

router = APIRouter(prefix="/api/answers", tags=["answers"])

_WITHHELD = (
    "Somebody else answered this window meanwhile. It waits in a queue of yours; answer it before "
    "you see what others said."
)

Moment = Annotated[float, Query(ge=0.0, allow_inf_nan=False)]


class NewAnswer(BaseModel):
    """What a person says of a window.

    ``key`` is made up by the client, one for each answer; sent twice, the answer is kept once.
    ``seen`` is what came with the window; without it nobody checks for answers given meanwhile.
    ``suggested`` is null when suggestions were hidden.
    """

    model_config = ConfigDict(extra="forbid")

    window: Window
    present: Names = []
    absent: Names = []
    unsure: Names = []
    complete: bool = False
    boxes: Annotated[list[Box], Field(max_length=1000)] = []
    note: Annotated[str, Field(max_length=10_000)] | None = None
    kind: Literal["answer", "skip", "settle"] = "answer"
    key: Key
    seen: Id | None = None
    item: Id | None = None
    seconds: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    suggested: Annotated[list[Suggestion], Field(max_length=2000)] | None = None
    force: bool = False


class Undo(BaseModel):
    """Take an answer back; ``key`` as in a new answer."""

    model_config = ConfigDict(extra="forbid")

    key: Key


class Undone(BaseModel):
    """What taking back did: the row that was added, what stands now, the item that is open again.

    ``item`` is null where the answer closed none. Somebody else's settlement that stands again is
    withheld as long as the window waits in a queue of the person's own.
    """

    retracted: AnswerInfo
    standing: AnswerInfo | None
    item: ItemInfo | None


class Conflict(BaseModel):
    """Somebody else answered the window since it was shown; ``answers`` is what they say.

    They are left out where the window waits in a queue of the person's own.
    """

    error: str
    answers: list[AnswerInfo]


class Answers(BaseModel):
    """Answers, the newest first, with all that were taken back; ``standing`` is what counts."""

    answers: list[AnswerInfo]
    standing: list[AnswerInfo]
    withheld: int = 0


@router.post("", responses={409: {"model": Conflict}})
def post(context: Context, person: Someone, new: NewAnswer) -> AnswerInfo:
    """Keep an answer; it is committed when this returns."""
    span = span_of(new.window)
    if new.kind == "settle":
        check_settler(context, person, span)
    told = to_said(new.present, new.absent, new.unsure, new.complete, new.boxes, new.note)
    try:
        stored = answer(
            context.folder,
            person.name,
            span,
            told,
            kind=new.kind,
            key=new.key,
            seen=new.seen,
            item=new.item,
            seconds=new.seconds,
            suggested=None
            if new.suggested is None
            else [(one.label, one.probability) for one in new.suggested],
            force=new.force,
        )
    except AnswerConflict as conflict:
        shown = list(filter(_open_to(context, person), conflict.answers))
        body = Conflict(
            error=str(conflict) if shown else _WITHHELD,
            answers=[answer_info(one) for one in shown],
        )
        return JSONResponse(body.model_dump(mode="json"), status_code=409)  # type: ignore[return-value]
    context.tell(stored)
    return answer_info(stored)


@router.post("/{answer_id}/undo")
def take_back(context: Context, person: Someone, answer_id: Id, body: Undo) -> Undone:
    """Take an answer of one's own back; the one before it stands again."""
    retracted, stands = undo(context.folder, person.name, answer_id, key=body.key)
    context.tell(retracted)
    open_to = _open_to(context, person)
    item = None
    if retracted.item_id is not None:
        found = item_of(context.folder, retracted.item_id, person.name)
        item = None if found is None else item_infos(context, [found])[0]
    return Undone(
        retracted=answer_info(retracted),
        standing=None if stands is None or not open_to(stands) else answer_info(stands),
        item=item,
    )


@router.get("")
def get(
    context: Context,
    person: Someone,
    recording: Id | None = None,
    channel: Annotated[int, Query(ge=-1, lt=2**15)] = -1,
    start_s: Moment | None = None,
    end_s: Moment | None = None,
    mine: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Id | None = None,
) -> Answers:
    """Return what was answered: of a window, of the person, or of all; the newest first.

    What others said of windows that wait in a queue of the person's own is withheld and counted.
    """
    given = [value is not None for value in (recording, start_s, end_s)]
    if any(given) and not all(given):
        raise UserError("A window has a recording, a start_s and an end_s.")
    span = None
    if recording is not None and start_s is not None and end_s is not None:
        span = Span(recording, channel, start_s, end_s)
    found = history(
        context.folder,
        span=span,
        annotator=person.name if mine else None,
        before=before,
        limit=limit,
    )
    stands = [] if span is None else standing(context.folder, [span]).get(span, [])
    open_to = _open_to(context, person)
    return Answers(
        answers=[answer_info(one) for one in found if open_to(one)],
        standing=[answer_info(one) for one in stands if open_to(one)],
        withheld=sum(not open_to(one) for one in found),
    )


def _open_to(context: AppContext, person: Person) -> Callable[[StoredAnswer], bool]:
    """Return what tells whether a person may see an answer.

    What others said of windows that wait in a queue of the person's own is withheld.
    """
    waiting = to_answer(context.folder, person.name)
    return lambda one: one.annotator == person.name or one.span.window not in waiting
