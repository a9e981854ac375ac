"""What was tried to run a network, and what was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from antiphon.soundscape.members.agreement import Agreement, Bound
from antiphon.soundscape.members.runtimes.session import RuntimeFacts

RuntimeChoice = Literal["auto", "onnxruntime", "openvino"]
Precision = Literal["f32", "f16", "bf16"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One runtime that was tried.

    Parameters
    ----------
    name
        Runtime and precision asked for, as ``openvino bf16``.
    facts
        What it is; None where it could not be opened.
    load_s
        Seconds to open it.
    agreement, bound
        With ONNX Runtime in f32 on the same windows, and what was asked of it; None for itself.
    refused
        Why it cannot be used; empty where it can.
    window_s
        Seconds of one thread for one window, the least of all that were timed; None if not timed.
    """

    name: str
    facts: RuntimeFacts | None = None
    load_s: float = 0.0
    agreement: Agreement | None = None
    bound: Bound | None = None
    refused: str = ""
    window_s: float | None = None

    def __str__(self) -> str:
        if self.refused:
            return f"{self.name}: refused, {self.refused}"
        speed = "not timed" if self.window_s is None else f"{1e3 * self.window_s:.2f} ms a window"
        return f"{self.name}: {speed}" + (f"; {self.agreement}" if self.agreement else "")


@dataclass(frozen=True, slots=True)
class TimingReport:
    """What was tried for a network, and what was taken.

    Parameters
    ----------
    chosen
        The candidate that was taken.
    others
        Those that were tried beside it.
    notes
        What was not tried, and why.
    """

    chosen: Candidate
    others: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> RuntimeFacts:
        """Facts of what was taken."""
        assert self.chosen.facts is not None
        return self.chosen.facts

    @property
    def window_s(self) -> float | None:
        """Seconds of one thread for one window, None if not timed."""
        return self.chosen.window_s

    def lines(self) -> list[str]:
        """Return the report as text, a line for each candidate and note, the one taken first."""
        return [str(self.chosen), *map(str, self.others), *self.notes]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)
