"""What the student of EAT predicts: normalised features of the teacher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.vit import ViT
from antiphon.training.pooling import masked_mean


def instance_norm(features: Tensor, mask: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each clip over the tokens that hold audio.

    Parameters
    ----------
    features
        ``(B, S, D)``.
    mask
        ``(B, S)`` bool. Where it is False the result is zero.
    eps
        Added to the (biased) variance.
    """
    weight = mask.unsqueeze(2).to(features)
    count = weight.sum(1, keepdim=True).clamp(min=1)
    centred = (features - (features * weight).sum(1, keepdim=True) / count) * weight
    variance = centred.square().sum(1, keepdim=True) / count
    return centred * torch.rsqrt(variance + eps)


@contextmanager
def mlp_outputs(vit: ViT) -> Iterator[list[Tensor]]:
    """Collect what the two-layer network of each block gives, before it is added to its input.

    Yields
    ------
    list of torch.Tensor
        Filled by a run of the blocks within: ``(B, 1 + S, D)`` of each block.
    """
    outputs: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.append(output)

    handles = [layer.mlp.register_forward_hook(keep) for layer in vit.layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def make_targets(layers: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Return the targets of all patches ``(B, S, D)`` float32.

    Each layer is instance-normalised, so that none outweighs the others; they are averaged, and
    the average is layer-normalised (data2vec 2.0, Baevski et al. 2023, section 3.1; EAT, Chen et
    al. 2024, section 3.2). Patches without audio are zero.

    Parameters
    ----------
    layers
        Outputs of the teacher's blocks, ``(B, S, D)`` each, without the class token.
    mask
        ``(B, S)`` bool, patches that hold audio.
    """
    total = torch.zeros_like(layers[0], dtype=torch.float32)
    for layer in layers:
        total += instance_norm(layer.float(), mask)
    average = functional.layer_norm(total / len(layers), total.shape[2:])
    return average * mask.unsqueeze(2)


def patch_loss(predictions: Tensor, targets: Tensor, predicted: Tensor) -> Tensor:
    """Return the mean squared error over predicted patches and channels.

    Parameters
    ----------
    predictions
        ``(B * M, S, D)`` of M clones per clip.
    targets
        ``(B, S, D)``.
    predicted
        ``(B * M, S)`` bool.
    """
    clips = len(targets)
    shape = (clips, len(predictions) // clips, *targets.shape[1:])
    error = (predictions.float().view(shape) - targets.unsqueeze(1)).square().mean(3)
    weight = predicted.view(shape[:3]).to(error)
    return (error * weight).sum() / weight.sum().clamp(min=1)


def utterance_loss(summary: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared error of class tokens to the mean of their clip's targets.

    Parameters
    ----------
    summary
        ``(B * M, D)`` class tokens of M clones per clip.
    targets
        ``(B, S, D)``.
    mask
        ``(B, S)`` bool, patches that hold audio. A clip without any is left out.
    """
    clips = len(targets)
    wanted = masked_mean(targets, mask).unsqueeze(1)
    error = (summary.float().view(clips, -1, targets.shape[2]) - wanted).square().mean((1, 2))
    weight = mask.any(1).to(error)
    return (error * weight).sum() / weight.sum().clamp(min=1)
