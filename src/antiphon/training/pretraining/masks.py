"""Which patches of a clip are seen and which are predicted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from antiphon.training.backbones.vit import take_tokens


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Patches kept and patches predicted, one row per clip (or per clone of a clip).

    Parameters
    ----------
    kept
        ``(R, K)`` int64, positions of kept patches in rising order. ``K`` is the largest number
        that a row keeps; a shorter row is filled with positions that it does not keep.
    real
        ``(R, K)`` bool, False for such fillers.
    predicted
        ``(R, S)`` bool, patches with audio that are not kept.
    """

    kept: Tensor
    real: Tensor
    predicted: Tensor

    def take(self, tokens: Tensor) -> Tensor:
        """Return the kept rows ``(R, K, D)`` of tokens ``(B, S, D)``; R is a multiple of B."""
        clones = len(self.kept) // len(tokens)
        rows = take_tokens(tokens, self.kept.view(len(tokens), -1))
        return rows.view(len(tokens) * clones, -1, tokens.shape[2])

    def restore(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """Put kept tokens ``(R, K, D)`` back to their positions among ``hidden`` ``(R, S, D)``."""
        index = self.kept.unsqueeze(2).expand_as(tokens)
        rows = torch.where(self.real.unsqueeze(2), tokens, hidden.gather(1, index))
        return hidden.scatter(1, index, rows)


def inverse_block_masks(
    valid: Tensor,
    grid: tuple[int, int],
    *,
    ratio: float,
    block: int,
    adjust: float,
    generator: Generator,
) -> Masks:
    """Keep square blocks of patches and hide the rest.

    Parameters
    ----------
    valid
        ``(R, S)`` bool, patches that hold audio. Others are neither kept nor predicted.
    grid
        Patches along time and along frequency; ``S`` is their product, frequency runs fastest.
    ratio
        Share of a row's valid patches that is hidden.
    block
        Side of a block in patches.
    adjust
        Added to the kept share when blocks are counted.
    generator
        Source of randomness.

    Returns
    -------
    Masks
        Each row keeps exactly ``(1 - ratio)`` of its valid patches (rounded; at least one, and at
        least one is left to predict where there are two).

    Notes
    -----
    After data2vec 2.0 (Baevski et al. 2023, section 3.3) and EAT (Chen et al. 2024): with ``V``
    valid patches, ``(1 - ratio + adjust) V / block²`` blocks (rounded down, at least one) are laid
    around random valid patches, cut at the edge. If they cover too much, random patches in them
    are given up; if too little, random others are added. A block counts what it can cover at most:
    on a grid of 4 bands, a block of 5 counts 5 x 4.
    """
    rows, size = valid.shape
    numbers = valid.sum(1)
    area = min(block, grid[0]) * min(block, grid[1])
    blocks = ((1 - ratio + adjust) * numbers / area).floor().long().clamp(min=1)
    most = max(int(blocks.max()), 1)
    # The n-th valid patch of a row, for n drawn evenly.
    order = torch.argsort(~valid, dim=1, stable=True)
    drawn = (_uniform((rows, most), generator, valid) * numbers.unsqueeze(1)).long()
    centres = order.gather(1, drawn.clamp(max=size - 1))
    used = torch.arange(most, device=valid.device) < blocks.unsqueeze(1)
    place = torch.arange(size, device=valid.device)
    time = place // grid[1] - (centres // grid[1]).unsqueeze(2)
    band = place % grid[1] - (centres % grid[1]).unsqueeze(2)
    low, high = -(block // 2), block - block // 2
    inside = (time >= low) & (time < high) & (band >= low) & (band < high) & used.unsqueeze(2)
    return _keep_first(inside.any(1), valid, ratio, generator)


def random_masks(valid: Tensor, *, ratio: float, generator: Generator) -> Masks:
    """Keep patches at random, as :func:`inverse_block_masks` does without blocks (BEATs)."""
    return _keep_first(torch.zeros_like(valid), valid, ratio, generator)


def kept_numbers(valid: Tensor, ratio: float) -> Tensor:
    """Return how many patches each row ``(R, S)`` keeps, ``(R,)`` int64."""
    numbers = valid.sum(1)
    wanted = ((1 - ratio) * numbers).round().long()
    return torch.minimum(wanted.clamp(min=1), (numbers - 1).clamp(min=1)).clamp(max=numbers)


def _keep_first(preferred: Tensor, valid: Tensor, ratio: float, generator: Generator) -> Masks:
    """Keep the exact number: preferred patches first, then other valid ones, each at random."""
    chance = _uniform(valid.shape, generator, valid)
    score = torch.where(valid, chance + preferred, -1.0)
    wanted = kept_numbers(valid, ratio)
    most = max(int(wanted.max()), 1)
    first = score.argsort(dim=1, descending=True)[:, :most]
    real = torch.arange(most, device=valid.device) < wanted.unsqueeze(1)
    kept, order = first.sort(dim=1)
    real = real.gather(1, order)
    predicted = valid.scatter(1, kept, valid.gather(1, kept) & ~real)
    return Masks(kept, real, predicted)


def _uniform(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    # Drawn where the generator lives, so that a seed gives one mask on every device.
    return torch.rand(shape, generator=generator, device=generator.device).to(like.device)
