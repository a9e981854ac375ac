"""What every backbone returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class BackboneOutput(NamedTuple):
    """Tokens of a batch of clips.

    Parameters
    ----------
    tokens
        ``(B, S, D)``, the class token not among them.
    mask
        ``(B, S)`` bool, true where a token holds audio.
    cls
        ``(B, D)`` class token, or None for a backbone without one.
    layers
        Outputs of the blocks in order, each ``(B, 1 + S, D)`` with the class token first, where
        they were asked for.
    """

    tokens: Tensor
    mask: Tensor
    cls: Tensor | None = None
    layers: tuple[Tensor, ...] | None = None
