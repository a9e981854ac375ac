"""Requests that find windows, by example, label or score, and label many of them at once."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Someone
from antiphon.app.services.clips import LONGEST_S, Clip, clips_of
from antiphon.app.services.shown import row_infos, said_of
from antiphon.app.shapes import Window, WindowInfo
from antiphon.errors import UserError
from antiphon.pipeline.annotate.answers import undo
from antiphon.pipeline.annotate.bulk import label_windows
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.colouring import find_rows
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.examples import stored_query
from antiphon.pipeline.filters import WindowFilter, parse_dates, parse_hours
from antiphon.pipeline.search import find

router = APIRouter(prefix="/api/search", tags=["search"])

_MANY = 500
# One clip is embedded at a time, and another one read meanwhile. The threads are for all requests.
_CLIPS_AT_ONCE = 2

Name = Annotated[str, Field(max_length=200)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Moment = Annotated[float, Query(ge=0.0, allow_inf_nan=False)]


class _Turns(asyncio.Semaphore):
    """How many clips one app reads and embeds at a time; the others wait without a thread."""

    def __init__(self) -> None:
        super().__init__(_CLIPS_AT_ONCE)


class Filter(BaseModel):
    """Conditions that must all hold."""

    model_config = ConfigDict(extra="forbid")

    sites: Annotated[list[Name], Field(max_length=1000)] = []
    hour: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="5, 4-7, 22-4 (over midnight) or 4:30-6:15"
    )
    date: Annotated[str, Field(max_length=30)] | None = Field(
        default=None, description="2026-05-01 or 2026-05-01..2026-05-10"
    )
    labels: Annotated[list[Name], Field(max_length=1000)] = []
    unlabelled: bool = False
    detected: Annotated[list[Name], Field(max_length=1000)] = []
    min_score: Share | None = None
    max_score: Share | None = None

    def to_filter(self) -> WindowFilter:
        """Return it as the functions below take it.

        Raises
        ------
        UserError
            If an hour, a date or the span of scores makes no sense.
        """
        if None not in (self.min_score, self.max_score) and self.min_score > self.max_score:  # type: ignore[operator]
            raise UserError("The lowest score is above the highest.")
        return WindowFilter(
            sites=tuple(self.sites),
            hours=parse_hours(self.hour) if self.hour else None,
            dates=parse_dates(self.date) if self.date else None,
            labels=tuple(self.labels),
            unlabelled=self.unlabelled,
            detected=tuple(self.detected),
            min_score=self.min_score,
            max_score=self.max_score,
        )


class Wanted(BaseModel):
    """A search: like a stored window or a clip that was sent, within a filter, or a filter alone.

    Without any of these, all windows come in the order of the recordings.
    """

    model_config = ConfigDict(extra="forbid")

    like: Window | None = None
    clip: Annotated[str, Field(max_length=64)] | None = None
    filter: Filter = Filter()
    n: Annotated[int, Field(ge=1, le=_MANY)] = 50
    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    per_recording: Annotated[int, Field(ge=1, le=1000)] | None = None


class Match(BaseModel):
    """A window that was found; ``said`` is what annotations say of it, by label."""

    window: WindowInfo
    score: float
    said: dict[str, Literal["present", "absent"]]


class Matches(BaseModel):
    """Some of the windows that match, best first.

    ``by`` is ``similarity`` (centred cosine, -1 to 1), ``probability`` (calibrated) or ``order``
    (no rank). ``untimed`` recordings cannot match the hour or date, as nobody knows when they
    begin.
    """

    hits: list[Match]
    total: int
    by: Literal["similarity", "probability", "order"]
    untimed: int


class SentClip(BaseModel):
    """A clip that is held for searches."""

    clip: str
    windows: int
    duration_s: float
    sample_rate: int


class DetectorLabel(BaseModel):
    """A label that the detector knows, and its threshold."""

    name: str
    threshold: float


class Options(BaseModel):
    """What can be searched for."""

    windows: int
    window_s: float
    sites: list[str]
    first: date | None
    last: date | None
    untimed: int
    labels: list[str]
    detector: list[DetectorLabel]
    longest_clip_s: float = LONGEST_S
    largest_clip_bytes: int


class BulkLabel(BaseModel):
    """One label for many windows."""

    model_config = ConfigDict(extra="forbid")

    windows: Annotated[list[Window], Field(min_length=1, max_length=_MANY)]
    label: Name
    presence: Literal["present", "absent", "unsure"]
    key: Annotated[str, Field(min_length=8, max_length=60)]


class Windows(BaseModel):
    """Some windows."""

    model_config = ConfigDict(extra="forbid")

    windows: Annotated[list[Window], Field(max_length=_MANY)]


class BulkDone(BaseModel):
    """What was labelled: ids of the answers, windows that said so before, and disputed ones."""

    answers: list[int]
    already: int
    disputed: int


class TakeBack(BaseModel):
    """Answers to take back, all of them the person's own."""

    model_config = ConfigDict(extra="forbid")

    answers: Annotated[list[int], Field(min_length=1, max_length=_MANY)]
    key: Annotated[str, Field(min_length=8, max_length=60)]


class TakenBack(BaseModel):
    """How many answers were taken back, and why the others were not."""

    retracted: int
    kept: list[str]


