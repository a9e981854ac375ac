"""What every protocol returns: measures with their intervals, and what must be said of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from antiphon.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a protocol.

    Parameters
    ----------
    name
        As in ``accuracy``, ``map``, ``r_auc``, ``nmi``.
    value
        The estimate; NaN where there is none.
    low, high
        Ends of the 95 % interval; NaN where none can be given.
    n
        What the estimate rests on: test items, queries or classes, as the note says.
    note
        What was resampled, or why there is no interval.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    note: str = ""

    @classmethod
    def of(cls, name: str, interval: Interval, n: int, note: str = "") -> Measure:
        """Return the measure of an interval, its note joined to ``note``."""
        said = "; ".join(part for part in (note, interval.note) if part)
        return cls(name, interval.value, interval.low, interval.high, n, said)

    @classmethod
    def bare(cls, name: str, value: float, n: int, note: str = "") -> Measure:
        """Return a measure without an interval."""
        return cls(name, float(value), math.nan, math.nan, n, note)


@dataclass(frozen=True, slots=True, eq=False)
class ProtocolResult:
    """Outcome of one protocol on one set of embeddings.

    Parameters
    ----------
    family
        As in ``probe``, ``knn``, ``retrieval``, ``clustering``, ``detection``.
    measures
        The numbers; the first is the one that a table shows.
    details
        Choices made on validation, per-class numbers, predictions; arrays and plain values.
    notes
        What a reader has to know: classes that could not be learnt or judged, rules used.
    """

    family: str
    measures: tuple[Measure, ...]
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Measure:
        """Return the measure of that name; KeyError names those there are."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(f"{name!r}; there are {', '.join(m.name for m in self.measures)}")

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values: arrays as lists, NaN as None."""
        return {
            "family": self.family,
            "measures": [
                {
                    "name": m.name,
                    "value": _plain(m.value),
                    "low": _plain(m.low),
                    "high": _plain(m.high),
                    "n": m.n,
                    "note": m.note,
                }
                for m in self.measures
            ],
            "details": _plain(self.details),
            "notes": list(self.notes),
        }


def unique_notes(*parts: Iterable[str]) -> tuple[str, ...]:
    """Return all notes that are not empty, each once, in the order given."""
    return tuple(dict.fromkeys(note for part in parts for note in part if note))


def _plain(value: Any) -> Any:
    if isinstance(value, ProtocolResult):
        return value.to_json()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
