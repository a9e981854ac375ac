"""The light decoder that predicts features of hidden patches from the seen ones around them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from antiphon.training.pretraining.masks import Masks


class ConvolutionalDecoder(nn.Module):
    """2-D convolutions over the restored grid (data2vec 2.0, Baevski et al. 2023, section 3.2).

    Each layer is a grouped convolution, a normalisation over channels without parameters, and a
    GELU, added to its input where the channels agree. A linear layer leads back to ``dim``.

    Parameters
    ----------
    dim
        Of the tokens.
    hidden
        Channels of the convolutions; a multiple of ``groups``, as is ``dim``.
    layers, kernel, groups
        Of the convolutions; the kernel is odd.
    noise
        Standard deviation of the noise in place of hidden patches.

    Raises
    ------
    ValueError
        Channels are not a multiple of the groups.
    """

    def __init__(
        self, dim: int, hidden: int, *, layers: int, kernel: int, groups: int, noise: float
    ) -> None:
        super().__init__()
        self.noise = noise
        self.convolutions = nn.ModuleList(
            nn.Conv2d(hidden if i else dim, hidden, kernel, padding=kernel // 2, groups=groups)
            for i in range(layers)
        )
        self.out = nn.Linear(hidden, dim)

    def forward(
        self,
        tokens: Tensor,
        masks: Masks,
        valid: Tensor,
        grid: tuple[int, int],
        generator: Generator,
    ) -> Tensor:
        """Return predictions ``(R, S, D)`` for all patches.

        Parameters
        ----------
        tokens
            ``(R, K, D)`` of the kept patches, without the class token.
        masks
            Where they belong.
        valid
            ``(R, S)`` bool. Padded patches are zero before each convolution, as is everything
            beyond the edge of the grid, so that padding changes no prediction.
        grid
            Patches along time and along frequency.
        generator
            Of the noise.
        """
        rows, size, dim = len(tokens), valid.shape[1], tokens.shape[2]
        noise = torch.randn((rows, size, dim), generator=generator, device=generator.device)
        hidden = (self.noise * noise).to(tokens)
        x = masks.restore(tokens, hidden).view(rows, *grid, dim)
        audio = valid.view(rows, *grid, 1).to(x)
        for convolution in self.convolutions:
            y = convolution((x * audio).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            y = functional.gelu(functional.layer_norm(y, y.shape[-1:]))
            x = x + y if x.shape == y.shape else y
        predictions: Tensor = self.out(x.reshape(rows, size, -1))
        return predictions
