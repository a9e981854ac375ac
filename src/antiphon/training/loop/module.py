"""A task as a Lightning module: seeds, learning rate, clipping, measures of each step."""

from __future__ import annotations

from typing import Any, Protocol

import lightning.pytorch as lightning
import torch
from torch import Tensor, nn

from antiphon.training.loop.config import LoopConfig, OptimiserConfig
from antiphon.training.loop.measures import GRADIENT, check_finite
from antiphon.training.loop.schedule import learning_rate_factor
from antiphon.training.loop.seeding import seed_everything, step_seed
from antiphon.training.task import Batch, Task


class Observer(Protocol):
    """Follows a run; called in each of its processes."""

    def begin(self) -> None:
        """Start; the task is on its device."""
        ...

    def step_done(self, step: int) -> None:
        """Take note of a step, counted from 0, when optimiser and task are done with it."""
        ...


class StageModule(lightning.LightningModule):
    """Runs the steps of a task.

    The optimiser is made before the task's first :meth:`~Task.before_step`, so that what a task
    freezes there and thaws later is the optimiser's from the start.

    Parameters
    ----------
    task
        What is trained.
    optimiser, loop
        Settings.
    seed
        Of the run.
    first_step
        Steps done before, in an earlier part of the run.

    Attributes
    ----------
    parts
        Mean over the batches of the current step of what the task's loss returned.
    observer
        Told when training begins, and when a step is done.
    """

    def __init__(
        self,
        task: Task,
        optimiser: OptimiserConfig,
        loop: LoopConfig,
        *,
        seed: int,
        first_step: int = 0,
        observer: Observer | None = None,
    ) -> None:
        super().__init__()
        self.task = task
        self.settings = optimiser
        self.loop = loop
        self.seed = seed
        self.first_step = first_step
        self.parts: dict[str, Tensor] = {}
        self.observer = observer
        self.restored: dict[str, Any] | None = None

    def place(self, batch_idx: int) -> tuple[int, int]:
        """Return the step of a batch of this part of the run, and which of its batches it is."""
        whole, part = divmod(batch_idx, self.loop.accumulate)
        return self.first_step + whole, part

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make AdamW over the task's groups, and give it its state where a run goes on."""
        groups = self.task.parameter_groups(self.settings.lr, self.settings.weight_decay)
        # Built from a rate that no group lacks; every step sets it anew from this.
        for group in groups:
            group.setdefault("lr", self.settings.lr)
            group["full_lr"] = group["lr"]
        optimiser = torch.optim.AdamW(
            groups, lr=self.settings.lr, betas=self.settings.betas, eps=self.settings.eps
        )
        if self.restored is not None:
            optimiser.load_state_dict(self.restored)
            self.restored = None
        return optimiser

    def on_train_start(self) -> None:
        """Tell the observer."""
        if self.observer is not None:
            self.observer.begin()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Prepare a step: what is trained, and how fast."""
        step, part = self.place(batch_idx)
        if part:
            return
        self.parts = {}
        self.task.before_step(step, self.loop.steps)
        factor = learning_rate_factor(self.settings, step, self.loop.steps)
        factor *= self.task.rate_factor(step, self.loop.steps)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["full_lr"] * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, all randomness drawn from (seed, step)."""
        step, part = self.place(batch_idx)
        seed = step_seed(self.seed, step, part, self.global_rank)
        seed_everything(seed)
        generator = torch.Generator(device=self.device).manual_seed(seed)
        found = self.task.training_loss(batch, step, generator)
        if self._check_at_once(found["loss"]):
            check_finite(step, {name: float(v.detach()) for name, v in found.items()})
        for name, value in found.items():
            value = value.detach() / self.loop.accumulate
            self.parts[name] = self.parts[name] + value if name in self.parts else value
        return found["loss"]

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the L2 norm over all groups, and note what it was."""
        with_gradient = [
            p for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        limit = self.settings.clip if self.settings.clip is not None else float("inf")
        norm = nn.utils.clip_grad_norm_(with_gradient, limit)
        self.parts[GRADIENT] = norm
        if self._check_at_once(norm) and not self.lenient:
            step = self.first_step + int(self.trainer.global_step)
            check_finite(step, {name: float(v) for name, v in self.parts.items()})

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Let the task follow the optimiser's step, and then the observer."""
        step, part = self.place(batch_idx)
        if part == self.loop.accumulate - 1:
            self.task.after_step(step, self.loop.steps)
            if self.observer is not None:
                self.observer.step_done(step)

    @property
    def lenient(self) -> bool:
        """Whether a gradient that is no number is let pass: the scaler of fp16 skips the step."""
        return bool(self.trainer.precision == "16-mixed")

    def _check_at_once(self, value: Tensor) -> bool:
        """Return whether a number can be looked at before it does harm.

        On a GPU that would stop the device at every step. Of several processes one alone would
        stop, and the others wait for it; the mean over all is looked at a little later.
        """
        return bool(value.device.type == "cpu" and self.trainer.world_size == 1)

    @property
    def learning_rate(self) -> float:
        """Learning rate of the current step, of the group that learns fastest."""
        return max(float(group["lr"]) for group in self.trainer.optimizers[0].param_groups)
