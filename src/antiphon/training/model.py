"""An encoder in torch: audio in, embedding, tokens and class logits out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from antiphon.errors import UserError
from antiphon.training.backbones.config import (
    AnyHeadConfig,
    BackboneConfig,
    HeadConfig,
    Pooling,
    SedHeadConfig,
)
from antiphon.training.backbones.registry import create_backbone
from antiphon.training.detection.head import SedHead, SedOutput, joint_logit
from antiphon.training.front_end.config import TrainingFrontEnd
from antiphon.training.front_end.features import FeatureFrontEnd
from antiphon.training.front_end.spectra import Transform
from antiphon.training.modes import evaluating
from antiphon.training.pooling import TokenPooling

_WITHOUT_MAP = ("beats", "hubert")


class ModelOutput(NamedTuple):
    """What an encoder gives for a batch of clips.

    Parameters
    ----------
    embedding
        ``(B, D)``.
    tokens
        ``(B, S, D)``.
    mask
        ``(B, S)`` bool, true where a token holds audio.
    logits
        ``(B, C)`` of the classes, or None for a model without a head.
    sed
        What a detection head says of clip and frames; ``logits`` is then the logit of its joint
        probability. None for other heads.
    """

    embedding: Tensor
    tokens: Tensor
    mask: Tensor
    logits: Tensor | None
    sed: SedOutput | None = None


class EncoderModel(nn.Module):
    """Front end, backbone, pooling and perhaps a classifier.

    Parameters
    ----------
    front_end
        Settings of the features.
    sample_rate
        Hz of the audio.
    window_s
        Seconds of a window that the model is meant for; other lengths work as well.
    backbone
        Settings of the network.
    classes
        Names of the classes; empty for a model without a head.
    head
        Settings of the classifier; linear where none are given.
    pooling
        How tokens become an embedding.
    transform
        How spectra are computed; see
        :class:`~antiphon.training.front_end.features.FeatureFrontEnd`.

    Attributes
    ----------
    dim
        Length of an embedding.

    Raises
    ------
    UserError
        Settings that do not go together, such as pooling by a class token that there is not.
    MissingExtraError
        The backbone needs a package that is not installed.
    """

    def __init__(
        self,
        front_end: TrainingFrontEnd,
        sample_rate: int,
        window_s: float,
        backbone: BackboneConfig,
        classes: Sequence[str] = (),
        head: AnyHeadConfig | None = None,
        *,
        pooling: Pooling = "mean",
        transform: Transform = "fft",
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.window_s = window_s
        self.backbone_config = backbone
        self.classes = tuple(classes)
        self.head_config = (head or HeadConfig()) if self.classes else None
        self.front_end = FeatureFrontEnd(front_end, sample_rate, transform=transform)
        self.backbone = create_backbone(backbone, self.front_end.shape(self.window_samples))
        self.dim = int(self.backbone.dim)
        self.set_pooling(pooling)
        self.head = (
            create_head(self.dim, len(self.classes), self.head_config, backbone)
            if self.head_config is not None
            else None
        )

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return round(self.window_s * self.sample_rate)

    def scores(self, logits: Tensor) -> Tensor:
        """Turn ``(B, C)`` logits into scores in [0, 1], as the head was trained."""
        if getattr(self.head_config, "activation", "sigmoid") == "softmax":
            return logits.softmax(1)
        return logits.sigmoid()

    def drop_head(self) -> None:
        """Leave the classes out: what remains gives embeddings only."""
        self.classes, self.head_config, self.head = (), None, None

    def set_pooling(self, kind: Pooling) -> None:
        """Pool in another way from now on; attention gets fresh weights.

        Raises
        ------
        UserError
            The class token is wanted of a backbone that has none.
        """
        if kind == "cls" and not hasattr(self.backbone, "cls_token"):
            raise UserError(
                f"pooling: cls takes the class token, which a backbone of kind "
                f"{self.backbone_config.kind} does not have. Set pooling: mean or attention."
            )
        self.pooling_kind = kind
        self.pooling = TokenPooling(kind, self.dim)

    @property
    def is_detector(self) -> bool:
        """Whether the head scores frames as well."""
        return isinstance(self.head, SedHead)

    @property
    def front_end_config(self) -> TrainingFrontEnd:
        """Settings of the features."""
        return self.front_end.config

    def forward(self, waveform: Tensor, valid: Tensor | None = None) -> ModelOutput:
        """Encode clips.

        Parameters
        ----------
        waveform
            ``(B, N)`` float32 in [-1, 1], zero-padded.
        valid
            ``(B,)`` int64 samples that are audio; None where all are.
        """
        features, mask = self.front_end(waveform, valid)
        return self.from_features(features, mask)

    def from_features(self, features: Tensor, mask: Tensor) -> ModelOutput:
        """Encode features ``(B, T, F)`` with their ``(B, T)`` mask, as when they were augmented."""
        out = self.backbone(features, mask)
        embedding = self.pooling(out.tokens, out.mask, out.cls)
        if isinstance(self.head, SedHead):
            sed = self.head(out)
            logits = joint_logit(sed.clip, sed.peak, self.head.config.clip_share)
            return ModelOutput(embedding, out.tokens, out.mask, logits, sed)
        logits = None if self.head is None else self.head(embedding)
        return ModelOutput(embedding, out.tokens, out.mask, logits)

    def embed(self, waveform: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return embeddings ``(B, D)`` in evaluation mode and without gradients.

        The mode that the model was in is restored.
        """
        with evaluating(self):
            return self(waveform, valid).embedding


def create_head(
    dim: int, classes: int, config: AnyHeadConfig, backbone: BackboneConfig
) -> nn.Module:
    """Return the head of a model with fresh weights.

    Parameters
    ----------
    dim
        Length of an embedding, and channels of the backbone's last map.
    classes
        How many.
    config
        Its settings.
    backbone
        What it stands on.

    Raises
    ------
    UserError
        A detection head on a backbone whose last map is not to be had.
    """
    if isinstance(config, SedHeadConfig):
        if backbone.kind in _WITHOUT_MAP:
            raise UserError(
                f"Backbone {backbone.kind!r} gives no map over frequency and time, which a "
                "detection head needs: use conv, timm, efficientat or vit."
            )
        return SedHead(dim, classes, config)
    return classifier(dim, classes, config)


def classifier(dim: int, classes: int, config: HeadConfig) -> nn.Sequential:
    """Return the head from ``(B, dim)`` to ``(B, classes)`` logits."""
    layers: list[nn.Module] = []
    if config.hidden is not None:
        layers += [nn.Linear(dim, config.hidden), nn.Hardswish()]
    layers += [nn.Dropout(config.dropout), nn.Linear(config.hidden or dim, classes)]
    return nn.Sequential(*layers)
