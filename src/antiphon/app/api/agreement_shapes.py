"""Shapes of the requests about agreement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from antiphon.app.api.describing import AnswerInfo, Name, QueueInfo
from antiphon.app.shapes import WindowInfo


class Facts(BaseModel):
    """Who there is.

    ``waiting`` counts windows in the person's own queues: what others said of them is not shown
    before they are answered.
    """

    accounts: bool
    person: str
    manager: bool
    people: list[str]
    may_label: list[str]
    waiting: int
    command: str


class DayWork(BaseModel):
    """What a person did in the app on a day (UTC); times leave breaks out."""

    person: str
    day: date
    answers: int
    settled: int
    skipped: int
    retracted: int
    windows: int
    seconds: float | None
    per_answer: float | None


class TableWork(BaseModel):
    """What a table brought in; ``person`` is null where it names nobody."""

    person: str | None
    source: str | None
    day: date
    annotations: int
    recordings: int


class Work(BaseModel):
    """Who labelled what and when."""

    days: list[DayWork]
    tables: list[TableWork]


class PairInfo(BaseModel):
    """Cohen's kappa of two people with its 95 % interval over recordings."""

    first: str
    second: str
    units: int
    kappa: float | None
    low: float | None
    high: float | None
    observed: float
    enough: bool
    note: str


class LabelInfo(BaseModel):
    """Agreement on a label: Krippendorff's alpha with its 95 % interval over recordings.

    ``positive`` is the share of "present" that another person repeats. ``enough`` is false where
    too few windows are shared to say much; ``note`` says why.
    """

    label: str
    units: int
    groups: int
    present: float | None
    alpha: float | None
    low: float | None
    high: float | None
    positive: float | None
    enough: bool
    note: str
    pairs: list[PairInfo]


class Measures(BaseModel):
    """How far people agree on windows that two or more speak of."""

    people: list[str]
    windows: int
    recordings: int
    few_windows: int
    few_recordings: int
    labels: list[LabelInfo]


class DisputedLabel(BaseModel):
    """A label that some hear and others do not."""

    label: str
    present: list[str]
    absent: list[str]


class Row(BaseModel):
    """A window to settle, or a settled one with its settlement.

    ``may_settle`` is whether the person who asks may: managers may, and others where somebody else
    has answered the window in the app, rather than tables alone.
    """

    window: WindowInfo
    labels: list[DisputedLabel]
    may_settle: bool = True
    settlement: AnswerInfo | None = None


class Rows(BaseModel):
    """A page of windows; ``hidden`` ones wait in the person's own queues."""

    rows: list[Row]
    total: int
    hidden: int
    labels: list[str]
    people: list[str]


class EventInfo(BaseModel):
    """An answer and what became of it: ``stands``, ``replaced``, ``taken back`` or empty."""

    answer: AnswerInfo
    state: str
    window: WindowInfo | None = None


class TableRow(BaseModel):
    """What a table says of a part of a window; a null label speaks of ``scope``, or of all."""

    person: str | None
    source: str | None
    label: str | None
    scope: list[str] | None
    presence: str
    start_s: float | None
    end_s: float | None
    created_at: datetime


class History(BaseModel):
    """The full history of a window, oldest first; ``seen`` goes back with a settlement."""

    window: WindowInfo
    events: list[EventInfo]
    tables: list[TableRow]
    settlement: AnswerInfo | None
    seen: int


class Log(BaseModel):
    """Answers of all windows, the newest first; ``next`` is the ``before`` of the next page."""

    events: list[EventInfo]
    hidden: int
    next: int | None


class NewShared(BaseModel):
    """One queue of the same windows for each of several people."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[Name], Field(min_length=2, max_length=50)]
    kind: Literal["random", "strategy", "stratified"] = "random"
    n: Annotated[int, Field(ge=1, le=10_000)] = 50
    name: Name | None = None
    strategy: Name = "antiphon"
    label: Name | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53)] | None = None


class Shared(BaseModel):
    """Queues of several people over the same windows, and how far each is."""

    id: str
    name: str
    queues: list[QueueInfo]
