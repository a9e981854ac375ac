"""Precision at every threshold, from labelled windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from antiphon.errors import UserError
from antiphon.evaluation.archive.quality import archive_curve
from antiphon.evaluation.crossval import nested_cross_validation
from antiphon.heads.binomial import clopper_pearson
from antiphon.heads.detector import Detector
from antiphon.heads.thresholds import MIN_GROUPS
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.annotate.stratified import Sample, sample_of
from antiphon.pipeline.judging import LEVEL
from antiphon.pipeline.train import TrainingSet, training_set, tuner
from antiphon.pipeline.windows import WindowSet
from antiphon.store import queues
from antiphon.store.project import ProjectFolder
from antiphon.store.schema import Annotation
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_RESAMPLES = 400
_INNER_FOLDS = 3
_RANDOM, _BY_SCORE, _IN_PART = "random", "stratified", "random in a part"
_DRAWN = (_RANDOM, _BY_SCORE, _IN_PART)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Labelled windows, each scored by a detector that never saw its recording.

    Parameters
    ----------
    data
        The labelled windows.
    probability
        ``(n, n_labels)``, NaN where there is no prediction.
    """

    data: TrainingSet
    probability: Float32


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """What labelled windows say of a label's precision at thresholds.

    Parameters
    ----------
    value, low, high
        ``(n_thresholds,)``; NaN where no labelled window is detected.
    recall
        ``(n_thresholds,)``, NaN without positives.
    labelled
        ``(n_thresholds,)`` labelled windows at or above each threshold.
    windows, positives, groups
        All that it rests on.
    group_by
        What the groups are.
    weighted
        Whether the windows were drawn with known chances and each counts with the inverse of its
        own, so that it holds for the whole archive.
    how
        How those windows came to be labelled, and what that means, in sentences.
    """

    value: Float64
    low: Float64
    high: Float64
    recall: Float64
    labelled: Int64
    windows: int
    positives: int
    groups: int
    group_by: str
    weighted: bool
    how: str


def labels_version(folder: ProjectFolder) -> tuple[int, int]:
    """Return something that changes whenever an annotation is added or deleted."""
    with folder.catalogue.database.read() as connection:
        row = connection.execute(select(func.count(), func.max(Annotation.id))).one()
    return int(row[0]), int(row[1] or 0)


def held_out(folder: ProjectFolder, table: VectorTable, detector: Detector) -> HeldOut:
    """Score all labelled windows by nested cross-validation, as the detector was trained.

    Raises
    ------
    UserError
        If there are no labels, or labels of fewer than three groups.
    """
    facts = detector.facts
    data = training_set(folder, table, group_by=facts.get("group_by"))
    seed = int(facts.get("seed", 0))
    result = nested_cross_validation(
        data.embeddings,
        data.targets,
        data.groups,
        tune=tuner(str(facts.get("head", "linear")), seed=seed),
        n_folds=5,
        inner_folds=_INNER_FOLDS,
        precision=float(facts.get("precision", folder.config.train.precision)),
        seed=seed,
    )
    return HeldOut(data, result.prob)


def precision_of(
    folder: ProjectFolder, detector: Detector, held: HeldOut, label: str, thresholds: Float32
) -> Precision:
    """Return the precision of one label at thresholds.

    A queue that was drawn by the label's score from all windows is used alone where every stratum
    has an answer: only its chances are known. Otherwise all labelled windows count alike, and
    ``how`` says what was sought out.

    Parameters
    ----------
    thresholds
        ``(n_thresholds,)`` ascending.

    Raises
    ------
    UserError
        If no labelled window speaks of the label.
    """
    if label not in held.data.labels:
        raise UserError(f"No labelled window is known to hold {label!r}, so nothing can be judged.")
    column = held.data.labels.index(label)
    found = _weighted(folder, detector, held, column, thresholds)
    return found or _unweighted(folder, held, column, thresholds)


