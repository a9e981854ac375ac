"""What is known of one encoder on one data set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Value:
    """One number of one protocol.

    Parameters
    ----------
    protocol, measure
        As ``probe`` and ``accuracy``.
    value, low, high
        The estimate and its 95 % interval; NaN where there is none.
    n
        What it rests on.
    note
        What was resampled, or why there is no interval.
    """

    protocol: str
    measure: str
    value: float
    low: float
    high: float
    n: int
    note: str = ""

    def text(self, digits: int = 3) -> str:
        """Return ``0.812 [0.790, 0.834]``."""
        if not math.isfinite(self.value):
            return "–"
        said = f"{self.value:.{digits}f}"
        if math.isfinite(self.low) and math.isfinite(self.high):
            said += f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"
        return said


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What is kept of an encoder beside its results.

    Parameters
    ----------
    label
        As it was asked for.
    fingerprint, dim, sample_rate, window_s
        Of its specification.
    """

    label: str
    fingerprint: str
    dim: int
    sample_rate: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """An encoder judged on a data set.

    Parameters
    ----------
    name, title, suite, family
        Of the data set.
    encoder
        Who was judged.
    key
        Digest of all that it depends on.
    values
        The numbers.
    counts, classes, rows
        Items on each side, classes, and embedded rows.
    notes
        What a reader has to know: counts, rules, classes that could not be judged.
    leakage
        The report on leakage between the sides, as sentences.
    leaks
        Errors and warnings in it.
    failed
        Items without an embedding, and why.
    per_item
        Of each judged item, to compare encoders on the same items: 1 if the probe was right and 0
        if not, and the item's recording or source. Empty where items have several labels.
    licence, page
        Of the data set.
    seconds
        Wall-clock time that it took.
    made
        Version, date, machine.
    """

    name: str
    title: str
    suite: str
    family: str
    encoder: EncoderFacts
    key: str
    values: tuple[Value, ...]
    counts: Mapping[str, int]
    classes: int
    rows: int
    notes: tuple[str, ...] = ()
    leakage: tuple[str, ...] = ()
    leaks: tuple[int, int] = (0, 0)
    failed: tuple[tuple[str, str], ...] = ()
    per_item: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    licence: str = ""
    page: str = ""
    seconds: float = 0.0
    made: Mapping[str, Any] = field(default_factory=dict)

    def value(self, protocol: str, measure: str) -> Value | None:
        """Return one number, or None if this data set has none of it."""
        for one in self.values:
            if (one.protocol, one.measure) == (protocol, measure):
                return one
        return None

    def to_json(self) -> dict[str, Any]:
        """Return plain values, NaN as None."""
        plain = asdict(self) | {"format": FORMAT}
        for one in plain["values"]:
            for name in ("value", "low", "high"):
                one[name] = one[name] if math.isfinite(one[name]) else None
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Result:
        """Read what :meth:`to_json` gave."""
        if plain["format"] != FORMAT:
            raise ValueError(f"format {plain['format']}")
        values = {k: v for k, v in plain.items() if k != "format"}
        values["encoder"] = EncoderFacts(**plain["encoder"])
        nan: Any = math.nan
        values["values"] = tuple(
            Value(**{k: nan if v is None else v for k, v in one.items()}) for one in plain["values"]
        )
        for name in ("notes", "leakage", "leaks"):
            values[name] = tuple(plain[name])
        values["per_item"] = {k: (float(r), str(g)) for k, (r, g) in plain["per_item"].items()}
        values["failed"] = tuple((str(a), str(b)) for a, b in plain["failed"])
        return cls(**values)
