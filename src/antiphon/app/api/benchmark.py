"""Requests about benchmarks: which runs there are, and what was measured of strategies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from shlex import quote
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Response

from antiphon.active.benchmark.comparing import compare_all, reference_of
from antiphon.active.benchmark.curves import MOST_LINES, curve_series
from antiphon.active.benchmark.figures import SCORES, Score
from antiphon.active.benchmark.tables import figures_json, table_texts
from antiphon.active.learner.record import Run
from antiphon.app.api import benchmark_encoders, benchmark_steps
from antiphon.app.api.benchmark_common import (
    Ids,
    Key,
    Keys,
    SetKey,
    as_file,
    number,
    plane_of,
    results_of,
    runs_of,
    set_of,
    systems_of,
    value_of,
)
from antiphon.app.api.benchmark_shapes import (
    CellInfo,
    Classes,
    ClassRow,
    ClassValue,
    Difference,
    Drawing,
    RunInfo,
    Runs,
    SetInfo,
    Strategies,
    SystemInfo,
    Value,
)
from antiphon.app.security.identity import Context, Someone
from antiphon.app.services.benchmarks import benchmarks_of
from antiphon.app.services.stepping import Stepping
from antiphon.errors import UserError
from antiphon.evaluation.paired import mean_interval
from antiphon.plots.lines import line_chart

router = APIRouter(prefix="/api/benchmark", tags=["benchmark"])
router.include_router(benchmark_steps.router)
router.include_router(benchmark_encoders.router)

ScoreName = Literal["aulc", "aulc_mean", "aulc_grid", "final"]


@router.get("")
def runs(context: Context, person: Someone) -> Runs:
    """Return the runs below the project's ``reports`` and ``benchmarks``, and those named."""
    benchmarks = benchmarks_of(context)
    # Where it lies on the server is of use to those alone who can open a terminal there.
    project = quote(str(context.folder.root)) if person.is_manager else "PROJECT"
    return Runs(
        runs=[
            RunInfo(
                id=run.id,
                kind=run.kind,
                name=run.name,
                mine=run.mine,
                results=benchmarks.count(run),
            )
            for run in benchmarks.runs()
        ],
        strategies_command=(
            "antiphon bench al --preset hsn --strategy antiphon --strategy random --repeats 3 "
            f"--out {project}/benchmarks/strategies"
        ),
        encoders_command=(
            "antiphon bench encoders --suite local --data FOLDER --encoder spectral "
            f"--out {project}/benchmarks/encoders"
        ),
    )


@router.get("/strategies")
def strategies(context: Context, _person: Someone, run: Ids) -> Strategies:
    """Return all figures of some runs of strategies."""
    found = results_of(context, run)
    figures = found.figures
    return Strategies(
        scores={str(name): title for name, title in SCORES.items()},
        systems=[
            SystemInfo(
                key=system.key,
                label=system.label,
                strategy=system.strategy,
                schedule=system.schedule,
                overall={
                    name: None if whole is None else value_of(whole)
                    for name, whole in figures.standings[system.key].overall.items()
                },
                select_cycle_s=number(figures.standings[system.key].select_cycle_s),
                events=figures.standings[system.key].events,
            )
            for system in figures.systems
        ],
        sets=[
            SetInfo(
                key=data.key,
                label=data.label,
                pool=data.facts.n_pool,
                judging=data.facts.n_judges,
                classes=data.facts.n_labels,
                multilabel=data.facts.multilabel,
            )
            for data in figures.sets
        ],
        cells=[
            CellInfo(
                system=cell.system,
                set=cell.set,
                seeds=list(cell.seeds),
                scores={name: value_of(one) for name, one in cell.scores.items()},
            )
            for cell in figures.cells.values()
        ],
        reference=reference_of(figures).system.key,
        results=len(found.results),
        missing=found.missing,
        failures=list(found.failures),
        notes=list(found.notes),
    )