def _unweighted(
    folder: ProjectFolder, held: HeldOut, column: int, thresholds: Float32
) -> Precision:
    data = held.data
    score, target = held.probability[:, column], data.targets[:, column]
    known = ~np.isnan(score) & ~np.isnan(target)
    if not known.any():
        raise UserError(
            f"No labelled window of {data.labels[column]!r} can be judged: all windows that have "
            f"it lie in one {data.group_by}."
        )
    positive = target[known] == 1.0
    value, low, high = share_by_group(score[known], positive, data.groups[known], thresholds)
    right = _above(score[known][positive], thresholds)
    total = int(positive.sum())
    return Precision(
        value=value,
        low=low,
        high=high,
        recall=right / total if total else np.full(len(thresholds), np.nan),
        labelled=_above(score[known], thresholds),
        windows=int(known.sum()),
        positives=total,
        groups=len(np.unique(data.groups[known])),
        group_by=data.group_by,
        weighted=False,
        how=how_labelled(folder, data.windows.take(np.flatnonzero(known))),
    )


def _weighted(
    folder: ProjectFolder, detector: Detector, held: HeldOut, column: int, thresholds: Float32
) -> Precision | None:
    """Return the estimate of the newest usable queue that was drawn by score, or None."""
    label = held.data.labels[column]
    with folder.catalogue.database.read() as connection:
        rows = queues.queues(connection)
    for row in rows:
        if row.kind != "stratified" or row.parameters.get("label") != label:
            continue
        if any(row.parameters.get("where", {}).values()):
            # A sample of some windows says nothing of the others.
            continue
        sample = sample_of(folder, row.id)
        own = _trained_before(detector, row.created_at)
        score = sample.score if own else _scores(held, column, sample)
        if len(score) == 0 or np.isnan(score).any():
            continue
        try:
            curve = archive_curve(
                sample.design(),
                sample.present.astype(float),
                score,
                thresholds.tolist(),
                level=LEVEL,
            )
        except UserError:
            # A stratum without an answer: nothing can be said of the archive yet.
            continue
        recordings = len({span.recording_id for span in sample.spans})
        left = f"; {sample.open:,} of its windows are still open" if sample.open else ""
        return Precision(
            value=np.array([q.precision.value for q in curve], np.float64),
            low=np.array([q.precision.low for q in curve], np.float64),
            high=np.array([q.precision.high for q in curve], np.float64),
            recall=np.array([q.recall.value for q in curve], np.float64),
            labelled=_above(score.astype(np.float32), thresholds),
            windows=len(score),
            positives=int(sample.present.sum()),
            groups=recordings,
            group_by="recording",
            weighted=True,
            how=(
                f"From the queue {row.name!r}, drawn by score with known chances: every window "
                f"counts with the inverse of its own, so this holds for all "
                f"{sum(sample.sizes.values()):,} windows that it was drawn from{left}."
            ),
        )
    return None


def _trained_before(detector: Detector, moment: datetime) -> bool:
    """Whether the detector was trained before, so that its own scores were never fitted to it."""
    try:
        made = datetime.fromisoformat(str(detector.facts.get("created")))
    except ValueError:
        return False
    return made.replace(tzinfo=None) < moment


def _scores(held: HeldOut, column: int, sample: Sample) -> Float64:
    """Return held-out scores of a sample's windows, NaN where there is none."""
    windows = held.data.windows
    place = {
        span.window: i
        for i, span in enumerate(
            Span(int(r), int(c), float(s), float(e))
            for r, c, s, e in zip(
                windows.recording_id, windows.channel, windows.start_s, windows.end_s, strict=True
            )
        )
    }
    at = [place.get(span.window) for span in sample.spans]
    scores = held.probability[:, column]
    return np.array([np.nan if i is None else scores[i] for i in at], np.float64)


