"""The transformer of BEATs: positions by convolution and by gated relative bias, deep norm."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.config import BEATsNetworkConfig
from antiphon.training.backbones.output import BackboneOutput
from antiphon.training.pooling import attendable


class BEATsNetwork(nn.Module):
    """Patches, a convolution over tokens, and post-norm blocks with gated relative positions.

    Chen et al. 2023, "BEATs: Audio Pre-Training with Acoustic Tokenizers". As there, patches that
    are not full of audio are left out, so the last frames of a clip (up to a patch) are not heard;
    tokens run along frequency first.

    Parameters
    ----------
    config
        Its sizes.
    """

    def __init__(self, config: BEATsNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.dim = config.dim
        patch = (config.patch.time, config.patch.mel)
        self.patch_embedding = nn.Conv2d(1, config.patch_dim, patch, patch, bias=False)
        self.layer_norm = nn.LayerNorm(config.patch_dim)
        self.post_extract_proj = nn.Linear(config.patch_dim, config.dim)
        kernel = config.position_kernel
        self.pos_conv = nn.Conv1d(
            config.dim, config.dim, kernel, padding=kernel // 2, groups=config.position_groups
        )
        self.relative_attention_bias = nn.Embedding(config.buckets, config.heads)
        self.encoder_norm = nn.LayerNorm(config.dim)
        self.layers = nn.ModuleList(BEATsBlock(config) for _ in range(config.depth))
        _initialise(self, config)

    def forward(self, features: Tensor, mask: Tensor) -> BackboneOutput:
        """Turn ``(B, T, F)`` features with a ``(B, T)`` mask into tokens.

        A clip shorter than a patch gives one token per row of patches, filled up with zeros.
        """
        time = self.config.patch.time
        if features.shape[1] < time:
            missing = time - features.shape[1]
            features = functional.pad(features, (0, 0, 0, missing))
            mask = functional.pad(mask, (0, missing))
        patches = self.patch_embedding(features.unsqueeze(1))
        steps, rows = patches.shape[2:]
        tokens = self.post_extract_proj(self.layer_norm(patches.flatten(2).transpose(1, 2)))
        frames = mask[:, : steps * time].unflatten(1, (steps, time))
        full = torch.cat([frames[:, :1].any(2), frames[:, 1:].all(2)], dim=1)
        held = full.unsqueeze(2).expand(-1, -1, rows).flatten(1)
        x = tokens.masked_fill(~held.unsqueeze(2), 0.0)
        x = self.encoder_norm(x + self._positions(x))
        bias = self._relative_bias(x.shape[1])
        allowed = attendable(held)[:, None, None]
        for layer in self.layers:
            x = layer(x, bias, allowed)
        return BackboneOutput(x, held)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes."""
        first = (
            "patch_embedding.",
            "layer_norm.",
            "post_extract_proj.",
            "pos_conv.",
            "relative_attention_bias.",
            "encoder_norm.",
        )
        return (first, *((f"layers.{number}.",) for number in range(len(self.layers))))

    def _positions(self, x: Tensor) -> Tensor:
        # An even kernel gives one step too many.
        encoded = self.pos_conv(x.transpose(1, 2))[:, :, : x.shape[1]]
        return functional.gelu(encoded).transpose(1, 2)

    def _relative_bias(self, count: int) -> Tensor:
        """Bias ``(1, heads, count, count)`` by relative position."""
        buckets = relative_buckets(
            count,
            self.config.buckets,
            self.config.max_distance,
            self.relative_attention_bias.weight.device,
        )
        return self.relative_attention_bias(buckets).permute(2, 0, 1).unsqueeze(0)


class BEATsBlock(nn.Module):
    """A transformer block with deep norm: ``norm(alpha x + f(x))``.

    ``alpha = (2 depth)**(1/4)`` (Wang et al. 2022, "DeepNet", table for encoders).
    """

    def __init__(self, config: BEATsNetworkConfig) -> None:
        super().__init__()
        self.alpha = (2 * config.depth) ** 0.25
        self.self_attn = GatedAttention(config.dim, config.heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.dim)
        self.fc1 = nn.Linear(config.dim, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.dim)
        self.final_layer_norm = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, bias: Tensor, allowed: Tensor) -> Tensor:
        """Transform ``(B, S, D)``; ``bias`` and ``allowed`` as in :class:`GatedAttention`."""
        x = self.self_attn_layer_norm(self.alpha * x + self.self_attn(x, bias, allowed))
        return self.final_layer_norm(self.alpha * x + self.fc2(functional.gelu(self.fc1(x))))


class GatedAttention(nn.Module):
    """Self-attention with a relative position bias that each query gates.

    With ``q`` of a head, ``a, b = sigmoid(...)`` of two sums over a linear map of it, and a learned
    ``w`` per head, the bias counts ``a (b w - 1) + 2`` times (Chi et al. 2022, "XLM-E", gated
    relative position bias).
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)
        self.grep_linear = nn.Linear(dim // heads, 8)
        self.grep_a = nn.Parameter(torch.ones(1, heads, 1, 1))

    def forward(self, x: Tensor, bias: Tensor, allowed: Tensor) -> Tensor:
        """Attend: ``(B, S, D)`` to ``(B, S, D)``.

        ``bias`` is ``(1, heads, S, S)``; ``allowed`` ``(B, 1, 1, S)`` bool says which tokens may be
        attended to.
        """
        batch, count, dim = x.shape

        def split(values: Tensor) -> Tensor:
            return values.reshape(batch, count, self.heads, -1).transpose(1, 2)

        query, key, value = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        sums = self.grep_linear(query).unflatten(-1, (2, 4)).sum(-1).sigmoid()
        first, second = sums.unbind(-1)
        gate = first.unsqueeze(-1) * (second.unsqueeze(-1) * self.grep_a - 1.0) + 2.0
        added = (gate * bias).masked_fill(~allowed, -torch.inf).to(query.dtype)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=added)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, count, dim))


def relative_buckets(
    count: int, buckets: int, max_distance: int, device: torch.device | None = None
) -> Tensor:
    """Bucket of each pair of tokens by how far the second is from the first.

    Half of the buckets are for tokens that follow. Of each half, one half holds single distances
    and the other ranges that widen logarithmically up to ``max_distance`` (Raffel et al. 2020,
    section 2.1).

    Returns
    -------
    torch.Tensor
        ``(count, count)`` int64.
    """
    places = torch.arange(count, device=device)
    offset = places[None, :] - places[:, None]
    half = buckets // 2
    exact = half // 2
    distance = offset.abs()
    scale = (half - exact) / math.log(max_distance / exact)
    wide = exact + ((distance.float().clamp(min=1) / exact).log() * scale).long()
    bucket = torch.where(distance < exact, distance, wide.clamp(max=half - 1))
    return bucket + (offset > 0).long() * half


def _initialise(network: BEATsNetwork, config: BEATsNetworkConfig) -> None:
    # Deep norm's start: values and the second half of each branch are smaller in deep networks.
    beta = (8 * config.depth) ** -0.25
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            small = name.rsplit(".", 1)[-1] in ("v_proj", "out_proj", "fc1", "fc2")
            nn.init.xavier_normal_(module.weight, gain=beta if small else 1.0)
            nn.init.zeros_(module.bias)
    nn.init.normal_(network.relative_attention_bias.weight, std=0.02)
    spread = math.sqrt(4 / (config.position_kernel * config.dim))
    nn.init.normal_(network.pos_conv.weight, std=spread)
    nn.init.zeros_(network.pos_conv.bias)
