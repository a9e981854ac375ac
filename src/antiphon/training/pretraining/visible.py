"""The transformer on the patches that are seen."""

from __future__ import annotations

from torch import Tensor

from antiphon.errors import UserError
from antiphon.training.backbones.vit import ViT
from antiphon.training.model import EncoderModel
from antiphon.training.pretraining.masks import Masks


def encode_kept(vit: ViT, tokens: Tensor, masks: Masks) -> Tensor:
    """Encode kept patches only: ``(B, S, D)`` to ``(R, 1 + K, D)``, the class token first."""
    encoded: Tensor = vit.blocks(masks.take(tokens), unless_full(masks.real))
    return encoded


def unless_full(mask: Tensor) -> Tensor | None:
    """Return the mask, or None where it hides nothing: attention is faster without one."""
    return None if bool(mask.all()) else mask


def take_off_head(model: EncoderModel) -> None:
    """Take off a classifier: it is not trained here, and would not fit the encoder afterwards."""
    model.head, model.head_config, model.classes = None, None, ()


def untrained_pooling(model: EncoderModel) -> bool:
    """Return whether the pooling has parameters, which no loss on tokens reaches."""
    return any(True for _ in model.pooling.parameters())


def require_vit(model: EncoderModel, stage: str) -> ViT:
    """Return the model's backbone.

    Raises
    ------
    UserError
        It is no vision transformer.
    """
    if not isinstance(model.backbone, ViT):
        raise UserError(
            f"{stage} pre-training hides patches, which only a vision transformer can leave out, "
            f"but the backbone is of the kind {model.backbone_config.kind!r}. Set backbone.kind "
            "to vit."
        )
    return model.backbone
