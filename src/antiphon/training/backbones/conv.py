"""A small residual network of convolutions that leaves padding out."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.blocks import DropPath
from antiphon.training.backbones.config import ConvConfig
from antiphon.training.backbones.masking import (
    MaskedBatchNorm,
    TimeMask,
    count_tokens,
    time_mask,
)
from antiphon.training.backbones.output import BackboneOutput


class ConvNet(nn.Module):
    """Residual blocks on a spectrogram, one token per time step.

    Blocks are inverted residuals of depthwise convolutions (Sandler et al. 2018) or basic ones
    (He et al. 2016).

    Steps beyond the audio are 0 before every convolution that looks along time, as beyond the end
    of a bare clip, and are left out of batch statistics. So in evaluation a clip gives the same
    tokens alone and padded, but for its features at the very end.

    Parameters
    ----------
    config
        Its sizes.
    bands
        Mel bands of the features.
    """

    def __init__(self, config: ConvConfig, bands: int) -> None:
        super().__init__()
        self.config = config
        self.dim = config.dim
        widths = [config.width * 2**stage for stage in range(len(config.depths))]
        self.stem = nn.Conv2d(1, widths[0], 3, stride=2, padding=1, bias=False)
        self.stem_norm = MaskedBatchNorm(widths[0])
        steps = max(sum(config.depths) - 1, 1)
        self.layers = nn.ModuleList()
        inward = [widths[0], *widths]
        for stage, (before, after) in enumerate(pairwise(inward)):
            for number in range(config.depths[stage]):
                first = number == 0
                shape = (before if first else after, after, 2 if first and stage else 1)
                drop_path = config.drop_path * len(self.layers) / steps
                if config.block == "residual":
                    self.layers.append(ResidualBlock(*shape, drop_path))
                else:
                    self.layers.append(SeparableBlock(*shape, config.expansion, drop_path))
        rows = _halved(bands, len(widths)) if config.frequency == "project" else 1
        self.last = nn.Conv2d(widths[-1], config.dim, (rows, 1), bias=False)
        self.last_norm = MaskedBatchNorm(config.dim)
        self.apply(_initialise)

    @property
    def stride(self) -> int:
        """Frames per token."""
        return int(2 ** len(self.config.depths))

    def forward(self, features: Tensor, mask: Tensor) -> BackboneOutput:
        """Turn ``(B, T, F)`` features with a ``(B, T)`` mask into tokens.

        There is one per time step of the last map: ``ceil(T / stride)``.
        """
        time = time_mask(mask, self.training)
        x = time.silence(features.transpose(1, 2).unsqueeze(1))
        if self.training:
            # Channels side by side in memory: processors convolve twice as fast.
            x = x.contiguous(memory_format=torch.channels_last)
        x = functional.hardswish(self.stem_norm(self.stem(x), time))
        for layer in self.layers:
            x = layer(x, time)
        if self.config.frequency == "mean":
            x = x.mean(2, keepdim=True)
        x = functional.hardswish(self.last_norm(self.last(x), time))
        tokens = x.mean(2).transpose(1, 2)
        return BackboneOutput(tokens, count_tokens(mask, tokens.shape[1], self.stride), map=x)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes."""
        blocks = [(f"layers.{number}.",) for number in range(len(self.layers))]
        return (("stem.", "stem_norm."), *blocks, ("last.", "last_norm."))


class SeparableBlock(nn.Module):
    """Pointwise widening, a 3 x 3 depthwise convolution, pointwise narrowing; residual.

    Parameters
    ----------
    before, after
        Channels. The residual path is there where they are equal and the stride is 1.
    stride
        Of the depthwise convolution, along frequency and time.
    expansion
        Widening inside.
    drop_path
        Probability to skip the residual branch in training.
    """

    def __init__(
        self, before: int, after: int, stride: int, expansion: int, drop_path: float
    ) -> None:
        super().__init__()
        inner = before * expansion
        self.residual = before == after and stride == 1
        self.widen = nn.Conv2d(before, inner, 1, bias=False)
        self.widen_norm = MaskedBatchNorm(inner)
        self.depthwise = nn.Conv2d(
            inner, inner, 3, stride=stride, padding=1, groups=inner, bias=False
        )
        self.depthwise_norm = MaskedBatchNorm(inner)
        self.narrow = nn.Conv2d(inner, after, 1, bias=False)
        self.narrow_norm = MaskedBatchNorm(after)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, time: TimeMask) -> Tensor:
        """Transform ``(B, C, F, T)``."""
        y = functional.hardswish(self.widen_norm(self.widen(x), time))
        y = self.depthwise_norm(self.depthwise(time.silence(y)), time)
        y = self.narrow_norm(self.narrow(functional.hardswish(y)), time)
        return x + self.drop_path(y) if self.residual else y


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a path that is straight or, where shapes change, pointwise.

    Parameters
    ----------
    before, after
        Channels.
    stride
        Of the first convolution, along frequency and time.
    drop_path
        Probability to skip the convolutions in training.
    """

    def __init__(self, before: int, after: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.first_norm = MaskedBatchNorm(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = MaskedBatchNorm(after)
        self.short = None
        if before != after or stride != 1:
            self.short = nn.Conv2d(before, after, 1, stride=stride, bias=False)
            self.short_norm = MaskedBatchNorm(after)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, time: TimeMask) -> Tensor:
        """Transform ``(B, C, F, T)``."""
        x = time.silence(x)
        y = functional.relu(self.first_norm(self.first(x), time))
        y = self.second_norm(self.second(time.silence(y)), time)
        if self.short is not None:
            x = self.short_norm(self.short(x), time)
        return functional.relu(x + self.drop_path(y))


def _halved(count: int, times: int) -> int:
    for _ in range(times):
        count = -(-count // 2)
    return count


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
