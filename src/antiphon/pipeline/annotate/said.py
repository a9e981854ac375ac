"""What can be said of a window, and the annotations that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from antiphon.errors import UserError
from antiphon.labels.annotation import ABSENT, PRESENT, UNSURE
from antiphon.store.answers import AnswerRow, Window


@dataclass(frozen=True, slots=True)
class Span:
    """A window of a recording; times count to the microsecond.

    Parameters
    ----------
    channel
        Zero-based, or -1 for the mix of all.
    start_s, end_s
        Seconds within the recording.
    """

    recording_id: int
    channel: int
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise UserError("The times of a window must be finite.")
        # A span is found again by its exact bounds.
        object.__setattr__(self, "start_s", round(float(self.start_s), 6))
        object.__setattr__(self, "end_s", round(float(self.end_s), 6))
        if not (0 <= self.start_s < self.end_s and self.channel >= -1):
            raise UserError(
                f"A window from {self.start_s:g} to {self.end_s:g} s in channel {self.channel} "
                "cannot be; it starts at 0 s or later and ends after its start."
            )

    @property
    def window(self) -> Window:
        """The window as the catalogue's tables name it."""
        return (self.recording_id, self.start_s, self.end_s, self.channel)

    @classmethod
    def of(cls, window: Window) -> Span:
        """Return the span of a window as the catalogue's tables name it."""
        recording, start, end, channel = window
        return cls(recording, channel, start, end)


