"""A head for sound event detection: scores of frames, joined to scores of the clip."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.config import SedHeadConfig
from antiphon.training.backbones.output import BackboneOutput

# Below any logit, and finite, so that no step turns it into NaN.
_NOWHERE = -1e4

# Focal loss, Lin et al. 2017, section 4.1: scores begin where rare classes belong.
_PRIOR = 0.01


class SedOutput(NamedTuple):
    """What a detection head says of a batch of clips; all in float32.

    Parameters
    ----------
    clip
        ``(B, C)`` logits of the clip: those of its frames, weighed by attention.
    peak
        ``(B, C)`` logits of the loudest frame.
    frames
        ``(B, T, C)`` logits of frames; frame ``t`` covers the share ``t / T`` to ``(t + 1) / T``
        of the clip. Meaningless where ``mask`` is false.
    attention
        ``(B, T, C)`` weights of frames before the softmax over time, in [-1, 1].
    mask
        ``(B, T)`` bool, true where a frame holds audio.
    """

    clip: Tensor
    peak: Tensor
    frames: Tensor
    attention: Tensor
    mask: Tensor

    def frame_probabilities(self) -> Tensor:
        """Return ``(B, T, C)`` probabilities, 0 where there is no audio."""
        return self.frames.sigmoid() * self.mask.unsqueeze(2)


class GemPool(nn.Module):
    """Generalised mean over frequency (Radenovic et al. 2018, equation 3) with a learned power.

    ``(mean x^p)^(1/p)`` of ``x`` clamped to at least ``eps``. The largest value is taken out of
    the power, so that it neither overflows nor vanishes, whatever ``p`` becomes.

    Parameters
    ----------
    p
        Power at the start, at least 1; where learning brings it below, 1 is used.
    eps
        Least value that is told from 0.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([p]))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Join the rows of ``(B, D, F, T)`` to ``(B, D, T)`` float32."""
        p = self.p.float().clamp(min=1.0)
        x = x.float().clamp(min=self.eps)
        # The result does not depend on it, so no gradient has to go through.
        top = x.detach().amax(2, keepdim=True)
        joined = (x / top).pow(p).mean(2).pow(1.0 / p)
        return joined * top.squeeze(2)


class SedHead(nn.Module):
    """Scores of each class per frame and per clip.

    Rows of the last map are joined by :class:`GemPool`. One linear layer gives each frame a logit
    per class, another its weight: ``softmax over time of tanh``. The clip's logit is the weighted
    sum of the frames' (decision-level attention, Kong et al. 2019, on logits). Frames without
    audio have no weight and are never the loudest.

    Parameters
    ----------
    dim
        Channels of the map.
    classes
        How many.
    config
        Settings.
    """

    def __init__(self, dim: int, classes: int, config: SedHeadConfig) -> None:
        super().__init__()
        self.config = config
        self.pool = GemPool(config.gem_p) if config.pool == "gem" else None
        self.dropout = nn.Dropout(config.dropout)
        width = config.hidden or dim
        self.hidden = None if config.hidden is None else nn.Linear(dim, width)
        self.attention = nn.Linear(width, classes)
        self.scores = nn.Linear(width, classes)
        for layer in (self.attention, self.scores):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.scores.bias, -math.log((1.0 - _PRIOR) / _PRIOR))

    def forward(self, out: BackboneOutput) -> SedOutput:
        """Score what a backbone with a map found in clips."""
        if out.map is None:
            raise ValueError("the backbone has no map over frequency and time")
        # In float32: half precision has too few digits to rank many windows by.
        with torch.autocast(out.map.device.type, enabled=False):
            rows = out.map.float().mean(2) if self.pool is None else self.pool(out.map)
            x = self.dropout(rows.transpose(1, 2))
            if self.hidden is not None:
                x = self.dropout(functional.relu(self.hidden(x)))
            frames, attention = self.scores(x), self.attention(x).tanh()
        # Several tokens of one step, as of a transformer, hold audio together.
        return _joined(frames, attention, out.mask.unflatten(1, (frames.shape[1], -1))[:, :, 0])


def within(out: SedOutput, start: Tensor, end: Tensor) -> SedOutput:
    """Return what is heard in a part of each clip, by the frames that lie in it.

    Attention is spread anew over those frames, so that the whole clip gives what it gave.

    Parameters
    ----------
    out
        Of the clips.
    start, end
        ``(B,)`` shares of the clip. A frame belongs to the part if its middle does, and the frame
        in the part's middle always does.
    """
    count = out.frames.shape[1]
    numbers = torch.arange(count, device=out.frames.device)
    middles = (numbers + 0.5) / count
    inside = (middles >= start[:, None]) & (middles < end[:, None])
    inside |= numbers == ((start + end) / 2 * count).long().clamp(max=count - 1)[:, None]
    mask = out.mask & inside
    # A part that is all padding is heard as what it is.
    mask = torch.where(mask.any(1, keepdim=True), mask, inside)
    return _joined(out.frames, out.attention, mask)


def joint_logit(clip: Tensor, peak: Tensor, share: float) -> Tensor:
    """Return the logit of ``share * sigmoid(clip) + (1 - share) * sigmoid(peak)``.

    Taken from logarithms of both probabilities, so that neither a sure score nor half precision
    makes it infinite.
    """
    if share in (0.0, 1.0):
        return clip if share == 1.0 else peak
    weights = math.log(share), math.log1p(-share)

    def mixed(sign: float) -> Tensor:
        # By operators that ONNX has: its log-sigmoid is the logarithm of what may be 0.
        a = weights[0] - functional.softplus(-sign * clip)
        b = weights[1] - functional.softplus(-sign * peak)
        return torch.maximum(a, b) + functional.softplus(-(a - b).abs())

    return mixed(1.0) - mixed(-1.0)


def _joined(frames: Tensor, attention: Tensor, mask: Tensor) -> SedOutput:
    # A softmax over nothing has no value, so of a clip without audio the first frame counts.
    first = functional.pad(~mask.any(1, keepdim=True), (0, mask.shape[1] - 1))
    held = (mask | first).unsqueeze(2)
    weights = attention.masked_fill(~held, _NOWHERE).softmax(1)
    clip = (weights * frames).sum(1)
    peak = frames.masked_fill(~held, _NOWHERE).amax(1)
    return SedOutput(clip, peak, frames, attention, held.squeeze(2))
