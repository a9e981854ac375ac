"""Who is ahead of whom: paired tests, wins against Random, and what schedule and choice bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from antiphon.active.benchmark.figures import RANDOM, Figures, Score, SetInfo, SystemInfo
from antiphon.active.learner.schedule import Schedule
from antiphon.active.learner.scores import BASELINE_BATCH
from antiphon.errors import UserError
from antiphon.evaluation.paired import (
    PairedDifference,
    holm,
    mean_interval,
    paired_difference,
)

OURS = "antiphon"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One system against another over all sets and repeats that both have.

    Parameters
    ----------
    a, b
        Labels; the difference is ``a - b``.
    score
        Which score.
    difference
        With interval and tests.
    p_permutation_holm, p_wilcoxon_holm
        Corrected for the number of comparisons in the same table.
    """

    a: str
    b: str
    score: Score
    difference: PairedDifference
    p_permutation_holm: float = math.nan
    p_wilcoxon_holm: float = math.nan


@dataclass(frozen=True, slots=True)
class Verdicts:
    """On how many sets a system is ahead of another, beyond the noise between repeats.

    Parameters
    ----------
    wins, losses, undecided
        Labels of the sets where the 95 % interval of the paired difference (Student's, over the
        repeats) lies above 0, below 0, or neither; single repeats are undecided. Sets are not
        corrected for being several: one in forty is a win by chance.
    """

    a: str
    b: str
    wins: tuple[str, ...]
    losses: tuple[str, ...]
    undecided: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gain:
    """What a system gains over Random with batches of 50, in two parts.

    The parts add up: ``total = selection + schedule``.

    Parameters
    ----------
    total
        System minus Random with batches of 50.
    selection
        System minus Random with the system's own schedule.
    schedule
        Random with the system's schedule minus Random with batches of 50.
    own_schedule
        System minus the same strategy with batches of 50.
    """

    system: str
    score: Score
    total: PairedDifference | None
    selection: PairedDifference | None
    schedule: PairedDifference | None
    own_schedule: PairedDifference | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What the others are compared with: a strategy, or one system if ``exact``."""

    system: SystemInfo
    exact: bool

    @property
    def title(self) -> str:
        """What it is called."""
        return self.system.label if self.exact else self.system.strategy


def reference_of(figures: Figures, name: str | None = None) -> Reference:
    """Return what others are compared with: as asked for, else ``antiphon``, else the best.

    Raises
    ------
    UserError
        If there are no results of that name.
    """
    if name is None:
        ours = next((s for s in figures.systems if s.strategy == OURS), figures.systems[0])
        return Reference(ours, exact=False)
    system = figures.find(name)
    return Reference(system, exact=name == system.label != system.strategy)


def compare_all(
    figures: Figures, pairs: Sequence[tuple[SystemInfo, SystemInfo]], score: Score, seed: int = 0
) -> list[Comparison]:
    """Compare pairs of systems, as one family of tests; pairs without a common run are left out."""
    rng = np.random.default_rng(seed)
    found = []
    for a, b in pairs:
        difference = _difference(figures, a, b, score, rng)
        if difference is not None:
            found.append(Comparison(a.label, b.label, score, difference))
    permutation = holm([c.difference.p_permutation for c in found])
    wilcoxon = holm([c.difference.p_wilcoxon for c in found])
    return [
        replace(c, p_permutation_holm=float(p), p_wilcoxon_holm=float(w))
        for c, p, w in zip(found, permutation, wilcoxon, strict=True)
    ]


def against_reference(
    figures: Figures, reference: Reference, score: Score, seed: int = 0
) -> list[Comparison]:
    """Compare the reference with each other system.

    Where it ran with several schedules, the one with the other's schedule is taken.
    """
    mine = [reference.system]
    if not reference.exact:
        mine += [s for s in figures.systems if s.strategy == reference.system.strategy]
    pairs = [
        (partner, other)
        for other in figures.systems
        if other not in mine and (partner := _partner(other, mine)) is not None
    ]
    return compare_all(figures, pairs, score, seed)


def against_random(figures: Figures, score: Score, seed: int = 0) -> list[Comparison]:
    """Compare each system with Random, of the same schedule where there is one."""
    pairs = [
        (system, random)
        for system in figures.systems
        if system.strategy != RANDOM and (random := random_for(figures, system)) is not None
    ]
    return compare_all(figures, pairs, score, seed)


def random_for(figures: Figures, system: SystemInfo) -> SystemInfo | None:
    """Return Random with the system's settings, else with batches of 50, else any."""
    return _partner(system, [s for s in figures.systems if s.strategy == RANDOM])