@router.get("/strategies/curves")
def curves(context: Context, _person: Someone, run: Ids, data: SetKey, systems: Keys) -> Drawing:
    """Draw learning curves with a band of one standard deviation over the repeats."""
    figures = results_of(context, run).figures
    on = set_of(figures, data)
    cells = [(s, figures.cell(s, on)) for s in systems_of(figures, systems)[:MOST_LINES]]
    known = [(s, cell) for s, cell in cells if cell is not None]
    chart = line_chart(
        [curve_series(s.label, cell.curve) for s, cell in known],
        label=f"Learning curves on {on.label}",
        x_title="labels",
        y_title="mAP",
        x_range=(0, max((cell.curve.n_labelled[-1] for _, cell in known), default=1)),
        width=680,
        height=340,
    )
    return Drawing(svg=str(chart))


@router.get("/strategies/differences")
def differences(
    context: Context,
    _person: Someone,
    run: Ids,
    reference: Key,
    score: ScoreName = "aulc",
    data: Annotated[str | None, Query(alias="set", max_length=100)] = None,
) -> list[Difference]:
    """Compare one system with every other, pair by pair, on all sets or on one."""
    figures = results_of(context, run).figures
    mine = systems_of(figures, [reference])[0]
    if data is not None:
        figures = replace(figures, sets=(set_of(figures, data),))
    name: Score = score

    def make() -> list[Difference]:
        pairs = [(mine, other) for other in figures.systems if other.key != mine.key]
        return [
            Difference(
                a=one.a,
                b=one.b,
                value=number(one.difference.value),
                low=number(one.difference.low),
                high=number(one.difference.high),
                p_permutation=number(one.p_permutation_holm),
                p_wilcoxon=number(one.p_wilcoxon_holm),
                sets=one.difference.n_groups,
                pairs=one.difference.n_pairs,
                unit="set" if one.difference.unit == "group" else "pair",
                note=one.difference.note,
            )
            for one in compare_all(figures, pairs, name)
        ]

    return benchmarks_of(context).once(run, ("differences", reference, score, data), make)


@router.get("/strategies/classes")
def classes(context: Context, _person: Someone, run: Ids, data: SetKey, systems: Keys) -> Classes:
    """Return what some systems reach on each class of a set."""
    found = results_of(context, run)
    on = set_of(found.figures, data)
    notes = []
    plane: Stepping | None = None
    try:
        plane = plane_of(context, run, on)
    except UserError as error:
        notes.append(str(error))
    chosen = systems_of(found.figures, systems)[:MOST_LINES]
    by_system = {s.key: runs_of(found, s, on) for s in chosen}
    kept = [name for some in by_system.values() for one in some for name, _ in one.by_label]
    names = list(plane.labels) if plane is not None else list(dict.fromkeys(kept))
    if any(not one.by_label for some in by_system.values() for one in some):
        notes.append(
            "Some of these runs were made before the precision of each class was kept; the same "
            "command with --redo adds it."
        )
    rows = []
    for name in names:
        column = None if plane is None else plane.labels.index(name)
        there = None if plane is None else int(plane.targets[:, column].sum())
        values = [
            ClassValue(
                system=s.label,
                precision=_precision(by_system[s.key], name),
                found=_found(plane, by_system[s.key], column),
            )
            for s in chosen
        ]
        rows.append(ClassRow(name=name, there=there, values=values))
    return Classes(rows=rows, note=" ".join(notes))


@router.get("/strategies/download", response_class=Response)
def download(
    context: Context,
    _person: Someone,
    run: Ids,
    what: Literal["runs.csv", "cycles.csv", "classes.csv", "figures.json"],
) -> Response:
    """Return all runs, all cycles or all classes as CSV, or all figures as JSON."""
    found = results_of(context, run)
    if what == "figures.json":
        return as_file(json.dumps(figures_json(found.figures), indent=1), what)
    texts = table_texts(found.results, found.figures)
    if what not in texts:
        raise HTTPException(404, "These runs did not keep the precision of each class.")
    return as_file(texts[what], what)


def _precision(some: Sequence[Run], name: str) -> Value | None:
    values = [value for run in some for label, value in run.by_label if label == name]
    known = [value for value in values if value is not None]
    return value_of(mean_interval(known)) if known else None


def _found(plane: Stepping | None, some: Sequence[Run], column: int | None) -> float | None:
    if plane is None or column is None:
        return None
    counts = []
    for run in some:
        chosen = plane.steps(run)
        if chosen is None:
            return None
        rows = [row for rows in chosen for row in rows]
        counts.append(int(plane.targets[rows, column].sum()))
    return float(np.mean(counts)) if counts else None
