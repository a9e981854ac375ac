"""Loss and gradient norm of each step, brought from the device without making it wait."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from antiphon.training.loop.errors import LossError

GRADIENT = "gradient_norm"

_ADVICE = (
    "Begin anew in another --out with, in this order: a lower learning rate (--set "
    "optimiser.lr=...), a longer warm-up (--set optimiser.warmup=...), stronger clipping (--set "
    "optimiser.clip=1), or --set loop.precision=bf16 or fp32 in place of fp16. If it comes at the "
    "same step again with fp32 and a tenth of the learning rate, look at the examples of that step."
)


@dataclass(frozen=True, slots=True)
class StepValues:
    """Measures of one step, as numbers."""

    step: int
    values: dict[str, float]


@dataclass(slots=True)
class _Flying:
    step: int
    names: tuple[str, ...]
    host: Tensor
    plain: dict[str, float]
    event: torch.cuda.Event | None


@dataclass(slots=True)
class Measures:
    """Collects measures of steps.

    On a GPU the numbers are copied in the background and read when the next step has been
    launched, so that reading them does not stop the device.

    Parameters
    ----------
    processes
        Over which values are averaged; all of them must call :meth:`push` alike.
    lenient
        Whether a gradient that is no number is let pass, as in fp16, whose scaler skips the step.
    """

    processes: int = 1
    lenient: bool = False
    _flying: deque[_Flying] = field(default_factory=deque)

    def push(self, step: int, values: Mapping[str, Tensor], plain: Mapping[str, float]) -> None:
        """Add the measures of a step.

        Parameters
        ----------
        step
            Counted from 0.
        values
            Scalars, ``loss`` among them. What lies on another device than the loss, as a decay
            does, is the same in all processes and is not averaged.
        plain
            Numbers that are known already.
        """
        device = values["loss"].device
        there = {name: value for name, value in values.items() if value.device == device}
        known = {name: float(value) for name, value in values.items() if name not in there}
        known |= plain
        names = tuple(there)
        stacked = torch.stack([v.detach().float().reshape(()) for v in there.values()])
        if self.processes > 1:
            torch.distributed.all_reduce(stacked)
            stacked /= self.processes
        event = None
        if stacked.is_cuda:
            host = torch.empty(len(names), pin_memory=True)
            host.copy_(stacked, non_blocking=True)
            event = torch.cuda.Event()
            event.record()
        else:
            host = stacked
        self._flying.append(_Flying(step, names, host, known, event))

    def take(self, *, all_of_them: bool = False) -> list[StepValues]:
        """Return measures that have arrived: on a GPU all but the newest, unless asked for.

        Raises
        ------
        LossError
            The loss or the gradient of a step is no number.
        """
        taken = []
        while self._flying and (
            all_of_them or self._flying[0].event is None or len(self._flying) > 1
        ):
            flying = self._flying.popleft()
            if flying.event is not None:
                flying.event.synchronize()
            values = dict(zip(flying.names, flying.host.tolist(), strict=True)) | flying.plain
            check_finite(flying.step, values, lenient=self.lenient)
            taken.append(StepValues(flying.step, values))
        return taken


def check_finite(step: int, values: Mapping[str, float], *, lenient: bool = False) -> None:
    """Refuse a loss (or gradient) that is NaN or infinite.

    Raises
    ------
    LossError
        Says the step, all parts of the loss, and what to try.
    """
    watched = ("loss",) if lenient else ("loss", GRADIENT)
    bad = [name for name in watched if not math.isfinite(values.get(name, 0.0))]
    if not bad:
        return
    what = " and ".join({"loss": "the loss", GRADIENT: "the gradient"}[name] for name in bad)
    parts = ", ".join(f"{name} {value:g}" for name, value in values.items())
    raise LossError(
        f"Step {step}: {what} is no finite number ({parts}). Training stopped; checkpoints are "
        f"from before. {_ADVICE}"
    )
