"""Vision transformer over patches of a spectrogram, for clips of any length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.blocks import TransformerBlock, residual_dtype
from antiphon.training.backbones.config import ViTConfig
from antiphon.training.backbones.masking import count_tokens
from antiphon.training.backbones.output import BackboneOutput


class ViT(nn.Module):
    """Patches, 2-D sine positions, a class token and transformer blocks.

    Dosovitskiy et al. 2021 with the fixed positions of MAE (He et al. 2022). Positions count from
    the start of the clip and padding is neither attended to nor pooled, so that a clip gives the
    same tokens alone and padded.

    Parameters
    ----------
    config
        Its sizes.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config = config
        shape = config.shape
        self.dim = shape.dim
        self.patch_embed = nn.Conv2d(
            1,
            shape.dim,
            (config.patch.time, config.patch.mel),
            (config.patch.time, config.patch.mel),
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.dim))
        steps = max(shape.depth - 1, 1)
        self.layers = nn.ModuleList(
            TransformerBlock(
                shape.dim,
                shape.heads,
                round(shape.dim * config.mlp_ratio),
                drop_path=config.drop_path * number / steps,
                dropout=config.dropout,
                norm=config.norm,
            )
            for number in range(shape.depth)
        )
        self.norm = nn.LayerNorm(shape.dim, eps=1e-6)
        self.apply(_initialise)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def patches(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        """Cut features into patches and embed them.

        Parameters
        ----------
        features
            ``(B, T, F)`` float32; zeros are added up to whole patches.
        mask
            ``(B, T)`` bool, true where a frame holds audio. What is beyond counts as zeros.

        Returns
        -------
        tokens
            ``(B, S, D)`` with positions added; the token of patch ``(t, f)`` is number
            ``t * mel + f``.
        token_mask
            ``(B, S)`` bool, true where a patch holds a frame of audio.
        grid
            Patches along time and along mel; ``S`` is their product.
        """
        patch = self.config.patch
        frames, bands = features.shape[1:]
        # Rounded up without negative numbers, whose division an exported graph rounds otherwise.
        times = (frames + patch.time - 1) // patch.time
        mels = (bands + patch.mel - 1) // patch.mel
        missing = times * patch.time - frames
        image = features.masked_fill(~mask.unsqueeze(-1), 0.0)
        image = functional.pad(image, (0, mels * patch.mel - bands, 0, missing))
        tokens = self.patch_embed(image.unsqueeze(1)).flatten(2).transpose(1, 2)
        tokens = tokens.to(residual_dtype(tokens))
        tokens = tokens + sine_positions(times, mels, self.dim, tokens.device).to(tokens.dtype)
        held = functional.pad(mask, (0, missing)).reshape(-1, times, patch.time).any(2)
        token_mask = held.unsqueeze(2).expand(-1, -1, mels).flatten(1)
        return tokens, token_mask, (times, mels)

    def blocks(
        self, tokens: Tensor, token_mask: Tensor | None = None, *, layers: bool = False
    ) -> Tensor | tuple[Tensor, ...]:
        """Put the class token first and run the blocks.

        Parameters
        ----------
        tokens
            ``(B, S, D)`` of :meth:`patches`, or any subset of them gathered by index.
        token_mask
            ``(B, S)`` bool, true where a token may be attended to; None where all may.
        layers
            Whether to return every block's output instead.

        Returns
        -------
        torch.Tensor or tuple of torch.Tensor
            ``(B, 1 + S, D)`` after the last norm; or the ``depth`` outputs of the blocks, each
            ``(B, 1 + S, D)``, before the last norm.
        """
        outputs = self._run(tokens, token_mask)
        return outputs if layers else self._finished(outputs[-1])

    def _run(self, tokens: Tensor, token_mask: Tensor | None) -> tuple[Tensor, ...]:
        x = torch.cat(
            [self.cls_token.expand(tokens.shape[0], -1, -1).to(tokens.dtype), tokens], dim=1
        )
        allowed = None
        if token_mask is not None:
            # The class token may always be attended to, so no softmax runs over nothing.
            allowed = functional.pad(token_mask, (1, 0), value=True)[:, None, None]
        if self.config.norm == "post":
            x = self.norm(x)
        outputs = []
        for layer in self.layers:
            x = layer(x, allowed)
            outputs.append(x)
        return tuple(outputs)

    def _finished(self, x: Tensor) -> Tensor:
        return x if self.config.norm == "post" else self.norm(x)

    def forward(self, features: Tensor, mask: Tensor, *, layers: bool = False) -> BackboneOutput:
        """Turn ``(B, T, F)`` features with a ``(B, T)`` mask into tokens.

        Every patch with audio is attended to; the mask returned, for pooling, is that of
        :func:`~antiphon.training.backbones.masking.count_tokens`. ``layers`` asks for the outputs
        of all blocks as well.
        """
        tokens, token_mask, (times, mels) = self.patches(features, mask)
        counted = count_tokens(mask, times, self.config.patch.time)
        counted = counted.unsqueeze(2).expand(-1, -1, mels).flatten(1)
        outputs = self._run(tokens, token_mask)
        x = self._finished(outputs[-1])
        grid = x[:, 1:].unflatten(1, (times, mels)).permute(0, 3, 2, 1)
        return BackboneOutput(x[:, 1:], counted, x[:, 0], outputs if layers else None, grid)

    def layer_prefixes(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of parameters by depth, from the input on, as prefixes.

        For learning rates by layer and for unfreezing from the top.
        """
        first: tuple[str, ...] = ("patch_embed.", "cls_token")
        blocks: list[tuple[str, ...]] = [(f"layers.{n}.",) for n in range(len(self.layers))]
        if self.config.norm == "post":
            first = (*first, "norm.")
        else:
            blocks[-1] = (*blocks[-1], "norm.")
        return (first, *blocks)


def take_tokens(tokens: Tensor, index: Tensor) -> Tensor:
    """Gather tokens by number: ``(B, S, D)`` and ``(B, K)`` int64 to ``(B, K, D)``."""
    return tokens.gather(1, index.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


def sine_positions(times: int, mels: int, dim: int, device: torch.device | None = None) -> Tensor:
    """Fixed positions of a grid of patches.

    One half of the values encodes the mel index, the other the time index, each by sines and
    cosines of ``index / 10000**(i / (dim / 4))`` (Vaswani et al. 2017, section 3.5; in two
    dimensions and this order MAE, He et al. 2022).

    Returns
    -------
    torch.Tensor
        ``(times * mels, dim)`` float32, mel running fastest.
    """
    quarter = dim // 4
    steps = torch.arange(quarter, device=device, dtype=torch.float32)
    omega = torch.pow(torch.tensor(10000.0, device=device), -steps / quarter)

    def encode(count: int) -> Tensor:
        angle = torch.arange(count, device=device, dtype=torch.float32)[:, None] * omega
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    by_mel = encode(mels)[None].expand(times, -1, -1)
    by_time = encode(times)[:, None].expand(-1, mels, -1)
    return torch.cat([by_mel, by_time], dim=2).reshape(times * mels, dim)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        # As a linear layer over the patch's values.
        nn.init.xavier_uniform_(module.weight.flatten(1))
        nn.init.zeros_(module.bias)
