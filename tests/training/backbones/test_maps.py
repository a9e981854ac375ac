# ruff: noqa: E402
"""The last map of a backbone, over frequency and time."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.config import (
    ConvConfig,
    EfficientATConfig,
    PatchSize,
    TimmConfig,
    ViTConfig,
)
from antiphon.training.backbones.registry import create_backbone

FRAMES, BANDS = 64, 32
# Rows of the last map.
KINDS = {
    "keep": (ConvConfig(width=8, depths=(1, 1), dim=12, frequency="keep"), 8),
    "mean": (ConvConfig(width=8, depths=(1, 1), dim=12), 1),
    "project": (ConvConfig(width=8, depths=(1, 1), dim=12, frequency="project"), 1),
    "vit": (ViTConfig(dim=16, depth=1, heads=2, patch=PatchSize(time=8, mel=16)), 2),
    "efficientat": (EfficientATConfig(width=0.4), 1),
    "efficientnet": (TimmConfig(name="efficientnet_b0"), 1),
    "convnext": (TimmConfig(name="convnext_atto"), 1),
}


def backbone(kind):
    config, rows = KINDS[kind]
    if config.kind == "timm":
        pytest.importorskip("timm", reason="needs the extra train")
    torch.manual_seed(0)
    return create_backbone(config, (FRAMES, BANDS)).eval(), rows


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_the_map_without_its_rows(kind):
    network, rows = backbone(kind)
    x = torch.randn(2, FRAMES, BANDS, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(2, FRAMES, dtype=torch.bool)
    with torch.no_grad():
        out = network(x, mask)
    steps = out.map.shape[3]
    assert out.map.shape == (2, network.dim, rows, steps)
    assert out.mask.shape[1] % steps == 0
    if kind == "vit":
        # One token per row, mel running fastest.
        wanted = out.map.permute(0, 3, 2, 1).flatten(1, 2)
    else:
        wanted = out.map.mean(2).transpose(1, 2)
    torch.testing.assert_close(out.tokens, wanted)


def test_rows_that_are_kept_know_the_pitch():
    network, _ = backbone("keep")
    mask = torch.ones(1, FRAMES, dtype=torch.bool)
    low, high = torch.zeros(1, FRAMES, BANDS), torch.zeros(1, FRAMES, BANDS)
    low[:, :, :4], high[:, :, -4:] = 3.0, 3.0
    with torch.no_grad():
        still = network(torch.zeros_like(low), mask).map
        change = [(network(x, mask).map - still).abs().sum((0, 1, 3)) for x in (low, high)]
    assert change[0][:2].sum() > change[0][-2:].sum()
    assert change[1][-2:].sum() > change[1][:2].sum()
