"""Requests about agreement: who labelled what and when, how far people agree, disagreements."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from pathlib import PurePath
from shlex import quote
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from antiphon.app.api.agreement_shapes import (
    DayWork,
    DisputedLabel,
    EventInfo,
    Facts,
    History,
    LabelInfo,
    Log,
    Measures,
    NewShared,
    PairInfo,
    Row,
    Rows,
    Shared,
    TableRow,
    TableWork,
    Work,
)
from antiphon.app.api.describing import answer_info, queue_info
from antiphon.app.api.settling import may_settle
from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Manager, Person, Someone
from antiphon.app.services.agreeing import agreeing_of
from antiphon.app.services.shown import span_infos
from antiphon.app.shapes import Id
from antiphon.pipeline.annotate.answers import history, standing
from antiphon.pipeline.annotate.choosing import Wish
from antiphon.pipeline.annotate.comparing import answerers, imported_by, people_of, work_of
from antiphon.pipeline.annotate.past import past_of, settlements, states_of
from antiphon.pipeline.annotate.said import Span, StoredAnswer
from antiphon.pipeline.annotate.sharing import SharedQueue, share_queue, shared_queues, to_answer
from antiphon.store.answers import Window

router = APIRouter(prefix="/api/agreement", tags=["agreement"])

FEW_WINDOWS, FEW_RECORDINGS = 30, 5
"""With fewer shared windows, or windows of fewer recordings, a figure says little."""

Moment = Annotated[float, Query(ge=0.0, allow_inf_nan=False)]
Offset = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("")
def facts(context: Context, person: Someone) -> Facts:
    """Return who there is."""
    return Facts(
        accounts=context.settings.accounts,
        person=person.name,
        manager=person.is_manager,
        people=people_of(context.folder),
        may_label=_labellers(context, person),
        waiting=len(to_answer(context.folder, person.name)),
        # Where it lies on the server is of use to those alone who can open a terminal there.
        command="antiphon users add "
        f"{quote(str(context.folder.root)) if person.is_manager else 'PROJECT'} NAME",
    )


@router.get("/work")
def work(context: Context, _person: Someone) -> Work:
    """Return who labelled how much, when, and how fast."""
    return Work(
        days=[DayWork.model_validate(day, from_attributes=True) for day in work_of(context.folder)],
        tables=[
            TableWork(
                person=one.person,
                source=_file(one.source),
                day=one.day,
                annotations=one.annotations,
                recordings=one.recordings,
            )
            for one in imported_by(context.folder)
        ],
    )


@router.get("/measures")
def measures(context: Context, _person: Someone) -> Measures:
    """Return how far people agree, label by label and two by two."""
    ratings, found = agreeing_of(context).measures(context.folder, context.windows())
    people = ratings.people
    rows = [
        LabelInfo(
            label=one.label,
            units=one.units,
            groups=one.groups,
            present=_number(one.present),
            alpha=_number(one.alpha),
            low=_number(one.low),
            high=_number(one.high),
            positive=_number(one.positive),
            enough=one.units >= FEW_WINDOWS and one.groups >= FEW_RECORDINGS,
            note=one.note,
            pairs=[
                PairInfo(
                    first=people[pair.first],
                    second=people[pair.second],
                    units=pair.units,
                    kappa=_number(pair.kappa),
                    low=_number(pair.low),
                    high=_number(pair.high),
                    observed=pair.observed,
                    enough=pair.units >= FEW_WINDOWS and one.groups >= FEW_RECORDINGS,
                    note=pair.note,
                )
                for pair in one.pairs
            ],
        )
        for one in found
    ]
    return Measures(
        people=list(people),
        windows=len(ratings.rows),
        recordings=len(set(ratings.groups.tolist())),
        few_windows=FEW_WINDOWS,
        few_recordings=FEW_RECORDINGS,
        labels=rows,
    )


@router.get("/disagreements")
def disagreements(
    context: Context,
    person: Someone,
    state: Literal["open", "settled"] = "open",
    label: Annotated[str | None, Query(max_length=200)] = None,
    who: Annotated[str | None, Query(max_length=200)] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Rows:
    """Return windows that people answered differently, or those that were settled."""
    rows = _open(context) if state == "open" else _settled(context)
    waiting = to_answer(context.folder, person.name)
    seen = [row for row in rows if row[0].window not in waiting]
    labels = sorted({one.label for _, some, _ in seen for one in some})
    people = sorted({name for _, some, _ in seen for one in some for name in _speakers(one)})
    kept = [
        row
        for row in seen
        if any(
            (label is None or one.label == label) and (who is None or who in _speakers(one))
            for one in row[1]
        )
    ]
    page = kept[offset : offset + limit]
    spans = [span for span, _, _ in page]
    free = may_settle(context, person, spans)
    return Rows(
        rows=[
            Row(
                window=info,
                labels=some,
                may_settle=span in free,
                settlement=None if done is None else answer_info(done),
            )
            for info, (span, some, done) in zip(span_infos(context, spans), page, strict=True)
        ],
        total=len(kept),
        hidden=len(rows) - len(seen),
        labels=labels,
        people=people,
    )


@router.get("/history")
def window_history(
    context: Context,
    person: Someone,
    recording: Id,
    start_s: Moment,
    end_s: Moment,
    channel: Annotated[int, Query(ge=-1, lt=2**15)] = -1,
) -> History:
    """Return all that was ever said of a window, who said it and when."""
    span = Span(recording, channel, start_s, end_s)
    _check_recording(context, recording)
    if span.window in to_answer(context.folder, person.name):
        raise HTTPException(
            403, "This window waits in a queue of yours; answer it before you see what others said."
        )
    past = past_of(context.folder, span)
    return History(
        window=span_infos(context, [span])[0],
        events=[EventInfo(answer=answer_info(e.answer), state=e.state) for e in past.events],
        tables=[
            TableRow.model_validate(one, from_attributes=True).model_copy(
                update={"source": _file(one.source)}
            )
            for one in past.tables
        ],
        settlement=None if past.settlement is None else answer_info(past.settlement),
        seen=past.seen,
    )


@router.get("/log")
def log(
    context: Context,
    person: Someone,
    who: Annotated[str | None, Query(max_length=200)] = None,
    before: Id | None = None,
    limit: Limit = 50,
) -> Log:
    """Return what was answered, taken back and settled, the newest first."""
    found = history(context.folder, annotator=who, before=before, limit=limit)
    waiting = to_answer(context.folder, person.name)
    shown = [one for one in found if one.annotator == person.name or _free(one, waiting)]
    states = states_of(context.folder, {one.span.recording_id for one in shown})
    infos = span_infos(context, [one.span for one in shown])
    return Log(
        events=[
            EventInfo(answer=answer_info(one), state=states[one.id], window=info)
            for one, info in zip(shown, infos, strict=True)
        ],
        hidden=len(found) - len(shown),
        next=found[-1].id if len(found) == limit else None,
    )


@router.get("/queues")
def queues(context: Context, _person: Someone) -> list[Shared]:
    """Return the queues that several people got over the same windows."""
    return [_shared(one) for one in shared_queues(context.folder)]


@router.post("/queues")
def make(context: Context, person: Manager, new: NewShared) -> Shared:
    """Choose windows and give each person a queue of them, blind to the others."""
    known = set(_labellers(context, person))
    for name in new.people:
        if name not in known:
            raise HTTPException(400, f"Nobody called {name!r} labels in this project.")
    wish = Wish(
        kind=new.kind,
        n=new.n,
        strategy=new.strategy,
        label=new.label,
        seed=secrets.randbits(32) if new.seed is None else new.seed,
    )
    windows = context.windows()
    made = share_queue(context.folder, wish, new.people, name=new.name, windows=windows)
    return _shared(made)


def _labellers(context: AppContext, person: Person) -> list[str]:
    """Return who may get a queue: the accounts, or without accounts those who ever answered."""
    if context.settings.accounts:
        return sorted(user.name for user in context.accounts.users() if not user.disabled)
    return sorted({*answerers(context.folder), person.name})


Found = tuple[Span, list[DisputedLabel], StoredAnswer | None]


def _open(context: AppContext) -> list[Found]:
    return [
        (
            one.span,
            [
                DisputedLabel(label=d.label, present=list(d.present), absent=list(d.absent))
                for d in one.labels
            ],
            None,
        )
        for one in agreeing_of(context).disputed(context.folder, context.windows())
    ]


def _settled(context: AppContext) -> list[Found]:
    done = settlements(context.folder)
    stands = standing(context.folder, [one.span for one in done])
    return [(one.span, list(_decided(one, stands[one.span])), one) for one in done]


def _decided(settlement: StoredAnswer, stands: list[StoredAnswer]) -> Iterator[DisputedLabel]:
    """Yield the labels that were settled and what people had said of them in the app."""
    said = settlement.said
    for label in (*said.present, *said.absent, *said.unsure):
        present, absent = [], []
        for one in stands:
            if one.kind == settlement.kind:
                continue
            if label in one.said.present:
                present.append(one.annotator)
            elif label in one.said.absent or label in one.said.scope:
                absent.append(one.annotator)
        yield DisputedLabel(label=label, present=present, absent=absent)


def _speakers(one: DisputedLabel) -> list[str]:
    return [*one.present, *one.absent]


def _free(answer: StoredAnswer, waiting: set[Window]) -> bool:
    return answer.span.window not in waiting


def _check_recording(context: AppContext, recording: int) -> None:
    ids = context.folder.catalogue.recordings(all_states=True).column("id").to_pylist()
    if recording not in ids:
        raise HTTPException(404, f"The project has no recording {recording}.")


def _shared(found: SharedQueue) -> Shared:
    return Shared(
        id=found.id, name=found.name, queues=[queue_info(queue) for queue in found.queues]
    )


def _file(source: str | None) -> str | None:
    """Return a table's name; where it lies is the server's own."""
    return None if source is None else PurePath(source).name


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
