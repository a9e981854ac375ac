"""From finished runs to the figures of a report."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from antiphon.active.baseal.standings import set_of
from antiphon.active.benchmark.figures import (
    SCORES,
    Cell,
    Curve,
    Figures,
    Score,
    SetInfo,
    Standing,
    SystemInfo,
)
from antiphon.active.benchmark.folder import Result
from antiphon.active.benchmark.plan import plain_config
from antiphon.active.benchmark.sources import SetFacts
from antiphon.active.learner.record import Run
from antiphon.active.learner.scores import BASELINE_BATCH
from antiphon.errors import UserError
from antiphon.evaluation.intervals import Interval
from antiphon.evaluation.paired import mean_interval

_PRESET = re.compile(r"\.\d+(-s\d+)?$")


def compute_figures(results: Sequence[Result]) -> Figures:
    """Compute all figures.

    Raises
    ------
    UserError
        If there is no result.
    """
    if not results:
        raise UserError("There are no finished runs to report on.")
    grouped: dict[tuple[str, str], dict[int, Result]] = defaultdict(dict)
    for result in results:
        grouped[result.system_key, result.facts.key][result.run.seed] = result
    sets = _sets(result.facts for result in results)
    systems = _systems(results)
    cells = {place: _cell(place, mine) for place, mine in grouped.items()}
    sub_domains = tuple(dict.fromkeys(data.sub_domain for data in sets))
    standings = {s.key: _standing(s.key, sets, sub_domains, cells) for s in systems}
    ranked = sorted(systems, key=lambda s: _rank(standings[s.key], s.label))
    return Figures(
        systems=tuple(ranked),
        sets=tuple(sets),
        sub_domains=sub_domains,
        cells=cells,
        standings=standings,
        notes=tuple(_notes(results, cells, systems, sets)),
    )


def equal_grid(spent: int) -> list[int]:
    """Return the labels at which the baseline's batches of 50 would measure the curve."""
    return sorted({*range(BASELINE_BATCH, spent + 1, BASELINE_BATCH), spent})


def _sets(found: Iterable[SetFacts]) -> list[SetInfo]:
    by_key = {facts.key: facts for facts in found}
    names = [facts.name for facts in by_key.values()]
    infos = []
    for facts in by_key.values():
        twice = names.count(facts.name) > 1
        label = f"{facts.name} ({facts.key[:6]})" if twice else facts.name
        infos.append(SetInfo(facts.key, label, sub_domain(facts), facts))
    return sorted(infos, key=lambda s: (s.sub_domain, s.label))


def sub_domain(facts: SetFacts) -> str:
    """Return what a set's score is averaged in: ATBFL, or the set itself.

    Variants of one simulated set (``hsn.1``, ``hsn.3``) share one.
    """
    from antiphon.active.simulate.presets import list_presets

    base = _PRESET.sub("", facts.name)
    name = base if base in list_presets() else facts.name
    return "ATBFL" if facts.domain.upper() == "ATBFL" else set_of(name)[1]


def _systems(results: Sequence[Result]) -> list[SystemInfo]:
    by_key = {result.system_key: result.system for result in results}
    settings = {key: plain_config(system.config) for key, system in by_key.items()}
    some = next(iter(settings.values()))
    differ = [n for n in some if len({str(s.get(n)) for s in settings.values()}) > 1]
    differ.sort(key=lambda name: name != "schedule")
    infos = []
    for key, system in by_key.items():
        name = system.strategy.name
        words = [_setting(n, settings[key][n]) for n in differ]
        label = ", ".join([name, *filter(None, words)])
        infos.append(SystemInfo(key, label, name, settings[key]))
    labels = [info.label for info in infos]
    return [
        replace(i, label=f"{i.label} ({i.key[:6]})") if labels.count(i.label) > 1 else i
        for i in infos
    ]


def _setting(name: str, value: Any) -> str:
    if name == "schedule":
        return str(value)
    if isinstance(value, bool):
        return name if value else ""
    return f"{name} {value}" if value is not None else ""


def _cell(place: tuple[str, str], found: Mapping[int, Result]) -> Cell:
    seeds = tuple(sorted(found))
    runs = [found[seed].run for seed in seeds]
    measures: dict[Score, Callable[[Run], float]] = {
        "aulc": lambda run: run.aulc(),
        "aulc_mean": lambda run: run.aulc_mean(),
        "aulc_grid": lambda run: run.aulc_on_grid(equal_grid(run.cycles[-1].n_labelled)),
        "final": lambda run: run.cycles[-1].mAP,
    }
    by_seed = {name: tuple(measure(run) for run in runs) for name, measure in measures.items()}
    n_cycles = sum(len(run.cycles) for run in runs)
    return Cell(
        system=place[0],
        set=place[1],
        seeds=seeds,
        scores={name: mean_interval(values) for name, values in by_seed.items()},
        by_seed=by_seed,
        curve=mean_curve(runs),
        n_labelled=max(run.cycles[-1].n_labelled for run in runs),
        events=float(np.mean([run.events() for run in runs])),
        select_s=float(np.mean([run.select_s() for run in runs])),
        train_s=float(np.mean([sum(c.train_s for c in run.cycles) for run in runs])),
        select_cycle_s=sum(run.select_s() for run in runs) / n_cycles,
        relative_cost=float(np.mean([run.relative_cost() for run in runs])),
        without_positives=runs[0].without_positives,
    )


