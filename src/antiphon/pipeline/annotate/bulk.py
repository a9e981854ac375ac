"""One label for many windows at once, added to what the person has said of them before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from antiphon.errors import UserError
from antiphon.labels.annotation import ABSENT, PRESENT
from antiphon.pipeline.annotate.answers import answer, standing
from antiphon.pipeline.annotate.said import Said, Span, StoredAnswer
from antiphon.store.answers import ANSWER, by_key, is_derived
from antiphon.store.project import ProjectFolder

Presence = Literal["present", "absent", "unsure"]


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What labelling many windows did.

    Parameters
    ----------
    answers
        The answers that were kept, now or by an earlier call with the same key, in the order of
        the windows.
    already
        Windows of which the person has said the same before.
    disputed
        Windows of which somebody else says otherwise; both answers stand.
    """

    answers: tuple[StoredAnswer, ...]
    already: int
    disputed: int


def label_windows(
    folder: ProjectFolder,
    annotator: str,
    spans: Sequence[Span],
    label: str,
    presence: Presence,
    *,
    key: str,
) -> BulkReport:
    """Say of each window that a label is present, absent or not sure; nothing else changes.

    What the person has said before of a window, in the app or in a table, is kept in the new
    answer. Each window is a transaction of its own, so a run that ends early has labelled the first
    ones; the same call with the same key goes on from there, and returns them all.

    Raises
    ------
    UserError
        If the label is unknown or a window does not fit its recording.
    """
    names = folder.catalogue.label_names()
    if label not in names:
        raise UserError(f"The project has no label {label!r}; add it first.")
    spans = list(dict.fromkeys(spans))
    stands = standing(folder, spans)
    tables = _tables(folder, annotator, spans, names)
    keys = {s: f"{key}:{s.recording_id}:{s.channel}:{s.start_s:.6f}:{s.end_s:.6f}" for s in spans}
    with folder.catalogue.database.read() as connection:
        earlier = {s for s, own in keys.items() if by_key(connection, own) is not None}
    stored, already, disputed = [], 0, 0
    for span in spans:
        there = [one for one in stands.get(span, []) if one.kind == ANSWER]
        mine = next((one.said for one in there if one.annotator == annotator), None)
        disputed += any(
            one.annotator != annotator and _presence(one.said, label) not in (None, presence)
            for one in there
        )
        before = mine or tables.get(span) or Said()
        if span not in earlier and mine is not None and _presence(mine, label) == presence:
            already += 1
            continue
        said = _with(_open(before, names), label, presence)
        stored.append(answer(folder, annotator, span, said, key=keys[span]))
    return BulkReport(tuple(stored), already, disputed)


def _presence(said: Said, label: str) -> Presence | None:
    """Return what an answer says of a label, None if nothing."""
    if label in said.present or any(box.label == label for box in said.boxes):
        return "present"
    if label in said.unsure:
        return "unsure"
    return "absent" if label in said.absent or label in said.scope else None


def _open(said: Said, names: Sequence[str]) -> Said:
    """Return an answer that can be given again without saying more than it did.

    One that was complete speaks of the labels of its time. Where there are new ones since, its
    absences are named one by one.
    """
    if not said.complete:
        return said
    spoken = {*said.scope, *said.present, *said.unsure}
    if spoken >= set(names):
        return said
    absent = {*said.absent, *said.scope} - {*said.present, *said.unsure}
    return replace(said, complete=False, absent=tuple(sorted(absent)), scope=())


def _with(said: Said, label: str, presence: Presence) -> Said:
    def named(part: Presence, there: tuple[str, ...]) -> tuple[str, ...]:
        others = tuple(one for one in there if one != label)
        return (*others, label) if part == presence else others

    boxes = said.boxes
    if presence != PRESENT:
        boxes = tuple(box for box in boxes if box.label != label)
    return replace(
        said,
        present=named("present", said.present),
        absent=named("absent", said.absent),
        unsure=named("unsure", said.unsure),
        boxes=boxes,
    )


def _tables(
    folder: ProjectFolder, annotator: str, spans: Sequence[Span], names: Sequence[str]
) -> dict[Span, Said]:
    """Return what the person's tables say of exactly these windows; an answer replaces it."""
    wanted = set(spans)
    rows = folder.catalogue.annotations(recording_ids=sorted({s.recording_id for s in spans}))
    said: dict[Span, dict[str, set[str]]] = {}
    for row in rows.to_pylist():
        if row["annotator"] != annotator or is_derived(row["batch"]) or row["low_hz"] is not None:
            continue
        if row["start_s"] is None or row["end_s"] is None or row["end_s"] <= row["start_s"]:
            continue
        channel = -1 if row["channel"] is None else row["channel"]
        span = Span(row["recording_id"], channel, row["start_s"], row["end_s"])
        if span not in wanted:
            continue
        parts = said.setdefault(span, {"present": set(), "absent": set(), "unsure": set()})
        # An absence without a scope speaks of every label.
        scope = names if row["scope"] is None else row["scope"]
        named = scope if row["label"] is None else [row["label"]]
        if row["label"] is not None or row["presence"] == ABSENT:
            parts[row["presence"]].update(named)
    return {
        span: Said(
            present=tuple(sorted(parts["present"])),
            unsure=tuple(sorted(parts["unsure"] - parts["present"])),
            absent=tuple(sorted(parts["absent"] - parts["present"] - parts["unsure"])),
        )
        for span, parts in said.items()
    }
