"""The loss of a detector: of the clip, of its loudest frame, and of frames with labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from antiphon.training.detection.head import SedOutput
from antiphon.training.supervised.losses import MultiLabelLoss
from antiphon.training.task import Batch


def clip_loss(loss: MultiLabelLoss, out: SedOutput, batch: Batch, share: float) -> Tensor:
    """Return ``share`` of the loss of the clips' logits and the rest of that of their peaks.

    Parameters
    ----------
    loss
        Of ``(B, C)`` logits.
    out
        Of the head.
    batch
        With ``labels`` and perhaps ``known``.
    share
        In [0, 1].
    """
    labels, known = batch["labels"], batch.get("known")
    parts = [(share, out.clip), (1.0 - share, out.peak)]
    return torch.stack([w * loss(logits, labels, known) for w, logits in parts if w > 0]).sum()


def frame_loss(out: SedOutput, labels: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean binary cross-entropy over frames with audio and a known label.

    Parameters
    ----------
    out
        Of the head, with ``T`` frames.
    labels
        ``(B, S, C)`` in [0, 1] for ``S`` equal parts of the clip; a frame's target is their mean
        over it.
    known
        ``(B, C)`` 0/1; None: all are known.

    Returns
    -------
    Tensor
        Scalar float32; 0 where nothing is known.
    """
    target = resampled(labels.float(), out.frames.shape[1])
    weight = out.mask.unsqueeze(2).float()
    if known is not None:
        weight = weight * (known > 0).unsqueeze(1)
    target = torch.where(weight > 0, target, torch.zeros_like(target))
    loss = functional.binary_cross_entropy_with_logits(out.frames, target, reduction="none")
    count = weight.expand_as(loss).sum()
    return (loss * weight).sum() / count.clamp(min=1.0)


def resampled(labels: Tensor, frames: int) -> Tensor:
    """Return ``(B, T, C)`` means of ``(B, S, C)`` over ``T`` frames of equal length.

    Each of the ``S`` parts counts by the share of the frame that it covers.
    """
    parts = labels.shape[1]
    if parts == frames:
        return labels
    edges = torch.arange(frames + 1, device=labels.device, dtype=torch.float64) * parts / frames
    low, high = edges[:-1, None], edges[1:, None]
    start = torch.arange(parts, device=labels.device, dtype=torch.float64)
    overlap = (torch.minimum(high, start + 1) - torch.maximum(low, start)).clamp(min=0)
    weights = (overlap * frames / parts).to(labels.dtype)
    return torch.einsum("ts,bsc->btc", weights, labels)
