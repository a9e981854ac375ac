"""Supervised (post-)training: the head alone first, then everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.training.backbones.config import AnyHeadConfig
from antiphon.training.model import EncoderModel
from antiphon.training.supervised.classification import ClassificationTask, FeatureAugment
from antiphon.training.supervised.config import SupervisedConfig
from antiphon.training.supervised.freezing import FreezePlan, hold
from antiphon.training.supervised.layer_decay import layer_decay_groups


class SupervisedTask(ClassificationTask):
    """Multi-label training of a whole encoder.

    The backbone's parameters are the optimiser's from the start; while it is frozen they have no
    gradient, so an optimiser of torch leaves them bit for bit, weight decay included.

    Parameters
    ----------
    model, classes, head, augment, presence, seed
        As for :class:`ClassificationTask`.
    config
        Settings of the stage. Its averaging is the caller's, by
        :func:`~antiphon.training.supervised.create.classification_task`.

    Raises
    ------
    UserError
        Classes or weights that do not fit.
    """

    def __init__(
        self,
        model: EncoderModel,
        classes: Sequence[str],
        config: SupervisedConfig,
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
        self.plan = FreezePlan.of(config)

    def before_step(self, step: int, total: int) -> None:
        """Freeze or unfreeze the backbone, as the plan says for this step."""
        frozen = self.plan.is_frozen(step, total)
        if frozen:
            hold(self.model.backbone)
        elif self.frozen:
            self.model.backbone.train(self.training)
        self.frozen = frozen

    def rate_factor(self, step: int, total: int) -> float:
        """Return the factor on the rates: the second learning rate after unfreezing."""
        return self.plan.rate_factor(step, total)

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return groups by layer; frozen parameters are among them."""
        others = (self.model.pooling, self.model.head)
        return layer_decay_groups(
            self.model.backbone, others, lr, weight_decay, self.config.layer_decay
        )

    def describe(self) -> str:
        """Return which parts are trained, and until when the backbone is frozen."""
        plan = self.plan
        if plan.steps == 0 or (plan.steps is None and plan.share == 0):
            return super().describe()
        until = f"{plan.share:.0%} of the steps" if plan.steps is None else f"{plan.steps:,} steps"
        return (
            f"{super().describe()}\nThe backbone is frozen for {until}; "
            f"then learning rates are multiplied by {plan.rate:g}."
        )

    @property
    def unused_parameters(self) -> bool:
        """Whether the backbone is frozen for some steps."""
        return self.plan.steps != 0 if self.plan.steps is not None else self.plan.share > 0
