"""Low-rank adapters in a network's attention, and their merge into the weights."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from antiphon.errors import UserError
from antiphon.training.needs import need
from antiphon.training.supervised.config import LoraSettings

# The gate of positions in BEATs has eight units on each head: no rank to speak of.
_ATTENTION = re.compile(r"(?:^|\.)(?:attn|attention|self_attn)\.(?:.+\.)?(?!grep_linear$)\w+$")


def adapted_layers(network: nn.Module, targets: str | None = None) -> list[str]:
    """Return the full names of the linear layers that get adapters.

    Parameters
    ----------
    network
        Whose layers.
    targets
        Regular expression that a whole name matches; None takes every linear layer within a
        module named ``attn``, ``attention`` or ``self_attn``: query, key, value and output, but
        not the gate of positions in BEATs.

    Raises
    ------
    UserError
        There is none, or the expression is not valid.
    """
    try:
        wanted = None if targets is None else re.compile(targets)
    except re.error as error:
        raise UserError(f"lora: targets {targets!r} is no regular expression: {error}.") from error
    linear = [name for name, part in network.named_modules() if isinstance(part, nn.Linear)]
    if wanted is not None:
        found = [name for name in linear if wanted.fullmatch(name)]
    else:
        found = [name for name in linear if _ATTENTION.search(name)]
    if not found:
        what = "no attention" if targets is None else f"no linear layer named like {targets!r}"
        shown = ", ".join(linear[:4]) or "none"
        raise UserError(
            f"LoRA: the backbone has {what} (its linear layers: {shown}). "
            "Choose targets, or method: full or probe."
        )
    return found


def add_adapters(network: nn.Module, settings: LoraSettings, *, seed: int = 0) -> list[str]:
    """Put adapters into a network; all else in it is frozen.

    An adapted layer computes ``W x + b + (alpha / r) B A x`` (Hu et al. 2022, equation 3). A is
    drawn from the seed and B is 0, so that the network's output is at first what it was.

    Parameters
    ----------
    network
        Changed in place.
    settings
        Rank, alpha, dropout and which layers.
    seed
        Of A; the global generator is left alone.

    Returns
    -------
    list of str
        Names of the adapted layers.

    Raises
    ------
    MissingExtraError
        peft is not installed.
    UserError
        No layer to adapt.
    """
    peft = need("peft", "fine-tune with LoRA")
    names = adapted_layers(network, settings.targets)
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=names,
        bias="none",
    )
    network.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, network)
    return names


def merge_adapters(network: nn.Module) -> None:
    """Put ``W + (alpha / r) B A`` in the place of each adapted layer.

    Afterwards the network has the layers and names that it had before it was adapted, in
    evaluation mode, and all its weights can be trained.

    Raises
    ------
    UserError
        A sum is not finite.
    """
    for name, part in _adapted(network).items():
        try:
            part.merge(safe_merge=True)
        except ValueError as error:
            raise UserError(f"The adapter of {name} cannot be merged: {error}") from error
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, part.get_base_layer())
    network.requires_grad_(True)
    network.eval()


def _adapted(network: nn.Module) -> dict[str, Any]:
    layer = need("peft.tuners.lora", "fine-tune with LoRA").LoraLayer
    return {name: part for name, part in network.named_modules() if isinstance(part, layer)}
