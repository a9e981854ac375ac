"""How well held-out windows are scored: areas under ROC curves, by fold and over all folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from antiphon.evaluation.metrics.scores import average_precision, macro_average, roc_auc
from antiphon.training.detection.scoring import ScoredWindows


@dataclass(frozen=True, slots=True)
class FoldScore:
    """One line of the table of folds.

    Parameters
    ----------
    fold
        ``0`` and so on, or ``all`` for the windows of all folds together.
    recordings, windows
        That were scored.
    auc, auc_classes
        Mean area under the ROC curve over the classes that are present in some of the windows
        and absent in others, and how many those are. NaN for none.
    map, map_classes
        The same of average precision, over the classes that are present.
    """

    fold: str
    recordings: int
    windows: int
    auc: float
    auc_classes: int
    map: float
    map_classes: int

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; NaN becomes None."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


COLUMNS = ("fold", "recordings", "windows", "macro ROC-AUC", "classes", "mAP", "classes present")


def measure(fold: str, windows: ScoredWindows) -> FoldScore:
    """Judge scored windows by what is known of them."""
    count = len(windows.stems)
    if not count:
        return FoldScore(fold, 0, 0, float("nan"), 0, float("nan"), 0)
    areas = roc_auc(windows.scores, windows.labels)
    precisions = average_precision(windows.scores, windows.labels)
    return FoldScore(
        fold,
        len(set(windows.stems)),
        count,
        float(macro_average(areas)),
        int((~np.isnan(areas)).sum()),
        float(macro_average(precisions)),
        int((~np.isnan(precisions)).sum()),
    )


def table_rows(scores: Sequence[FoldScore]) -> list[list[str]]:
    """Return the rows below :data:`COLUMNS`."""
    return [
        [
            one.fold,
            f"{one.recordings:,}",
            f"{one.windows:,}",
            f"{one.auc:.4f}",
            str(one.auc_classes),
            f"{one.map:.4f}",
            str(one.map_classes),
        ]
        for one in scores
    ]
