"""What labelling in the app has cost so far: answers, events and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from antiphon.active.forecast.effort import (
    LONGEST_S,
    SHORTEST_S,
    LabellingTime,
    Timings,
    fit_labelling_time,
)
from antiphon.store import answers
from antiphon.store.answers import AnswerRow
from antiphon.store.project import ProjectFolder


@dataclass(frozen=True, slots=True, eq=False)
class Spent:
    """What people have spent on answers in the app.

    Parameters
    ----------
    answers, skips, retracted
        Windows answered or settled, skipped, and answers that were taken back (which cost time
        all the same).
    people
        Who answered.
    events
        Sounds that were marked: boxes, and labels said to be present without a box.
    seconds
        Time at work; an answer that a break interrupted counts as a typical one, those without a
        time (many windows at once) as nothing.
    timed, breaks, untimed
        Answers whose time is known, those that a break interrupted, and those without a time.
    per_answer
        Median seconds of those that are timed; None if none is.
    time
        What an answer takes, for forecasts.
    """

    answers: int
    skips: int
    retracted: int
    people: tuple[str, ...]
    events: int
    seconds: float
    timed: int
    breaks: int
    untimed: int
    per_answer: float | None
    time: LabellingTime


def spent(folder: ProjectFolder) -> Spent:
    """Return what labelling in the app has cost so far."""
    with folder.catalogue.database.read() as connection:
        rows = answers.given(connection, answers.KINDS)
    said = [row for row in rows if row.kind in (answers.ANSWER, answers.SETTLE)]
    skips = [row for row in rows if row.kind == answers.SKIP]
    timings = timings_of(said)
    time = fit_labelling_time(timings)
    usual = float(np.median(timings.seconds)) if len(timings) else None
    known = float(timings.seconds.sum()) + sum(_usable(row.seconds) or 0.0 for row in skips)
    return Spent(
        answers=len(said),
        skips=len(skips),
        retracted=sum(row.kind == answers.RETRACT for row in rows),
        people=tuple(sorted({row.annotator for row in said})),
        events=int(sum(_events(row) for row in said)),
        # A window that was left open over a break was still looked at.
        seconds=known + timings.breaks * (usual or 0.0),
        timed=len(timings),
        breaks=timings.breaks,
        untimed=len(said) - len(timings) - timings.breaks,
        per_answer=usual,
        time=time,
    )


def timings_of(rows: Iterable[AnswerRow]) -> Timings:
    """Return how long answers took, by the time that the page measured."""
    known = [row for row in rows if row.seconds is not None]
    kept = [row for row in known if _usable(row.seconds) is not None]
    together = sum(row.seconds is not None and row.seconds < SHORTEST_S for row in known)
    return Timings(
        np.array([row.seconds for row in kept], np.float64),
        np.array([_events(row) for row in kept], np.float64),
        breaks=len(known) - len(kept) - together,
        together=together,
    )


def _usable(seconds: float | None) -> float | None:
    return seconds if seconds is not None and SHORTEST_S <= seconds <= LONGEST_S else None


def _events(row: AnswerRow) -> int:
    boxes = row.said.get("boxes") or ()
    boxed = {box["label"] for box in boxes}
    return len(boxes) + len(set(row.said.get("present") or ()) - boxed)
