"""What the page shows of labels and quality; found anew when something has changed."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from antiphon.app.context import AppContext
from antiphon.app.jobs.chart import Point, curve_chart, points_of
from antiphon.app.jobs.limits import limits
from antiphon.app.jobs.preferences import Preferences
from antiphon.app.jobs.records import Measured
from antiphon.errors import UserError
from antiphon.pipeline.effort import spent as time_spent
from antiphon.pipeline.evaluate import last_evaluation
from antiphon.pipeline.history import Forecast, all_curves, forecast
from antiphon.pipeline.report.data import ClassQuality, Estimate
from antiphon.pipeline.report.values import to_json
from antiphon.pipeline.windows import targets
from antiphon.store.schema import Annotation, Answer, Event

# Labels that a table import takes away are noticed after this time.
_OLDEST_S = 60.0
# Figures that take longer than this are not found anew before so many times as long are over.
_COSTLY_S = 0.2
_PAUSES = 20


class LabelFigures(BaseModel):
    """What there is of one label, and how well it is found on held-out groups.

    ``present``, ``absent`` and ``unsure`` count windows as training sees them now; the rest is of
    the last evaluation.
    """

    name: str
    present: int = 0
    absent: int = 0
    unsure: int = 0
    groups: int = 0
    average_precision: Measured | None = None
    precision: Measured | None = None
    recall: Measured | None = None
    threshold: float | None = None
    more_clips: int | None = None
    note: str = ""


class Cost(BaseModel):
    """What labelling in the app has cost."""

    answers: int = 0
    skips: int = 0
    retracted: int = 0
    people: list[str] = Field(default_factory=list)
    events: int = 0
    seconds: float = 0.0
    per_answer: float | None = None
    timed: int = 0
    untimed: int = 0
    note: str = ""


class Ahead(BaseModel):
    """What more labels are predicted to bring.

    ``missing`` says why nothing can be predicted yet; ``reach`` and ``advice`` are sentences.
    """

    missing: str = ""
    reach: str = ""
    more: Measured | None = None
    within_reach: bool | None = None
    seconds: Measured | None = None
    seconds_note: str = ""
    stop: bool | None = None
    advice: str = ""


class Figures(BaseModel):
    """All figures of the loop."""

    labels: list[LabelFigures] = Field(default_factory=list)
    labels_spent: int = 0
    windows: int = 0
    labelled: int = 0
    group_by: str = ""
    groups: int = 0
    quality: Measured | None = None
    quality_of: str = ""
    how: str = ""
    points: list[Point] = Field(default_factory=list)
    earlier: list[str] = Field(default_factory=list)
    chart: str = ""
    ahead: Ahead = Field(default_factory=Ahead)
    cost: Cost = Field(default_factory=Cost)
    limits: list[str] = Field(default_factory=list)


class FigureDesk:
    """Keeps the figures of a running app and finds them anew when the catalogue has changed.

    Parameters
    ----------
    context
        The running app.
    """

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._answers: tuple[object, ...] = ()
        self._others: tuple[object, ...] = ()
        self._made = -math.inf
        self._cost = 0.0
        self._figures = Figures()

    def figures(self, preferences: Preferences) -> Figures:
        """Return the figures as they are now.

        Where they are costly, new answers alone are not in them at once: a page that is open
        while many people label takes a twentieth of a processor at most.
        """
        # One request computes; the others wait for it rather than compute the same.
        with self._lock:
            answers, events = self._state()
            others = (events, preferences)
            age = time.monotonic() - self._made
            rest = _PAUSES * self._cost if self._cost > _COSTLY_S else 0.0
            stale = others != self._others or age > _OLDEST_S
            if stale or (answers != self._answers and age > rest):
                began = time.thread_time()
                self._figures = make_figures(self._context, preferences)
                self._cost = time.thread_time() - began
                self._answers, self._others = answers, others
                self._made = time.monotonic()
            return self._figures

    def _state(self) -> tuple[tuple[object, ...], object]:
        with self._context.folder.catalogue.database.read() as connection:
            answers, annotations, events = (
                connection.execute(select(func.max(table.id))).scalar()
                for table in (Answer, Annotation, Event)
            )
        windows = len(self._context.windows()) if self._context.has_embeddings() else None
        return (answers, annotations, windows), events


def desk_of(context: AppContext) -> FigureDesk:
    """Return the desk of a running app, the same one every time."""
    return context.service(FigureDesk, lambda: FigureDesk(context))


def make_figures(context: AppContext, preferences: Preferences) -> Figures:
    """Find all figures of the loop."""
    folder = context.folder
    cost = _cost(context)
    spent = folder.catalogue.labels_spent()
    if not context.has_embeddings():
        return Figures(cost=cost, labels_spent=spent)
    table, windows = context.table(), context.windows()
    by = folder.config.train.group_by
    names = folder.catalogue.label_names()
    labels = {name: LabelFigures(name=name) for name in names}
    labelled = groups = 0
    if names:
        said = targets(folder, windows, names)
        rows = np.flatnonzero(~np.isnan(said).all(axis=1))
        said, labelled = said[rows], len(rows)
        group, _ = windows.take(rows).groups(by)
        groups = len(np.unique(group))
        for column, name in enumerate(names):
            positive = said[:, column] == 1.0
            labels[name].present = int(positive.sum())
            labels[name].absent = int((said[:, column] == 0.0).sum())
            labels[name].groups = len(np.unique(group[positive]))
    unsure = folder.catalogue.annotations(presence=["unsure"]).column("label").to_pylist()
    for name in unsure:
        if name in labels:
            labels[name].unsure += 1
    quality = next(iter(last_evaluation(folder)), None)
    for one in () if quality is None else quality.classes:
        if one.label in labels:
            _judge(labels[one.label], one)
    curves = all_curves(folder, table)
    ahead, predicted = Ahead(), None
    try:
        predicted = forecast(
            folder,
            table,
            target=preferences.target,
            min_gain=preferences.min_gain,
            per_labels=preferences.per_labels,
        )
        ahead = _ahead(predicted)
    except UserError:
        points = len(curves[-1].labels) if curves else 0
        ahead.missing = (
            f"A prediction needs three trainings after different numbers of labels; there "
            f"{'is' if points == 1 else 'are'} {points or 'none'} so far."
        )
    return Figures(
        labels=list(labels.values()),
        labels_spent=spent,
        windows=len(windows),
        labelled=labelled,
        group_by=by,
        groups=groups,
        quality=_measured(None if quality is None else quality.macro_average_precision),
        quality_of=""
        if quality is None
        else f"{quality.windows:,} labelled windows of {quality.groups} "
        f"{_plural(quality.group_by, quality.groups)}, {quality.folds} folds",
        how="" if quality is None else quality.how,
        points=points_of(curves[-1]) if curves else [],
        earlier=[
            f"{curve.name}: {len(curve.labels)} training{'s' * (len(curve.labels) != 1)}"
            for curve in curves[:-1]
        ],
        chart=curve_chart(curves, predicted, preferences.target),
        ahead=ahead,
        cost=cost,
        limits=limits(list(labels.values()), by),
    )


def _judge(label: LabelFigures, found: ClassQuality) -> None:
    label.average_precision = _measured(found.average_precision)
    label.precision = _measured(found.precision)
    label.recall = _measured(found.recall)
    label.threshold = found.threshold
    label.more_clips = found.more_clips
    label.note = found.note


def _ahead(found: Forecast) -> Ahead:
    ahead = Ahead()
    if found.reach is not None:
        ahead.reach = str(found.reach)
        ahead.within_reach = found.reach.within_reach
        ahead.more = Measured(**_finite(found.reach.more))
    if found.effort is not None:
        ahead.seconds = Measured(**_finite(found.effort))
    ahead.seconds_note = found.effort_note
    if found.advice is not None:
        ahead.stop, ahead.advice = found.advice.stop, str(found.advice)
    return ahead


def _cost(context: AppContext) -> Cost:
    found = time_spent(context.folder)
    return Cost(
        answers=found.answers,
        skips=found.skips,
        retracted=found.retracted,
        people=list(found.people),
        events=found.events,
        seconds=round(found.seconds, 1),
        per_answer=found.per_answer,
        timed=found.timed,
        untimed=found.untimed,
        note=found.time.note,
    )


def _measured(found: Estimate | None) -> Measured | None:
    return None if found is None else Measured(**to_json(found))


def _finite(found: Any) -> dict[str, float | None]:
    parts: Sequence[float] = (found.value, found.low, found.high)
    return {
        name: part if math.isfinite(part) else None
        for name, part in zip(("value", "low", "high"), parts, strict=True)
    }


def _plural(group_by: str, n: int) -> str:
    word = {"date": "day"}.get(group_by, group_by)
    return word if n == 1 else f"{word}s"
