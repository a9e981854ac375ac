"""Scores against labels: every measure of a report, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.intervals import (
    Interval,
    Statistic,
    average_precision_by_label,
    bootstrap,
    bootstrap_difference,
    clopper_pearson,
    mean_average_precision,
    precision_at,
    recall_at,
    roc_auc_by_label,
    wilson,
)
from antiphon.evaluation.metrics.scores import macro_average, reliability
from antiphon.heads.thresholds import MIN_GROUPS, Threshold
from antiphon.pipeline.report.data import (
    Calibration,
    ClassQuality,
    Estimate,
    PrecisionRecall,
    Quality,
)

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[np.floating]
Bool = npt.NDArray[np.bool_]

RESAMPLES = 1000
LEVEL = 0.95
_CURVE_RESAMPLES = 200
# With positives in fewer groups than this, resampling them says nothing.
_FEWEST = 3
_RECALL = np.linspace(0.0, 1.0, 41)


def judge(
    probability: Float32,
    target: Float32,
    groups: Int64,
    labels: Sequence[str],
    limits: Float32,
    *,
    title: str,
    group_by: str,
    folds: int = 0,
    seed: int = 0,
    how: str = "",
    verdicts: bool = True,
    thresholds: Mapping[str, Threshold] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Quality:
    """Measure calibrated probabilities against labels.

    Parameters
    ----------
    probability
        ``(n, n_labels)``, NaN where there is no prediction.
    target
        ``(n, n_labels)``: 1, 0 or NaN (unknown).
    groups
        ``(n,)``; intervals come from a bootstrap over them.
    labels
        Names of the columns.
    limits
        ``(n_labels,)`` or ``(n, n_labels)`` thresholds.
    title, group_by, folds, how, verdicts
        As in :class:`~antiphon.pipeline.report.data.Quality`.
    thresholds
        Those of the detector, by label: what is shown as the threshold, where ``limits`` are those
        of folds, and how many more clips it takes.
    notes
        By label, why it cannot be judged.
    """
    # Without a window that lacks the label, every ranking is perfect and says nothing.
    both = ((target == 0.0) & ~np.isnan(probability)).any(axis=0)
    target = np.where(both, target, np.nan).astype(np.float32)
    found = bootstrap(
        _measures(limits),
        probability,
        target,
        groups,
        rng=np.random.default_rng(seed),
        n_resamples=RESAMPLES,
        level=LEVEL,
    )
    n = len(labels)
    ap, auc, precision, recall = (found[i * n : (i + 1) * n] for i in range(4))
    macro_ap, macro_auc = found[4 * n :]
    known = ~np.isnan(target) & ~np.isnan(probability)
    shown = np.median(limits, axis=0) if limits.ndim == 2 else limits
    over = known & (probability >= limits)
    with_positives = len(np.unique(groups[(known & (target == 1.0)).any(axis=1)]))
    classes = []
    for i, label in enumerate(labels):
        positive = known[:, i] & (target[:, i] == 1.0)
        right = over[:, i] & positive
        held_by = len(np.unique(groups[positive]))
        threshold = (thresholds or {}).get(label)
        reason = (notes or {}).get(label, "" if both[i] else "no window without it")
        cut = float(shown[i]) if threshold is None else threshold.value
        classes.append(
            ClassQuality(
                label=label,
                positives=int(positive.sum()),
                negatives=int((known[:, i] & (target[:, i] == 0.0)).sum()),
                groups=held_by,
                average_precision=_estimate(ap[i], held_by),
                roc_auc=_estimate(auc[i], held_by),
                threshold=None if np.isnan(cut) else cut,
                precision=_share(precision[i], right, over[:, i], groups),
                recall=_share(recall[i], right, positive, groups),
                more_clips=None if threshold is None else threshold.more_clips_needed,
                note=_note(ap[i], reason, held_by),
                curve=_curve(probability[:, i], target[:, i], groups, seed),
            )
        )
    return Quality(
        title=title,
        classes=tuple(classes),
        macro_average_precision=_estimate(macro_ap, with_positives),
        macro_roc_auc=_estimate(macro_auc, with_positives),
        calibration=_calibration(probability, target),
        group_by=group_by,
        groups=len(np.unique(groups)),
        folds=folds,
        windows=len(target),
        bootstrap=RESAMPLES,
        level=LEVEL,
        seed=seed,
        how=how,
        verdicts=verdicts,
    )


def difference(
    one: Float32, other: Float32, target: Float32, groups: Int64, *, seed: int = 0
) -> Estimate:
    """Return macro average precision of ``one`` less that of ``other``, paired by group."""
    found = bootstrap_difference(
        mean_average_precision,
        one,
        other,
        target,
        groups,
        rng=np.random.default_rng(seed),
        n_resamples=RESAMPLES,
        level=LEVEL,
    )
    return Estimate(found[0].value, found[0].low, found[0].high)


def pooled(
    probability: Float32, target: Float32, groups: Int64, limits: Float32, *, seed: int = 0
) -> tuple[Estimate, Estimate]:
    """Return precision and recall of all labels' detections together, resampled by group."""

    def shares(score: Array, target: Array, weight: Array) -> Float64:
        known = ~np.isnan(target) & ~np.isnan(score)
        over, positive = known & (score >= limits), known & (target == 1.0)
        counts = np.stack([(over & positive).sum(1), over.sum(1), positive.sum(1)], axis=1)
        right, found, there = (np.atleast_2d(weight) @ counts.astype(np.float64)).T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([right / found, right / there], axis=1)

    precision, recall = bootstrap(
        shares,
        probability,
        target,
        groups,
        rng=np.random.default_rng(seed),
        n_resamples=RESAMPLES,
        level=LEVEL,
    )
    held_by = len(np.unique(groups))
    return _estimate(precision, held_by) or Estimate(np.nan), _estimate(
        recall, held_by
    ) or Estimate(np.nan)


