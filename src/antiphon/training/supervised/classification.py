"""What all stages with labels share: an encoder with a classifier, its loss and its scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Generator, Tensor

from antiphon.errors import UserError
from antiphon.training.backbones.config import AnyHeadConfig, HeadConfig, SedHeadConfig
from antiphon.training.model import EncoderModel, ModelOutput
from antiphon.training.modes import evaluating, without_gradient
from antiphon.training.supervised.heads import set_classes, trainable_table
from antiphon.training.supervised.loss_config import LossConfig, SoftmaxConfig
from antiphon.training.supervised.losses import MultiLabelLoss
from antiphon.training.supervised.metrics import ScoreCollector
from antiphon.training.task import Batch, Task


class FeatureAugment(Protocol):
    """Augmentation of features, such as SpecAugment."""

    def __call__(self, features: Tensor, mask: Tensor, generator: Generator) -> Tensor:
        """Change ``(B, T, F)`` features; ``mask`` ``(B, T)`` is true where a frame is audio."""
        ...


class ClassificationTask(Task):
    """Train a multi-label classifier on an encoder.

    Parameters
    ----------
    model
        The encoder; trained in place. One without these classes gets a fresh linear head.
    classes
        Names, in the order of ``labels`` in the batches.
    loss
        Settings of the loss.
    head
        Settings of the classifier; None keeps the model's.
    augment
        Applied to the features in training; None leaves them.
    presence
        ``(C,)`` share of the training clips with each class, for balanced weights.
    seed
        Of fresh weights.
    """

    def __init__(
        self,
        model: EncoderModel,
        classes: Sequence[str],
        loss: LossConfig,
        *,
        head: AnyHeadConfig | None = None,
        augment: FeatureAugment | None = None,
        presence: Sequence[float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if isinstance(loss, SoftmaxConfig):
            head = _of_shares(head or model.head_config)
        set_classes(model, classes, head, seed=seed)
        self.model = model
        self.loss = MultiLabelLoss(loss, model.classes, presence)
        self.augment = augment
        self.frozen = False
        self._pass = ScoreCollector()

    def train(self, mode: bool = True) -> ClassificationTask:
        """Set the mode of all but a frozen backbone, which stays in evaluation mode."""
        super().train(mode)
        if mode and self.frozen:
            self.model.backbone.eval()
        return self

    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return ``loss`` of a batch with ``labels`` and perhaps ``known``."""
        features, mask = self.model.front_end(batch["waveform"], batch["valid"])
        if self.augment is not None:
            features = self.augment(features, mask, generator)
        if self.frozen:
            with without_gradient(self.model.backbone):
                output = self.model.from_features(features, mask)
        else:
            output = self.model.from_features(features, mask)
        return self._checked(output, batch)

    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return ``loss`` in evaluation mode, and keep the scores for the pass's measures."""
        with evaluating(self):
            output = self.model(batch["waveform"], batch["valid"])
            found = self._checked(output, batch)
        logits = _logits(output)
        if isinstance(self.loss.config, SoftmaxConfig):
            # Logits of two clips compare only as shares; logarithms of those keep their order.
            logits = logits.float().log_softmax(1)
        self._pass.add(logits, batch["labels"], batch.get("known"))
        return found

    def validation_metrics(self) -> dict[str, float]:
        """Return ``map`` of the pass: macro average precision over classes with a positive."""
        return self._pass.take()

    def encoder(self) -> EncoderModel:
        """Return the encoder with its classifier."""
        return self.model

    def describe(self) -> str:
        """Return which parts are trained, with counts of parameters."""
        return trainable_table(self.model)

    def _checked(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the loss and its parts of a batch whose labels fit the model."""
        if "labels" not in batch:
            raise UserError("This stage learns from labels, and the training data has none.")
        logits = _logits(output)
        if batch["labels"].shape != logits.shape:
            raise UserError(
                f"The labels of a batch have the shape {tuple(batch['labels'].shape)}, but the "
                f"model has {logits.shape[1]} classes."
            )
        return self._parts(output, batch)

    def _parts(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"loss": self.loss(_logits(output), batch["labels"], batch.get("known"))}


def _of_shares(head: AnyHeadConfig | None) -> HeadConfig:
    """Return the settings of a head whose scores are shares."""
    if isinstance(head, SedHeadConfig):
        raise UserError(
            "The loss softmax tells the classes of a clip from each other; a detection head says "
            "of each whether it is there. Choose another loss."
        )
    return (head or HeadConfig()).model_copy(update={"activation": "softmax"})


def _logits(output: ModelOutput) -> Tensor:
    if output.logits is None:
        raise ValueError("the model has no classifier")
    return output.logits
