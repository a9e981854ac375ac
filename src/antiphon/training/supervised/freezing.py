"""Training the head alone first, then everything."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from antiphon.training.supervised.config import SupervisedConfig


@dataclass(frozen=True, slots=True)
class FreezePlan:
    """When the backbone is trained and at which rate; a function of the step alone.

    Parameters
    ----------
    share
        Share of all steps with a frozen backbone; not used where ``steps`` is given.
    steps
        Number of such steps.
    rate
        Factor on the learning rates afterwards, if there were frozen steps.
    warmup
        Steps over which that factor rises to ``rate`` from ``rate / warmup``.
    """

    share: float = 0.0
    steps: int | None = None
    rate: float = 1.0
    warmup: int = 0

    @classmethod
    def of(cls, config: SupervisedConfig) -> FreezePlan:
        """Return the plan of a stage's settings."""
        share = config.frozen_share
        return cls(
            config.frozen_by_default if share is None else share,
            config.frozen_steps,
            config.unfrozen_rate,
            config.unfrozen_warmup_steps,
        )

    def frozen_steps(self, total: int) -> int:
        """Return how many of ``total`` steps train the head alone."""
        return min(total, round(self.share * total) if self.steps is None else self.steps)

    def is_frozen(self, step: int, total: int) -> bool:
        """Return whether the backbone is frozen at a step, counted from 0."""
        return step < self.frozen_steps(total)

    def rate_factor(self, step: int, total: int) -> float:
        """Return the factor on all learning rates at a step."""
        frozen = self.frozen_steps(total)
        if frozen == 0 or step < frozen:
            return 1.0
        done = step - frozen + 1
        return self.rate * (min(1.0, done / self.warmup) if self.warmup else 1.0)


def hold(module: nn.Module) -> None:
    """Leave a module as it is in the next step, though the optimiser knows its parameters.

    Gradients are taken away rather than set to 0: an optimiser of torch passes over a parameter
    without one, so neither momentum nor weight decay moves it. Evaluation mode keeps the
    statistics of batch normalisation. The caller runs the module without gradients.
    """
    for parameter in module.parameters():
        parameter.grad = None
    module.eval()
