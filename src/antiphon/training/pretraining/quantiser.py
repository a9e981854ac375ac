"""A codebook of unit vectors that follows the features assigned to it."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, distributed, nn
from torch.nn import functional


def nearest_codes(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Return the nearest code of each vector, in float32 under mixed precision too.

    Between unit vectors the largest cosine is the smallest Euclidean distance.

    Parameters
    ----------
    vectors
        ``(..., d)`` unit vectors.
    codebook
        ``(codes, d)`` unit vectors.

    Returns
    -------
    torch.Tensor
        ``(...)`` int64; the lowest index where several are as near.
    """
    with torch.autocast(vectors.device.type, enabled=False):
        return (vectors.float() @ codebook.float().T).argmax(-1)


class Quantiser(nn.Module):
    """Vector quantisation with a codebook that is a moving average (van den Oord et al. 2017).

    Vectors and codes have unit length (BEiT v2, Peng et al. 2022). Codes without use take over
    features of the batch, all of them in the first step, so that the codebook cannot die out.

    Parameters
    ----------
    codes, dim
        Size of the codebook.
    decay
        Of the moving average.
    revive_below
        Moving count per step below which a code is given to a feature of the batch.
    """

    def __init__(self, codes: int, dim: int, *, decay: float, revive_below: float) -> None:
        super().__init__()
        self.decay = decay
        self.revive_below = revive_below
        self.register_buffer("codebook", torch.zeros(codes, dim))
        self.register_buffer("sums", torch.zeros(codes, dim))
        self.register_buffer("counts", torch.zeros(codes))

    def codes(self, vectors: Tensor) -> Tensor:
        """Return the codes ``(...)`` of unit vectors ``(..., d)``."""
        return nearest_codes(vectors, self.codebook)

    @torch.no_grad()
    def revive(self, vectors: Tensor, generator: Generator) -> int:
        """Give unused codes to vectors ``(n, d)`` drawn from a batch; return how many.

        Called before codes are looked up. All processes take the vectors of the first one.
        """
        count = len(self.counts)
        drawn = torch.randint(
            max(len(vectors), 1), (count,), generator=generator, device=generator.device
        )
        # Zeros stand for the features of an empty batch, and revive nothing.
        source = vectors.float() if len(vectors) else torch.zeros_like(self.codebook[:1])
        fresh = source[drawn.to(source.device)]
        if distributed.is_available() and distributed.is_initialized():
            distributed.broadcast(fresh, 0)
        unused = (self.counts < self.revive_below) & fresh.any(1)
        self.codebook[unused] = fresh[unused]
        self.sums[unused] = fresh[unused]
        self.counts[unused] = 1.0
        return int(unused.sum())

    @torch.no_grad()
    def follow(self, vectors: Tensor, codes: Tensor) -> None:
        """Move each code towards the vectors ``(n, d)`` that were given it, ``codes`` ``(n,)``."""
        counts = torch.zeros_like(self.counts)
        counts.index_add_(0, codes, torch.ones_like(codes, dtype=counts.dtype))
        sums = torch.zeros_like(self.sums).index_add_(0, codes, vectors.float())
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(counts)
            distributed.all_reduce(sums)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        self.codebook.copy_(functional.normalize(self.sums, dim=1))
