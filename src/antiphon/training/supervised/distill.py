"""Distillation: a student's embeddings follow those of another encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating
from antiphon.training.supervised.classification import FeatureAugment
from antiphon.training.supervised.config import DistillConfig
from antiphon.training.supervised.heads import trainable_table
from antiphon.training.supervised.layer_decay import layer_decay_groups
from antiphon.training.supervised.teachers import Teacher
from antiphon.training.task import Batch, Task


def cosine_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return one minus the mean cosine of ``(B, D)`` pairs."""
    return 1.0 - functional.cosine_similarity(student.float(), teacher.float(), dim=1).mean()


def normalised_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared error to the teacher's rows brought to mean 0 and deviation 1.

    The teacher's scale would otherwise decide how strong the loss is.
    """
    target = functional.layer_norm(teacher.float(), teacher.shape[1:])
    return functional.mse_loss(student.float(), target)


def relational_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of the cosines between all pairs of clips of a batch.

    As in similarity-preserving distillation (Tung and Mori 2019) on cosines, a clip with itself
    left out. Lengths ``(B, D)`` and ``(B, E)`` may differ; a batch of one clip gives 0.
    """
    ours, theirs = (_cosines(x.float()) for x in (student, teacher))
    count = len(ours)
    apart = ~torch.eye(count, dtype=torch.bool, device=ours.device)
    return ((ours - theirs).square() * apart).sum() / max(count * (count - 1), 1)


def _cosines(x: Tensor) -> Tensor:
    unit = functional.normalize(x, dim=1)
    # Autocast would take the product in half precision, with errors as large as the loss.
    with torch.autocast(x.device.type, enabled=False):
        return unit @ unit.T


class DistillTask(Task):
    """Train an encoder on the embeddings of a teacher.

    The cosine and squared-error losses act on a projection of the student's embedding, which is
    not kept; the relational loss on the embedding itself.

    Parameters
    ----------
    model
        The student; trained in place. A classifier is taken off, as it would not fit afterwards.
    config
        Settings of the stage.
    teacher
        Of the embeddings.
    augment
        Applied to the student's features in training; None leaves them.
    seed
        Of the projection's weights.
    """

    def __init__(
        self,
        model: EncoderModel,
        config: DistillConfig,
        teacher: Teacher,
        *,
        augment: FeatureAugment | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        model.head, model.head_config, model.classes = None, None, ()
        self.model = model
        self.config = config
        self.augment = augment
        self.projection: nn.Module | None = None
        if config.cosine or config.mse:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.projection = _projection(config, model.dim, teacher.dim)
        # In a tuple: the teacher is no part of what is trained or of the stage's state.
        self._teacher = (teacher,)

    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return ``loss`` and its parts before weighting."""
        features, mask = self.model.front_end(batch["waveform"], batch["valid"])
        if self.augment is not None:
            features = self.augment(features, mask, generator)
        return self._losses(self.model.from_features(features, mask).embedding, batch)

    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the same in evaluation mode."""
        with evaluating(self):
            return self._losses(self.model(batch["waveform"], batch["valid"]).embedding, batch)

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return groups by layer, the projection with the full rate."""
        others = [m for m in (self.model.pooling, self.projection) if m is not None]
        return layer_decay_groups(
            self.model.backbone, others, lr, weight_decay, self.config.layer_decay
        )

    def encoder(self) -> EncoderModel:
        """Return the student without the projection."""
        return self.model

    def describe(self) -> str:
        """Return which parts are trained, and by which losses."""
        used = ", ".join(f"{name} x {weight:g}" for name, weight in self._weights.items())
        return f"{trainable_table(self)}\nTeacher of {self._teacher[0].dim} values; loss: {used}"

    def _losses(self, embedding: Tensor, batch: Batch) -> dict[str, Tensor]:
        config, target = self.config, self._teacher[0](batch)
        parts: dict[str, Tensor] = {}
        if self.projection is not None:
            # Under autocast the projection is in half precision; the losses are not.
            projected = self.projection(embedding)
            if config.cosine:
                parts["cosine"] = cosine_loss(projected, target)
            if config.mse:
                parts["mse"] = normalised_mse(projected, target)
        if config.relational:
            parts["relational"] = relational_loss(embedding, target)
        loss = torch.stack([weight * parts[name] for name, weight in self._weights.items()]).sum()
        return {"loss": loss, **parts}

    @property
    def _weights(self) -> dict[str, float]:
        """Weights above 0 by the name of the loss."""
        names = ("cosine", "mse", "relational")
        return {name: w for name in names if (w := getattr(self.config, name)) > 0}


def _projection(config: DistillConfig, dim: int, teacher_dim: int) -> nn.Module:
    if config.projection == "linear":
        return nn.Linear(dim, teacher_dim)
    return nn.Sequential(
        nn.Linear(dim, config.hidden), nn.GELU(), nn.Linear(config.hidden, teacher_dim)
    )
