"""Tokenizers: from patches of a spectrogram to the discrete codes that BEATs predicts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.blocks import TransformerBlock, residual_dtype
from antiphon.training.backbones.config import PatchSize, ViTConfig
from antiphon.training.backbones.vit import ViT, sine_positions
from antiphon.training.pretraining.measures import code_usage
from antiphon.training.pretraining.quantiser import Quantiser, nearest_codes
from antiphon.training.pretraining.visible import unless_full


def cut_patches(features: Tensor, mask: Tensor, patch: PatchSize) -> Tensor:
    """Return the values of each patch, in the order of the vision transformer's tokens.

    Parameters
    ----------
    features
        ``(B, T, F)``; zeros are added up to whole patches.
    mask
        ``(B, T)`` bool, frames that hold audio; others count as zeros.
    patch
        Frames and bands of a patch.

    Returns
    -------
    torch.Tensor
        ``(B, S, patch.time * patch.mel)``, frame by frame.
    """
    batch, frames, bands = features.shape
    times, mels = -(-frames // patch.time), -(-bands // patch.mel)
    image = features.masked_fill(~mask.unsqueeze(2), 0.0)
    image = functional.pad(image, (0, mels * patch.mel - bands, 0, times * patch.time - frames))
    cut = image.view(batch, times, patch.time, mels, patch.mel).transpose(2, 3)
    return cut.reshape(batch, times * mels, patch.time * patch.mel)


class RandomProjectionTokenizer(nn.Module):
    """The tokenizer of the first iteration, which is not trained.

    A random matrix projects a patch, and the nearest of random vectors is its code, all of unit
    length (BEST-RQ, Chiu et al. 2022, section 3.1; BEATs, Chen et al. 2023, section 3.2).

    Parameters
    ----------
    patch
        Frames and bands of a patch.
    codes, dim
        Number of codes and length of their vectors.
    seed
        From which projection and codes are drawn.
    """

    def __init__(self, patch: PatchSize, *, codes: int, dim: int, seed: int) -> None:
        super().__init__()
        self.patch = patch
        generator = torch.Generator().manual_seed(seed)
        values = patch.time * patch.mel
        projection = torch.empty(values, dim)
        nn.init.xavier_uniform_(projection, generator=generator)
        codebook = torch.randn((codes, dim), generator=generator)
        self.register_buffer("projection", projection)
        self.register_buffer("codebook", functional.normalize(codebook, dim=1))

    @torch.no_grad()
    def codes(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return codes ``(B, S)`` int64 of features ``(B, T, F)`` with mask ``(B, T)``."""
        patches = cut_patches(features.float(), mask, self.patch)
        # Codes are the same whatever the precision of the run.
        with torch.autocast(features.device.type, enabled=False):
            vectors = functional.normalize(patches @ self.projection, dim=2)
        return nearest_codes(vectors, self.codebook)


class DistilledTokenizer(nn.Module):
    """The tokenizer of later iterations: codes from which a teacher's features can be estimated.

    An encoder and a codebook give each patch a code; transformer layers estimate the features of
    the model of the iteration before from all codes of a clip (BEATs, section 3.2; BEiT v2, Peng
    et al. 2022).

    Parameters
    ----------
    backbone
        Of the encoder.
    target_dim
        Length of the teacher's tokens.
    codes, dim
        Number of codes and length of their vectors.
    decay, revive_below
        As :class:`~antiphon.training.pretraining.quantiser.Quantiser`.
    layers
        Transformer layers of the estimator.
    commitment
        Weight of the distance of features to their codes.
    """

    def __init__(
        self,
        backbone: ViTConfig,
        target_dim: int,
        *,
        codes: int,
        dim: int,
        decay: float,
        revive_below: float,
        layers: int,
        commitment: float,
    ) -> None:
        super().__init__()
        self.commitment = commitment
        self.encoder = ViT(backbone)
        width = self.encoder.dim
        self.down = nn.Linear(width, dim)
        self.quantiser = Quantiser(codes, dim, decay=decay, revive_below=revive_below)
        self.up = nn.Linear(dim, width)
        self.estimator = TokenLayers(width, layers)
        self.out = nn.Linear(width, target_dim)

    @torch.no_grad()
    def codes(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return codes ``(B, S)`` int64 of features ``(B, T, F)`` with mask ``(B, T)``."""
        vectors, _, _ = self._vectors(features, mask)
        return self.quantiser.codes(vectors)

    def losses(
        self, features: Tensor, mask: Tensor, target: Tensor, generator: Generator | None
    ) -> dict[str, Tensor]:
        """Return ``loss``, its parts, and how the codebook is used.

        Parameters
        ----------
        features, mask
            ``(B, T, F)`` and ``(B, T)``.
        target
            ``(B, S, target_dim)`` features of the teacher.
        generator
            With one, the codebook follows the batch; None leaves it alone.

        Notes
        -----
        BEATs, equation 5, with the codebook as a moving average: one minus the cosine between
        estimate and target, plus ``commitment`` times the squared distance of a feature to its
        code. The gradient passes the codebook unchanged (straight through).
        """
        vectors, valid, grid = self._vectors(features, mask)
        real = vectors[valid]
        revived = self.quantiser.revive(real, generator) if generator is not None else 0
        codes = self.quantiser.codes(vectors)
        chosen = self.quantiser.codebook[codes]
        if generator is not None:
            self.quantiser.follow(real, codes[valid])
        passed = vectors + (chosen - vectors).detach()
        estimate = self.out(self.estimator(self.up(passed), valid, grid))
        weight = valid.float()
        count = weight.sum().clamp(min=1)
        cosine = functional.cosine_similarity(estimate.float(), target.float(), dim=2)
        similarity = (cosine * weight).sum() / count
        distance = ((vectors - chosen).square().sum(2) * weight).sum() / count
        return {
            "loss": 1 - similarity + self.commitment * distance,
            "tokenizer_cosine": similarity.detach(),
            "commitment": distance.detach(),
            "codes_revived": distance.new_tensor(revived),
            **code_usage(codes[valid], len(self.quantiser.counts)),
        }

    def _vectors(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        tokens, valid, grid = self.encoder.patches(features, mask)
        encoded: Any = self.encoder.blocks(tokens, unless_full(valid))
        return functional.normalize(self.down(encoded[:, 1:]).float(), dim=2), valid, grid


class TokenLayers(nn.Module):
    """Transformer layers over the whole grid of patches, with positions added first.

    Parameters
    ----------
    dim
        Length of a token, a multiple of 4.
    layers
        Their number.
    """

    def __init__(self, dim: int, layers: int) -> None:
        super().__init__()
        # Heads of 64 channels, as in the base transformer, where the width allows.
        heads = next(h for h in range(max(dim // 64, 1), 0, -1) if dim % h == 0)
        self.layers = nn.ModuleList(TransformerBlock(dim, heads, 4 * dim) for _ in range(layers))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, tokens: Tensor, valid: Tensor, grid: tuple[int, int]) -> Tensor:
        """Transform tokens ``(R, S, D)``; only valid ones ``(R, S)`` are attended to."""
        x = tokens.to(residual_dtype(tokens))
        x = x + sine_positions(*grid, tokens.shape[2], tokens.device).to(x)
        # A clip without audio attends to everything: a softmax over nothing is not a number.
        allowed = valid | ~valid.any(1, keepdim=True)
        attend = None if bool(allowed.all()) else allowed[:, None, None]
        for layer in self.layers:
            x = layer(x, attend)
        normed: Tensor = self.norm(x)
        return normed
