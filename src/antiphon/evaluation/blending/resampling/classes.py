"""Where the mean comes from: scores by class, taxon, site and hour, from win counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.deltas import LEVEL
from antiphon.evaluation.blending.resampling.wins import Wins, class_auc, macro_auc
from antiphon.evaluation.resampling import tails

Float64 = npt.NDArray[np.float64]

NOT_ESTIMABLE = "not estimable: one recording"
HOURS = 3
"""Hours of the day in one row of the table by hour."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class.

    Parameters
    ----------
    name, taxon
        ``taxon`` is empty where none is known.
    auc, low, high
        ROC-AUC with its 95 % bootstrap interval over recordings; NaN ends where it is not
        estimable.
    n_windows, n_files
        Windows and recordings with the class.
    room
        ``(1 - auc) / classes``: what the mean would gain if the class were perfect.
    swing
        ``(high - low) / 2 / classes``: how far its uncertainty moves the mean.
    note
        ``not estimable: one recording``, or what else limits the interval.
    """

    name: str
    taxon: str
    auc: float
    low: float
    high: float
    n_windows: int
    n_files: int
    room: float
    swing: float
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One taxon, site or part of the day.

    Parameters
    ----------
    name
        Of the group.
    auc, low, high
        Mean over its classes, with its interval; of a site or hours, the mean over the classes
        that have positives and negatives there, without interval.
    without
        The mean with the group left out; NaN for taxa.
    n_files, n_windows, n_classes
        What it has; classes are those that were scored.
    """

    name: str
    auc: float
    low: float
    high: float
    without: float
    n_files: int
    n_windows: int
    n_classes: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All tables of one system.

    Parameters
    ----------
    classes
        The worst first.
    taxa, sites, hours
        Empty where names are not known.
    """

    classes: tuple[ClassScore, ...]
    taxa: tuple[GroupScore, ...]
    sites: tuple[GroupScore, ...]
    hours: tuple[GroupScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the tables as lists of plain values."""
        return {
            name: [row.to_json() for row in getattr(self, name)]
            for name in ("classes", "taxa", "sites", "hours")
        }


def break_down(
    wins: Wins,
    problem: Problem,
    *,
    taxa: Mapping[str, str] | None = None,
    rng: np.random.Generator,
    replicates: int = 1000,
) -> Breakdown:
    """Return scores by class, taxon, site and hour.

    Parameters
    ----------
    wins
        Of the system, on the rows of ``problem``.
    taxa
        Taxon of each class; classes that are not there have none.
    rng
        The only source of randomness.
    """
    area = class_auc(wins)
    n = wins.n_files
    drawn = np.empty((0, wins.n_classes))
    if n > 1:
        weights = rng.multinomial(n, np.full(n, 1.0 / n), size=replicates).astype(np.float64)
        drawn = class_auc(wins, weights)
    scored = np.flatnonzero(~np.isnan(area))
    names = [(taxa or {}).get(problem.classes[c], "") for c in scored]
    files = (wins.positives > 0).sum(axis=1)
    rows = [
        _class_score(problem, wins, c, taxon, area[c], drawn[:, c], int(files[c]), len(scored))
        for c, taxon in zip(scored.tolist(), names, strict=True)
    ]
    return Breakdown(
        classes=tuple(sorted(rows, key=lambda r: (r.auc, r.name))),
        taxa=_by_taxon(wins, area, drawn, scored, names) if taxa else (),
        sites=_by_group(wins, problem.site),
        hours=_by_group(wins, _parts_of_day(problem.hour)),
    )


def _class_score(
    problem: Problem,
    wins: Wins,
    c: int,
    taxon: str,
    area: float,
    drawn: Float64,
    n_files: int,
    n_scored: int,
) -> ClassScore:
    low = high = float("nan")
    note = NOT_ESTIMABLE if n_files < 2 else ""
    values = drawn[~np.isnan(drawn)]
    if n_files > 1 and len(values) > 1:
        low, high = (float(v) for v in np.quantile(values, tails(LEVEL, wins.n_files)))
        if n_files < 5:
            note = f"only {n_files} recordings"
    return ClassScore(
        name=problem.classes[c],
        taxon=taxon,
        auc=float(area),
        low=low,
        high=high,
        n_windows=int(wins.positives[c].sum()),
        n_files=n_files,
        room=(1.0 - float(area)) / n_scored,
        swing=(high - low) / 2.0 / n_scored,
        note=note,
    )


def _by_taxon(
    wins: Wins,
    area: Float64,
    drawn: Float64,
    scored: npt.NDArray[np.intp],
    names: Sequence[str],
) -> tuple[GroupScore, ...]:
    rows = []
    for taxon in sorted(set(names)):
        columns = scored[[name == taxon for name in names]]
        heard = wins.positives[columns]
        low = high = float("nan")
        there = ~np.isnan(drawn[:, columns])
        total = np.where(there, drawn[:, columns], 0.0).sum(axis=1)
        count = there.sum(axis=1)
        n_files = int((heard.sum(axis=0) > 0).sum())
        if n_files > 1 and (count > 0).sum() > 1:
            means = total[count > 0] / count[count > 0]
            low, high = (float(v) for v in np.quantile(means, tails(LEVEL, wins.n_files)))
        rows.append(
            GroupScore(
                name=taxon or "unknown",
                auc=float(area[columns].mean()),
                low=low,
                high=high,
                without=float("nan"),
                n_files=n_files,
                n_windows=int(heard.sum()),
                n_classes=len(columns),
            )
        )
    return tuple(sorted(rows, key=lambda r: r.auc))


def _by_group(wins: Wins, group: Sequence[str | None] | None) -> tuple[GroupScore, ...]:
    """Return the score on the recordings of each group, and on all others."""
    if group is None:
        return ()
    names = ["unknown" if g is None else g for g in group]
    known = sorted(set(names))
    if len(known) < 2:
        return ()
    member = np.array([[name == one for name in names] for one in known])
    inside, outside = macro_auc(wins, member), macro_auc(wins, ~member)
    there = ~np.isnan(class_auc(wins, member))
    size = wins.positives[0] + wins.negatives[0]
    nan = float("nan")
    return tuple(
        GroupScore(
            name=one,
            auc=float(inside[k]),
            low=nan,
            high=nan,
            without=float(outside[k]),
            n_files=int(member[k].sum()),
            n_windows=int(size[member[k]].sum()),
            n_classes=int(there[k].sum()),
        )
        for k, one in enumerate(known)
    )


def _parts_of_day(hours: Sequence[int | None] | None) -> list[str | None] | None:
    if hours is None:
        return None
    begin = [None if h is None else h // HOURS * HOURS for h in hours]
    return [None if b is None else f"{b:02d}-{b + HOURS:02d} h" for b in begin]
