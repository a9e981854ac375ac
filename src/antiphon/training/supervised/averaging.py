"""Averages of the weights of a run: exponential, and stochastic weight averaging."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Generator, Tensor, nn

from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating
from antiphon.training.supervised.config import EmaConfig, SwaConfig
from antiphon.training.task import Batch, Task


class WeightAverage(nn.Module):
    """A running average of a module's trained weights and of its statistics.

    Parameters
    ----------
    module
        Followed, not held: its parameters that are trained now, and its floating-point buffers
        (as the statistics of batch normalisation). What is frozen for good needs no average.

    Attributes
    ----------
    updates
        ``()`` int64, how many weights went into it.
    """

    updates: Tensor

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._followed = (module,)
        self.names = [name for name, _ in _averaged(module)]
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        for number, (_, value) in enumerate(_averaged(module)):
            # Float32 whatever the weights are: the steps are below the resolution of 16 bits.
            self.register_buffer(f"average_{number}", value.detach().float().clone())

    @torch.no_grad()
    def update(self, share: float) -> None:
        """Move towards the current weights: ``average += share * (weights - average)``."""
        for mean, value in self._pairs():
            mean.lerp_(value.detach().float(), share)
        self.updates += 1

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Put the average in the place of the weights; they come back at the end."""
        pairs = list(self._pairs())
        held = [value.detach().clone() for _, value in pairs]
        with torch.no_grad():
            for mean, value in pairs:
                value.copy_(mean)
        try:
            yield
        finally:
            with torch.no_grad():
                for kept, (_, value) in zip(held, pairs, strict=True):
                    value.copy_(kept)

    @torch.no_grad()
    def take_statistics(self) -> None:
        """Make the followed module's buffers those of the average."""
        buffers = {name for name, _ in self._followed[0].named_buffers()}
        for name, (mean, value) in zip(self.names, self._pairs(), strict=True):
            if name in buffers:
                mean.copy_(value)

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        values = dict(_every(self._followed[0]))
        for number, name in enumerate(self.names):
            yield getattr(self, f"average_{number}"), values[name]


def _every(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _averaged(module: nn.Module) -> list[tuple[str, Tensor]]:
    kept = set(module.state_dict())
    return [
        (name, value)
        for name, value in _every(module)
        if name in kept
        and value.is_floating_point()
        and (value.requires_grad or not isinstance(value, nn.Parameter))
    ]


class Averaged(Task):
    """A task whose weights are averaged as it is trained.

    Exponential: after update ``n`` the share of the new weights is ``1 - decay``, at the start
    ``1 - (1 + n) / (10 + n)`` where that is more. Stochastic weight averaging: the plain mean of
    the weights of every ``every``-th step from ``start_share`` on (Izmailov et al. 2018,
    algorithm 1), for which :meth:`finish` renews the statistics of batch normalisation.

    Validation and :meth:`encoder` use what ``keep`` says; before the first average, the weights.

    Parameters
    ----------
    task
        Trained as it would be alone.
    config
        ``ema`` or ``swa``.
    """

    def __init__(self, task: Task, config: EmaConfig | SwaConfig) -> None:
        super().__init__()
        self.task = task
        self.config = config
        self.average = WeightAverage(task)

    def training_loss(self, batch: Batch, step: int, generator: Generator) -> dict[str, Tensor]:
        """Return the task's own."""
        return self.task.training_loss(batch, step, generator)

    def validation_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the task's own with the weights that are kept."""
        with self._kept():
            return self.task.validation_loss(batch)

    def validation_metrics(self) -> dict[str, float]:
        """Return the task's own."""
        return self.task.validation_metrics()

    def before_step(self, step: int, total: int) -> None:
        """Pass on."""
        self.task.before_step(step, total)

    def after_step(self, step: int, total: int) -> None:
        """Take the new weights into the average."""
        self.task.after_step(step, total)
        config, seen = self.config, int(self.average.updates)
        if isinstance(config, EmaConfig):
            warm = (1 + seen) / (10 + seen) if config.warmup else 1.0
            self.average.update(1.0 - min(config.decay, warm))
        else:
            since = step - round(config.start_share * total)
            # The last step always counts, so that a short run has an average.
            if since >= 0 and (since % config.every == 0 or step == total - 1):
                self.average.update(1.0 / (seen + 1))

    def rate_factor(self, step: int, total: int) -> float:
        """Return the task's own."""
        return self.task.rate_factor(step, total)

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return the task's own."""
        return self.task.parameter_groups(lr, weight_decay)

    def encoder(self) -> EncoderModel:
        """Return the encoder with the weights that are kept; with an average, a copy."""
        if not self._uses_average:
            return self.task.encoder()
        with self._kept():
            return copy.deepcopy(self.task.encoder())

    def finish(self, batches: Iterable[Batch]) -> None:
        """Let the task finish; renew the statistics of batch normalisation for the mean weights."""
        self.task.finish(batches)
        if isinstance(self.config, SwaConfig) and self._uses_average and _norms(self.task):
            with self._kept():
                renew_statistics(self.task, islice(batches, self.config.renewal_batches))
                self.average.take_statistics()

    def describe(self) -> str:
        """Return the task's own and which average is kept."""
        what = f"{self.config.kind} of the weights; kept: {self.config.keep}"
        return f"{self.task.describe()}\n{what}"

    @property
    def unused_parameters(self) -> bool:
        """Whether the task has such."""
        return self.task.unused_parameters

    @property
    def _uses_average(self) -> bool:
        return self.config.keep == "average" and int(self.average.updates) > 0

    @contextmanager
    def _kept(self) -> Iterator[None]:
        if not self._uses_average:
            yield
            return
        with self.average.swapped():
            yield


def renew_statistics(task: Task, batches: Iterable[Batch], step: int = 0) -> int:
    """Set the statistics of batch normalisation to those of training batches (SWA, section 3.2).

    Running means and variances of averaged weights are the average of none, so they are taken
    anew, as the plain mean over the batches.

    Parameters
    ----------
    task
        With the weights it has; its training loss is computed without gradients and with all but
        its batch normalisation in evaluation mode. Frozen layers keep their statistics.
    batches
        Of training.
    step
        Handed to the task.

    Returns
    -------
    int
        Batches that were used; with none the statistics stay as they were.
    """
    norms = _norms(task)
    momenta = [norm.momentum for norm in norms]
    used = 0
    try:
        with evaluating(task):
            for batch in batches:
                for norm in norms:
                    if not used:
                        norm.reset_running_stats()
                    norm.train()
                    norm.momentum = 1.0 / (used + 1)
                generator = torch.Generator(batch["waveform"].device).manual_seed(used)
                task.training_loss(batch, step, generator)
                used += 1
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    return used


def _norms(module: nn.Module) -> list[Any]:
    kinds = nn.modules.batchnorm._BatchNorm
    return [
        m
        for m in module.modules()
        if isinstance(m, kinds)
        and m.track_running_stats
        and (m.weight is None or m.weight.requires_grad)
    ]
