"""Events from the scores of windows or frames: threshold, merge, drop what is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import Events, EventScores, event_scores, events_of

Float64 = npt.NDArray[np.float64]

MERGE_GAPS = (0.0, 0.5, 1.0)
"""Gaps in s up to which neighbouring detections are joined, to choose from."""

MIN_DURATIONS = (0.0, 0.1, 0.5)
"""Shortest events in s to choose from."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """How scores become events.

    Parameters
    ----------
    threshold
        A step is active at this score and above; one for each class.
    merge_gap
        Active stretches up to this far apart are one event, in s.
    min_duration
        Shorter events are dropped, in s.
    """

    threshold: tuple[float, ...]
    merge_gap: float
    min_duration: float


@dataclass(frozen=True, slots=True)
class Collars:
    """What counts as a match; see :func:`antiphon.evaluation.metrics.events.event_scores`."""

    onset: float = 0.2
    offset: float | None = 0.2
    rate: float = 0.2

    def scores(self, true: Events, found: Events, classes: Sequence[str]) -> EventScores:
        """Compare events."""
        return event_scores(true, found, self.onset, self.offset, self.rate, classes=classes)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Scores over time, of windows (which may overlap) or frames.

    Parameters
    ----------
    recording
        ``(n,)`` names.
    start, end
        ``(n,)`` span of each step in s.
    score
        ``(n, C)``, finite.
    classes
        Names of the columns.
    """

    recording: npt.NDArray[np.str_]
    start: Float64
    end: Float64
    score: npt.NDArray[np.floating]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        n, shape = len(self.start), self.score.shape
        lengths = {len(self.recording), len(self.end), n}
        if lengths != {n} or shape != (n, len(self.classes)):
            raise UserError(
                f"Steps need one recording, start and end each and scores ({n}, "
                f"{len(self.classes)}), but the scores are {shape}."
            )
        if not np.isfinite(self.score).all():
            row, column = np.argwhere(~np.isfinite(self.score))[0]
            raise UserError(
                f"The score of step {row}, class {self.classes[column]}, is NaN or infinite."
            )

    def of(self, recordings: npt.NDArray[np.str_]) -> Steps:
        """Return the steps of some recordings."""
        kept = np.isin(self.recording, recordings)
        return Steps(
            self.recording[kept], self.start[kept], self.end[kept], self.score[kept], self.classes
        )


def decode_events(steps: Steps, rule: EventRule, *, column: int | None = None) -> Events:
    """Return the events of all classes, or of one column.

    Overlapping windows make overlapping active spans; an event is their union. Its ends are those
    of windows, so windows of a second cannot place an onset better than that.
    """
    recordings, onsets, offsets, labels = [], [], [], []
    order = np.lexsort((steps.start, steps.recording))
    wanted = range(len(steps.classes)) if column is None else [column]
    for c in wanted:
        rows = order[steps.score[order, c] >= rule.threshold[c]]
        if not len(rows):
            continue
        recording, start, end = steps.recording[rows], steps.start[rows], steps.end[rows]
        begins = np.ones(len(rows), dtype=bool)
        # The latest end so far within the recording: windows may differ in length.
        changes = np.concatenate([[True], recording[1:] != recording[:-1]])
        reach = _running_max(end, changes)
        begins[1:] = changes[1:] | (start[1:] > reach[:-1] + rule.merge_gap + 1e-9)
        first = np.flatnonzero(begins)
        last = np.concatenate([first[1:], [len(rows)]]) - 1
        onset, offset = start[first], reach[last]
        kept = offset - onset >= rule.min_duration - 1e-9
        recordings.append(recording[first][kept])
        onsets.append(onset[kept])
        offsets.append(offset[kept])
        labels += [steps.classes[c]] * int(kept.sum())
    if not recordings:
        return events_of({})
    return Events(
        np.concatenate(recordings),
        np.concatenate(onsets),
        np.concatenate(offsets),
        np.array(labels, dtype=np.str_),
    )


def choose_event_rule(
    steps: Steps,
    true: Events,
    *,
    collars: Collars | None = None,
    merge_gaps: Sequence[float] = MERGE_GAPS,
    min_durations: Sequence[float] = MIN_DURATIONS,
    n_thresholds: int = 25,
) -> EventRule:
    """Choose thresholds for each class, and one gap and one duration, on validation recordings.

    Parameters
    ----------
    steps, true
        Scores and events of the validation recordings.
    collars
        What counts as a match.
    merge_gaps, min_durations
        To choose from; those that give the largest mean over classes of the best F1.
    n_thresholds
        Quantiles of each class's scores tried as its threshold; of equals the middle one.

    Returns
    -------
    EventRule
        A class without events in the truth gets a threshold above its scores.
    """
    collars = collars or Collars()
    best: tuple[float, EventRule] | None = None
    grids = [_thresholds(steps.score[:, c], n_thresholds) for c in range(len(steps.classes))]
    for gap, shortest in product(sorted(merge_gaps), sorted(min_durations)):
        chosen, values = [], []
        for c, name in enumerate(steps.classes):
            mine = true.label == name
            never = float(np.nextafter(steps.score[:, c].max(), np.inf))
            if not mine.any():
                chosen.append(never)
                continue
            truth = Events(
                true.recording[mine], true.onset[mine], true.offset[mine], true.label[mine]
            )
            scores = []
            for threshold in grids[c]:
                levels = (threshold,) * len(steps.classes)
                found = decode_events(steps, EventRule(levels, gap, shortest), column=c)
                scores.append(collars.scores(truth, found, [name]).micro_f1)
            # The middle of the equals, away from where the events begin to change.
            equal = np.flatnonzero(np.array(scores) == max(scores))
            chosen.append(grids[c][int(equal[len(equal) // 2])])
            values.append(max(scores))
        if not values:
            raise UserError("The validation recordings hold no event of any class.")
        mean = float(np.mean(values))
        if best is None or mean > best[0]:
            best = (mean, EventRule(tuple(chosen), float(gap), float(shortest)))
    assert best is not None
    return best[1]


def _thresholds(score: npt.NDArray[np.floating], count: int) -> list[float]:
    """Return scores at even ranks of the upper half and denser towards the top, falling."""
    share = 1.0 - np.geomspace(1.0 / max(len(score), 2), 0.7, count)
    levels = np.unique(np.quantile(score.astype(np.float64), share, method="nearest"))
    falling: list[float] = levels[::-1].tolist()
    return falling


def _running_max(values: Float64, restart: npt.NDArray[np.bool_]) -> Float64:
    """Return the running maximum, begun anew where ``restart`` is set."""
    out = values.copy()
    first = np.flatnonzero(restart)
    for begin, end in zip(first, [*first[1:], len(values)], strict=True):
        np.maximum.accumulate(values[begin:end], out=out[begin:end])
    return out
