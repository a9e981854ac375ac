"""Levels of waveforms and features, by constants or by each clip's own audio."""

from __future__ import annotations

import torch
from torch import Tensor

from antiphon.encoders.manifest import WaveformFrontEnd
from antiphon.training.front_end.config import TrainingFrontEnd


def scale_waveform(
    waveform: Tensor, valid: Tensor, config: WaveformFrontEnd
) -> tuple[Tensor, Tensor]:
    """Apply a waveform front end to ``(B, N)`` samples, of which ``valid`` ``(B,)`` are audio.

    Returns
    -------
    tuple of torch.Tensor
        ``(B, N)`` float32, 0 beyond the audio, and the ``(B, N)`` mask of what is audio.
    """
    mask = torch.arange(waveform.shape[1], device=valid.device) < valid.unsqueeze(1)
    part = (waveform * config.scale).masked_fill(~mask, 0.0)
    if config.remove_mean:
        mean = part.sum(1, keepdim=True) / valid.clamp(min=1).unsqueeze(1)
        part = (part - mean).masked_fill(~mask, 0.0)
    if config.peak is not None:
        loudest = part.abs().amax(1, keepdim=True)
        part = torch.where(loudest > 0, part * (config.peak / loudest.clamp(min=1e-38)), part)
    return part, mask


def normalise(features: Tensor, mask: Tensor, config: TrainingFrontEnd) -> Tensor:
    """Normalise ``(B, T, F)`` features as a front end's settings say.

    Statistics are those of the frames in ``mask`` ``(B, T)``; the others become 0, also where
    nothing else is normalised.
    """
    assert not isinstance(config, WaveformFrontEnd)
    held = mask.unsqueeze(2)
    if config.normalise == "fixed":
        features = (features - config.mean) / config.std
    elif config.normalise != "none":
        features = _by_clip(features, held, config.normalise)
    return features.masked_fill(~held, 0.0)


def _by_clip(features: Tensor, held: Tensor, kind: str) -> Tensor:
    """Normalise by each clip's own statistics; a constant clip (digital silence) becomes zero."""
    low = features.masked_fill(~held, torch.inf).amin((1, 2), keepdim=True)
    high = features.masked_fill(~held, -torch.inf).amax((1, 2), keepdim=True)
    varies = high > low
    if kind == "min_max":
        spread = high - low
    else:
        # Sums run over differences from a value of the clip, which keeps their precision.
        count = (held.sum((1, 2), keepdim=True) * features.shape[2]).clamp(min=1)
        shifted = (features - low).masked_fill(~held, 0.0)
        mean = shifted.sum((1, 2), keepdim=True) / count
        centred = (shifted - mean).masked_fill(~held, 0.0)
        spread = (centred.square().sum((1, 2), keepdim=True) / count).sqrt()
        low = low + mean
    return torch.where(varies, (features - low) / torch.where(varies, spread, 1.0), 0.0)
