"""The task that settings ask for."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.training.backbones.config import AnyHeadConfig
from antiphon.training.detection.config import DetectorConfig
from antiphon.training.detection.task import DetectorTask
from antiphon.training.model import EncoderModel
from antiphon.training.supervised.averaging import Averaged
from antiphon.training.supervised.classification import FeatureAugment
from antiphon.training.supervised.config import (
    AveragingConfig,
    DistillConfig,
    EncoderTeacher,
    FinetuneConfig,
    ModelTeacher,
    NoAveraging,
    SupervisedConfig,
    TeacherConfig,
)
from antiphon.training.supervised.distill import DistillTask
from antiphon.training.supervised.finetuning import FinetuneTask
from antiphon.training.supervised.post_training import SupervisedTask
from antiphon.training.supervised.teacher_cache import TeacherCache
from antiphon.training.supervised.teachers import FromEncoder, FromModel, Teacher
from antiphon.training.task import Task


def classification_task(
    config: SupervisedConfig | FinetuneConfig,
    model: EncoderModel,
    classes: Sequence[str],
    *,
    head: AnyHeadConfig | None = None,
    augment: FeatureAugment | None = None,
    presence: Sequence[float] | None = None,
    seed: int = 0,
) -> Task:
    """Return the task of a stage with labels, with its averaging.

    Parameters
    ----------
    config
        Of post-training, fine-tuning or a detector.
    model, classes, head, augment, presence, seed
        As for :class:`~antiphon.training.supervised.classification.ClassificationTask`.

    Raises
    ------
    UserError
        Classes, weights or adapted layers that do not fit.
    MissingExtraError
        LoRA without peft.
    """
    made: Task
    if isinstance(config, DetectorConfig):
        made = DetectorTask(
            model, classes, config, head=head, augment=augment, presence=presence, seed=seed
        )
    elif isinstance(config, SupervisedConfig):
        made = SupervisedTask(
            model, classes, config, head=head, augment=augment, presence=presence, seed=seed
        )
    else:
        made = FinetuneTask(
            model, classes, config, head=head, augment=augment, presence=presence, seed=seed
        )
    return averaged(made, config.averaging)


def distillation_task(
    config: DistillConfig,
    model: EncoderModel,
    *,
    augment: FeatureAugment | None = None,
    seed: int = 0,
) -> Task:
    """Return the task of a distillation, with its averaging.

    Parameters
    ----------
    config
        Of the stage.
    model, augment, seed
        As for :class:`~antiphon.training.supervised.distill.DistillTask`.

    Raises
    ------
    UserError
        The teacher cannot be used.
    """
    teacher = create_teacher(config.teacher, model.sample_rate)
    made = DistillTask(model, config, teacher, augment=augment, seed=seed)
    return averaged(made, config.averaging)


def averaged(task: Task, config: AveragingConfig) -> Task:
    """Return a task whose weights are averaged as the settings say; itself for ``none``."""
    return task if isinstance(config, NoAveraging) else Averaged(task, config)


def create_teacher(config: TeacherConfig, sample_rate: int) -> Teacher:
    """Return a teacher by its settings.

    Parameters
    ----------
    config
        ``model`` or ``encoder``.
    sample_rate
        Hz of the batches.

    Raises
    ------
    UserError
        There is no such encoder, its cache is another's, or a model is for another rate.
    """
    if isinstance(config, ModelTeacher):
        from antiphon.errors import ModelError
        from antiphon.training.checkpoints.models import load_model

        model = load_model(config.path)
        if model.sample_rate != sample_rate:
            raise ModelError(
                config.path,
                f"is for {model.sample_rate} Hz, but the audio has {sample_rate} Hz",
                "Train at the teacher's rate, or export the teacher and name it as encoder",
            )
        return FromModel(model)
    return _encoder_teacher(config, sample_rate)


def _encoder_teacher(config: EncoderTeacher, sample_rate: int) -> FromEncoder:
    from antiphon.encoders.registry import create_encoder

    encoder = create_encoder(config.name, **config.parameters)
    cache = None
    if config.cache is not None:
        # The hop decides which windows are averaged, and is no part of the fingerprint.
        spec = encoder.spec
        facts = f"{spec.fingerprint} {spec.hop_s:g} s"
        cache = TeacherCache(config.cache, facts, spec.dim)
    return FromEncoder(encoder, sample_rate, cache)
