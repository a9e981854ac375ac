"""Transformer blocks and stochastic depth."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


def residual_dtype(tokens: Tensor) -> torch.dtype:
    """Return the type in which blocks add to tokens: float32 under mixed precision.

    Else every sum along the residual path would be rounded to half precision, which costs a
    multiple of the error that half-precision products have.
    """
    return torch.float32 if torch.is_autocast_enabled(tokens.device.type) else tokens.dtype


class DropPath(nn.Module):
    """Skip a residual branch for whole examples in training (Huang et al. 2016).

    What is kept is scaled by ``1 / (1 - probability)``, so that its expectation stays.

    Parameters
    ----------
    probability
        To skip an example's branch, in [0, 1).
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Drop rows of ``(B, ...)``."""
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        kept = x.new_empty((len(x),) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * kept / keep


class Attention(nn.Module):
    """Multi-head self-attention.

    Parameters
    ----------
    dim, heads
        Width of a token and number of heads.
    dropout
        After the output projection, in training.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor | None) -> Tensor:
        """Attend: ``(B, S, D)`` to ``(B, S, D)``.

        ``allowed``, ``(B, 1, 1, S)`` bool or None, says which tokens may be attended to.
        """
        batch, length, dim = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        return self.drop(self.proj(mixed.transpose(1, 2).reshape(batch, length, dim)))


class Mlp(nn.Module):
    """Two linear layers with a GELU between them.

    Parameters
    ----------
    dim, hidden
        Widths.
    dropout
        After each layer, in training.
    """

    def __init__(self, dim: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the last axis."""
        return self.drop(self.fc2(self.drop(functional.gelu(self.fc1(x)))))


class TransformerBlock(nn.Module):
    """Attention and a two-layer network, each with a residual path and a layer norm.

    Parameters
    ----------
    dim, heads, hidden
        Width, number of heads, width of the hidden layer.
    drop_path, dropout
        As :class:`DropPath`, and after projections.
    norm
        ``pre``: ``x + f(norm(x))``. ``post``: ``norm(x + f(x))``.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        *,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        norm: Literal["pre", "post"] = "pre",
    ) -> None:
        super().__init__()
        self.pre = norm == "pre"
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads, dropout)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden, dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Transform ``(B, S, D)``; ``allowed`` as in :class:`Attention`."""
        if self.pre:
            x = x + self.drop_path(self.attn(self.norm1(x), allowed))
            return x + self.drop_path(self.mlp(self.norm2(x)))
        x = self.norm1(x + self.drop_path(self.attn(x, allowed)))
        return self.norm2(x + self.drop_path(self.mlp(x)))
