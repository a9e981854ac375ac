"""Events in recordings: found within collars, or by segments, with counts of each class.

Definitions of Mesaros, Heittola and Virtanen, "Metrics for Polyphonic Sound Event Detection"
(Applied Sciences 2016), as in sed_eval, but matched optimally: as many pairs as possible, each
event used once, whatever the order of the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._matching import largest_matching
from antiphon.evaluation.metrics._spans import SLACK, bisect, grouped, ranges

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Text = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Labelled spans of time in recordings, one event an entry.

    Parameters
    ----------
    recording
        ``(n,)`` names.
    onset, offset
        ``(n,)`` s, ``onset < offset``.
    label
        ``(n,)`` names.

    Raises
    ------
    UserError
        If lengths differ, or an event has no length, or a time is NaN or infinite.
    """

    recording: Text
    onset: Float64
    offset: Float64
    label: Text

    def __post_init__(self) -> None:
        for name in ("recording", "label"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.str_))
        for name in ("onset", "offset"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        shapes = {array.shape for array in (self.recording, self.onset, self.offset, self.label)}
        if len(shapes) != 1 or self.onset.ndim != 1:
            raise UserError(
                f"Events need one recording, onset, offset and label each, but have {shapes}."
            )
        fine = np.isfinite(self.onset) & np.isfinite(self.offset) & (self.onset < self.offset)
        if not fine.all():
            i = int(np.argmin(fine))
            raise UserError(
                f"Event {i} ({self.label[i]} in {self.recording[i]}) runs from {self.onset[i]:g} "
                f"to {self.offset[i]:g} s; it must end after it begins."
            )

    def __len__(self) -> int:
        return len(self.onset)


def events_of(events: Mapping[str, Iterable[tuple[float, float, str]]]) -> Events:
    """Make events of ``{recording: [(onset, offset, label), ...]}``, times in s."""
    rows = [(name, *event) for name, those in events.items() for event in those]
    return Events(
        np.array([r[0] for r in rows], dtype=np.str_),
        np.array([r[1] for r in rows], dtype=np.float64),
        np.array([r[2] for r in rows], dtype=np.float64),
        np.array([r[3] for r in rows], dtype=np.str_),
    )


@dataclass(frozen=True, slots=True, eq=False)
class EventScores:
    """Counts of each class, and what follows from them.

    Parameters
    ----------
    classes
        ``(c,)`` names.
    right, false, missed
        ``(c,)`` found and there, found but not there, there but not found. In intersection-based
        scores ``right`` counts events of the truth.
    true_index, found_index
        ``(p,)`` matched pairs, as places in the truth and among the found events; empty where
        nothing is matched one to one.
    """

    classes: Text
    right: Int64
    false: Int64
    missed: Int64
    true_index: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))
    found_index: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def precision(self) -> Float64:
        """``(c,)``, NaN for classes that were never found."""
        return _ratio(self.right, self.right + self.false)

    @property
    def recall(self) -> Float64:
        """``(c,)``, NaN for classes without events."""
        return _ratio(self.right, self.right + self.missed)

    @property
    def f1(self) -> Float64:
        """``(c,)``, NaN for classes neither there nor found."""
        return _ratio(2 * self.right, 2 * self.right + self.false + self.missed)

    @property
    def macro_f1(self) -> float:
        """Mean F1 over classes that are there or were found; NaN if there is none."""
        f1 = self.f1
        there = ~np.isnan(f1)
        return float(f1[there].mean()) if there.any() else float("nan")

    @property
    def micro_precision(self) -> float:
        """Of all classes together."""
        return _one(self.right.sum(), self.right.sum() + self.false.sum())

    @property
    def micro_recall(self) -> float:
        """Of all classes together."""
        return _one(self.right.sum(), self.right.sum() + self.missed.sum())

    @property
    def micro_f1(self) -> float:
        """Of all classes together."""
        right = 2 * self.right.sum()
        return _one(right, right + self.false.sum() + self.missed.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Two sets of events with common numbers for recordings and classes.

    Parameters
    ----------
    classes
        ``(c,)`` names.
    n_groups
        Recordings times classes.
    true, found
        ``(n,)`` group of each event, ``recording * c + class``.
    """

    classes: Text
    n_groups: int
    true: Int64
    found: Int64

    def per_class(self, key: Int64) -> Int64:
        """Count groups by class, ``(c,)``."""
        return np.bincount(key % max(1, len(self.classes)), minlength=len(self.classes))


def coded(true: Events, found: Events, classes: Sequence[str] | None = None) -> Coded:
    """Number the recordings and classes of both.

    Parameters
    ----------
    true, found
        Events.
    classes
        Their order; the sorted names in both when None.

    Raises
    ------
    UserError
        If an event has a class that is not among ``classes``.
    """
    labels = np.concatenate([true.label, found.label])
    names = np.unique(labels) if classes is None else np.asarray(classes, dtype=np.str_)
    order = np.argsort(names)
    place = np.searchsorted(names, labels, sorter=order)
    known = place < len(names)
    known[known] = names[order][place[known]] == labels[known]
    if not known.all():
        i = int(np.argmin(known))
        of = "truth" if i < len(true) else "found events"
        raise UserError(f"The class {labels[i]} of the {of} is not among the classes.")
    code = order[place] if len(names) else place
    recordings, which = np.unique(
        np.concatenate([true.recording, found.recording]), return_inverse=True
    )
    key = (which * max(1, len(names)) + code).astype(np.int64)
    return Coded(names, len(recordings) * len(names), key[: len(true)], key[len(true) :])


def event_scores(
    true: Events,
    found: Events,
    onset_collar: float = 0.2,
    offset_collar: float | None = 0.2,
    offset_rate: float = 0.2,
    *,
    classes: Sequence[str] | None = None,
) -> EventScores:
    """Compare events: right are those whose onset and offset lie within collars of a true event's.

    Parameters
    ----------
    true, found
        Events; only those of one recording and class are compared.
    onset_collar
        Seconds by which an onset may be off.
    offset_collar
        Seconds by which an offset may be off; None compares onsets only.
    offset_rate
        Share of the true event's length by which its offset may be off, where that is more.
    classes
        Names and their order; all that occur when None.

    Raises
    ------
    UserError
        If a collar or the share is negative, or a class is not among ``classes``.
    """
    for name, value in (
        ("onset collar", onset_collar),
        ("offset collar", offset_collar or 0.0),
        ("offset share", offset_rate),
    ):
        if not value >= 0:
            raise UserError(f"The {name} must be at least 0, but is {value:g}.")
    codes = coded(true, found, classes)
    spans = grouped(codes.found, found.onset, found.offset, codes.n_groups)
    near = onset_collar + SLACK
    begin = bisect(spans.onset, spans.first, codes.true, true.onset - near, side="left")
    end = bisect(spans.onset, spans.first, codes.true, true.onset + near)
    row, column = ranges(begin, end)
    if offset_collar is not None:
        room = np.maximum(offset_collar, offset_rate * (true.offset - true.onset)) + SLACK
        fits = np.abs(true.offset[row] - spans.offset[column]) <= room[row]
        row, column = row[fits], column[fits]
    i, j = largest_matching(row, spans.order[column], (len(true), len(found)))
    right = codes.per_class(codes.true[i])
    return EventScores(
        codes.classes,
        right,
        codes.per_class(codes.found) - right,
        codes.per_class(codes.true) - right,
        i,
        j,
    )


def segment_scores(
    true: Events, found: Events, length: float = 1.0, *, classes: Sequence[str] | None = None
) -> EventScores:
    """Compare events by segments: a class is there in each segment that one of its events touches.

    Parameters
    ----------
    true, found
        Events.
    length
        Of a segment, in s; the first begins at 0.
    classes
        Names and their order; all that occur when None.

    Raises
    ------
    UserError
        If the length is not above 0, or a class is not among ``classes``.
    """
    if not length > 0:
        raise UserError(f"A segment needs a length above 0 s, but has {length:g}.")
    codes = coded(true, found, classes)
    active = []
    for events, key in ((true, codes.true), (found, codes.found)):
        # An event that touches a border within the slack does not reach into the next segment.
        begin = np.floor((events.onset + SLACK) / length).astype(np.int64)
        end = np.ceil((events.offset - SLACK) / length).astype(np.int64)
        owner, segment = ranges(begin, np.maximum(end, begin + 1))
        active.append(np.unique(np.stack([key[owner], segment]), axis=1))
    # A segment in both sets stands twice.
    both, count = np.unique(np.concatenate(active, axis=1), axis=1, return_counts=True)
    right = codes.per_class(both[0, count == 2])
    there, said = (codes.per_class(segments[0]) for segments in active)
    return EventScores(codes.classes, right, said - right, there - right)


def _ratio(part: Int64, whole: Int64) -> Float64:
    with np.errstate(invalid="ignore"):
        return np.asarray(part / np.where(whole > 0, whole, np.nan), dtype=np.float64)


def _one(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else float("nan")
