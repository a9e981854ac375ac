"""Convolutional networks of timm on one channel, with padding left out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.encoders.checking import nearest
from antiphon.errors import UserError
from antiphon.training.backbones.config import TimmConfig
from antiphon.training.backbones.masking import (
    MaskedBatchNorm,
    TimeMask,
    count_tokens,
    time_mask,
)
from antiphon.training.backbones.output import BackboneOutput
from antiphon.training.needs import need

# Networks whose layers mix time steps only by convolution, batch normalisation,
# squeeze-and-excitation or global response normalisation, all of which are masked here.
_FAMILIES = ("EfficientNet", "MobileNetV3", "ConvNeXt")
_MASKED = {"SqueezeExcite", "GlobalResponseNorm"}
# In the names of timm's layers that take statistics over time in other ways.
_MIXING = (
    "SE",
    "Attn",
    "Attention",
    "Context",
    "CondConv",
    "EvoNorm",
    "GroupNorm",
    "InstanceNorm",
    "FilterResponse",
)


class TimmNetwork(nn.Module):
    """EfficientNet, MobileNetV3 or ConvNeXt of timm: one token per time step of its last map.

    Mel bands are the image's height; a token is the mean over it. Frames are added up to a
    multiple of the network's stride, so that those that pad by the size of their input treat a
    bare and a padded clip alike. Names of tensors under ``network`` are timm's.

    Parameters
    ----------
    config
        Name and settings.

    Raises
    ------
    MissingExtraError
        timm is not installed.
    UserError
        timm has no such network, its weights cannot be downloaded, or it is of a family in which
        padding cannot be masked.
    """

    def __init__(self, config: TimmConfig) -> None:
        super().__init__()
        self.config = config
        self.network = _create(config)
        self._time = _Current()
        for name, module in list(self.network.named_modules()):
            if isinstance(module, nn.Conv2d) and module.kernel_size[1] > 1:
                module.register_forward_pre_hook(self._time.before)
            elif type(module).__name__ == "GlobalResponseNorm":
                module.register_forward_pre_hook(self._time.before_last)
            elif type(module).__name__ == "SqueezeExcite":
                _replace(self.network, name, MaskedSqueezeExcite(module, self._time))
            elif isinstance(module, nn.BatchNorm2d):
                _replace(self.network, name, MaskedNormAct(module, self._time))
        self.stride = int(self.network.feature_info[-1]["reduction"])
        self.dim = _width(self.network, self.stride)

    def forward(self, features: Tensor, mask: Tensor) -> BackboneOutput:
        """Turn ``(B, T, F)`` features with a ``(B, T)`` mask into ``ceil(T / stride)`` tokens."""
        # Without negative numbers, whose remainder an exported graph may take otherwise.
        missing = (self.stride - features.shape[1] % self.stride) % self.stride
        held = functional.pad(mask, (0, missing))
        x = functional.pad(features.transpose(1, 2).unsqueeze(1), (0, missing))
        self._time.mask = time_mask(held, self.training)
        try:
            x = self.network.forward_features(self._time.mask.silence(x))
        finally:
            self._time.mask = TimeMask()
        tokens = x.mean(2).transpose(1, 2)
        return BackboneOutput(tokens, count_tokens(held, tokens.shape[1], self.stride), map=x)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes."""
        stages = "stages" if hasattr(self.network, "stages") else "blocks"
        count = len(getattr(self.network, stages))
        first = tuple(f"network.{name}." for name in ("conv_stem", "bn1", "stem"))
        last = tuple(f"network.{name}." for name in ("conv_head", "bn2", "norm_pre"))
        return (first, *((f"network.{stages}.{n}.",) for n in range(count)), last)


class _Current:
    """The mask of the pass under way, for layers deep inside a network of another package.

    Hooks are methods of this object and not closures, so that a deep copy of a network has its
    own.
    """

    def __init__(self) -> None:
        self.mask = TimeMask()

    def before(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Silence padding before a layer on ``(B, C, F, T)``."""
        return (self.mask.silence(inputs[0]), *inputs[1:])

    def before_last(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Silence padding before a layer on ``(B, F, T, C)``, or with channels first."""
        x = inputs[0]
        if module.channel_dim == 1:
            return self.before(module, inputs)
        silent = self.mask.silence(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (silent, *inputs[1:])


class MaskedSqueezeExcite(nn.Module):
    """timm's squeeze-and-excitation with the mean over the audio only, under the same names."""

    def __init__(self, original: Any, current: _Current) -> None:
        super().__init__()
        self.conv_reduce = original.conv_reduce
        self.act1 = original.act1
        self.conv_expand = original.conv_expand
        self.gate = original.gate
        self._current = current

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of ``(B, C, F, T)``."""
        squeezed = self.act1(self.conv_reduce(self._current.mask.mean(x)))
        return x * self.gate(self.conv_expand(squeezed))


class MaskedNormAct(MaskedBatchNorm):
    """timm's batch normalisation with activation, its statistics of the audio only."""

    def __init__(self, original: Any, current: _Current) -> None:
        super().__init__(original.num_features, original.eps, original.momentum)
        self.load_state_dict(original.state_dict())
        self.drop = getattr(original, "drop", nn.Identity())
        self.act = getattr(original, "act", nn.Identity())
        self._current = current

    def forward(self, x: Tensor, time: TimeMask | None = None) -> Tensor:
        """Normalise and activate ``(B, C, F, T)``."""
        return self.act(self.drop(super().forward(x, time or self._current.mask)))


def _replace(network: Any, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


def _create(config: TimmConfig) -> Any:
    timm = need("timm", "use networks of timm")
    if not timm.is_model(config.name):
        known = timm.list_models()
        raise UserError(f"timm has no network {config.name!r}.{nearest(config.name, known)}")
    extra = {"drop_path_rate": config.drop_path} if config.drop_path else {}
    try:
        network = timm.create_model(
            config.name, pretrained=config.pretrained, in_chans=1, num_classes=0, **extra
        )
    except OSError as error:
        reason = str(error).split(". ")[0].rstrip(".")
        raise UserError(
            f"The weights of timm's {config.name!r} cannot be had: {reason}. They are downloaded "
            "once and then kept; without a network set backbone.pretrained=false."
        ) from error
    family = type(network).__name__
    others = {
        type(module).__name__
        for module in network.modules()
        if type(module).__module__.startswith("timm.layers")
        and any(word in type(module).__name__ for word in _MIXING)
    } - _MASKED
    if family not in _FAMILIES or others:
        raise UserError(
            f"timm's {config.name!r} is of the family {family}"
            + (f" with {', '.join(sorted(others))}" if others else "")
            + ", in which padding cannot be left out here: use an efficientnet, mobilenetv3 or "
            "convnext."
        )
    _drop_head(network, family)
    return network


def _drop_head(network: Any, family: str) -> None:
    """Take away what follows the last map, which is never run.

    ConvNeXt's last norm is part of it; here it is applied to each step instead of to their mean.
    """
    after = ["classifier", "global_pool", "flatten"]
    if family == "MobileNetV3":
        after += ["conv_head", "norm_head", "act2"]
    if family == "ConvNeXt":
        after = ["head"]
        if isinstance(network.norm_pre, nn.Identity):
            network.norm_pre = network.head.norm
    for name in after:
        if hasattr(network, name):
            setattr(network, name, nn.Identity())


def _width(network: Any, stride: int) -> int:
    training = network.training
    network.eval()
    with torch.no_grad():
        width = network.forward_features(torch.zeros(1, 1, 2 * stride, 2 * stride)).shape[1]
    network.train(training)
    return int(width)
