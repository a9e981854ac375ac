"""Settings of backbones, heads and pooling; no torch is needed to read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self

import pydantic
from pydantic import Discriminator, Field, PositiveInt, Tag

from antiphon.encoders.checking import Strict

Share = Annotated[float, Field(ge=0, lt=1)]

Pooling = Literal["mean", "cls", "attention"]
"""How tokens become one vector: mean of those that hold audio, class token, learned attention."""


class ViTShape(NamedTuple):
    """Width, number of blocks and number of attention heads of a transformer."""

    dim: int
    depth: int
    heads: int


SIZES = {
    "tiny": ViTShape(192, 4, 3),
    "small": ViTShape(384, 12, 6),
    "base": ViTShape(768, 12, 12),
}
"""Small and base are those of ViT and DeiT; tiny is a third of DeiT's, to train on two cores."""


class PatchSize(Strict):
    """A patch: frames by mel bands."""

    time: PositiveInt = 16
    mel: PositiveInt = 16


class ViTConfig(Strict):
    """A vision transformer over patches of a spectrogram, as in EAT, AST and AudioMAE.

    Attributes
    ----------
    size
        ``tiny`` (1.8 M parameters), ``small`` (21 M) or ``base`` (85 M).
    dim, depth, heads
        Width, blocks and heads where they differ from the size's. ``dim`` must be a multiple of 4
        (positions) and of ``heads``.
    patch
        Frames and mel bands of a patch.
    mlp_ratio
        Width of the hidden layer of a block's network, as a multiple of ``dim``.
    drop_path
        Probability to skip the last block's branches in training; it grows linearly from 0 at
        the first (stochastic depth, Huang et al. 2016).
    dropout
        Probability to drop a value after a projection, in training.
    norm
        ``pre``: layer norm before each branch and at the end. ``post``: after each branch and
        once before the first block, as the published EAT has it.
    """

    kind: Literal["vit"] = "vit"
    size: Literal["tiny", "small", "base"] = "tiny"
    dim: PositiveInt | None = None
    depth: PositiveInt | None = None
    heads: PositiveInt | None = None
    patch: PatchSize = PatchSize()
    mlp_ratio: Annotated[float, Field(gt=0)] = 4.0
    drop_path: Share = 0.0
    dropout: Share = 0.0
    norm: Literal["pre", "post"] = "pre"

    @property
    def shape(self) -> ViTShape:
        """Width, depth and heads, with the size's where none is given."""
        size = SIZES[self.size]
        return ViTShape(self.dim or size.dim, self.depth or size.depth, self.heads or size.heads)

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        shape = self.shape
        if shape.dim % 4 or shape.dim % shape.heads:
            raise ValueError(f"dim {shape.dim} must be a multiple of 4 and of heads {shape.heads}")
        return self


class TimmConfig(Strict):
    """A convolutional network of timm with one input channel.

    Attributes
    ----------
    name
        As timm lists it: ``efficientnet_b0``, ``convnext_tiny``, ``mobilenetv3_small_050``...
    pretrained
        Start from timm's weights (images), the first convolution summed over colours; downloads.
    drop_path
        timm's ``drop_path_rate``: probability to skip the last block's branch, growing with depth.
    """

    kind: Literal["timm"] = "timm"
    name: str
    pretrained: bool = False
    drop_path: Share = 0.0


class ConvConfig(Strict):
    """A small residual network of depthwise-separable convolutions.

    Attributes
    ----------
    width
        Channels of the first stage; stage i has ``width * 2**i``.
    depths
        Residual blocks of each stage. The stem halves mel bands and frames, and so does each
        stage but the first: four stages give one token per 16 frames.
    dim
        Length of a token, by a last pointwise convolution.
    frequency
        ``mean``: the last map is averaged over frequency. ``project``: the last convolution spans
        all its rows, so that the token still knows the pitch. ``keep``: the rows stay apart to the
        end, for a head that joins them itself; a token is their mean.
    block
        ``separable``: inverted residuals of depthwise convolutions, with few weights.
        ``residual``: two 3 x 3 convolutions each (He et al. 2016): more weights, which processors
        multiply at several times the speed.
    expansion
        Widening inside a separable block.
    drop_path
        As in the vision transformer.
    """

    kind: Literal["conv"] = "conv"
    block: Literal["separable", "residual"] = "separable"
    width: PositiveInt = 32
    depths: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=6)] = (1, 2, 2, 1)
    dim: PositiveInt = 256
    frequency: Literal["mean", "project", "keep"] = "mean"
    expansion: PositiveInt = 2
    drop_path: Share = 0.0