@router.get("/options")
def options(context: Context, _person: Someone) -> Options:
    """Return the sites, dates and labels that a search can name."""
    windows = context.windows()
    recordings = windows.recordings
    starts = [t for t in recordings.column("start_time").to_pylist() if t is not None]
    detector = find_detector(context.folder, windows.view.table)
    return Options(
        windows=len(windows),
        window_s=float(windows.view.table.windows_spec["window_s"]),
        sites=sorted({s for s in recordings.column("site").to_pylist() if s is not None}),
        first=min(starts).date() if starts else None,
        last=max(starts).date() if starts else None,
        untimed=recordings.num_rows - len(starts),
        labels=context.folder.catalogue.label_names(),
        detector=[]
        if detector is None
        else [
            DetectorLabel(name=name, threshold=float(limit))
            for name, limit in zip(detector.labels, detector.threshold_values, strict=True)
        ],
        largest_clip_bytes=context.settings.max_upload_bytes,
    )


@router.post("")
def search(context: Context, person: Someone, wanted: Wanted) -> Matches:
    """Find windows; ``skip`` turns the pages."""
    if wanted.like is not None and wanted.clip is not None:
        raise UserError("A search is like one window or like one clip, not both.")
    windows = context.windows()
    query = None
    if wanted.like is not None:
        one = wanted.like
        query = stored_query(windows, one.recording, one.channel, one.start_s, one.end_s)
    elif wanted.clip is not None:
        query = clips_of(context).get(wanted.clip, windows.view.table).vectors
    found = find(
        context.folder,
        windows,
        query=query,
        where=wanted.filter.to_filter(),
        k=wanted.n,
        skip=wanted.skip,
        per_recording=wanted.per_recording,
    )
    infos = row_infos(windows, found.rows)
    said = said_of(context.folder, windows, found.rows, person.name)
    return Matches.model_validate(
        {
            "hits": [
                {"window": info, "score": hit.score, "said": told}
                for hit, info, told in zip(found.hits, infos, said, strict=True)
            ],
            "total": found.total,
            "by": found.by,
            "untimed": found.untimed,
        }
    )


@router.post("/clip")
async def send_clip(
    request: Request,
    context: Context,
    _person: Someone,
    start_s: Moment | None = None,
    end_s: Moment | None = None,
) -> SentClip:
    """Take an audio file as the body of the request and embed it, to search by; it is not kept.

    Any format that libsndfile reads. ``start_s`` and ``end_s`` choose a span of it.
    """
    limit = context.settings.max_upload_bytes
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise HTTPException(413, f"The clip is larger than {limit / 2**20:.0f} MiB.")
    span = None
    if start_s is not None or end_s is not None:
        span = (start_s or 0.0, end_s if end_s is not None else np.inf)
        if not span[0] < span[1]:
            raise UserError("The span of the clip ends before it begins.")
    async with context.service(_Turns, _Turns):
        clip = await run_in_threadpool(_embed, context, bytes(content), span)
    return SentClip(
        clip=clip.id,
        windows=len(clip.vectors),
        duration_s=clip.duration_s,
        sample_rate=clip.sample_rate,
    )


@router.post("/said")
def said(
    context: Context, person: Someone, wanted: Windows
) -> list[dict[str, Literal["present", "absent"]]]:
    """Return what annotations say of windows of the table, by label."""
    windows = context.windows()
    spans = [(w.recording, w.channel, w.start_s, w.end_s) for w in wanted.windows]
    rows = find_rows(windows, spans)
    told: list[dict[str, Any]] = [{} for _ in spans]
    there = np.flatnonzero(rows >= 0)
    found = said_of(context.folder, windows, rows[there], person.name)
    for i, one in zip(there.tolist(), found, strict=True):
        told[i] = one
    return told


@router.post("/label")
def label_many(context: Context, person: Someone, wanted: BulkLabel) -> BulkDone:
    """Say of many windows that one label is present, absent or unsure; committed on return.

    What the person said of a window before is kept. The same ``key`` twice labels once.
    """
    report = label_windows(
        context.folder,
        person.name,
        [Span(w.recording, w.channel, w.start_s, w.end_s) for w in wanted.windows],
        wanted.label,
        wanted.presence,
        key=wanted.key,
    )
    for stored in report.answers:
        context.tell(stored)
    return BulkDone(
        answers=[stored.id for stored in report.answers],
        already=report.already,
        disputed=report.disputed,
    )


@router.post("/unlabel")
def unlabel_many(context: Context, person: Someone, wanted: TakeBack) -> TakenBack:
    """Take back many of the person's answers; what they said before stands again."""
    retracted, kept = 0, []
    for number in wanted.answers:
        try:
            stored, _ = undo(context.folder, person.name, number, key=f"{wanted.key}:{number}")
        except UserError as error:
            kept.append(str(error))
            continue
        retracted += 1
        context.tell(stored)
    return TakenBack(retracted=retracted, kept=kept)


def _embed(context: AppContext, content: bytes, span: tuple[float, float] | None) -> Clip:
    if not content:
        raise UserError("The clip is empty.")
    return clips_of(context).add(context.windows().view.table, content, span)