def _measures(limits: Float32) -> Statistic:
    """Return all measures as one statistic, so that each resample sorts the scores once.

    For ``n`` labels: ``n`` average precisions, ROC areas, precisions and recalls at ``limits``,
    then the means of the first two over labels that have one.
    """
    at_limit = (precision_at(limits), recall_at(limits))

    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        ap = average_precision_by_label(score, target, weight)
        auc = roc_auc_by_label(score, target, weight)
        shares = [measure(score, target, weight) for measure in at_limit]
        means = np.stack([macro_average(ap), macro_average(auc)], axis=1)
        return np.concatenate([ap, auc, *shares, means], axis=1)

    return statistic


def _estimate(interval: Interval, groups: int) -> Estimate | None:
    """Return a value with its interval; none with positives in too few groups to resample."""
    if np.isnan(interval.value):
        return None
    if groups < _FEWEST:
        return Estimate(interval.value)
    return Estimate(interval.value, interval.low, interval.high)


def _share(interval: Interval, part: Bool, whole: Bool, groups: Int64) -> Estimate | None:
    """Return a precision or recall with its interval.

    Where few groups hold the windows, or every resample agrees because all are right (or all
    wrong), the bootstrap would claim certainty. There the interval is the exact binomial one
    (Clopper and Pearson 1934) with the groups as the sample: windows of one group are alike.
    """
    k, n = int(part.sum()), int(whole.sum())
    if n == 0:
        return None
    held_by = len(np.unique(groups[whole]))
    low, high = interval.low, interval.high
    if held_by < MIN_GROUPS or not low < high:
        ends = clopper_pearson([k * held_by / n], [held_by], LEVEL)
        low, high = (float(end[0]) for end in ends)
    return Estimate(k / n, low, high)


def _note(interval: Interval, reason: str, groups: int) -> str:
    """Return why a label is not judged or its interval is doubtful, as a sentence."""
    text = reason
    if not text and np.isnan(interval.value):
        text = "no positive window"
    elif not text and groups < MIN_GROUPS:
        text = f"its positives lie in {groups} group{'s' if groups != 1 else ''} only" + (
            ", too few for an interval" if groups < _FEWEST else ", so its intervals are rough"
        )
    return text[:1].upper() + text[1:] + "." if text else ""


def _calibration(probability: Float32, target: Float32) -> Calibration | None:
    found = reliability(probability, target)
    if found.count.sum() == 0:
        return None
    low, high = wilson(np.round(found.observed * found.count), found.count, LEVEL)
    return Calibration(
        predicted=found.predicted,
        observed=found.observed,
        low=np.where(found.count > 0, low, np.nan),
        high=np.where(found.count > 0, high, np.nan),
        count=found.count,
        error=Estimate(found.error),
    )


def _curve(
    probability: Float32, target: Float32, groups: Int64, seed: int
) -> PrecisionRecall | None:
    """Return the interpolated precision-recall curve of one label with a bootstrap band.

    At each recall stands the largest precision of any threshold that reaches it.
    """
    known = ~np.isnan(target) & ~np.isnan(probability)
    positive = target[known] == 1.0
    if not positive.any() or positive.all():
        return None
    order = np.argsort(-probability[known], kind="stable")
    is_positive = positive[order].astype(np.float64)
    # Only the last row of equal scores is a threshold that can be set.
    score = probability[known][order]
    last = np.append(score[1:] != score[:-1], True)
    group = np.unique(groups[known][order], return_inverse=True)[1]
    n_groups = int(group.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), _CURVE_RESAMPLES)
    value = _interpolated(is_positive, last, np.ones(len(is_positive)))
    band = np.stack([_interpolated(is_positive, last, row[group]) for row in drawn])
    enough = (~np.isnan(band)).any(axis=0)
    low, high = np.full(len(_RECALL), np.nan), np.full(len(_RECALL), np.nan)
    if n_groups > 1 and enough.any():
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low[enough], high[enough] = np.nanquantile(band[:, enough], tails, axis=0)
    return PrecisionRecall(_RECALL, value, low, high, prevalence=float(positive.mean()))


def _interpolated(
    is_positive: Float64, last: npt.NDArray[np.bool_], weight: npt.NDArray[np.number]
) -> Float64:
    right = np.cumsum(is_positive * weight)
    found = np.cumsum(weight.astype(np.float64))
    if right[-1] == 0:
        return np.full(len(_RECALL), np.nan)
    right, found = right[last], found[last]
    precision = right / np.maximum(found, 1e-12)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    recall = right / right[-1]
    return np.asarray(best[np.searchsorted(recall, _RECALL - 1e-9).clip(max=len(best) - 1)])
