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
    map
        ``(B, D, F, T)`` the last map over frequency and time, for heads that look at both; ``F``
        is 1 where the network has joined the rows before. None for a backbone that has none. Time
        step ``t`` holds the tokens ``t * S / T`` to ``(t + 1) * S / T``.
    """

    tokens: Tensor
    mask: Tensor
    cls: Tensor | None = None
    layers: tuple[Tensor, ...] | None = None
    map: Tensor | None = None