@dataclass(frozen=True, slots=True)
class Box:
    """A label in a box of time (seconds within the recording) and frequency (Hz)."""

    label: str
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float

    def __post_init__(self) -> None:
        sides = (self.start_s, self.end_s, self.low_hz, self.high_hz)
        if not all(math.isfinite(side) for side in sides) or not (
            0 <= self.start_s < self.end_s and 0 <= self.low_hz < self.high_hz
        ):
            raise UserError(
                f"A box of {self.label!r} from {self.start_s:g} to {self.end_s:g} s and from "
                f"{self.low_hz:g} to {self.high_hz:g} Hz cannot be."
            )


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a window.

    Parameters
    ----------
    present, absent, unsure
        Names of labels; no label is in two of them.
    complete
        Every other label that the project has is absent. With nothing present this says "nothing
        here".
    boxes
        Where in the window the sounds are; their labels are present.
    note
        In the person's words.
    scope
        The labels that ``complete`` was found to speak of when the answer was given.
    """

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    complete: bool = False
    boxes: tuple[Box, ...] = ()
    note: str | None = None
    scope: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (
            self.present
            or self.absent
            or self.unsure
            or self.complete
            or self.boxes
            or (self.note or "").strip()
        )

    def checked(self, span: Span, labels: Sequence[str]) -> Said:
        """Return it in order: names once and sorted, the boxes' labels present, the scope set.

        Parameters
        ----------
        span
            The window.
        labels
            All labels of the project.

        Raises
        ------
        UserError
            If a label is unknown or said to be two things, a box does not touch the window, or
            ``complete`` speaks of no label.
        """
        present = sorted({*self.present, *(box.label for box in self.boxes)})
        absent, unsure = sorted(set(self.absent)), sorted(set(self.unsure))
        known = set(labels)
        for name in [*present, *absent, *unsure]:
            if name not in known:
                raise UserError(f"The project has no label {name!r}; add it first.")
        for one, other, words in (
            (present, absent, "present and absent"),
            (present, unsure, "present and unsure"),
            (absent, unsure, "absent and unsure"),
        ):
            both = sorted(set(one) & set(other))
            if both:
                raise UserError(f"{both[0]!r} is said to be {words} at once.")
        for box in self.boxes:
            if not (box.start_s < span.end_s and box.end_s > span.start_s):
                raise UserError(
                    f"The box of {box.label!r} from {box.start_s:g} to {box.end_s:g} s lies "
                    f"outside its window, {span.start_s:g} to {span.end_s:g} s."
                )
        if "\0" in (self.note or ""):
            raise UserError("A note cannot hold the character NUL.")
        scope = sorted(known - {*present, *unsure}) if self.complete else []
        if self.complete and not known:
            raise UserError(
                "The project has no labels yet, so that none of them is here says nothing; add "
                "the labels to look for first."
            )
        return Said(
            present=tuple(present),
            absent=tuple(absent),
            unsure=tuple(unsure),
            complete=self.complete,
            boxes=self.boxes,
            note=(self.note or "").strip() or None,
            scope=tuple(scope),
        )

    def annotations(self, span: Span, min_overlap: float) -> list[dict[str, Any]]:
        """Return the annotations that follow, as rows of the catalogue.

        A label with boxes is present in its boxes, with time and band. It is said of the whole
        window as well only where no box would make it present there, because all of them stick
        out too far.

        Parameters
        ----------
        min_overlap
            As in :func:`~antiphon.labels.targets.window_targets`.
        """
        whole = {
            "recording_id": span.recording_id,
            "start_s": span.start_s,
            "end_s": span.end_s,
            "channel": None if span.channel < 0 else span.channel,
            "note": self.note,
        }
        rows: list[dict[str, Any]] = [
            {
                **whole,
                "start_s": box.start_s,
                "end_s": box.end_s,
                "low_hz": box.low_hz,
                "high_hz": box.high_hz,
                "label": box.label,
                "presence": PRESENT,
            }
            for box in dict.fromkeys(self.boxes)
        ]
        inside = {box.label for box in self.boxes if _share(box, span) >= min_overlap}
        for names, presence in (
            ([name for name in self.present if name not in inside], PRESENT),
            (self.unsure, UNSURE),
            ([name for name in self.absent if name not in self.scope], ABSENT),
        ):
            rows += [{**whole, "label": name, "presence": presence} for name in names]
        if self.scope:
            rows.append({**whole, "label": None, "presence": ABSENT, "scope": list(self.scope)})
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "present": list(self.present),
            "absent": list(self.absent),
            "unsure": list(self.unsure),
            "complete": self.complete,
            "boxes": [{name: getattr(box, name) for name in Box.__slots__} for box in self.boxes],
            "note": self.note,
            "scope": list(self.scope),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Said:
        """Return what :meth:`to_json` described; of a skip or a retraction, nothing."""
        return cls(
            present=tuple(values.get("present", ())),
            absent=tuple(values.get("absent", ())),
            unsure=tuple(values.get("unsure", ())),
            complete=bool(values.get("complete", False)),
            boxes=tuple(Box(**box) for box in values.get("boxes", ())),
            note=values.get("note"),
            scope=tuple(values.get("scope", ())),
        )


def _share(box: Box, span: Span) -> float:
    """Return the overlap of box and window as a share of the shorter one."""
    overlap = min(box.end_s, span.end_s) - max(box.start_s, span.start_s)
    return overlap / min(box.end_s - box.start_s, span.end_s - span.start_s)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it is kept; nothing in it ever changes.

    Parameters
    ----------
    kind
        ``answer``, ``skip``, ``retract`` or ``settle``.
    replaces
        The answer that it takes the place of, or takes back.
    item_id
        The item of a queue that it closed.
    seconds
        Time spent on the window, None where nobody took it.
    suggested
        What the page suggested, ``(label, probability)``; None when that was hidden.
    created_at
        UTC.
    repeated
        Whether it had been stored before under the same key.
    """

    id: int
    span: Span
    annotator: str
    kind: str
    said: Said
    replaces: int | None
    item_id: int | None
    seconds: float | None
    suggested: tuple[tuple[str, float], ...] | None
    created_at: datetime
    repeated: bool = False

    @classmethod
    def of(cls, row: AnswerRow, *, repeated: bool = False) -> StoredAnswer:
        """Return a row of the catalogue."""
        suggested = row.suggested
        return cls(
            id=row.id,
            span=Span.of(row.window),
            annotator=row.annotator,
            kind=row.kind,
            said=Said.from_json(row.said),
            replaces=row.replaces,
            item_id=row.item_id,
            seconds=None if row.seconds is None else float(row.seconds),
            suggested=None
            if suggested is None
            else tuple((str(name), float(share)) for name, share in suggested),
            created_at=row.created_at,
            repeated=repeated,
        )
