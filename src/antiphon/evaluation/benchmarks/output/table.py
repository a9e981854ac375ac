"""The table of a run: families and measures down, encoders across, with intervals and ranks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.evaluation.benchmarks.judging.results import Result, Value
from antiphon.evaluation.benchmarks.sets.recipe import FAMILIES

SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "classification": (
        ("probe", "accuracy"),
        ("probe", "map_all"),
        ("retrieval", "r_auc"),
        ("clustering", "nmi"),
    ),
    "detection": (("probe", "map_all"), ("probe", "event_f1"), ("retrieval", "r_auc")),
    "birdset": (("probe", "map_all"), ("retrieval", "r_auc")),
    "individual": (("probe", "accuracy"), ("retrieval", "r_auc"), ("clustering", "nmi")),
    "repertoire": (("retrieval", "r_auc"), ("clustering", "nmi"), ("raw_frames", "r_auc")),
}
"""Protocol and measure of each row of the table, the family's first one leading."""

LEADING = (("probe", "accuracy"), ("probe", "map_all"))
"""What encoders are ranked by; repertoires, where nothing is trained, by R-AUC."""

NAMES = {
    "classification": "Classification",
    "detection": "Detection",
    "birdset": "BirdSet",
    "individual": "Individual ID",
    "repertoire": "Repertoire",
    ("probe", "accuracy"): "probe, accuracy",
    ("probe", "map_all"): "probe, mAP",
    ("probe", "event_f1"): "probe, event F1",
    ("retrieval", "r_auc"): "retrieval, R-AUC",
    ("clustering", "nmi"): "clustering, NMI",
    ("raw_frames", "r_auc"): "raw frames, R-AUC",
}


@dataclass(frozen=True, slots=True)
class Mean:
    """An encoder's mean over the data sets of a family.

    Parameters
    ----------
    encoder
        Label.
    value, low, high
        Mean over the data sets that all encoders have, and its interval for these sets: their
        errors are independent, so half-widths add as squares. NaN where there is none.
    rank
        Mean rank over those sets, 1 the best, ties sharing their ranks.
    n_sets
        Data sets in the mean.
    """

    encoder: str
    value: float
    low: float
    high: float
    rank: float
    n_sets: int

    def text(self, digits: int = 3) -> str:
        """Return ``0.812 [0.790, 0.834]``."""
        return Value("", "", self.value, self.low, self.high, 0).text(digits)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    family, protocol, measure
        What it shows.
    means
        One for each encoder, in the order of the table.
    sets
        Data sets in the means.
    partial
        Data sets that only some encoders have, which are left out.
    """

    family: str
    protocol: str
    measure: str
    means: tuple[Mean, ...]
    sets: tuple[str, ...]
    partial: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """For people."""
        return NAMES[(self.protocol, self.measure)]


@dataclass(frozen=True, slots=True)
class BenchmarkTable:
    """All of a run's numbers in the form of the published table.

    Parameters
    ----------
    encoders
        Labels, the best mean rank first.
    rows
        In the order of families and measures.
    ranks
        Mean rank of each encoder over the leading measures of all data sets that all encoders
        have; NaN with a single encoder.
    notes
        What limits the comparison.
    """

    encoders: tuple[str, ...]
    rows: tuple[Row, ...]
    ranks: dict[str, float]
    notes: tuple[str, ...]


def make_table(results: Sequence[Result]) -> BenchmarkTable:
    """Return the table of some results; each data set and encoder at most once."""
    labels = list(dict.fromkeys(result.encoder.label for result in results))
    by_family: dict[str, dict[str, dict[str, Result]]] = defaultdict(lambda: defaultdict(dict))
    for result in results:
        by_family[result.family][result.name][result.encoder.label] = result
    rows: list[Row] = []
    leading: list[np.ndarray] = []
    notes: list[str] = []
    for family in (f for f in FAMILIES if f in by_family):
        for protocol, measure in SHOWN[family]:
            row, ranks = _row(family, protocol, measure, by_family[family], labels)
            if row is None:
                continue
            rows.append(row)
            if (protocol, measure) in LEADING or (family, protocol) == ("repertoire", "retrieval"):
                leading += ranks
                if row.partial:
                    notes.append(
                        f"{NAMES[family]}: {', '.join(row.partial)} lack an encoder and are left "
                        "out of the means"
                    )
    mean_rank = dict.fromkeys(labels, math.nan)
    if leading and len(labels) > 1:
        mean_rank = dict(zip(labels, np.mean(leading, axis=0).tolist(), strict=True))
    order = sorted(labels, key=lambda one: (math.isnan(mean_rank[one]), mean_rank[one]))
    place = [labels.index(one) for one in order]
    sorted_rows = tuple(
        Row(r.family, r.protocol, r.measure, tuple(r.means[i] for i in place), r.sets, r.partial)
        for r in rows
    )
    return BenchmarkTable(
        tuple(order), sorted_rows, {one: mean_rank[one] for one in order}, tuple(notes)
    )


def _row(
    family: str,
    protocol: str,
    measure: str,
    sets: dict[str, dict[str, Result]],
    labels: list[str],
) -> tuple[Row | None, list[np.ndarray]]:
    values: dict[str, list[Value]] = {}
    partial: list[str] = []
    for name, by_encoder in sets.items():
        found = [
            by_encoder[one].value(protocol, measure) if one in by_encoder else None
            for one in labels
        ]
        there = [v for v in found if v is not None and math.isfinite(v.value)]
        if not there:
            continue
        if len(there) < len(labels):
            partial.append(name)
        else:
            values[name] = there
    if not values and not partial:
        return None, []
    ranks = [rank([v.value for v in row]) for row in values.values()]
    means = []
    for i, label in enumerate(labels):
        column = [row[i] for row in values.values()]
        mean_rank = float(np.mean([r[i] for r in ranks])) if ranks else math.nan
        means.append(_mean(label, column, mean_rank))
    return Row(family, protocol, measure, tuple(means), tuple(values), tuple(partial)), ranks


def _mean(label: str, column: Sequence[Value], rank_of: float) -> Mean:
    n = len(column)
    if not n:
        return Mean(label, math.nan, math.nan, math.nan, math.nan, 0)
    value = math.fsum(v.value for v in column) / n
    below = math.sqrt(math.fsum((v.value - v.low) ** 2 for v in column)) / n
    above = math.sqrt(math.fsum((v.high - v.value) ** 2 for v in column)) / n
    return Mean(label, value, value - below, value + above, rank_of, n)


def rank(values: Sequence[float]) -> np.ndarray:
    """Return ranks from 1 for the largest; equal values share the mean of their ranks."""
    given = np.asarray(values, np.float64)
    larger = (given[None, :] > given[:, None]).sum(axis=1)
    equal = (given[None, :] == given[:, None]).sum(axis=1)
    return np.asarray(larger + (equal + 1) / 2)
