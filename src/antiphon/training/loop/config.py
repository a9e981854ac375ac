"""Settings of the loop: optimiser, schedule, precision, checkpoints, validation."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from antiphon.encoders.checking import Strict

Share = Annotated[float, Field(ge=0, lt=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class OptimiserConfig(Strict):
    """AdamW (Loshchilov and Hutter 2019) and its learning rate.

    Attributes
    ----------
    lr
        Learning rate at the end of the warm-up.
    weight_decay
        On weights; not on biases, norms and other vectors.
    betas, eps
        Of Adam.
    clip
        Largest L2 norm of the gradient; null never clips.
    schedule
        ``cosine`` falls from ``lr`` to ``final_lr``; ``constant`` stays.
    warmup
        Steps of the linear warm-up; a number below 1 is a share of all steps.
    warmup_from
        Share of ``lr`` at the first step.
    final_lr
        Learning rate at the last step of the cosine.
    """

    lr: PositiveFloat
    weight_decay: NonNegativeFloat = 0.05
    betas: tuple[Beta, Beta] = (0.9, 0.95)
    eps: PositiveFloat = 1e-8
    clip: PositiveFloat | None = 4.0
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: NonNegativeInt | Share = 0.1
    warmup_from: Annotated[float, Field(ge=0, le=1)] = 0.1
    final_lr: NonNegativeFloat = 1e-6

    @pydantic.model_validator(mode="after")
    def _falls(self) -> Self:
        if self.schedule == "cosine" and self.final_lr > self.lr:
            raise ValueError(f"final_lr {self.final_lr:g} is above lr {self.lr:g}")
        return self

    def warmup_steps(self, steps: int) -> int:
        """Return the steps of the warm-up in a run of ``steps``."""
        return self.warmup if isinstance(self.warmup, int) else round(self.warmup * steps)


class LoopConfig(Strict):
    """How long and on what a stage runs.

    Attributes
    ----------
    steps
        Steps of the optimiser.
    accumulate
        Batches whose gradients are averaged for one step.
    precision
        ``fp32``; ``bf16`` and ``fp16`` compute in 16 bits and keep weights in 32; ``auto`` is fp32
        on a CPU and 16 bits on a GPU.
    device
        ``auto`` is the GPU where there is one.
    processes
        GPUs, or processes on a CPU, that share each step (DDP); ``auto`` is all GPUs, and 1 on a
        CPU.
    threads
        Threads of torch in each process; null leaves torch's own choice. One thread gives the
        same figures on every run of one machine.
    log_every
        Steps of which one row of the log is the mean.
    tensorboard
        Whether to write TensorBoard's files as well.
    """

    steps: PositiveInt
    accumulate: PositiveInt = 1
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    processes: Literal["auto"] | PositiveInt = "auto"
    threads: PositiveInt | None = None
    log_every: PositiveInt = 10
    tensorboard: bool = False


class CheckpointConfig(Strict):
    """When the state of a run is kept.

    Attributes
    ----------
    every_steps, every_minutes
        A checkpoint when either has passed since the last; null for never.
    keep
        How many of the newest stay.
    """

    every_steps: PositiveInt | None = None
    every_minutes: PositiveFloat | None = 10.0
    keep: PositiveInt = 2


class ValidationConfig(Strict):
    """How the encoder is judged while it is trained, on the held-out clips of the data.

    Attributes
    ----------
    every
        Steps between two; null for only before the first and after the last step.
    clips
        The most clips that are embedded.
    retrieval
        R-AUC: the mean ROC area of the neighbours of each clip (needs labels).
    probe
        A linear probe, fitted to half of the clips and judged on the other half (needs labels).
    """

    every: PositiveInt | None = None
    clips: PositiveInt = 500
    retrieval: bool = True
    probe: bool = True