def verdicts(figures: Figures, a: SystemInfo, b: SystemInfo, score: Score = "aulc") -> Verdicts:
    """Return on which sets ``a`` is ahead of ``b`` beyond noise."""
    said = {data.label: set_verdict(figures, a, b, data, score) for data in figures.sets}
    kinds = ("win", "loss", "undecided")
    return Verdicts(a.label, b.label, *(tuple(d for d in said if said[d] == k) for k in kinds))


def set_verdict(
    figures: Figures, a: SystemInfo, b: SystemInfo, data: SetInfo, score: Score = "aulc"
) -> str | None:
    """Return ``win``, ``loss`` or ``undecided`` on one set; None if one of them lacks it."""
    only = replace(figures, sets=(data,))
    left, right, _ = only.pairs(a, b, score)
    if not left:
        return None
    interval = mean_interval([x - y for x, y in zip(left, right, strict=True)])
    if interval.low > 0:
        return "win"
    return "loss" if interval.high < 0 else "undecided"


def gains(figures: Figures, score: Score, seed: int = 0) -> list[Gain]:
    """Return for each system what schedule and selection bring; empty without Random."""
    randoms = [s for s in figures.systems if s.strategy == RANDOM]
    rng = np.random.default_rng(seed)
    found = []
    for system in figures.systems:
        if system.strategy == RANDOM:
            continue
        base = _same_but_schedule(system, randoms, base=True)
        own = _same_but_schedule(system, randoms, base=False)
        mine = _same_but_schedule(
            system, [s for s in figures.systems if s.strategy == system.strategy], base=True
        )
        found.append(
            Gain(
                system=system.label,
                score=score,
                total=_maybe(figures, system, base, score, rng),
                selection=_maybe(figures, system, own, score, rng),
                schedule=_maybe(figures, own, base, score, rng),
                own_schedule=_maybe(figures, system, mine, score, rng),
            )
        )
    return found if any(g.total or g.selection or g.own_schedule for g in found) else []


def _partner(system: SystemInfo, among: Sequence[SystemInfo]) -> SystemInfo | None:
    """Return the one most like it in settings: all, else the schedule, else batches of 50."""
    same = [s for s in among if s.settings == system.settings]
    near = [s for s in among if s.schedule == system.schedule]
    base = [s for s in among if _is_base(s)]
    return next(iter([*same, *near, *base, *among]), None)


def _maybe(
    figures: Figures,
    a: SystemInfo | None,
    b: SystemInfo | None,
    score: Score,
    rng: np.random.Generator,
) -> PairedDifference | None:
    if a is None or b is None:
        return None
    return _difference(figures, a, b, score, rng)


def _difference(
    figures: Figures, a: SystemInfo, b: SystemInfo, score: Score, rng: np.random.Generator
) -> PairedDifference | None:
    left, right, groups = figures.pairs(a, b, score)
    if not left:
        return None
    try:
        return paired_difference(left, right, groups, rng=rng)
    except UserError:
        return None


def _same_but_schedule(
    system: SystemInfo, among: Sequence[SystemInfo], *, base: bool
) -> SystemInfo | None:
    """Return the one with the same settings, and batches of 50 (``base``) or the same batches."""
    for other in among:
        mine = {k: v for k, v in system.settings.items() if k not in ("schedule", "warmup")}
        theirs = {k: v for k, v in other.settings.items() if k not in ("schedule", "warmup")}
        fits = _is_base(other) if base else other.schedule == system.schedule
        if fits and mine == theirs:
            return other
    return None


def _is_base(system: SystemInfo) -> bool:
    *sizes, last = Schedule.parse(system.schedule).sizes
    return all(size == BASELINE_BATCH for size in sizes) and last <= BASELINE_BATCH
