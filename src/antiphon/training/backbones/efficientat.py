"""MobileNetV3 for sound, in the layout of the EfficientAT weights."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.config import EfficientATConfig
from antiphon.training.backbones.masking import MaskedBatchNorm, TimeMask, time_mask
from antiphon.training.backbones.output import BackboneOutput


class _Row(NamedTuple):
    """One line of table 1 of Howard et al. 2019."""

    kernel: int
    inner: int
    out: int
    squeeze: bool
    hard: bool
    stride: int


# Howard et al. 2019, "Searching for MobileNetV3", table 1 (MobileNetV3-Large), at width 1.
_ROWS = (
    _Row(3, 16, 16, False, False, 1),
    _Row(3, 64, 24, False, False, 2),
    _Row(3, 72, 24, False, False, 1),
    _Row(5, 72, 40, True, False, 2),
    _Row(5, 120, 40, True, False, 1),
    _Row(5, 120, 40, True, False, 1),
    _Row(3, 240, 80, False, True, 2),
    _Row(3, 200, 80, False, True, 1),
    _Row(3, 184, 80, False, True, 1),
    _Row(3, 184, 80, False, True, 1),
    _Row(3, 480, 112, True, True, 1),
    _Row(3, 672, 112, True, True, 1),
    _Row(5, 672, 160, True, True, 2),
    _Row(5, 960, 160, True, True, 1),
    _Row(5, 960, 160, True, True, 1),
)
_STEM = 16
# The last pointwise layer is this many times wider than what it takes.
_LAST = 6


class EfficientAT(nn.Module):
    """The convolutional part of EfficientAT's ``mn`` networks (Schmid et al. 2023).

    MobileNetV3-Large on one channel, mel bands as height, with squeeze-and-excitation over
    channels that takes the mean over the audio only. Steps beyond the audio are 0 before every
    convolution that looks along time, and are left out of batch statistics. Names and shapes of
    its tensors are those of the published state dicts.

    Parameters
    ----------
    config
        Its width.
    """

    def __init__(self, config: EfficientATConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        before = scaled(_STEM, width)
        layers: list[nn.Module] = [_conv(1, before, 3, stride=2, activation=nn.Hardswish())]
        for row in _ROWS:
            layers.append(InvertedResidual(before, row, width))
            before = scaled(row.out, width)
        self.dim = _LAST * before
        layers.append(_conv(before, self.dim, 1, activation=nn.Hardswish()))
        self.features = nn.ModuleList(layers)
        self.apply(_initialise)

    def forward(self, features: Tensor, mask: Tensor) -> BackboneOutput:
        """Turn ``(B, T, F)`` features with a ``(B, T)`` mask into one token per 32 frames.

        The last one counts even if it holds less than half a token of audio, as it does in the
        published pooling.
        """
        time = time_mask(mask, self.training)
        x = time.silence(features.transpose(1, 2).unsqueeze(1))
        for layer in self.features:
            x = layer(x, time)
        tokens = x.mean(2).transpose(1, 2)
        held = TimeMask(mask).at(tokens.shape[1])
        assert held is not None
        return BackboneOutput(tokens, held, map=x)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes."""
        return tuple((f"features.{number}.",) for number in range(len(self.features)))


class InvertedResidual(nn.Module):
    """Widening, depthwise convolution, squeeze-and-excitation, narrowing; residual."""

    def __init__(self, before: int, row: _Row, width: float) -> None:
        super().__init__()
        inner, after = scaled(row.inner, width), scaled(row.out, width)
        activation = nn.Hardswish if row.hard else nn.ReLU
        self.residual = row.stride == 1 and before == after
        layers: list[nn.Module] = []
        if inner != before:
            layers.append(_conv(before, inner, 1, activation=activation()))
        depthwise = _conv(
            inner, inner, row.kernel, stride=row.stride, groups=inner, activation=activation()
        )
        self.depthwise = len(layers)
        layers.append(depthwise)
        if row.squeeze:
            layers.append(ChannelSqueeze(inner))
        layers.append(_conv(inner, after, 1))
        self.block = nn.ModuleList(layers)

    def forward(self, x: Tensor, time: TimeMask) -> Tensor:
        """Transform ``(B, C, F, T)``."""
        y = x
        for number, layer in enumerate(self.block):
            y = layer(time.silence(y) if number == self.depthwise else y, time)
        return x + y if self.residual else y


class ConvLayer(nn.Sequential):
    """Convolution, batch normalisation without padding and perhaps an activation."""

    def forward(self, x: Tensor, time: TimeMask) -> Tensor:
        """Transform ``(B, C, F, T)``."""
        for part in self:
            x = part(x, time) if isinstance(part, MaskedBatchNorm) else part(x)
        return x


class ChannelSqueeze(nn.Module):
    """Squeeze-and-excitation over channels (Hu et al. 2018) with the mean over the audio."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # The published weights hold a list, for variants that squeeze other axes as well.
        self.conc_se_layers = nn.ModuleList([_Excitation(channels)])

    def forward(self, x: Tensor, time: TimeMask) -> Tensor:
        """Weigh the channels of ``(B, C, F, T)``."""
        return x * self.conc_se_layers[0](time.mean(x))


class _Excitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = _divisible(channels // 4)
        self.fc1 = nn.Linear(channels, squeezed)
        self.fc2 = nn.Linear(squeezed, channels)

    def forward(self, mean: Tensor) -> Tensor:
        weights = self.fc2(functional.relu(self.fc1(mean.flatten(1)))).sigmoid()
        return weights[:, :, None, None]


def scaled(channels: int, width: float) -> int:
    """Return a number of channels at some width, a multiple of 8."""
    return _divisible(channels * width)


def _divisible(value: float, divisor: int = 8) -> int:
    # The nearest multiple, but never more than a tenth below what was asked for.
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def _conv(
    before: int,
    after: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: nn.Module | None = None,
) -> ConvLayer:
    layers = [
        nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        MaskedBatchNorm(after, eps=1e-3, momentum=0.01),
    ]
    return ConvLayer(*layers, *([] if activation is None else [activation]))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
