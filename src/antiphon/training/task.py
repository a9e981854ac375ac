"""What a stage of training is to the loop that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Generator, Tensor, nn

if TYPE_CHECKING:
    from antiphon.training.model import EncoderModel

Batch = dict[str, Tensor]
"""One batch of examples.

Always: ``waveform`` ``(B, N)`` float32 in [-1, 1], zero-padded; ``valid`` ``(B,)`` int64, samples
of each row that are audio; ``index`` ``(B,)`` int64, number of the example in the stream.
Where there are labels: ``labels`` ``(B, C)`` float32 in [0, 1] and ``known`` ``(B, C)`` float32, 1
where the label is known. Where there are labels in time: ``frame_labels`` ``(B, T, C)`` float32 in
[0, 1] for ``T`` equal parts of the ``N`` samples, and ``frame_known`` ``(B, C)`` float32, 1 where
they are known.
"""


def is_vector(parameter: Tensor) -> bool:
    """Return whether a parameter is a vector, as biases, norms and class tokens are.

    A class token is stored as ``(1, 1, D)``. The weight of a linear layer is none, even if it has
    one row only.
    """
    return parameter.ndim != 2 and bool(parameter.numel() == max(parameter.shape, default=1))


class Task(nn.Module, ABC):
    """A stage: its networks, its loss, and what it keeps.

    The loop calls, for each step counted from 0: :meth:`before_step`, :meth:`training_loss`, the
    optimiser, :meth:`after_step`. All randomness of a step comes from the generator it is given
    or from the global one, which the loop seeds anew for every step; so a resumed run goes on as
    an uninterrupted one.
    """

    @abstractmethod
    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return ``loss``, a scalar to minimise, and further scalars to log."""

    @abstractmethod
    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the same quantities in evaluation mode, without augmentation or randomness."""

    @abstractmethod
    def encoder(self) -> EncoderModel:
        """Return the encoder that the stage made so far, to be kept and evaluated."""

    def before_step(self, step: int, total: int) -> None:
        """Change what is trained, such as unfreezing at a step. ``total`` counts all steps."""

    def after_step(self, step: int, total: int) -> None:
        """Follow the optimiser's step, such as by moving averages of weights."""

    def rate_factor(self, step: int, total: int) -> float:
        """Return what the schedule's rate is multiplied by at a step, for all groups."""
        return 1.0

    def validation_metrics(self) -> dict[str, float]:
        """Return what only a whole pass of validation tells, and forget the pass.

        The loop calls it after the last :meth:`validation_loss` of a pass.
        """
        return {}

    def finish(self, batches: Iterable[Batch]) -> None:
        """Do what is left after the last step, with some training batches.

        The loop calls it once, before it keeps :meth:`encoder`. A task that needs no batches does
        not draw any.
        """

    def describe(self) -> str:
        """Return a few lines for the log about what is trained."""
        total = sum(p.numel() for p in self.parameters())
        trained = sum(p.numel() for p in self.parameters() if p.requires_grad)
        return f"{trained:,} of {total:,} parameters are trained"

    @property
    def unused_parameters(self) -> bool:
        """Whether some trainable parameters get no gradient in some steps, as DDP must know."""
        return False

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return the optimiser's groups: without decay on biases, norms and other vectors."""
        trained = [p for p in self.parameters() if p.requires_grad]
        decay = [p for p in trained if not is_vector(p)]
        rest = [p for p in trained if is_vector(p)]
        groups = [
            {"params": decay, "lr": lr, "weight_decay": weight_decay},
            {"params": rest, "lr": lr, "weight_decay": 0.0},
        ]
        return [group for group in groups if group["params"]]
