"""Small backbones of every kind, features for them, and what all must keep."""

from __future__ import annotations

import copy
import importlib.util
from functools import lru_cache
from typing import Any

import pytest
import torch

from antiphon.training.backbones.config import (
    BackboneConfig,
    BEATsNetworkConfig,
    ConvConfig,
    EfficientATConfig,
    HubertConfig,
    TimmConfig,
    ViTConfig,
)
from antiphon.training.backbones.registry import create_backbone

BANDS = 64

CONFIGS: dict[str, BackboneConfig] = {
    "vit": ViTConfig(dim=32, depth=2, heads=2),
    "vit post": ViTConfig(dim=32, depth=2, heads=2, norm="post"),
    "conv": ConvConfig(width=8, dim=24),
    "conv residual": ConvConfig(block="residual", width=8, dim=24, depths=(1, 2, 1)),
    "conv projected": ConvConfig(width=8, dim=24, depths=(1, 1, 1), frequency="project"),
    "efficientat": EfficientATConfig(width=0.1),
    "beats": BEATsNetworkConfig(
        patch_dim=16, dim=32, depth=2, heads=2, hidden=48, position_kernel=8, position_groups=4,
        buckets=16, max_distance=40,
    ),
    "hubert": HubertConfig(
        dim=32, depth=2, heads=2, hidden=48, channels=16, position_kernel=8, position_groups=4
    ),
    "mobilenetv3_small_050": TimmConfig(name="mobilenetv3_small_050"),
    "tf_efficientnet_lite0": TimmConfig(name="tf_efficientnet_lite0"),
    "convnextv2_atto": TimmConfig(name="convnextv2_atto"),
}  # fmt: skip


def create(name: str) -> Any:
    """Return a backbone whose batch normalisations have statistics, as after training."""
    return copy.deepcopy(_created(name))


@lru_cache
def _created(name: str) -> Any:
    config = CONFIGS[name]
    package = {"timm": "timm", "hubert": "transformers"}.get(config.kind)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    torch.manual_seed(0)
    shape = (16000,) if config.kind == "hubert" else (100, BANDS)
    network = create_backbone(config, shape)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.5
    network.train()
    with torch.no_grad():
        for number in range(3):
            network(*inputs(name, [320, 320], seed=10 + number))
    return network.eval()


def inputs(name: str, frames: list[int], longest: int | None = None, seed: int = 1) -> Any:
    """Return features of clips of so many frames (of 160 samples), padded, and their mask."""
    generator = torch.Generator().manual_seed(seed)
    longest = longest or max(frames)
    if CONFIGS[name].kind == "hubert":
        samples = torch.tensor(frames) * 160
        x = torch.randn(len(frames), longest * 160, generator=generator)
        mask = torch.arange(longest * 160) < samples[:, None]
        return x * mask, mask
    x = torch.randn(len(frames), longest, BANDS, generator=generator)
    # Slow changes along time and bands, as spectrograms have.
    x = x + 2 * torch.randn(len(frames), 1, BANDS, generator=generator)
    mask = torch.arange(longest) < torch.tensor(frames)[:, None]
    return x * mask[:, :, None], mask