def how_labelled(folder: ProjectFolder, windows: WindowSet) -> str:
    """Return in one or two sentences how far labelled windows are from a random sample.

    A precision measured on windows that a strategy sought out is not that of the archive (Sawade
    et al. 2010).
    """
    kinds = _kinds(folder)
    counts: Counter[str | None] = Counter(
        kinds.get((int(r), int(c), round(float(s), 6)))
        for r, c, s in zip(windows.recording_id, windows.channel, windows.start_s, strict=True)
    )
    elsewhere = counts.pop(None, 0)
    by_chance, by_score, in_part = (counts.pop(kind, 0) for kind in _DRAWN)
    sought = sum(counts.values())
    if by_chance == len(windows):
        return f"All {by_chance:,} labelled windows were drawn by chance."
    parts = []
    if sought:
        names = ", ".join(sorted(str(name) for name in counts))
        parts.append(f"{sought:,} were sought out (chosen by: {names})")
    if by_chance:
        parts.append(f"{by_chance:,} were drawn by chance")
    if by_score:
        parts.append(f"{by_score:,} were drawn by score, some scores more often than others")
    if in_part:
        parts.append(f"{in_part:,} were drawn by chance from a part of all windows")
    if elsewhere:
        parts.append(f"{elsewhere:,} came from elsewhere")
    return (
        f"Of {len(windows):,} labelled windows, {', '.join(parts)}. They are no random sample, so "
        "the precision in the whole archive may differ; to measure that, label a sample by score."
    )


def _kinds(folder: ProjectFolder) -> Mapping[tuple[int, int, float], str]:
    """Return by what kind of queue or strategy windows were chosen; chance counts before others."""
    kinds: dict[tuple[int, int, float], str] = {}
    for event in folder.catalogue.events("queue"):
        for recording, channel, start in event.data["windows"]:
            kinds[int(recording), int(channel), float(start)] = str(event.data["strategy"])
    with folder.catalogue.database.read() as connection:
        for row in queues.queues(connection):
            kind = str(row.parameters.get("strategy") or row.kind)
            if kind == _RANDOM and any(row.parameters.get("where", {}).values()):
                kind = _IN_PART
            for item in queues.items(connection, row.id):
                key = (item.recording_id, item.channel, round(item.start_s, 6))
                # An event says "random" of these as well, but not of what.
                if kinds.get(key) not in _DRAWN or kind == _IN_PART:
                    kinds[key] = kind
    return kinds


def share_by_group(
    score: Float32, positive: Bool, groups: Int64, thresholds: Float32, *, seed: int = 0
) -> tuple[Float64, Float64, Float64]:
    """Return the share of positives at or above each threshold, with intervals over groups.

    The intervals are percentiles of a bootstrap over groups; exact binomial ones (Clopper and
    Pearson 1934) with the groups as the sample where they are fewer than
    :data:`~antiphon.heads.thresholds.MIN_GROUPS` or no resample has an error, for windows of one
    recording are alike.

    Parameters
    ----------
    score, positive, groups
        ``(n,)``.
    thresholds
        ``(n_thresholds,)`` ascending.
    """
    names, group = np.unique(groups, return_inverse=True)
    right = _by_group(score[positive], group[positive], len(names), thresholds)
    every = _by_group(score, group, len(names), thresholds)
    k, n = right.sum(axis=0), every.sum(axis=0)
    value = np.divide(k, n, out=np.full(len(n), np.nan), where=n > 0)
    held_by = (every > 0).sum(axis=0).astype(np.float64)
    low, high = clopper_pearson(np.nan_to_num(value) * held_by, held_by, LEVEL)
    low[n == 0] = high[n == 0] = np.nan
    enough = np.flatnonzero(held_by >= MIN_GROUPS)
    if len(enough):
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
        weight = drawn.astype(np.float64)
        with np.errstate(invalid="ignore"):
            shares = (weight @ right[:, enough]) / (weight @ every[:, enough])
        ends = np.nanquantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        wide = ends[1] - ends[0] > 1e-9
        low[enough[wide]], high[enough[wide]] = ends[:, wide]
    return value, low, high


def _by_group(score: Float32, group: Int64, count: int, thresholds: Float32) -> Float64:
    """Return ``(n_groups, n_thresholds)`` windows of each group at or above each threshold."""
    width = len(thresholds) + 1
    passed = np.searchsorted(thresholds, score, side="right")
    cells = np.bincount(group * width + passed, minlength=count * width).reshape(count, width)
    return np.cumsum(cells[:, ::-1], axis=1)[:, ::-1][:, 1:].astype(np.float64)


def _above(score: Float32, thresholds: Float32) -> Int64:
    ordered = np.sort(score)
    return (len(ordered) - np.searchsorted(ordered, thresholds, side="left")).astype(np.int64)
