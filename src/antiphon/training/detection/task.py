"""The stage that trains detectors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from antiphon.errors import UserError
from antiphon.training.backbones.config import AnyHeadConfig, SedHeadConfig
from antiphon.training.detection.config import DetectorConfig
from antiphon.training.detection.head import SedHead
from antiphon.training.detection.losses import clip_loss, frame_loss
from antiphon.training.model import EncoderModel, ModelOutput
from antiphon.training.supervised.classification import FeatureAugment
from antiphon.training.supervised.post_training import SupervisedTask
from antiphon.training.task import Batch


class DetectorTask(SupervisedTask):
    """Train a model with a detection head on labels of clips and, where there are any, of frames.

    Parameters
    ----------
    model, classes, augment, presence, seed
        As for :class:`~antiphon.training.supervised.classification.ClassificationTask`.
    config
        Settings of the stage. Its averaging is the caller's, as there.
    head
        Of the detection head; None keeps the model's, or takes the defaults.

    Raises
    ------
    UserError
        Classes, weights or backbone that do not fit, or a head of another kind.
    """

    def __init__(
        self,
        model: EncoderModel,
        classes: Sequence[str],
        config: DetectorConfig,
        *,
        head: AnyHeadConfig | None = None,
        augment: FeatureAugment | None = None,
        presence: Sequence[float] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            model,
            classes,
            config,
            head=_sed(head, model),
            augment=augment,
            presence=presence,
            seed=seed,
        )
        self.frames = config.frames

    @property
    def unused_parameters(self) -> bool:
        """Whether some get no gradient: the pooling of the embedding is not of the loss."""
        return super().unused_parameters or any(True for _ in self.model.pooling.parameters())

    def validation_metrics(self) -> dict[str, float]:
        """Return ``auc`` and ``map`` of the pass, means over the classes that allow them.

        ``auc_classes`` and ``map_classes`` say how many those are: present in the pass and, for
        the area under the ROC curve, absent in it too.
        """
        return self._pass.take(auc=True)

    def _parts(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        if output.sed is None:
            raise ValueError("the model has no detection head")
        assert isinstance(self.model.head, SedHead)
        share = self.model.head.config.clip_share
        clips = clip_loss(self.loss, output.sed, batch, share)
        if not self.frames or "frame_labels" not in batch:
            return {"loss": clips}
        frames = frame_loss(output.sed, batch["frame_labels"], batch.get("frame_known"))
        return {"loss": clips + self.frames * frames, "clips": clips, "frames": frames}


def _sed(head: AnyHeadConfig | None, model: EncoderModel) -> SedHeadConfig:
    """Return the settings of the detection head: those given, or the model's, or the defaults."""
    if head is not None and not isinstance(head, SedHeadConfig):
        raise UserError("A detector has a head of kind sed: give head.kind=sed, or leave out head.")
    given = head or model.head_config
    return given if isinstance(given, SedHeadConfig) else SedHeadConfig(kind="sed")
