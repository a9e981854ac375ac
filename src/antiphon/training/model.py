"""An encoder in torch: audio in, embedding, tokens and class logits out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from antiphon.training.backbones.config import BackboneConfig, HeadConfig, Pooling
from antiphon.training.backbones.registry import create_backbone
from antiphon.training.front_end.config import TrainingFrontEnd
from antiphon.training.front_end.features import FeatureFrontEnd
from antiphon.training.front_end.spectra import Transform
from antiphon.training.modes import evaluating
from antiphon.training.pooling import TokenPooling


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
    """

    embedding: Tensor
    tokens: Tensor
    mask: Tensor
    logits: Tensor | None


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
        head: HeadConfig | None = None,
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
        self.pooling_kind = pooling
        self.front_end = FeatureFrontEnd(front_end, sample_rate, transform=transform)
        self.backbone = create_backbone(backbone, self.front_end.shape(self.window_samples))
        self.dim = int(self.backbone.dim)
        self.pooling = TokenPooling(pooling, self.dim)
        self.head = (
            classifier(self.dim, len(self.classes), self.head_config)
            if self.head_config is not None
            else None
        )

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return round(self.window_s * self.sample_rate)

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
        logits = None if self.head is None else self.head(embedding)
        return ModelOutput(embedding, out.tokens, out.mask, logits)

    def embed(self, waveform: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return embeddings ``(B, D)`` in evaluation mode and without gradients.

        The mode that the model was in is restored.
        """
        with evaluating(self):
            return self(waveform, valid).embedding


def classifier(dim: int, classes: int, config: HeadConfig) -> nn.Sequential:
    """Return the head from ``(B, dim)`` to ``(B, classes)`` logits."""
    layers: list[nn.Module] = []
    if config.hidden is not None:
        layers += [nn.Linear(dim, config.hidden), nn.Hardswish()]
    layers += [nn.Dropout(config.dropout), nn.Linear(config.hidden or dim, classes)]
    return nn.Sequential(*layers)
