"""The backbone that a configuration names."""

from __future__ import annotations

from torch import nn

from antiphon.errors import UserError
from antiphon.training.backbones.beats import BEATsNetwork
from antiphon.training.backbones.config import (
    BackboneConfig,
    BEATsNetworkConfig,
    ConvConfig,
    EfficientATConfig,
    HubertConfig,
    TimmConfig,
    ViTConfig,
)
from antiphon.training.backbones.conv import ConvNet
from antiphon.training.backbones.efficientat import EfficientAT
from antiphon.training.backbones.hubert import Hubert
from antiphon.training.backbones.timm_networks import TimmNetwork
from antiphon.training.backbones.vit import ViT


def create_backbone(config: BackboneConfig, front_end_shape: tuple[int, ...]) -> nn.Module:
    """Build a backbone with fresh weights.

    Parameters
    ----------
    config
        Which, and its sizes.
    front_end_shape
        ``(frames, bands)`` of the features of one window, or ``(samples,)`` of a waveform.

    Returns
    -------
    torch.nn.Module
        With ``dim`` (length of a token), ``forward(features, mask)`` returning a
        :class:`~antiphon.training.backbones.output.BackboneOutput`, and ``layer_prefixes()``.

    Raises
    ------
    UserError
        The network does not take such features.
    MissingExtraError
        It needs a package that is not installed.
    """
    if isinstance(config, HubertConfig):
        if len(front_end_shape) != 1:
            raise UserError("Backbone 'hubert' takes samples: choose the front end waveform.")
        return Hubert(config)
    if len(front_end_shape) != 2:
        raise UserError(
            f"Backbone {config.kind!r} takes a spectrogram: choose a front end other than waveform."
        )
    if isinstance(config, BEATsNetworkConfig):
        return BEATsNetwork(config)
    if isinstance(config, ViTConfig):
        return ViT(config)
    if isinstance(config, ConvConfig):
        return ConvNet(config, front_end_shape[1])
    if isinstance(config, TimmConfig):
        return TimmNetwork(config)
    if isinstance(config, EfficientATConfig):
        return EfficientAT(config)
    raise TypeError(type(config).__name__)
