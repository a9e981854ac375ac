"""What the requests about benchmarks share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from fastapi import HTTPException, Query, Response

from antiphon.active.benchmark.figures import Figures, SetInfo, SystemInfo
from antiphon.active.learner.record import Run
from antiphon.app.api.benchmark_shapes import Value
from antiphon.app.context import AppContext
from antiphon.app.services.benchmarks import StrategyResults, UnknownRunError, benchmarks_of
from antiphon.app.services.stepping import Stepping
from antiphon.evaluation.intervals import Interval

Id = Annotated[str, Query(pattern="^[0-9a-f]{16}$")]
Ids = Annotated[list[Id], Query(alias="run", min_length=1, max_length=20)]
Key = Annotated[str, Query(max_length=100)]
Keys = Annotated[list[Key], Query(alias="system", min_length=1, max_length=100)]
SetKey = Annotated[str, Query(alias="set", max_length=100)]


def as_file(text: str, name: str) -> Response:
    """Return a text to be kept as a file."""
    kind = "application/json" if name.endswith(".json") else "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=kind, headers=headers)


def value_of(interval: Interval) -> Value:
    """Return a figure with its interval."""
    return Value(value=number(interval.value), low=number(interval.low), high=number(interval.high))


def number(value: float) -> float | None:
    """Return a number as JSON has it."""
    return value if math.isfinite(value) else None


def results_of(context: AppContext, ids: Sequence[str]) -> StrategyResults:
    """Return what some runs hold together; 404 where one of them is gone."""
    try:
        return benchmarks_of(context).of_strategies(ids)
    except UnknownRunError as error:
        raise HTTPException(404, str(error)) from None


def plane_of(context: AppContext, ids: Sequence[str], data: SetInfo) -> Stepping:
    """Return the plane of a data set."""
    return benchmarks_of(context).stepping(ids, data.facts)


def set_of(figures: Figures, key: str) -> SetInfo:
    """Return a data set of the runs; 404 where there is none."""
    for data in figures.sets:
        if data.key == key:
            return data
    raise HTTPException(404, "These runs have no such data set.")


def systems_of(figures: Figures, keys: Sequence[str]) -> list[SystemInfo]:
    """Return strategies of the runs; 404 where there is none."""
    known = {system.key: system for system in figures.systems}
    for key in keys:
        if key not in known:
            raise HTTPException(404, "These runs have no such strategy.")
    return [known[key] for key in dict.fromkeys(keys)]


def runs_of(found: StrategyResults, system: SystemInfo, data: SetInfo) -> list[Run]:
    """Return the repeats of a strategy on a set, by seed."""
    mine = [r.run for r in found.results if r.system_key == system.key and r.facts.key == data.key]
    return sorted(mine, key=lambda run: run.seed)
