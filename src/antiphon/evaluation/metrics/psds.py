"""Polyphonic sound detection score (PSDS), exact over all thresholds.

Bilen et al., "A Framework for the Robust Evaluation of Sound Event Detection" (ICASSP 2020), at
all thresholds at once as Ebbers, Serizel and Haeb-Umbach (ICASSP 2022) have shown to be possible.

It is computed here because no library fits (November 2026). ``psds_eval`` 0.5.3 (2022) samples the
thresholds, which the second paper shows to be too low; it installs pandas, matplotlib and pytest,
and fails with pandas 3 and NumPy 2.4. ``sed_scores_eval`` 0.0.4 (2024) is exact, but comes as
source with C extensions (and a wheel for Python 3.11 on macOS alone), does not compile with current
Cython and NumPy (its issues 6 and 9), and needs ``sed_eval`` of 2018. Definitions follow both, and
the papers where these differ, but for two choices: a class without true events is left out and
named, and a share that is met exactly counts as met whatever rounding says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics._changes import Counts, Curves, counts
from antiphon.evaluation.metrics.events import Events
from antiphon.evaluation.metrics.intersection import Criteria, judge

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a use of a detector asks for.

    Parameters
    ----------
    criteria
        Shares that decide what counts as found.
    cross_weight
        Of the mean cross-trigger rate in the false positive rate (alpha_CT).
    spread_weight
        Of the standard deviation over classes, subtracted from the mean (alpha_ST).
    most
        Largest rate of false positives that counts (e_max).
    per
        Seconds that the rate is of: 3,600 for events an hour.

    Raises
    ------
    UserError
        If a weight is negative, or ``most`` or ``per`` not above 0.
    """

    criteria: Criteria = field(default_factory=Criteria)
    cross_weight: float = 0.0
    spread_weight: float = 1.0
    most: float = 100.0
    per: float = 3600.0

    def __post_init__(self) -> None:
        if not (self.cross_weight >= 0 and self.spread_weight >= 0):
            raise UserError("The weights of a PSDS scenario must be at least 0.")
        if not (self.most > 0 and self.per > 0):
            raise UserError("The largest rate and its unit of time must be above 0.")


QUICK = Scenario(Criteria(0.7, 0.7))
"""Scenario 1 of DCASE task 4, 2021 to 2023: react fast, so place events well."""

TELL_APART = Scenario(Criteria(0.1, 0.1, 0.3), cross_weight=0.5)
"""Scenario 2 of DCASE task 4, 2021 to 2023: avoid confusing classes; where matters less."""


@dataclass(frozen=True, slots=True, eq=False)
class PSDS:
    """The score, and the curve it is the area under.

    Parameters
    ----------
    value
        Area under the curve up to the scenario's largest rate, over that rate.
    per_class
        The same of each class alone.
    rate
        ``(p,)`` effective false positives for each unit of time, where the curve steps.
    ratio
        ``(p,)`` effective share of events found from there on.
    without_events
        Classes without true events, which are left out.
    """

    value: float
    per_class: dict[str, float]
    rate: Float64
    ratio: Float64
    without_events: tuple[str, ...]


def psds(
    true: Events,
    scores: Mapping[str, npt.ArrayLike],
    edges: Mapping[str, npt.ArrayLike] | float,
    classes: Sequence[str],
    scenario: Scenario = QUICK,
    *,
    durations: Mapping[str, float] | None = None,
) -> PSDS:
    """Return PSDS of score curves over all thresholds.

    Parameters
    ----------
    true
        Events, in recordings that have scores.
    scores
        ``{recording: (t, c)}`` scores of frames or windows, recordings without events included.
    edges
        ``{recording: (t + 1,)}`` where frames begin and end, in s; or the length of a frame where
        all begin at 0 and follow each other. Frames must not overlap: a score of an overlapping
        window belongs to the hop around its centre.
    classes
        ``(c,)`` names of the columns.
    scenario
        What counts.
    durations
        ``{recording: s}`` over which false alarms are counted; from first to last edge when None.

    Raises
    ------
    UserError
        If a recording, a class or an edge is missing, or a score is NaN or infinite.
    """
    curves = _curves(scores, edges, classes, durations)
    missing = sorted(set(true.recording.tolist()) - set(curves.names))
    if missing:
        raise UserError(f"There are events in {missing[0]}, but no scores of it.")
    return _score(counts(true, curves, scenario.criteria, scenario.cross_weight > 0), scenario)


