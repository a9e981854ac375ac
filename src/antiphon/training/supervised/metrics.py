"""Average precision and areas under ROC curves over a whole pass of validation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from antiphon.evaluation.metrics.scores import average_precision, macro_average, roc_auc

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

    def take(self, *, auc: bool = False) -> dict[str, float]:
        """Return the measures of the pass, and forget it.

        Parameters
        ----------
        auc
            Whether the areas under ROC curves are wanted too.

        Returns
        -------
        dict
            ``map``, the mean average precision over the classes with a positive, NaN where there
            is none; ``map_classes``, how many there are. If wanted, ``auc`` and ``auc_classes``
            likewise, over the classes with a positive and a negative. Empty if nothing was added.
        """
        scores, targets = self._scores, self._targets
        self._scores, self._targets = [], []
        if not scores:
            return {}
        score, target = np.concatenate(scores), np.concatenate(targets)
        measures = {"map": average_precision, **({"auc": roc_auc} if auc else {})}
        found = {}
        for name, measure in measures.items():
            per_class = measure(score, target)
            found[name] = float(macro_average(per_class))
            found[f"{name}_classes"] = float(np.count_nonzero(~np.isnan(per_class)))
        return found


def _host(values: Tensor) -> Float32:
    array: Float32 = values.detach().float().cpu().numpy()
    return array
