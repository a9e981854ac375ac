# ruff: noqa: E402
from __future__ import annotations

import math

import numpy as np
import pydantic
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.blocks import DropPath, TransformerBlock
from antiphon.training.backbones.config import PatchSize, ViTConfig
from antiphon.training.backbones.vit import ViT, sine_positions, take_tokens

TINY = ViTConfig(dim=16, depth=3, heads=2, patch=PatchSize(time=4, mel=8))


def network(config: ViTConfig = TINY, seed: int = 0) -> ViT:
    torch.manual_seed(seed)
    return ViT(config).eval()


def whole(batch: int, frames: int, bands: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(batch, frames, bands, generator=generator)
    return x, torch.ones(batch, frames, dtype=torch.bool)


def test_sizes() -> None:
    for size, shape, millions in (
        ("tiny", (192, 4, 3), 1.8),
        ("small", (384, 12, 6), 21.4),
        ("base", (768, 12, 12), 85.3),
    ):
        config = ViTConfig(size=size)
        assert tuple(config.shape) == shape
        with torch.device("meta"):
            count = sum(p.numel() for p in ViT(config).parameters())
        assert count / 1e6 == pytest.approx(millions, rel=0.02)
    assert tuple(ViTConfig(size="small", depth=6).shape) == (384, 6, 6)
    with pytest.raises(pydantic.ValidationError, match="multiple of 4 and of heads 3"):
        ViTConfig(dim=64, heads=3)
    with pytest.raises(pydantic.ValidationError, match="Extra inputs"):
        ViTConfig(head=3)


def test_positions_follow_the_formula_and_the_length_does_not_change_them() -> None:
    positions = sine_positions(5, 3, 16).reshape(5, 3, 16).numpy()
    for time in range(5):
        for mel in range(3):
            for number in range(4):
                omega = 10000 ** (-number / 4)
                wanted = [
                    math.sin(mel * omega), math.cos(mel * omega),
                    math.sin(time * omega), math.cos(time * omega),
                ]  # fmt: skip
                found = positions[time, mel, [number, 4 + number, 8 + number, 12 + number]]
                np.testing.assert_allclose(found, wanted, atol=1e-6)
    longer = sine_positions(50, 3, 16)
    torch.testing.assert_close(longer[:15], sine_positions(5, 3, 16))


def test_a_patch_is_embedded_as_one_linear_layer_and_numbered_time_first() -> None:
    vit = network()
    features, mask = whole(2, 10)
    tokens, held, grid = vit.patches(features, mask)
    assert grid == (3, 4)
    assert tokens.shape == (2, 12, 16)
    weight = vit.patch_embed.weight.reshape(16, -1)
    patch = features[1, 4:8, 16:24].reshape(-1)
    wanted = weight @ patch + vit.patch_embed.bias + sine_positions(3, 4, 16)[1 * 4 + 2]
    torch.testing.assert_close(tokens[1, 1 * 4 + 2], wanted)
    assert bool(held.all())
    # A patch counts as soon as one of its frames is audio.
    mask[0, 5:] = False
    _, held, _ = vit.patches(features, mask)
    assert held[0].tolist() == [True] * 8 + [False] * 4


def test_a_block_is_the_published_one() -> None:
    for norm in ("pre", "post"):
        torch.manual_seed(1)
        block = TransformerBlock(16, 4, 32, norm=norm).eval()
        reference = torch.nn.TransformerEncoderLayer(
            16, 4, 32, 0.0, "gelu", 1e-6, batch_first=True, norm_first=norm == "pre"
        ).eval()
        reference.load_state_dict(
            {
                "self_attn.in_proj_weight": block.attn.qkv.weight,
                "self_attn.in_proj_bias": block.attn.qkv.bias,
                "self_attn.out_proj.weight": block.attn.proj.weight,
                "self_attn.out_proj.bias": block.attn.proj.bias,
                "linear1.weight": block.mlp.fc1.weight,
                "linear1.bias": block.mlp.fc1.bias,
                "linear2.weight": block.mlp.fc2.weight,
                "linear2.bias": block.mlp.fc2.bias,
                **{
                    f"norm{n}.{k}": getattr(getattr(block, f"norm{n}"), k)
                    for n in (1, 2)
                    for k in ("weight", "bias")
                },
            }
        )
        x = torch.randn(2, 7, 16)
        mask = torch.arange(7) < torch.tensor([[7], [4]])
        ours = block(x, mask[:, None, None])
        with torch.no_grad():
            theirs = reference(x.clone(), src_key_padding_mask=~mask)
        torch.testing.assert_close(ours[mask], theirs[mask], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_layers_are_those_on_the_way_to_the_output(norm: str) -> None:
    vit = network(TINY.model_copy(update={"norm": norm}))
    features, mask = whole(2, 12)
    tokens, held, _ = vit.patches(features, mask)
    last = vit.blocks(tokens, held)
    layers = vit.blocks(tokens, held, layers=True)
    assert len(layers) == 3
    finished = vit.norm(layers[-1]) if norm == "pre" else layers[-1]
    torch.testing.assert_close(finished, last)
    out = vit(features, mask, layers=True)
    torch.testing.assert_close(out.cls, last[:, 0])
    torch.testing.assert_close(out.tokens, last[:, 1:])
    assert len(out.layers) == 3
    assert vit(features, mask).layers is None


def test_a_subset_of_tokens_is_a_clip_of_those_patches() -> None:
    vit = network()
    features, mask = whole(3, 16)
    tokens, _, _ = vit.patches(features, mask)
    index = torch.tensor([[0, 5, 2], [15, 1, 3], [7, 8, 9]])
    some = take_tokens(tokens, index)
    torch.testing.assert_close(some[1, 0], tokens[1, 15])
    by_index = vit.blocks(some)
    # The same attention, by masking all others out.
    keep = torch.zeros(3, 16, dtype=torch.bool)
    keep.scatter_(1, index, torch.ones_like(index, dtype=torch.bool))
    masked = vit.blocks(tokens, keep)
    torch.testing.assert_close(by_index[:, 0], masked[:, 0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        by_index[:, 1:], take_tokens(masked[:, 1:], index), rtol=1e-4, atol=1e-5
    )


def test_the_mask_for_pooling_counts_tokens_that_are_at_least_half_audio() -> None:
    vit = network()
    features, _ = whole(4, 12)
    mask = torch.arange(12) < torch.tensor([[1], [5], [6], [12]])
    counted = vit(features, mask).mask.reshape(4, 3, 4)[:, :, 0]
    assert counted.tolist() == [
        [True, False, False],
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_drop_path_skips_rows_and_keeps_the_expectation() -> None:
    drop = DropPath(0.25).train()
    torch.manual_seed(0)
    x = torch.ones(4000, 3)
    kept = drop(x)
    assert kept.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert bool((kept == kept[:, :1]).all())
    assert kept.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(drop.eval()(x), x)
    blocks = ViT(TINY.model_copy(update={"drop_path": 0.2})).layers
    assert [round(block.drop_path.probability, 6) for block in blocks] == [0.0, 0.1, 0.2]


def test_mixed_precision_adds_in_float32() -> None:
    """Only products are in half precision: rounding the residual path as well costs thrice that."""
    torch.manual_seed(0)
    network = ViT(ViTConfig(dim=64, depth=8, heads=2)).eval()
    features, mask = torch.randn(2, 96, 64), torch.ones(2, 96, dtype=torch.bool)
    with torch.no_grad():
        wanted = network(features, mask).tokens
        with torch.autocast("cpu", torch.bfloat16):
            found = network(features, mask, layers=True)
    assert {layer.dtype for layer in found.layers} == {torch.float32}
    assert ((found.tokens - wanted).norm() / wanted.norm()).item() < 0.004
