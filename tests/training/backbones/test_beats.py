# ruff: noqa: E402
from __future__ import annotations

import numpy as np
import pydantic
import pytest
from scipy.special import erf, expit, softmax

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.beats import BEATsNetwork, relative_buckets
from antiphon.training.backbones.config import BEATsNetworkConfig, PatchSize

TINY = BEATsNetworkConfig(
    patch_dim=6, dim=8, depth=2, heads=2, hidden=12, patch=PatchSize(time=4, mel=4),
    position_kernel=4, position_groups=2, buckets=8, max_distance=12,
)  # fmt: skip


def test_buckets_are_those_of_t5() -> None:
    modeling = pytest.importorskip("transformers.models.t5.modeling_t5", reason="needs train")
    offset = torch.arange(200)[None, :] - torch.arange(200)[:, None]
    for buckets, farthest in ((32, 128), (320, 800), (16, 40)):
        wanted = modeling.T5Attention._relative_position_bucket(
            offset, bidirectional=True, num_buckets=buckets, max_distance=farthest
        )
        assert torch.equal(relative_buckets(200, buckets, farthest), wanted)


def _norm(x: np.ndarray, layer: torch.nn.LayerNorm) -> np.ndarray:
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + layer.eps)
    return x * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def _gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def _linear(x: np.ndarray, layer: torch.nn.Linear) -> np.ndarray:
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def test_it_is_the_published_computation() -> None:
    """Step by step in NumPy for one clip, from the paper's equations."""
    torch.manual_seed(0)
    network = BEATsNetwork(TINY).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    clip = np.random.default_rng(0).standard_normal((14, 8)).astype(np.float32)
    with torch.no_grad():
        out = network(torch.from_numpy(clip)[None], torch.ones(1, 14, dtype=torch.bool))

    # Three whole steps of two rows of patches; the last two frames are not a patch.
    kernel = network.patch_embedding.weight.detach().numpy().reshape(6, 16)
    patches = [clip[4 * t : 4 * t + 4, 4 * f : 4 * f + 4].reshape(16) for t, f in np.ndindex(3, 2)]
    x = _linear(_norm(np.stack(patches) @ kernel.T, network.layer_norm), network.post_extract_proj)
    # The convolution of even length 4 over tokens: two before, itself, one after.
    weight = network.pos_conv.weight.detach().numpy()
    padded = np.pad(x, ((2, 2), (0, 0)))
    moved = np.zeros_like(x)
    for place, channel in np.ndindex(6, 8):
        group = slice(0, 4) if channel < 4 else slice(4, 8)
        moved[place, channel] = (padded[place : place + 4, group].T * weight[channel]).sum()
    x = _norm(x + _gelu(moved + network.pos_conv.bias.detach().numpy()), network.encoder_norm)
    table = network.relative_attention_bias.weight.detach().numpy()
    buckets = relative_buckets(6, 8, 12).numpy()
    alpha = (2 * TINY.depth) ** 0.25
    for layer in network.layers:
        attention = layer.self_attn
        query, key, value = (
            _linear(x, getattr(attention, name)) for name in ("q_proj", "k_proj", "v_proj")
        )
        mixed = np.zeros_like(x)
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            sums = _linear(query[:, part], attention.grep_linear)
            a, b = expit(sums[:, :4].sum(1)), expit(sums[:, 4:].sum(1))
            gate = a * (b * attention.grep_a.detach().numpy()[0, head, 0, 0] - 1) + 2
            scores = query[:, part] @ key[:, part].T / 2 + gate[:, None] * table[buckets, head]
            mixed[:, part] = softmax(scores, axis=1) @ value[:, part]
        x = _norm(alpha * x + _linear(mixed, attention.out_proj), layer.self_attn_layer_norm)
        inner = _linear(_gelu(_linear(x, layer.fc1)), layer.fc2)
        x = _norm(alpha * x + inner, layer.final_layer_norm)
    np.testing.assert_allclose(out.tokens[0].numpy(), x, rtol=1e-4, atol=1e-5)
    assert bool(out.mask.all())


def test_a_clip_shorter_than_a_patch_has_one_step() -> None:
    network = BEATsNetwork(TINY).eval()
    mask = torch.arange(3) < torch.tensor([[2], [0]])
    out = network(torch.randn(2, 3, 8), mask)
    assert out.mask.tolist() == [[True, True], [False, False]]
    assert bool(torch.isfinite(out.tokens).all())


def test_sizes_must_fit() -> None:
    with pytest.raises(pydantic.ValidationError, match="multiple of heads"):
        BEATsNetworkConfig(dim=10, heads=4)