def mean_curve(runs: Sequence[Run]) -> Curve:
    """Average curves of one schedule; those of another length are cut to what all have."""
    count = min(len(run.cycles) for run in runs)
    values = np.array([[cycle.mAP for cycle in run.cycles[:count]] for run in runs])
    sd = values.std(axis=0, ddof=1) if len(runs) > 1 else np.full(count, np.nan)
    return Curve(
        tuple(cycle.n_labelled for cycle in runs[0].cycles[:count]),
        tuple(values.mean(axis=0).tolist()),
        tuple(sd.tolist()),
    )


def _standing(
    system: str,
    sets: Sequence[SetInfo],
    sub_domains: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
) -> Standing:
    mine = [cells[system, s.key] for s in sets if (system, s.key) in cells]
    within: dict[Score, dict[str, Interval]] = {}
    overall: dict[Score, Interval | None] = {}
    for score in SCORES:
        by_domain: dict[str, dict[int, float]] = {}
        for domain in sub_domains:
            found = [cells.get((system, s.key)) for s in sets if s.sub_domain == domain]
            if all(found):
                by_domain[domain] = _mean_by_seed([c for c in found if c is not None], score)
        within[score] = {d: mean_interval(list(v.values())) for d, v in by_domain.items() if v}
        seeds = set.intersection(*(set(v) for v in by_domain.values())) if by_domain else set()
        complete = len(within[score]) == len(sub_domains) and seeds
        overall[score] = (
            mean_interval(
                [np.mean([v[seed] for v in by_domain.values()]) for seed in sorted(seeds)]
            )
            if complete
            else None
        )
    return Standing(
        system=system,
        sub_domains=within,
        overall=overall,
        n_sets=len(mine),
        events=float(np.mean([c.events for c in mine])),
        select_cycle_s=float(np.mean([c.select_cycle_s for c in mine])),
        most_select_cycle_s=max(c.select_cycle_s for c in mine),
        train_s=float(np.mean([c.train_s for c in mine])),
        relative_cost=float(np.mean([c.relative_cost for c in mine])),
    )


def _mean_by_seed(cells: Sequence[Cell], score: Score) -> dict[int, float]:
    """Return the mean over sets for each seed that all of them have."""
    seeds = set.intersection(*(set(c.seeds) for c in cells))
    values = [dict(zip(c.seeds, c.by_seed[score], strict=True)) for c in cells]
    return {seed: float(np.mean([v[seed] for v in values])) for seed in sorted(seeds)}


def _rank(standing: Standing, label: str) -> tuple[bool, float, str]:
    """Order systems by overall AULC; those that lack a set come last."""
    whole = standing.overall["aulc"]
    if whole is not None:
        return False, -whole.value, label
    known = [i.value for i in standing.sub_domains["aulc"].values()]
    return True, -float(np.mean(known)) if known else 0.0, label


def _notes(
    results: Sequence[Result],
    cells: Mapping[tuple[str, str], Cell],
    systems: Sequence[SystemInfo],
    sets: Sequence[SetInfo],
) -> list[str]:
    notes = []
    codes = {result.made.get("code") for result in results}
    if len(codes) > 1:
        notes.append(
            f"{len(codes)} versions of the code made these runs; --redo does all with the present "
            "one."
        )
    budgets = {s.settings["budget"] for s in systems}
    if len(budgets) > 1:
        notes.append(
            f"Budgets differ ({', '.join(map(str, sorted(budgets)))} labels); areas of different "
            "budgets do not compare."
        )
    repeats = sorted({len(cell.seeds) for cell in cells.values()})
    if len(repeats) > 1:
        notes.append(
            f"Not all have the same number of repeats ({repeats[0]} to {repeats[-1]}); "
            "comparisons use the sets and repeats that both sides have."
        )
    lacking = len(systems) * len(sets) - len(cells)
    if lacking:
        notes.append(
            f"{lacking} of {len(systems) * len(sets)} combinations of strategy and set have no "
            "result; a strategy that lacks a set has no overall figure."
        )
    for data in sets:
        here = [c for c in cells.values() if c.set == data.key]
        if here and here[0].without_positives:
            notes.append(
                f"{data.label}: {here[0].without_positives} of {data.facts.n_labels} classes have "
                "no positive among the rows that judge; mAP leaves them out."
            )
    return notes
