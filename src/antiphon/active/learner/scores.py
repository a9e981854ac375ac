"""Scores of one head and of a whole learning curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.metrics.learning import aulc_mean, aulc_on_grid, aulc_trapezoid
from antiphon.evaluation.metrics.scores import average_precision, precision_recall_f1

__all__ = [
    "BASELINE_BATCH",
    "BASELINE_EPOCHS",
    "Scores",
    "aulc_mean",
    "aulc_on_grid",
    "aulc_trapezoid",
    "judge",
    "relative_cost",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BASELINE_BATCH, BASELINE_EPOCHS = 50, 10
_BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """How good a head is on the rows that judge it; all are BaseAL's, by its definitions.

    Parameters
    ----------
    mAP
        Mean average precision over labels with a positive among the rows; 0 if there is none.
    accuracy
        Share of rows with all labels right at 0.5, or with the right single label.
    f1
        Macro F1 at 0.5 (of the most probable label in single-label sets); a label with neither
        positives nor predictions counts as 0, as in scikit-learn.
    calibration_error
        Expected calibration error of the most probable label's probability in ten bins. In
        multi-label sets a row counts as right when the first predicted label is the first true
        one, which is BaseAL's reading and no good measure; it is kept for comparison.
    without_positives
        Labels that the mean leaves out.
    by_label
        Average precision of each label, NaN without a positive.
    """

    mAP: float  # noqa: N815
    accuracy: float
    f1: float
    calibration_error: float
    without_positives: int
    by_label: tuple[float, ...] = ()


def judge(probabilities: Float32, targets: Float32, *, multilabel: bool) -> Scores:
    """Compare ``(n, n_labels)`` probabilities with targets of 0 and 1."""
    values = average_precision(probabilities, targets)
    judged = ~np.isnan(values)
    if multilabel:
        said = probabilities > 0.5
        accuracy = float((said == (targets > 0.5)).all(axis=1).mean())
        first_said, first_true = said.argmax(axis=1), targets.argmax(axis=1)
    else:
        first_said, first_true = probabilities.argmax(axis=1), targets.argmax(axis=1)
        said = np.zeros(targets.shape, dtype=bool)
        said[np.arange(len(said)), first_said] = True
        accuracy = float((first_said == first_true).mean())
    return Scores(
        mAP=float(values[judged].mean()) if judged.any() else 0.0,
        accuracy=accuracy,
        f1=_macro_f1(said, targets, multilabel=multilabel),
        calibration_error=_calibration_error(
            probabilities.max(axis=1).astype(np.float64), first_said == first_true
        ),
        without_positives=int((~judged).sum()),
        by_label=tuple(values.tolist()),
    )


def _macro_f1(said: npt.NDArray[np.bool_], targets: Float32, *, multilabel: bool) -> float:
    _, _, f1 = precision_recall_f1(said.astype(np.float32), targets, 0.5)
    f1 = np.nan_to_num(f1)
    if not multilabel:
        # scikit-learn averages over labels that occur in the truth or in the predictions.
        there = said.any(axis=0) | (targets > 0.5).any(axis=0)
        if targets.shape[1] == 2:
            return float(f1[1])
        f1 = f1[there]
    return float(f1.mean()) if len(f1) else 0.0


def _calibration_error(confidence: Float64, right: npt.NDArray[np.bool_]) -> float:
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    place = np.searchsorted(edges, confidence, side="left") - 1
    inside = place >= 0
    place = np.minimum(place, _BINS - 1)
    count = np.bincount(place[inside], minlength=_BINS)
    said = np.bincount(place[inside], weights=confidence[inside], minlength=_BINS)
    true = np.bincount(place[inside], weights=right[inside].astype(float), minlength=_BINS)
    return float(np.abs(said - true)[count > 0].sum() / max(1, len(confidence)))


def relative_cost(
    parameters: int, epochs: int, cycles: int, baseline_parameters: int, budget: int
) -> float:
    """Return the training cost over the baseline's: parameters x epochs x cycles of each.

    The baseline has ten epochs and batches of 50; its parameters are those of a head whose hidden
    layer is as wide as the embeddings.
    """
    baseline = baseline_parameters * BASELINE_EPOCHS * math.ceil(budget / BASELINE_BATCH)
    return parameters * epochs * cycles / baseline
