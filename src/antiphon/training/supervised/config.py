"""Settings of supervised stages; reading them needs no torch.

Learning rate, weight decay, steps and batch belong to the run. The defaults here are those of the
post-training of "What Matters for Bioacoustic Encoding" (ICLR 2026) where it gives them: the
backbone frozen for 2 of 10 epochs at 5e-4, everything at 1e-4 afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict
from antiphon.training.supervised.loss_config import BceConfig, LossConfig

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0)]


class NoAveraging(Strict):
    """The weights of the last step are kept."""

    kind: Literal["none"] = "none"


class EmaConfig(Strict):
    """Exponential moving average of the weights.

    Attributes
    ----------
    decay
        Share of the average that a step keeps.
    warmup
        Let the decay of update ``n`` be at most ``(1 + n) / (10 + n)``, so that the first weights
        are soon forgotten.
    keep
        Which weights are validated and kept.
    """

    kind: Literal["ema"]
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.9999
    warmup: bool = True
    keep: Literal["average", "last"] = "average"


class SwaConfig(Strict):
    """Stochastic weight averaging (Izmailov et al. 2018): the plain mean of late weights.

    Attributes
    ----------
    start_share
        Share of the steps after which averaging begins.
    every
        Steps between two weights that are averaged.
    renewal_batches
        Training batches that renew the statistics of batch normalisation at the end.
    keep
        Which weights are validated and kept.
    """

    kind: Literal["swa"]
    start_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.75
    every: PositiveInt = 1
    renewal_batches: PositiveInt = 100
    keep: Literal["average", "last"] = "average"


AveragingConfig = Annotated[NoAveraging | EmaConfig | SwaConfig, Field(discriminator="kind")]
LayerDecay = Annotated[float, Field(gt=0.0, le=1.0)]


class SupervisedConfig(Strict):
    """Supervised (post-)training of all weights.

    Attributes
    ----------
    loss
        ``bce``, ``focal``, ``asymmetric``, ``soft_auc`` or ``softmax``.
    frozen_share, frozen_steps
        How long only the head is trained: as a share of all steps, or as steps. One of them, or
        none for a share of 0.2 (2 of 10 epochs). 0 suits a backbone that starts from random
        weights.
    unfrozen_rate
        Factor on every learning rate once the backbone is trained as well; it does not apply to a
        run without a frozen phase.
    unfrozen_warmup_steps
        Steps over which that factor rises from 0.
    layer_decay
        Factor on the learning rate per layer from the head down; 1 treats all alike.
    averaging
        ``none``, ``ema`` or ``swa``.
    """

    frozen_by_default: ClassVar[float] = 0.2

    loss: LossConfig = BceConfig()
    frozen_share: Share | None = None
    frozen_steps: NonNegativeInt | None = None
    unfrozen_rate: PositiveFloat = 0.2
    unfrozen_warmup_steps: NonNegativeInt = 0
    layer_decay: LayerDecay = 1.0
    averaging: AveragingConfig = NoAveraging()

    @pydantic.model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.frozen_steps is not None and self.frozen_share is not None:
            raise ValueError("give frozen_share or frozen_steps, not both")
        return self


class LoraSettings(Strict):
    """Low-rank adaptation (Hu et al. 2022): ``W x + (alpha / rank) B A x`` with W frozen.

    Attributes
    ----------
    rank, alpha, dropout
        The defaults are those that NatureLM-audio gives for its adapters.
    targets
        Regular expression that the full names of the adapted linear layers match; None adapts the
        projections of all attention layers.
    """

    rank: PositiveInt = 32
    alpha: PositiveFloat = 32.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    targets: str | None = None


class FinetuneConfig(Strict):
    """Adaptation of a trained encoder to few labels.

    Attributes
    ----------
    method
        ``lora``: adapters in the attention and the head; ``full``: everything; ``probe``: the head
        alone.
    lora
        For ``lora``; None is the defaults.
    loss, averaging
        As for :class:`SupervisedConfig`.
    layer_decay
        For ``full``.
    """

    method: Literal["lora", "full", "probe"] = "lora"
    lora: LoraSettings | None = None
    loss: LossConfig = BceConfig()
    layer_decay: LayerDecay = 1.0
    averaging: AveragingConfig = NoAveraging()

    @pydantic.model_validator(mode="after")
    def _settings_fit_method(self) -> Self:
        if self.lora is not None and self.method != "lora":
            raise ValueError(f"lora has no meaning with method: {self.method}")
        if self.layer_decay != 1.0 and self.method != "full":
            raise ValueError(f"layer_decay has no meaning with method: {self.method}")
        return self


class ModelTeacher(Strict):
    """A trained encoder in torch, run on each batch.

    Attributes
    ----------
    path
        Its folder.
    """

    kind: Literal["model"]
    path: Path


class EncoderTeacher(Strict):
    """Any encoder that ``antiphon embed`` knows.

    Attributes
    ----------
    name
        Name or manifest.
    parameters
        Of the encoder.
    cache
        File in which embeddings are kept by the content of the audio; None computes each anew.
        It saves work where the same audio comes back, as clips without random crops and
        augmentation do; otherwise the file only grows.
    """

    kind: Literal["encoder"]
    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    cache: Path | None = None


TeacherConfig = Annotated[ModelTeacher | EncoderTeacher, Field(discriminator="kind")]


class DistillConfig(Strict):
    """Learning from the embeddings of another encoder.

    Attributes
    ----------
    teacher
        ``model`` or ``encoder``.
    cosine, mse, relational
        Weights of the three losses; at least one is above 0.
    projection
        What maps the student's embedding to the teacher's length: ``linear``, or ``mlp`` with one
        hidden layer of ``hidden`` units.
    hidden
        For ``mlp``.
    layer_decay, averaging
        As for :class:`SupervisedConfig`.
    """

    teacher: TeacherConfig
    cosine: Weight = 1.0
    mse: Weight = 0.0
    relational: Weight = 1.0
    projection: Literal["linear", "mlp"] = "linear"
    hidden: PositiveInt = 1024
    layer_decay: LayerDecay = 1.0
    averaging: AveragingConfig = NoAveraging()

    @pydantic.model_validator(mode="after")
    def _some_loss(self) -> Self:
        if not (self.cosine or self.mse or self.relational):
            raise ValueError("one of cosine, mse and relational must be above 0")
        return self