def psds_of_detections(
    true: Events,
    found: Sequence[Events],
    durations: Mapping[str, float],
    classes: Sequence[str] | None = None,
    scenario: Scenario = QUICK,
) -> PSDS:
    """Return PSDS of detections at several thresholds, for detectors that give no scores.

    Between the thresholds nothing is known, so it is a lower bound of what all thresholds give.

    Parameters
    ----------
    true
        Events.
    found
        Detections at each threshold.
    durations
        ``{recording: s}``, recordings without events included.
    classes
        All that occur when None.
    scenario
        What counts.

    Raises
    ------
    UserError
        If a recording has no duration, or a class is not among ``classes``.
    """
    everyone = [true.label, *(f.label for f in found)]
    names = sorted(set(np.concatenate(everyone).tolist())) if classes is None else list(classes)
    for events in (true, *found):
        unknown = sorted(set(events.recording.tolist()) - set(durations))
        if unknown:
            raise UserError(f"There are events in {unknown[0]}, but its duration is not given.")
    n = len(names)
    right, false, cross = (np.zeros((len(found), *s), np.int64) for s in ((n,), (n,), (n, n)))
    for i, events in enumerate(found):
        judged = judge(true, events, scenario.criteria, names)
        codes = judged.codes
        right[i] = codes.per_class(codes.true[judged.detected])
        false[i] = codes.per_class(codes.found[~judged.relevant])
        cross[i] = judged.cross
    label = np.array(names, dtype=np.str_)
    events_of = true.label[:, None] == label
    return _score(
        Counts(
            classes=tuple(names),
            events=events_of.sum(axis=0),
            seconds=((true.offset - true.onset)[:, None] * events_of).sum(axis=0),
            duration=float(sum(durations.values())),
            right=[right[:, c] for c in range(n)],
            false=[false[:, c] for c in range(n)],
            cross=[cross[:, c] for c in range(n)],
        ),
        scenario,
    )


def _curves(
    scores: Mapping[str, npt.ArrayLike],
    edges: Mapping[str, npt.ArrayLike] | float,
    classes: Sequence[str],
    durations: Mapping[str, float] | None,
) -> Curves:
    if len(set(classes)) != len(classes):
        raise UserError("A class is given twice; each is one column of the scores.")
    values, bounds, lasts = [], [], []
    for name, given in scores.items():
        score = np.asarray(given, dtype=np.float64)
        if score.ndim != 2 or score.shape[1] != len(classes) or len(score) == 0:
            raise UserError(
                f"The scores of {name} must be (frames, {len(classes)}), but are {score.shape}."
            )
        if not np.isfinite(score).all():
            frame, column = np.argwhere(~np.isfinite(score))[0]
            raise UserError(
                f"The score of {name}, frame {frame}, {classes[column]} is "
                f"{score[frame, column]:g}; every entry needs a number."
            )
        if isinstance(edges, Mapping):
            if name not in edges:
                raise UserError(f"The edges of the frames of {name} are missing.")
            edge = np.asarray(edges[name], dtype=np.float64)
        else:
            edge = np.arange(len(score) + 1, dtype=np.float64) * np.float64(edges)
        if edge.shape != (len(score) + 1,) or not (np.diff(edge) > 0).all():
            raise UserError(
                f"The edges of {name} must be {len(score) + 1} ascending times, for "
                f"{len(score)} frames."
            )
        if durations is not None and name not in durations:
            raise UserError(f"The duration of {name} is missing.")
        values.append(score)
        bounds.append(edge)
        lasts.append(edge[-1] - edge[0] if durations is None else durations[name])
    if not values:
        raise UserError("PSDS needs the scores of at least one recording.")
    return Curves(tuple(scores), tuple(values), tuple(bounds), tuple(classes), float(sum(lasts)))


def _score(found: Counts, scenario: Scenario) -> PSDS:
    there = np.flatnonzero(found.events > 0)
    steps = []
    for c in there:
        rate: Float64 = found.false[c] / found.duration
        others = there[there != c]
        if scenario.cross_weight and len(others):
            per_second = found.cross[c][:, others] / found.seconds[others]
            rate = rate + scenario.cross_weight * np.asarray(per_second.mean(axis=1), np.float64)
        steps.append(_envelope(rate * scenario.per, found.right[c] / found.events[c]))
    at = np.unique(np.concatenate([[0.0], *(x for x, _ in steps)]))
    at = at[at <= scenario.most]
    heights: Float64 = np.array([y[np.searchsorted(x, at, side="right") - 1] for x, y in steps])
    if len(heights):
        effective = heights.mean(axis=0) - scenario.spread_weight * heights.std(axis=0)
        ratio: Float64 = np.maximum(effective, 0.0).astype(np.float64)
    else:
        ratio = np.full(len(at), np.nan)
    return PSDS(
        value=_area(at, ratio, scenario.most),
        per_class={
            found.classes[c]: _area(at, heights[i], scenario.most) for i, c in enumerate(there)
        },
        rate=at,
        ratio=ratio,
        without_events=tuple(found.classes[c] for c in np.flatnonzero(found.events == 0)),
    )


def _envelope(rate: Float64, ratio: Float64) -> tuple[Float64, Float64]:
    """Return the steps of the largest ratio at each rate or below, from rate 0 on."""
    rate, ratio = np.append(rate, 0.0), np.append(ratio, 0.0)
    order = np.lexsort((ratio, rate))
    rate, ratio = rate[order], np.maximum.accumulate(ratio[order])
    last = np.append(rate[1:] != rate[:-1], True)
    return rate[last], ratio[last]


def _area(rate: Float64, ratio: Float64, most: float) -> float:
    steps = pairwise([*rate.tolist(), most])
    return float(sum(y * (b - a) for y, (a, b) in zip(ratio.tolist(), steps, strict=True)) / most)
