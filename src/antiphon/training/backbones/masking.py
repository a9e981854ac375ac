"""Padding kept out of convolutional networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TimeMask:
    """Which steps of a map over time hold audio, at every resolution of a network.

    Parameters
    ----------
    mask
        ``(B, T)`` bool at the network's input: true up to some frame. None where all hold audio.
    """

    def __init__(self, mask: Tensor | None = None) -> None:
        self._levels = [] if mask is None else [mask]

    def at(self, width: int) -> Tensor | None:
        """Return the ``(B, width)`` mask after strides that brought ``T`` down to ``width``.

        A step of a strided layer holds audio if one of the two steps under it does. Layers must
        round widths up, as padded ones do.
        """
        if not self._levels:
            return None
        while self._levels[-1].shape[1] > width:
            self._levels.append(self._levels[-1][:, ::2])
        for level in self._levels:
            if level.shape[1] == width:
                return level
        widths = [level.shape[1] for level in self._levels]
        raise ValueError(f"a map of {width} steps does not come from {widths} by halving")

    def silence(self, x: Tensor) -> Tensor:
        """Set the steps of ``(B, C, F, T)`` beyond the audio to 0, as layers pad the bare clip."""
        mask = self.at(x.shape[3])
        return x if mask is None else x.masked_fill(~mask[:, None, None], 0.0)

    def mean(self, x: Tensor) -> Tensor:
        """Average ``(B, C, F, T)`` over frequency and the steps with audio: ``(B, C, 1, 1)``."""
        mask = self.at(x.shape[3])
        if mask is None:
            return x.mean((2, 3), keepdim=True)
        # Sums over a clip are beyond what half precision holds.
        total = self.silence(x).mean(2, keepdim=True).sum(3, keepdim=True, dtype=wide(x.dtype))
        return (total / mask.sum(1).clamp(min=1)[:, None, None, None]).to(x.dtype)


class MaskedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose statistics in training leave padding out."""

    def forward(self, x: Tensor, time: TimeMask | None = None) -> Tensor:
        """Normalise ``(B, C, F, T)``."""
        mask = None if time is None else time.at(x.shape[3])
        if not self.training or mask is None:
            return super().forward(x)
        # In float32: half precision has not enough digits for sums over a batch.
        held = mask[:, None, None].float()
        count = (held.sum() * x.shape[2]).clamp(min=2)
        kept = x.float() * held
        mean = kept.sum((0, 2, 3)) / count
        centred = (x.float() - mean[:, None, None]) * held
        variance = centred.square().sum((0, 2, 3)) / count
        # A batch without any audio says nothing.
        momentum = self.momentum * (held.amax() > 0).float()
        self.running_mean.lerp_(mean.detach(), momentum)
        self.running_var.lerp_(variance.detach() * (count / (count - 1)), momentum)
        self.num_batches_tracked += 1
        scale = self.weight * (variance + self.eps).rsqrt()
        normed = (x.float() - mean[:, None, None]) * scale[:, None, None]
        normed = normed + self.bias[:, None, None]
        return normed.to(x.dtype)


def count_tokens(mask: Tensor, tokens: int, stride: int) -> Tensor:
    """Say which time steps of the last map count as audio.

    A token counts if at least half of its frames hold audio, the first whenever any does. What a
    rest of less than half holds is heard by the other tokens, through attention or the overlap of
    convolutions; counted, it would weigh as much as a whole token.

    Parameters
    ----------
    mask
        ``(B, T)`` bool, frames.
    tokens, stride
        Number of tokens, and frames per token.

    Returns
    -------
    torch.Tensor
        ``(B, tokens)`` bool.
    """
    frames = functional.pad(mask, (0, tokens * stride - mask.shape[1]))
    blocks = frames.unflatten(1, (tokens, stride))
    halves = blocks.sum(2) * 2 >= stride
    return torch.cat([blocks[:, :1].any(2), halves[:, 1:]], dim=1)


def time_mask(mask: Tensor, training: bool) -> TimeMask:
    """Return the mask of a forward pass.

    In training a batch without padding is spared the masking, which changes nothing there and
    costs far more than the question. Elsewhere the answer would be fixed for an exported graph.
    """
    if training and bool(torch.all(mask)):
        return TimeMask()
    return TimeMask(mask)


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the type in which values of ``dtype`` are summed: float32 for half precision."""
    return torch.promote_types(dtype, torch.float32)
