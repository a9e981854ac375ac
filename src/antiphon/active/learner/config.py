"""Settings of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from antiphon.active.learner.schedule import Schedule
from antiphon.errors import UserError

__all__ = ["LoopConfig", "Schedule"]


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Settings of the loop; the defaults are the baseline configuration of the task page.

    Parameters
    ----------
    budget
        Labels in all; a smaller pool is spent whole.
    schedule
        Labels of each cycle.
    epochs, batch
        Passes over all labelled rows in each cycle, and rows of a mini-batch.
    learning_rate
        Of Adam.
    hidden
        Width of the hidden layer; None for that of the embeddings.
    dropout
        Share of hidden units left out in training, 0 to below 1.
    warmup
        A strategy for the first batch; None for the strategy itself.
    exact
        Adam operation by operation as torch does it, on one thread, instead of the fused one.
        Both are the same algorithm; sums are rounded differently.
    compat
        BaseAL's way where it differs: random, margin and CoreSet draw, break ties and begin as
        there (:mod:`antiphon.active.learner.compat`), and before each selection the head is asked
        for all rows, validation included, needed or not.
    time_limit_s
        Longest time that one selection may take; None for no limit.
    device
        Where the head is trained by torch, as ``cuda``; None for NumPy, without torch. On a GPU
        runs are not the same to the bit.
    """

    budget: int = 500
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = 10
    batch: int = 32
    learning_rate: float = 1e-3
    hidden: int | None = None
    dropout: float = 0.0
    dropout_passes: int = 10
    warmup: str | None = None
    exact: bool = False
    compat: bool = False
    time_limit_s: float | None = 600.0
    device: str | None = None

    def __post_init__(self) -> None:
        for name in ("budget", "epochs", "batch", "dropout_passes"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be 1 or more.")
        if self.hidden is not None and self.hidden < 1:
            raise UserError(f"hidden is {self.hidden}; it must be 1 or more.")
        if not self.learning_rate > 0.0:
            raise UserError(f"learning_rate is {self.learning_rate}; it must be above 0.")
        if not 0.0 <= self.dropout < 1.0:
            raise UserError(f"dropout is {self.dropout}; it must be 0 or more and below 1.")
        if self.exact and self.device is not None:
            raise UserError(f"exact is for NumPy; leave it out with the device {self.device!r}.")
        if self.time_limit_s is not None and not self.time_limit_s > 0.0:
            raise UserError(f"time_limit_s is {self.time_limit_s}; it must be above 0.")

    def to_json(self) -> dict[str, Any]:
        """Return plain values; :meth:`from_json` reads them."""
        plain = asdict(self) | {"schedule": str(self.schedule)}
        if self.device is None:
            # Settings written before there were devices stay the same.
            del plain["device"]
        return plain

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` gave."""
        return cls(**{**values, "schedule": Schedule.parse(values["schedule"])})
