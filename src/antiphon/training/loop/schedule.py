"""The learning rate of a step."""

from __future__ import annotations

import math

from antiphon.training.loop.config import OptimiserConfig


def learning_rate_factor(config: OptimiserConfig, step: int, steps: int) -> float:
    """Return the share of the full learning rate at a step.

    During the warm-up of ``w`` steps it is ``f + (1 - f) step / w`` with ``f = warmup_from``; then
    ``c + (1 - c) (1 + cos(pi t / T)) / 2`` (Loshchilov and Hutter 2017, equation 5, one cycle),
    where ``c = final_lr / lr``, ``t`` counts from the end of the warm-up and is ``T`` at the last
    step.

    Parameters
    ----------
    config
        Of the optimiser.
    step
        Counted from 0.
    steps
        All steps of the run.
    """
    warmup = config.warmup_steps(steps)
    if step < warmup:
        return config.warmup_from + (1.0 - config.warmup_from) * step / warmup
    if config.schedule == "constant":
        return 1.0
    low = config.final_lr / config.lr
    last = max(1, steps - 1 - warmup)
    done = min(1.0, (step - warmup) / last)
    return low + (1.0 - low) * 0.5 * (1.0 + math.cos(math.pi * done))
