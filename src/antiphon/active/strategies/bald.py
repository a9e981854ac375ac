"""BALD: windows on which dropout masks of the detector contradict each other."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.ranking import top
from antiphon.active.strategies import entropy

PASSES = 10


@strategy(
    "bald",
    "windows about which the detector would learn most of itself: mutual information of "
    "label and dropout mask",
    "Houlsby et al. (2011), arXiv:1112.5745; dropout as in Gal et al. (2017), arXiv:1703.02910",
    needs_head=True,
)
def bald(pool: PoolView, n: int) -> Selection:
    """Choose the largest entropy of the mean minus mean entropy over 10 dropout passes.

    With several labels in a window it is the sum over labels, as if they were independent.
    Without dropout all passes are the same and the information is 0 everywhere: then the choice
    is by the predictive entropy.
    """
    assert pool.head is not None
    free = pool.candidates()
    passes = pool.head.dropout(PASSES)[:, free]
    gain = mutual_information(passes, multilabel=pool.multilabel)
    if float(gain.max()) <= 1e-6:
        gain = entropy.label_entropy(passes[0], multilabel=pool.multilabel)
    return top(free, gain, n, pool.generator)


def mutual_information(passes: Float32, *, multilabel: bool) -> Float32:
    """Return the mutual information of label and dropout mask in bits, ``(n,)``.

    Parameters
    ----------
    passes
        ``(passes, n, n_labels)`` probabilities.
    multilabel
        Whether labels are independent of each other or exclude each other.
    """
    together = entropy.label_entropy(passes.mean(axis=0), multilabel=multilabel)
    each = np.zeros(passes.shape[1], np.float32)
    for one in passes:
        each += entropy.label_entropy(one, multilabel=multilabel)
    gain: Float32 = together - each / np.float32(len(passes))
    return gain
