"""Entropy sampling: windows whose labels are the most uncertain."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.ranking import binary_entropy, top


@strategy(
    "entropy",
    "windows with the largest predictive entropy, summed over labels",
    "Settles (2009), Active Learning Literature Survey, section 3.1",
    needs_head=True,
)
def entropy(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the largest entropy in bits.

    With several labels in a window it is the sum of the binary entropies of all labels, as if
    they were independent; else the entropy of the distribution over labels.
    """
    assert pool.probabilities is not None
    free = pool.candidates()
    doubt = label_entropy(pool.probabilities[free], multilabel=pool.multilabel)
    return top(free, doubt, n, pool.generator)


def label_entropy(probability: Float32, *, multilabel: bool) -> Float32:
    """Return the entropy of the labels of each row in bits, ``(...,)``.

    Parameters
    ----------
    probability
        ``(..., n_labels)``.
    multilabel
        Whether labels are independent of each other (a sum of binary entropies) or exclude each
        other. A single label in all is always compared with its absence.
    """
    found: Float32
    if multilabel or probability.shape[-1] == 1:
        found = binary_entropy(probability).sum(axis=-1)
        return found
    p = np.clip(probability, 1e-12, 1.0)
    found = -(p * np.log2(p)).sum(axis=-1)
    return found
