"""Accuracy and average precision of predictions, with intervals from a grouped bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.intervals import Interval, bootstrap, mean_average_precision
from antiphon.evaluation.metrics.scores import average_precision, macro_average
from antiphon.evaluation.protocols.inputs import Float32, Labelled, one_hot
from antiphon.evaluation.protocols.result import Measure

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]

INDEPENDENT = "items drawn one by one, as no groups are given"
RESAMPLES = 1000


def group_note(groups: npt.NDArray[np.generic] | None) -> str:
    """Say what the bootstrap draws."""
    return INDEPENDENT if groups is None else f"{len(np.unique(groups))} groups drawn"


def mean_of_items(
    values: npt.ArrayLike,
    groups: npt.NDArray[np.generic] | None,
    rng: np.random.Generator,
    n_resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean over items of any per-item value, ``(n,)``, by resampling groups."""
    given = np.asarray(values, np.float64)

    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        w = weight.astype(np.float64)
        mean: Float64 = (w @ score[:, 0]) / w.sum(axis=1)
        return mean

    drawn = np.arange(len(given)) if groups is None else groups
    return bootstrap(
        statistic, given, np.zeros(len(given)), drawn, rng=rng, n_resamples=n_resamples
    )[0]


def accuracies(
    right: npt.ArrayLike,
    labels: npt.ArrayLike,
    n_classes: int,
    groups: npt.NDArray[np.generic] | None,
    rng: np.random.Generator,
    n_resamples: int = RESAMPLES,
) -> tuple[Interval, Interval]:
    """Return the mean over items, and over classes, of a per-item value ``(n,)``.

    With 1 for right and 0 for wrong they are accuracy and balanced accuracy. A class that a
    resample does not hold is left out of that resample's mean over classes.
    """
    given = np.asarray(right, np.float64)
    member = one_hot(np.asarray(labels, np.int64), n_classes).astype(np.float64)
    hit = member * given[:, None]

    def statistic(score: Array, target: Array, weight: Array) -> Float64:
        w = weight.astype(np.float64)
        size = w @ member
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(size > 0, (w @ hit) / size, np.nan)
        return np.column_stack([(w @ given) / w.sum(axis=1), macro_average(share)])

    drawn = np.arange(len(given)) if groups is None else groups
    found = bootstrap(
        statistic, given, np.zeros(len(given)), drawn, rng=rng, n_resamples=n_resamples
    )
    return found[0], found[1]


def score_side(
    scores: Float32,
    test: Labelled,
    groups: npt.NDArray[np.generic] | None,
    seed: int,
    n_resamples: int = RESAMPLES,
) -> tuple[tuple[Measure, ...], dict[str, Any]]:
    """Return the measures of class scores on the test side, and per-class numbers.

    Parameters
    ----------
    scores
        ``(n, C)``, higher is more likely.
    test
        The test side.
    groups
        ``(n,)`` recording, site or day of each test item, or None.

    Returns
    -------
    measures
        Single label: ``accuracy`` and ``balanced_accuracy``. Multi-label: ``map`` over the
        classes with a positive and ``map_all`` over all classes, absent ones as 0.
    details
        ``per_class``: recall or average precision of each class, NaN without examples.
    """
    if test.multilabel:
        return _multi_label(scores, test, groups, seed, n_resamples)
    note = group_note(groups)
    labels = test.labels.astype(np.int64)
    predicted = scores.argmax(axis=1)
    right = (predicted == labels).astype(np.float64)
    counts = test.counts
    with np.errstate(invalid="ignore"):
        recall = np.bincount(labels, right, test.n_classes) / counts
    rng = np.random.default_rng(seed)
    plain, balanced = accuracies(right, labels, test.n_classes, groups, rng, n_resamples)
    by_class = f"mean over {int((counts > 0).sum())} classes; {note}"
    measures = (
        Measure.of("accuracy", plain, len(right), note),
        Measure.of("balanced_accuracy", balanced, len(right), by_class),
    )
    return measures, {"per_class": recall, "predicted": predicted}


def _multi_label(
    scores: Float32,
    test: Labelled,
    groups: npt.NDArray[np.generic] | None,
    seed: int,
    n_resamples: int,
) -> tuple[tuple[Measure, ...], dict[str, Any]]:
    target = test.matrix
    per_class = average_precision(scores, target)
    judged = test.counts > 0
    drawn = np.arange(len(target)) if groups is None else groups
    found = bootstrap(
        mean_average_precision,
        scores[:, judged],
        target[:, judged],
        drawn,
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
    )
    note = group_note(groups)
    share = judged.mean()
    first = found[0] if found else Interval(np.nan, np.nan, np.nan, 0.95, "percentile", 0, 0)
    classes = f"{int(judged.sum())} of {len(judged)} classes have a positive"
    present = Measure.of("map", first, len(target), f"over classes with a positive: {classes}")
    # The share of absent classes is a fact of the test side, so it scales the ends as well.
    everything = Measure(
        "map_all",
        float(np.nan_to_num(first.value) * share),
        float(first.low * share),
        float(first.high * share),
        len(target),
        f"over all classes, AP 0 where the test side has no positive: {classes}",
    )
    measures = tuple(
        Measure(m.name, m.value, m.low, m.high, m.n, f"{m.note}; {note}")
        for m in (present, everything)
    )
    return measures, {"per_class": per_class}


def validation_score(scores: Float32, side: Labelled) -> float:
    """Return accuracy, or mean average precision over classes with a positive; no interval."""
    if side.multilabel:
        return float(macro_average(average_precision(scores, side.matrix)))
    return float((scores.argmax(axis=1) == side.labels).mean())
