"""HuBERT on the waveform, through transformers, with padding left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from antiphon.training.backbones.config import HubertConfig
from antiphon.training.backbones.masking import wide
from antiphon.training.backbones.output import BackboneOutput
from antiphon.training.needs import need


class Hubert(nn.Module):
    """Convolutions on the waveform and a transformer (Hsu et al. 2021), one token per 320 samples.

    The norm after the first convolution takes its statistics over the clip; here over its audio
    only. Names of tensors under ``network`` are those of transformers' ``HubertModel``.

    Parameters
    ----------
    config
        Its sizes; the defaults are those of HuBERT base and of AVES.

    Raises
    ------
    MissingExtraError
        transformers is not installed.
    """

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.config = config
        self.dim = config.dim
        transformers = need("transformers", "use HuBERT and AVES")
        settings = transformers.HubertConfig(
            hidden_size=config.dim,
            num_hidden_layers=config.depth,
            num_attention_heads=config.heads,
            intermediate_size=config.hidden,
            conv_dim=[config.channels] * len(config.kernels),
            conv_kernel=list(config.kernels),
            conv_stride=list(config.strides),
            num_feat_extract_layers=len(config.kernels),
            num_conv_pos_embeddings=config.position_kernel,
            num_conv_pos_embedding_groups=config.position_groups,
            # Masking of its input is for its own pre-training.
            mask_time_prob=0.0,
            apply_spec_augment=False,
            layerdrop=0.0,
        )
        self.network = transformers.HubertModel(settings)
        self.network.masked_spec_embed = None
        first = self.network.feature_extractor.conv_layers[0]
        first.layer_norm = MaskedGroupNorm(config.channels)

    def forward(self, features: Tensor, mask: Tensor) -> BackboneOutput:
        """Turn ``(B, N)`` samples with a ``(B, N)`` mask into tokens."""
        counts = mask.sum(1)
        norm = self.network.feature_extractor.conv_layers[0].layer_norm
        norm.counts = _steps(counts, self.config.kernels[:1], self.config.strides[:1])
        try:
            maps = self.network.feature_extractor(features.masked_fill(~mask, 0.0))
        finally:
            norm.counts = None
        counts = _steps(counts, self.config.kernels, self.config.strides)
        held = torch.arange(maps.shape[2], device=maps.device) < counts.unsqueeze(1)
        hidden = self.network.feature_projection(maps.transpose(1, 2))
        tokens = self.network.encoder(hidden, attention_mask=held).last_hidden_state
        return BackboneOutput(tokens, held)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes."""
        first = ("network.feature_extractor.", "network.feature_projection.")
        positions = ("network.encoder.pos_conv_embed.", "network.encoder.layer_norm.")
        count = len(self.network.encoder.layers)
        return (first + positions, *((f"network.encoder.layers.{n}.",) for n in range(count)))


class MaskedGroupNorm(nn.Module):
    """Norm of each channel over the steps with audio, in place of a group norm of the same names.

    ``counts`` ``(B,)`` is set before each pass.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.counts: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(B, C, T)``."""
        assert self.counts is not None
        held = torch.arange(x.shape[2], device=x.device) < self.counts.unsqueeze(1)
        held = held.unsqueeze(1)
        count = self.counts.clamp(min=1)[:, None, None]
        # Sums over a clip are beyond what half precision holds.
        values = x.to(wide(x.dtype))
        mean = values.masked_fill(~held, 0.0).sum(2, keepdim=True) / count
        centred = (values - mean).masked_fill(~held, 0.0)
        variance = centred.square().sum(2, keepdim=True) / count
        normed = centred * (variance + self.eps).rsqrt()
        return (normed * self.weight[:, None] + self.bias[:, None]).to(x.dtype)


def _steps(samples: Tensor, kernels: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
    """Steps of the last map that lie within the audio; the first whenever there is any audio."""
    count = samples
    for kernel, stride in zip(kernels, strides, strict=True):
        count = torch.div(count - kernel, stride, rounding_mode="floor") + 1
    return torch.where(samples > 0, count.clamp(min=1), 0)
