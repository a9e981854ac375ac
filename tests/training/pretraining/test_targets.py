from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
from torch.nn import functional  # noqa: E402

from antiphon.training.backbones.config import PatchSize, ViTConfig  # noqa: E402
from antiphon.training.backbones.vit import ViT  # noqa: E402
from antiphon.training.pretraining.targets import (  # noqa: E402
    instance_norm,
    make_targets,
    mlp_outputs,
    patch_loss,
    utterance_loss,
)


def test_instance_norm_by_hand_and_by_torch():
    # Channel 0: 1 and 3, mean 2, variance 1. Channel 1 is constant. The third token is padding.
    x = torch.tensor([[[1.0, 5.0], [3.0, 5.0], [99.0, 99.0]]])
    mask = torch.tensor([[True, True, False]])
    one = 1 / (1 + 1e-5) ** 0.5
    assert torch.allclose(instance_norm(x, mask), torch.tensor([[[-one, 0], [one, 0], [0, 0]]]))
    full = torch.randn(3, 7, 4) * 5 + 2
    wanted = functional.instance_norm(full.transpose(1, 2)).transpose(1, 2)
    assert torch.allclose(instance_norm(full, torch.ones(3, 7).bool()), wanted, atol=1e-5)


def test_targets_are_the_layer_norm_of_the_mean_of_instance_norms():
    layers = [torch.randn(2, 5, 4) * 10**k for k in range(3)]
    full = torch.ones(2, 5, dtype=torch.bool)
    normed = [functional.instance_norm(x.transpose(1, 2)).transpose(1, 2) for x in layers]
    wanted = functional.layer_norm(sum(normed) / 3, (4,))
    assert torch.allclose(make_targets(layers, full), wanted, atol=1e-5)


def test_padding_leaves_targets_as_they_are():
    layers = [torch.randn(1, 5, 4) for _ in range(2)]
    padded = [torch.cat([x, torch.full((1, 3, 4), 50.0)], dim=1) for x in layers]
    short = make_targets(layers, torch.ones(1, 5, dtype=torch.bool))
    long = make_targets(padded, torch.arange(8).view(1, 8) < 5)
    assert torch.allclose(long[:, :5], short, atol=1e-5)
    assert not long[:, 5:].any()


def test_patch_loss_of_two_patches_by_hand():
    targets = torch.tensor([[[1.0, -1.0], [0.0, 2.0]]])
    # Two clones: the first predicts both patches, the second only patch 1.
    predictions = torch.tensor([[[1.0, 1.0], [3.0, 2.0]], [[9.0, 9.0], [0.0, 1.0]]])
    predicted = torch.tensor([[True, True], [False, True]])
    # Errors: (0 + 4) / 2 = 2, (9 + 0) / 2 = 4.5, (0 + 1) / 2 = 0.5.
    assert patch_loss(predictions, targets, predicted).item() == pytest.approx(7 / 3)
    assert patch_loss(predictions, targets, torch.zeros(2, 2).bool()).item() == 0.0


def test_utterance_loss_by_hand():
    targets = torch.tensor([[[1.0, -1.0], [3.0, 2.0], [0.0, 0.0]], [[0.0] * 2] * 3])
    mask = torch.tensor([[True, True, False], [False] * 3])
    # The mean of the first clip's two patches is (2, 0.5); the second clip has no audio.
    summary = torch.tensor([[2.0, 1.5], [0.0, 0.5], [7.0, 7.0], [7.0, 7.0]])
    assert utterance_loss(summary, targets, mask).item() == pytest.approx((0.5 + 2.0) / 2)


def test_mlp_outputs_are_what_blocks_add_last():
    torch.manual_seed(0)
    config = ViTConfig(dim=8, depth=2, heads=2, patch=PatchSize(time=2, mel=2))
    vit = ViT(config).eval()
    tokens = torch.randn(1, 3, 8)
    with torch.no_grad(), mlp_outputs(vit) as outputs:
        blocks = vit.blocks(tokens, layers=True)
    assert len(outputs) == 2
    second, before = vit.layers[1], blocks[0]
    middle = before + second.attn(second.norm1(before), None)
    assert torch.allclose(outputs[1], blocks[1] - middle, atol=1e-5)
    with torch.no_grad():
        vit.blocks(tokens)
    assert len(outputs) == 2
