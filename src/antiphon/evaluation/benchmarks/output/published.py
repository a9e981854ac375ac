"""Rows of the published table, to be shown beside measured ones and never mixed with them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SOURCE = "What Matters for Bioacoustic Encoding, ICLR 2026 (means of data sets, 16 kHz)"
MARK = "published, not measured"


@dataclass(frozen=True, slots=True)
class Published:
    """One number of the published table.

    Parameters
    ----------
    encoder, family, protocol, measure
        As in a measured table.
    value
        Mean over the family's data sets.
    """

    encoder: str
    family: str
    protocol: str
    measure: str
    value: float


@cache
def published() -> tuple[Published, ...]:
    """Return all published numbers."""
    path = files("antiphon.evaluation.benchmarks.output").joinpath("published.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return tuple(
        Published(r["encoder"], r["family"], r["protocol"], r["measure"], float(r["value"]))
        for r in rows
    )
