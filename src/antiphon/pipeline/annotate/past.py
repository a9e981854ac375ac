"""The full past of a window: answers, retractions and settlements in order, and tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from antiphon.pipeline.annotate.said import Span, StoredAnswer
from antiphon.store import answers
from antiphon.store.answers import RETRACT, AnswerRow
from antiphon.store.project import ProjectFolder

STANDS, REPLACED, TAKEN_BACK, DONE = "stands", "replaced", "taken back", ""
"""What became of an answer; nothing can become of a retraction."""


@dataclass(frozen=True, slots=True)
class Event:
    """An answer, skip, settlement or retraction, and what became of it.

    Parameters
    ----------
    state
        ``stands``, ``replaced`` by a later one of the same person, ``taken back``, or empty.
    """

    answer: StoredAnswer
    state: str


@dataclass(frozen=True, slots=True)
class FromTable:
    """What a table says of a part of the window; ``label`` is None where it speaks of several.

    Parameters
    ----------
    scope
        The labels it speaks of then; None for all.
    start_s, end_s
        None for the whole recording.
    """

    person: str | None
    source: str | None
    label: str | None
    scope: tuple[str, ...] | None
    presence: str
    start_s: float | None
    end_s: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """All that is known to have been said of a window.

    Parameters
    ----------
    events
        In the order they happened, those about other windows that overlap this one included.
    tables
        Annotations that tables brought in.
    settlement
        The settlement of exactly this window that stands.
    seen
        The largest id of the answers to exactly this window; 0 where there is none.
    """

    events: tuple[Event, ...]
    tables: tuple[FromTable, ...]
    settlement: StoredAnswer | None
    seen: int


def past_of(folder: ProjectFolder, span: Span) -> Past:
    """Return the full past of a window."""
    with folder.catalogue.database.read() as connection:
        by_window = answers.by_window(connection, {span.recording_id})
    events: list[Event] = []
    for window, rows in by_window.items():
        if _overlap(span, window[1], window[2], window[3]):
            events += _events(rows)
    mine = by_window.get(span.window, [])
    settled = answers.piles(mine).standing(None)
    return Past(
        tuple(sorted(events, key=lambda event: event.answer.id)),
        _tables(folder, span),
        None if settled is None else StoredAnswer.of(settled),
        mine[-1].id if mine else 0,
    )


def states_of(folder: ProjectFolder, recordings: set[int]) -> dict[int, str]:
    """Return what became of each answer in some recordings, by its id."""
    with folder.catalogue.database.read() as connection:
        by_window = answers.by_window(connection, recordings)
    return {event.answer.id: event.state for rows in by_window.values() for event in _events(rows)}


def settlements(folder: ProjectFolder) -> list[StoredAnswer]:
    """Return the settlements that stand, the newest first."""
    with folder.catalogue.database.read() as connection:
        settled = {row.recording_id for row in answers.given(connection, (answers.SETTLE,))}
        by_window = answers.by_window(connection, settled)
    found = [answers.piles(rows).standing(None) for rows in by_window.values()]
    kept = sorted((row for row in found if row is not None), key=lambda row: -row.id)
    return [StoredAnswer.of(row) for row in kept]


def _events(rows: list[AnswerRow]) -> list[Event]:
    piles = answers.piles(rows)
    standing = {row.id for row in piles.all_standing()}
    taken = {row.replaces for row in rows if row.kind == RETRACT}
    found = []
    for row in rows:
        state = REPLACED
        if row.kind == RETRACT:
            state = DONE
        elif row.id in taken:
            state = TAKEN_BACK
        elif row.id in standing or piles.tops.get(answers.pile_of(row)) == row:
            state = STANDS
        found.append(Event(StoredAnswer.of(row), state))
    return found


def _tables(folder: ProjectFolder, span: Span) -> tuple[FromTable, ...]:
    rows = folder.catalogue.annotations(recording_ids=[span.recording_id], all_states=True)
    found = []
    for row in rows.to_pylist():
        channel = -1 if row["channel"] is None else row["channel"]
        if answers.is_derived(row["batch"]) or not _overlap(
            span, row["start_s"], row["end_s"], channel
        ):
            continue
        found.append(
            FromTable(
                person=row["annotator"],
                source=row["source"],
                label=row["label"],
                scope=None if row["scope"] is None else tuple(row["scope"]),
                presence=row["presence"],
                start_s=row["start_s"],
                end_s=row["end_s"],
                created_at=row["created_at"],
            )
        )
    return tuple(found)


def _overlap(span: Span, start_s: float | None, end_s: float | None, channel: int) -> bool:
    """Return whether something of a recording is about a part of the window."""
    if -1 not in (span.channel, channel) and span.channel != channel:
        return False
    return (start_s is None or start_s < span.end_s) and (end_s is None or end_s > span.start_s)
