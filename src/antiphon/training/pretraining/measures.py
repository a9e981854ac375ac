"""What a log shows when a self-supervised run collapses."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


@torch.no_grad()
def spread(clips: Tensor) -> Tensor:
    """Return one minus the mean cosine of different clips ``(B, D)``; NaN for a single one.

    Near 0, all clips look the same to the network: it has collapsed.
    """
    count = len(clips)
    if count < 2:
        return clips.new_tensor(math.nan)
    total = functional.normalize(clips.float(), dim=1).sum(0).square().sum()
    return 1 - (total - count) / (count * (count - 1))


@torch.no_grad()
def deviation(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the standard deviation over tokens ``(R, S, D)``, averaged over ``D``.

    Only tokens where ``mask`` ``(R, S)`` holds are counted. Predictions near 0 are the same for
    every patch.
    """
    weight = mask.unsqueeze(2).float()
    count = weight.sum().clamp(min=1)
    x = tokens.float()
    mean = (x * weight).sum((0, 1)) / count
    variance = ((x - mean).square() * weight).sum((0, 1)) / count
    return variance.sqrt().mean()


@torch.no_grad()
def code_usage(codes: Tensor, size: int) -> dict[str, Tensor]:
    """Describe how a codebook is used by a batch.

    Parameters
    ----------
    codes
        ``(n,)`` int64.
    size
        Codes in the codebook.

    Returns
    -------
    dict
        ``codes_used``, share of the codebook that occurs; ``code_perplexity``, the exponential of
        the entropy of the codes (1 when all are the same, ``size`` when all are as frequent);
        ``majority``, the share of the commonest code, which is the accuracy of a model that has
        learned nothing.
    """
    share = torch.bincount(codes, minlength=size).float() / max(len(codes), 1)
    entropy = -torch.xlogy(share, share).sum()
    return {
        "codes_used": (share > 0).float().mean(),
        "code_perplexity": entropy.exp(),
        "majority": share.max(),
    }
