"""Requests about what was measured of encoders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, HTTPException, Response

from antiphon.app.api.benchmark_common import Ids, as_file, number
from antiphon.app.api.benchmark_shapes import (
    EncoderDifference,
    EncoderMean,
    EncoderRow,
    Encoders,
    EncoderSet,
    Value,
)
from antiphon.app.context import AppContext
from antiphon.app.security.identity import Context, Someone
from antiphon.app.services.benchmarks import UnknownRunError, benchmarks_of
from antiphon.evaluation.benchmarks.judging.differences import differences
from antiphon.evaluation.benchmarks.judging.results import Result
from antiphon.evaluation.benchmarks.output.exports import measures_csv, table_csv
from antiphon.evaluation.benchmarks.output.table import NAMES, SHOWN, Row, make_table
from antiphon.plots.charts import dots_and_intervals

router = APIRouter()


@router.get("/encoders")
def encoders(context: Context, _person: Someone, run: Ids) -> Encoders:
    """Return all figures of some runs of encoders."""
    results, notes = _results(context, run)
    table = make_table(results)
    return Encoders(
        encoders=list(table.encoders),
        ranks={name: number(rank) for name, rank in table.ranks.items()},
        rows=[_row(row, table.encoders) for row in table.rows],
        sets=[_set(result) for result in results],
        differences=[
            EncoderDifference(
                name=one.name,
                family=NAMES[one.family],
                best=one.best,
                other=one.other,
                value=number(one.value),
                low=number(one.low),
                high=number(one.high),
                groups=one.groups,
                verdict=one.verdict,
            )
            for one in differences(results)
        ],
        notes=[*table.notes, *notes],
    )


@router.get("/encoders/download", response_class=Response)
def download(
    context: Context,
    _person: Someone,
    run: Ids,
    what: Literal["table.csv", "measures.csv", "results.json"],
) -> Response:
    """Return the table or all measures as CSV, or all results as JSON."""
    results, _ = _results(context, run)
    if what == "results.json":
        return as_file(json.dumps([result.to_json() for result in results], indent=1), what)
    text = table_csv(make_table(results)) if what == "table.csv" else measures_csv(results)
    return as_file(text, what)


def _results(context: AppContext, ids: Sequence[str]) -> tuple[list[Result], list[str]]:
    try:
        return benchmarks_of(context).of_encoders(ids)
    except UnknownRunError as error:
        raise HTTPException(404, str(error)) from None


def _row(row: Row, names: Sequence[str]) -> EncoderRow:
    title = f"{NAMES[row.family]}: {row.title}"
    chart = dots_and_intervals(
        names,
        [mean.value for mean in row.means],
        [mean.low for mean in row.means],
        [mean.high for mean in row.means],
        label=title,
        x_title=row.title,
        width=460,
    )
    return EncoderRow(
        family=NAMES[row.family],
        measure=row.title,
        means=[
            EncoderMean(
                encoder=mean.encoder,
                value=number(mean.value),
                low=number(mean.low),
                high=number(mean.high),
                rank=number(mean.rank),
            )
            for mean in row.means
        ],
        sets=list(row.sets),
        partial=list(row.partial),
        svg=str(chart),
    )


def _set(result: Result) -> EncoderSet:
    values = {}
    for what in SHOWN[result.family]:
        found = result.value(*what)
        if found is not None:
            values[NAMES[what]] = Value(
                value=number(found.value), low=number(found.low), high=number(found.high)
            )
    return EncoderSet(
        family=NAMES[result.family],
        name=result.name,
        encoder=result.encoder.label,
        items=result.counts.get("all", 0),
        values=values,
    )