class EfficientATConfig(Strict):
    """A MobileNetV3 for sound of the EfficientAT family.

    Attributes
    ----------
    width
        Multiple of MobileNetV3-Large's channels: 0.4 is ``mn04``, 1.0 is ``mn10``.
    """

    kind: Literal["efficientat"] = "efficientat"
    width: Annotated[float, Field(gt=0, le=4)] = 0.4


class BEATsNetworkConfig(Strict):
    """The transformer of BEATs (Chen et al. 2023), for its published weights.

    Attributes
    ----------
    patch_dim
        Width of a patch before the projection to ``dim``.
    dim, depth, heads, hidden
        Width, blocks, attention heads and width of the hidden layers.
    patch
        Frames and mel bands of a patch.
    position_kernel, position_groups
        Of the convolution over tokens that encodes their positions.
    buckets, max_distance
        Of the bias by relative position (Raffel et al. 2020).
    """

    kind: Literal["beats"] = "beats"
    patch_dim: PositiveInt = 512
    dim: PositiveInt = 768
    depth: PositiveInt = 12
    heads: PositiveInt = 12
    hidden: PositiveInt = 3072
    patch: PatchSize = PatchSize()
    position_kernel: PositiveInt = 128
    position_groups: PositiveInt = 16
    buckets: Annotated[int, Field(ge=4)] = 320
    max_distance: PositiveInt = 800

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if self.dim % self.heads or self.dim % self.position_groups:
            raise ValueError("dim must be a multiple of heads and of position_groups")
        return self


class HubertConfig(Strict):
    """HuBERT (Hsu et al. 2021) on the waveform, for the published weights of AVES.

    Attributes
    ----------
    dim, depth, heads, hidden
        As for BEATs.
    channels, kernels, strides
        Of the convolutions on the waveform.
    position_kernel, position_groups
        As for BEATs.
    """

    kind: Literal["hubert"] = "hubert"
    dim: PositiveInt = 768
    depth: PositiveInt = 12
    heads: PositiveInt = 12
    hidden: PositiveInt = 3072
    channels: PositiveInt = 512
    kernels: tuple[PositiveInt, ...] = (10, 3, 3, 3, 3, 2, 2)
    strides: tuple[PositiveInt, ...] = (5, 2, 2, 2, 2, 2, 2)
    position_kernel: PositiveInt = 128
    position_groups: PositiveInt = 16

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.kernels) != len(self.strides):
            raise ValueError("kernels and strides must be as many")
        if self.dim % self.heads or self.dim % self.position_groups:
            raise ValueError("dim must be a multiple of heads and of position_groups")
        return self


BackboneConfig = Annotated[
    ViTConfig | TimmConfig | ConvConfig | EfficientATConfig | BEATsNetworkConfig | HubertConfig,
    Field(discriminator="kind"),
]


class HeadConfig(Strict):
    """The classifier on top of an embedding.

    Attributes
    ----------
    hidden
        Width of a hidden layer with Hardswish; None for a linear classifier.
    dropout
        Before the last layer, in training.
    activation
        How logits become scores: ``sigmoid``, each class by itself, or ``softmax``, shares that
        sum to 1, which a head trained with the loss ``softmax`` gets.
    """

    hidden: PositiveInt | None = None
    dropout: Share = 0.0
    activation: Literal["sigmoid", "softmax"] = "sigmoid"


class SedHeadConfig(Strict):
    """A head that says when each class is heard; see :class:`~antiphon.training.detection.head`.

    Attributes
    ----------
    pool
        How rows of the last map are joined: ``gem``, the generalised mean, or ``mean``, which
        suits features of both signs, as those of transformers.
    gem_p
        Power of the generalised mean at the start; it is learned. 1 is the mean, and the larger
        the nearer to the maximum.
    hidden
        Width of a layer with ReLU between the joined rows and the scores; None for none.
    dropout
        Before each layer, in training.
    clip_share
        Share of the clip's score in the output, and of its loss in the loss; the rest is that of
        the loudest frame.
    """

    kind: Literal["sed"]
    pool: Literal["gem", "mean"] = "gem"
    gem_p: Annotated[float, Field(ge=1)] = 3.0
    hidden: PositiveInt | None = None
    dropout: Share = 0.25
    clip_share: Annotated[float, Field(ge=0, le=1)] = 0.5


def _kind_of_head(value: Any) -> str:
    """Classifiers of an embedding say no kind."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "sed" if kind == "sed" else "embedding"


AnyHeadConfig = Annotated[
    Annotated[HeadConfig, Tag("embedding")] | Annotated[SedHeadConfig, Tag("sed")],
    Discriminator(_kind_of_head),
]
