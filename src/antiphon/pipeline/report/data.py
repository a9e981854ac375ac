"""All facts of a report as plain data; whoever fills it knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Datetime64 = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Parameters
    ----------
    value
        Point estimate; NaN if it is not defined.
    low, high
        Ends of the interval; NaN if there is none, which the report says.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the project is.

    Parameters
    ----------
    project
        Its name.
    encoder, encoder_fingerprint
        Name and fingerprint (hex) of the encoder; empty before anything is embedded.
    detector
        Name of the current detector, or None.
    recordings
        Recordings that can be read, wholly or in part.
    hours
        Hours of audio in them.
    windows
        Windows embedded.
    sites
        Sites known by name.
    labels_spent
        Windows (or clips) that a person has labelled.
    annotations
        All annotations of all sources.
    notes
        Sentences for the top of the report, such as what a demonstration is.
    """

    project: str
    encoder: str = ""
    encoder_fingerprint: str = ""
    detector: str | None = None
    recordings: int = 0
    hours: float = 0.0
    windows: int = 0
    sites: int = 0
    labels_spent: int = 0
    annotations: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Effort:
    """When and where was recorded: one row for each readable recording.

    Parameters
    ----------
    path
        ``(n,)`` names of the recordings.
    start
        ``(n,)`` datetime64, local time of the recorder; NaT if unknown.
    duration_s
        ``(n,)`` float64, s.
    site
        ``(n,)`` names of sites; empty if unknown.
    clock
        What the times are, as in "the recorders' own clocks".
    """

    path: tuple[str, ...]
    start: Datetime64
    duration_s: Float64
    site: tuple[str, ...]
    clock: str = "the recorders' own clocks"


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """A precision-recall curve with a band.

    Parameters
    ----------
    recall
        ``(n,)`` ascending, in [0, 1].
    precision, low, high
        ``(n,)`` precision at that recall and the ends of its interval; NaN is a gap.
    prevalence
        Share of positives among the windows: the precision of guessing.
    """

    recall: Float64
    precision: Float64
    low: Float64
    high: Float64
    prevalence: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Predicted probabilities against what was found, in bins.

    Parameters
    ----------
    predicted
        ``(n_bins,)`` mean predicted probability of the windows in the bin.
    observed, low, high
        ``(n_bins,)`` share of positives among them, and its interval.
    count
        ``(n_bins,)`` windows in the bin; an empty bin is not drawn.
    error
        Expected calibration error.
    """

    predicted: Float64
    observed: Float64
    low: Float64
    high: Float64
    count: Int64
    error: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class ClassQuality:
    """How well one class is detected.

    Parameters
    ----------
    label
        Its name.
    positives, negatives
        Evaluated windows with the class present and absent.
    groups
        Groups (recordings, sites, ...) that hold at least one positive.
    average_precision, roc_auc
        None if they could not be computed.
    threshold
        Probability at and above which a window counts as a detection; None without one.
    precision, recall
        At that threshold.
    more_clips
        Labelled clips that would narrow the precision's interval to +- ``half_width``; 0 if
        it is that narrow already, None if that cannot be said.
    half_width
        Half the width aimed at.
    note
        A sentence about the class, as "no threshold reaches a precision of 0.90".
    curve
        Its precision-recall curve, if there is one.
    """

    label: str
    positives: int
    groups: int
    negatives: int = 0
    average_precision: Estimate | None = None
    roc_auc: Estimate | None = None
    threshold: float | None = None
    precision: Estimate | None = None
    recall: Estimate | None = None
    more_clips: int | None = None
    half_width: float = 0.05
    note: str = ""
    curve: PrecisionRecall | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """One evaluation of the detector.

    Parameters
    ----------
    title
        What is compared with what, as "Cross-validation on the labels" or "Against the exact
        truth".
    classes
        One entry for each class.
    macro_average_precision, macro_roc_auc
        Means over the classes.
    calibration
        Over all classes together.
    group_by
        What the folds never split: recording, site, ...; empty if there are no folds.
    groups, folds, windows
        Groups, folds and labelled windows used.
    bootstrap
        Replicates behind the intervals; 0 if they come from another method.
    level
        Level of the intervals.
    seed
        Seed of folds and bootstrap.
    how
        Anything else to be said about the method, one sentence.
    leakage
        What was compared between the sides of the split, and what both share, as sentences.
    verdicts
        Whether the plain-language verdicts of the summary are taken from this evaluation. The
        first evaluation that says so counts.
    """

    title: str
    classes: tuple[ClassQuality, ...]
    macro_average_precision: Estimate | None = None
    macro_roc_auc: Estimate | None = None
    calibration: Calibration | None = None
    group_by: str = ""
    groups: int = 0
    folds: int = 0
    windows: int = 0
    bootstrap: int = 0
    level: float = 0.95
    seed: int | None = None
    how: str = ""
    leakage: tuple[str, ...] = ()
    verdicts: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Detections at the classes' thresholds: one row for each.

    Parameters
    ----------
    labels
        Names of all classes that were looked for, also those without a detection.
    label
        ``(n,)`` int64, index into ``labels``.
    time
        ``(n,)`` datetime64, start of the detection in local time; NaT if unknown.
    site
        ``(n,)`` names of sites; empty if unknown.
    """

    labels: tuple[str, ...]
    label: Int64
    time: Datetime64
    site: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipView:
    """A clip to look at and listen to.

    Parameters
    ----------
    label
        Class that it is shown for.
    kind
        ``best``: among the most probable; ``doubtful``: nearest to the threshold.
    audio
        ``(n,)`` float32 in [-1, 1], with whatever context should be seen.
    sample_rate
        Hz, the recording's own (so that ultrasound is kept).
    path
        Name of the recording.
    start_s, end_s
        Span of ``audio`` in the recording, s.
    probability
        Calibrated probability of the class.
    site, time
        Where and when (start of the clip, local time), if known.
    said
        What a person said of the class in this clip: ``present``, ``absent``, ``unsure``, or
        None if nobody listened yet.
    box
        ``(start_s, end_s, low_hz, high_hz)`` to outline, in s from the start of ``audio``, or
        None.
    """

    label: str
    kind: Literal["best", "doubtful"]
    audio: Float32
    sample_rate: int
    path: str
    start_s: float
    end_s: float
    probability: float
    site: str = ""
    time: datetime | None = None
    said: str | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Quality against labels spent, for one way of choosing what to label.

    Parameters
    ----------
    name
        As in "active (margin)" or "random".
    labels
        ``(n,)`` labels spent, ascending.
    value, low, high
        ``(n,)`` quality and its band; NaN is a gap.
    seeds
        Repetitions behind it; 1 is a single run.
    """

    name: str
    labels: Float64
    value: Float64
    low: Float64
    high: Float64
    seeds: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """Labels spent against quality.

    Parameters
    ----------
    curves
        In the order of the legend.
    measure
        What the quality is, as "macro average precision on held-out recordings".
    band
        What the band is, as "range of 3 seeds" or "95 % interval".
    """

    curves: tuple[LearningCurve, ...]
    measure: str = "macro average precision"
    band: str = "95 % interval"


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What the numbers leave out.

    Parameters
    ----------
    problems
        ``(path, state, reason)`` of recordings that are unreadable, partial, missing or failed.
    without_positives
        Labels that nobody found present yet.
    untrained
        ``(label, reason)`` of classes that could not be trained.
    unscored_windows
        Windows that the detector has not scored.
    unscored_reason
        Why not.
    leakage
        Sentences on what may make the numbers too good.
    notes
        Anything else, one sentence each.
    """

    problems: tuple[tuple[str, str, str], ...] = ()
    without_positives: tuple[str, ...] = ()
    untrained: tuple[tuple[str, str], ...] = ()
    unscored_windows: int = 0
    unscored_reason: str = ""
    leakage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """What it takes to do it again.

    Parameters
    ----------
    created
        When the report was made, with a time zone if known.
    versions, settings, seeds, machine
        Name to value; printed in the order given.
    commands
        Command lines that lead to these results.
    """

    created: datetime
    versions: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ReportData:
    """Everything that a report shows; a part that is None or empty is said to be missing."""

    summary: Summary
    provenance: Provenance
    effort: Effort | None = None
    quality: tuple[Quality, ...] = ()
    detections: Detections | None = None
    clips: tuple[ClipView, ...] = ()
    learning: Learning | None = None
    uncovered: Uncovered = field(default_factory=Uncovered)
