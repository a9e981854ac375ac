"""A smooth loss for the area under the ROC curve, class by class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Differences of larger logits say nothing more, and their sums would overflow.
_LARGEST = 1e4


def soft_auc_loss(
    logits: Tensor, labels: Tensor, known: Tensor | None = None, *, scale: float = 1.0
) -> Tensor:
    """Return the mean over classes of the smooth share of pairs in the wrong order.

    One minus the area under the ROC curve is the share of pairs (present, absent) of which the
    absent one scores higher. Counting is replaced by ``log(1 + exp(-scale (s_i - s_j)))``, the
    pairwise logistic loss, which is consistent with the area (Gao and Zhou 2015). A pair
    counts by ``y_i (1 - y_j)``, the probability that it is one, so labels may lie between 0 and 1.

    A class counts by its presences in the batch, at most one: soft labels near 0 everywhere do
    not weigh as much as a class that is heard. Classes without a pair do not count; without any
    the loss is 0, with a gradient of 0.

    Parameters
    ----------
    logits
        ``(B, C)``.
    labels
        ``(B, C)`` in [0, 1].
    known
        ``(B, C)`` 0/1; None: all are known. An unknown label may hold anything.
    scale
        Above 0.

    Returns
    -------
    Tensor
        Scalar float32. Memory is that of ``B * B * C`` numbers.
    """
    x = logits.float().clamp(-_LARGEST, _LARGEST)
    told = torch.ones_like(x) if known is None else (known > 0).float()
    y = torch.where(told > 0, labels.float(), torch.zeros_like(x))
    present, absent = y, (1.0 - y) * told
    pairs = present.unsqueeze(1) * absent.unsqueeze(0)
    # An example makes no pair with itself.
    pairs = pairs * (1.0 - torch.eye(len(x), device=x.device)).unsqueeze(2)
    wrong = functional.softplus(-scale * (x.unsqueeze(1) - x.unsqueeze(0)))
    total = pairs.sum((0, 1))
    mean = (pairs * wrong).sum((0, 1)) / total.clamp(min=1e-12)
    weight = present.sum(0).clamp(max=1.0) * (total > 0)
    return (weight * mean).sum() / weight.sum().clamp(min=1e-12)
