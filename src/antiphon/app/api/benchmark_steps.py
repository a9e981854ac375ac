"""Requests that show what a strategy chose, cycle by cycle."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter, HTTPException, Response

from antiphon.app.api.benchmark_common import (
    Ids,
    Key,
    SetKey,
    plane_of,
    results_of,
    runs_of,
    set_of,
    systems_of,
)
from antiphon.app.api.benchmark_shapes import Step, Steps
from antiphon.app.api.map import packed
from antiphon.app.security.identity import Context, Someone

router = APIRouter()


@router.get("/strategies/points", response_class=Response)
def points(context: Context, _person: Someone, run: Ids, data: SetKey) -> Response:
    """Return the rows of a set that can be chosen, on the plane of two principal components.

    In the form of the map's requests: ``xy`` (float32, x and y in turn) and ``codes`` (uint8, the
    class of each as an index of ``names``; 255 for none).
    """
    on = set_of(results_of(context, run).figures, data)
    plane = plane_of(context, run, on)
    told = {"names": list(plane.names), "share": [round(share, 6) for share in plane.share]}
    xy = np.ascontiguousarray(plane.position, "<f4")
    return packed(told, {"xy": xy, "codes": plane.codes})


@router.get("/strategies/steps")
def steps(
    context: Context, _person: Someone, run: Ids, data: SetKey, system: Key, seed: int
) -> Steps:
    """Return what one run chose, cycle by cycle; points count as in the request for points."""
    found = results_of(context, run)
    on = set_of(found.figures, data)
    mine = systems_of(found.figures, [system])[0]
    one = next((r for r in runs_of(found, mine, on) if r.seed == seed), None)
    if one is None:
        raise HTTPException(404, f"{mine.label} has no repeat {seed} on {on.label}.")
    plane = plane_of(context, run, on)
    chosen = plane.steps(one)
    told, seen = [], np.zeros(len(plane.labels), bool)
    for i, cycle in enumerate(one.cycles):
        rows = [] if chosen is None else chosen[i]
        if rows:
            seen |= plane.targets[rows].any(axis=0)
        told.append(
            Step(
                cycle=cycle.cycle,
                labelled=cycle.n_labelled,
                events=cycle.events,
                mAP=cycle.mAP,
                points=rows,
                classes=int(seen.sum()),
            )
        )
    note = "" if chosen is not None else "This run's file does not tell which rows were chosen."
    return Steps(kept=chosen is not None, note=note, classes=len(plane.labels), cycles=told)
