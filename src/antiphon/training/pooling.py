"""From tokens to one vector per clip, without padding."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from antiphon.training.backbones.config import Pooling
from antiphon.training.backbones.masking import wide


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Average the tokens that hold audio.

    Parameters
    ----------
    tokens
        ``(B, S, D)``.
    mask
        ``(B, S)`` bool, true where a token holds audio.

    Returns
    -------
    torch.Tensor
        ``(B, D)``; zeros for a row without any audio.
    """
    kept = tokens.masked_fill(~mask.unsqueeze(-1), 0.0)
    # Sums over a clip are beyond what half precision holds.
    total = kept.sum(1, dtype=wide(tokens.dtype))
    return (total / mask.sum(1, keepdim=True).clamp(min=1)).to(tokens.dtype)


class AttentionPooling(nn.Module):
    """Weighted mean of the tokens, the weights from one learned query per head.

    With ``q`` of each head, ``softmax(q . k / sqrt(d))`` over the tokens that hold audio weighs
    the values: the pooling of Set Transformers (Lee et al. 2019, section 3.2) with one seed.

    Parameters
    ----------
    dim
        Length of a token.
    heads
        Number of heads; must divide ``dim``.
    """

    def __init__(self, dim: int, heads: int = 1) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide tokens of {dim} values")
        self.heads = heads
        self.query = nn.Parameter(nn.init.trunc_normal_(Tensor(heads, dim // heads), std=0.02))
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Pool ``(B, S, D)`` tokens with a ``(B, S)`` mask to ``(B, D)``."""
        size = (tokens.shape[0], -1, self.heads, self.query.shape[1])
        key = self.key(tokens).reshape(size).transpose(1, 2)
        value = self.value(tokens).reshape(size).transpose(1, 2)
        query = self.query[None, :, None].expand(tokens.shape[0], -1, -1, -1)
        pooled = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attendable(mask)[:, None, None]
        )
        return pooled.transpose(1, 2).reshape(tokens.shape[0], -1)


def attendable(mask: Tensor) -> Tensor:
    """Return a mask in which a row without any audio is all true.

    The softmax over nothing is not a number, and would spread to the other rows by the gradient.
    """
    return mask | ~mask.any(1, keepdim=True)


class TokenPooling(nn.Module):
    """The pooling that a model's settings name.

    Parameters
    ----------
    kind
        ``mean``: :func:`masked_mean`. ``cls``: the class token. ``attention``:
        :class:`AttentionPooling`.
    dim
        Length of a token.
    """

    def __init__(self, kind: Pooling, dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.attention = AttentionPooling(dim) if kind == "attention" else None

    def forward(self, tokens: Tensor, mask: Tensor, cls: Tensor | None) -> Tensor:
        """Pool ``(B, S, D)`` tokens to ``(B, D)``; ``cls`` ``(B, D)`` is the class token."""
        if self.attention is not None:
            return self.attention(tokens, mask)
        if self.kind == "cls":
            if cls is None:
                raise ValueError("this backbone has no class token: pool by mean or attention")
            return cls
        return masked_mean(tokens, mask)
