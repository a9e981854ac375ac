"""How unsure the detector is of a window, with labels weighted by how few examples they have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView
from antiphon.active.ranking import binary_entropy


def learned(pool: PoolView) -> Float32 | None:
    """Return the probabilities if the detector has learned from the pool's labels, else None.

    Before the first label a loop's head is random, and says nothing.
    """
    return pool.probabilities if len(pool.labelled) else None


def positives(labels: Float32) -> Int64:
    """Return how many windows carry each label, ``(n_labels,)``; unknown ones do not count.

    Parameters
    ----------
    labels
        ``(m, n_labels)``: 1 present, 0 absent, NaN unknown.
    """
    count: Int64 = (labels == 1.0).sum(axis=0).astype(np.int64)
    return count


def class_balance(labels: Float32, power: float = 0.5) -> Float32:
    """Return a weight for each label, ``(n_labels,)``, ``(1 + positives)**-power``, summing to 1.

    Labels with few examples draw more attention; one without any has the largest weight.
    """
    weight = (1.0 + positives(labels)) ** -power
    share: Float32 = (weight / weight.sum()).astype(np.float32)
    return share


def balanced_entropy(probability: Float32, labels: Float32, power: float = 0.5) -> Float32:
    """Return the weighted mean of binary entropies, ``(n,)``, from 0 (sure) to 1 (all at 0.5).

    Parameters
    ----------
    probability
        ``(n, n_labels)``; those of a softmax are read one label against the rest.
    labels
        ``(m, n_labels)`` labels so far, which give the weights of :func:`class_balance`.
    power
        0 weighs all labels the same.
    """
    doubt: Float32 = binary_entropy(probability) @ class_balance(labels, power)
    return doubt


def rank_share(values: npt.NDArray[np.floating]) -> Float32:
    """Return the rank of each value, ``(n,)``, from 0 (smallest) to 1; ties share their mean.

    A single value has rank 1, as do values that are all the same.
    """
    if len(values) == 0 or float(values.max()) == float(values.min()):
        return np.ones(len(values), np.float32)
    # It takes longer to load than most strategies take to choose.
    from scipy.stats import rankdata

    rank = rankdata(values, method="average")
    share: Float32 = ((rank - 1.0) / (len(values) - 1.0)).astype(np.float32)
    return share


def unit_range(values: Float32) -> Float32:
    """Return the values moved and scaled to 0...1; values that are all the same become 1."""
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.ones_like(values)
    scaled: Float32 = (values - low) / (high - low)
    return scaled


def budget_share(labelled: int, budget: int | None, reference: int = 500) -> float:
    """Return the share of the budget that is spent, from 0 to 1.

    Parameters
    ----------
    labelled
        Windows labelled so far.
    budget
        Labels that may be spent in all; ``reference`` stands in when it is not known.
    """
    return min(1.0, labelled / max(1, reference if budget is None else budget))
