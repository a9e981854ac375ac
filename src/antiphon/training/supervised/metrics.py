"""Average precision over a whole pass of validation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from antiphon.evaluation.metrics.scores import average_precision, macro_average

Float32 = npt.NDArray[np.float32]


class ScoreCollector:
    """Scores and labels of the clips of a pass."""

    def __init__(self) -> None:
        self._scores: list[Float32] = []
        self._targets: list[Float32] = []

    def add(self, logits: Tensor, labels: Tensor, known: Tensor | None) -> None:
        """Take a batch, each ``(B, C)``; a label counts as present from 0.5 on."""
        target = (labels >= 0.5).float()
        if known is not None:
            target = target.masked_fill(known <= 0, float("nan"))
        self._scores.append(_host(logits))
        self._targets.append(_host(target))

    def take(self) -> dict[str, float]:
        """Return the measures of the pass, and forget it.

        Returns
        -------
        dict
            ``map``, the mean average precision over the classes with a positive, NaN where there
            is none; ``map_classes``, how many there are. Empty if nothing was added.
        """
        scores, targets = self._scores, self._targets
        self._scores, self._targets = [], []
        if not scores:
            return {}
        per_class = average_precision(np.concatenate(scores), np.concatenate(targets))
        return {
            "map": float(macro_average(per_class)),
            "map_classes": float(np.count_nonzero(~np.isnan(per_class))),
        }


def _host(values: Tensor) -> Float32:
    array: Float32 = values.detach().float().cpu().numpy()
    return array
