"""Fine-tuning from few labels: adapters, everything, or the head alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import nn

from antiphon.training.backbones.config import AnyHeadConfig
from antiphon.training.model import EncoderModel
from antiphon.training.supervised.classification import ClassificationTask, FeatureAugment
from antiphon.training.supervised.config import FinetuneConfig, LoraSettings
from antiphon.training.supervised.layer_decay import layer_decay_groups
from antiphon.training.supervised.lora import add_adapters, merge_adapters


class FinetuneTask(ClassificationTask):
    """Adapt a trained encoder to new classes.

    Parameters
    ----------
    model, classes, head, augment, presence, seed
        As for :class:`ClassificationTask`. With ``method: lora`` the model's backbone gets
        adapters; :meth:`encoder` returns a copy with the adapters merged.
    config
        Settings of the stage.

    Attributes
    ----------
    adapted
        Names of the layers with adapters.
    """

    def __init__(
        self,
        model: EncoderModel,
        classes: Sequence[str],
        config: FinetuneConfig,
        *,
        head: AnyHeadConfig | None = None,
        augment: FeatureAugment | None = None,
        presence: Sequence[float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            model, classes, config.loss, head=head, augment=augment, presence=presence, seed=seed
        )
        self.config = config
        self.lora = config.lora or LoraSettings()
        self.adapted: list[str] = []
        if config.method == "lora":
            self.adapted = add_adapters(model.backbone, self.lora, seed=seed)
            self.train(self.training)
        elif config.method == "probe":
            # Attention pooling is learned, and so part of what the head probes.
            model.backbone.requires_grad_(False)
            model.backbone.eval()
            self.frozen = True

    def train(self, mode: bool = True) -> FinetuneTask:
        """Set the mode; with adapters, batch normalisation keeps the statistics of its weights."""
        super().train(mode)
        if self.adapted:
            for part in self.model.backbone.modules():
                if isinstance(part, nn.modules.batchnorm._BatchNorm):
                    part.eval()
        return self

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return groups of what the method trains."""
        others = (self.model.pooling, self.model.head)
        return layer_decay_groups(
            self.model.backbone, others, lr, weight_decay, self.config.layer_decay
        )

    def encoder(self) -> EncoderModel:
        """Return the encoder; with adapters, a copy into whose weights they are merged."""
        if not self.adapted:
            return self.model
        kept: EncoderModel = copy.deepcopy(self.model)
        merge_adapters(kept.backbone)
        kept.eval()
        return kept

    def describe(self) -> str:
        """Return which parts are trained, with counts, and how many layers have adapters."""
        if not self.adapted:
            return super().describe()
        return (
            f"{super().describe()}\nLoRA of rank {self.lora.rank}, alpha {self.lora.alpha:g}, in "
            f"{len(self.adapted)} layers: {self.adapted[0]} to {self.adapted[-1]}."
        )
