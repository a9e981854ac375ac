"""A classifier on an encoder, and what of a task is trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from antiphon.errors import UserError
from antiphon.training.backbones.config import AnyHeadConfig, HeadConfig
from antiphon.training.model import EncoderModel, create_head


def set_classes(
    model: EncoderModel, classes: Sequence[str], head: AnyHeadConfig | None = None, *, seed: int = 0
) -> None:
    """Give a model a classifier of these classes.

    A model that has just these classes, in this order and with such a head, keeps its classifier.

    Parameters
    ----------
    model
        Changed in place.
    classes
        Names in the order of the logits.
    head
        Its settings; None keeps the kind that the model has, linear where it has none.
    seed
        Of the fresh weights; the global generator is left alone.

    Raises
    ------
    UserError
        No class, or one twice; a head that does not go with the backbone.
    """
    names = tuple(classes)
    if not names or len(set(names)) != len(names):
        raise UserError("A classifier needs at least one class, and each only once.")
    settings = head or model.head_config or HeadConfig()
    if model.head is not None and model.classes == names and model.head_config == settings:
        return
    place = next(model.parameters()).device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = create_head(model.dim, len(names), settings, model.backbone_config)
    model.head = fresh.to(place).train(model.training)
    model.classes = names
    model.head_config = settings


def trainable_table(module: nn.Module) -> str:
    """Return one line per part of a module: how many of its parameters are trained.

    Parameters
    ----------
    module
        Its children are the parts; those without parameters are left out.
    """
    rows = [("all", *_counts(module))]
    rows += [(name, *_counts(child)) for name, child in module.named_children()]
    shown = [row for row in rows if row[2]]
    width = max((len(row[0]) for row in shown), default=0)
    return "\n".join(
        f"{name:<{width}}  {trained:>12,} of {total:>12,} parameters trained"
        for name, trained, total in shown
    )


def _counts(module: nn.Module) -> tuple[int, int]:
    parameters = list(module.parameters())
    return (
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(p.numel() for p in parameters),
    )
