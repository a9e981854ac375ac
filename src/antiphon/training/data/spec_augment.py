"""Masks on features: SpecAugment and cut bands."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from antiphon.audio.augmentation.config import SpecAugmentConfig


def spec_augment(
    features: Tensor, mask: Tensor | None, config: SpecAugmentConfig, generator: Generator
) -> Tensor:
    """Mask spans of frames and of mel bins in each example.

    Each of ``time_masks`` spans has a length drawn evenly from 0 to ``time_share`` of the
    example's frames and a place drawn evenly within them; bins likewise (Park et al. 2019,
    section 2, with time in shares as in Park et al. 2020). With ``band_p`` all bins below or
    above a drawn one go as well. Masked places take the mean of the example's audible features.

    Parameters
    ----------
    features
        ``(B, T, F)``.
    mask
        ``(B, T)`` bool, True where there is audio; None for everywhere.
    config
        The settings.
    generator
        Draws, on its own device.

    Returns
    -------
    Tensor
        ``(B, T, F)``; ``features`` itself is not changed.
    """
    n, frames, bins = features.shape
    audible = (
        torch.ones(n, frames, dtype=torch.bool, device=features.device) if mask is None else mask
    )
    length = audible.sum(1)
    hidden = _spans(length, frames, config.time_masks, config.time_share, generator)[:, :, None]
    whole = torch.full_like(length, bins)
    hidden = hidden | _spans(whole, bins, config.mel_masks, config.mel_share, generator)[:, None]
    hidden = hidden | _bands(n, bins, config, generator, features.device)[:, None]
    hidden = hidden & audible[:, :, None]
    total = (features * audible[:, :, None]).sum((1, 2))
    mean = total / (length.clamp(min=1) * bins)
    return torch.where(hidden, mean[:, None, None].to(features.dtype), features)


def _uniform(shape: tuple[int, ...], generator: Generator, device: torch.device) -> Tensor:
    drawn = torch.rand(shape, generator=generator, device=generator.device)
    return drawn.to(device)


def _spans(length: Tensor, size: int, masks: int, share: float, generator: Generator) -> Tensor:
    """Return ``(B, size)`` bool: the union of drawn spans within the first ``length`` places."""
    drawn = _uniform((2, len(length), masks), generator, length.device)
    places = torch.arange(size, device=length.device)
    if not masks:
        return torch.zeros(len(length), size, dtype=torch.bool, device=length.device)
    widest = (share * length).floor()[:, None]
    width = (drawn[0] * (widest + 1)).floor()
    start = (drawn[1] * (length[:, None] - width + 1)).floor()
    inside = (places >= start[..., None]) & (places < (start + width)[..., None])
    return inside.any(1)


def _bands(
    n: int, bins: int, config: SpecAugmentConfig, generator: Generator, device: torch.device
) -> Tensor:
    """Return ``(B, bins)`` bool: everything below, or everything above, a drawn bin."""
    drawn = _uniform((3, n), generator, device)
    width = (drawn[1] * ((1.0 - config.band_keep) * bins + 1)).floor()[:, None]
    places = torch.arange(bins, device=device)
    cut = torch.where(drawn[2][:, None] < 0.5, places < width, places >= bins - width)
    return cut & (drawn[0] < config.band_p)[:, None]
