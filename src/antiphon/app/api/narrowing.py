"""Conditions on recordings and detections as parameters of requests."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from antiphon.errors import UserError
from antiphon.pipeline.browse.detections import DetectionFilter

Names = Annotated[list[str], Query(max_length=200)]
Hour = Annotated[float | None, Query(ge=0, le=24, allow_inf_nan=False)]
Share = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]


def _wanted(
    label: Names = [],  # noqa: B006 - FastAPI copies defaults
    site: Names = [],  # noqa: B006
    first_date: date | None = None,
    last_date: date | None = None,
    from_hour: Hour = None,
    to_hour: Hour = None,
    min_score: Share = None,
    recording: int | None = None,
) -> DetectionFilter:
    dates = None
    if first_date is not None or last_date is not None:
        dates = (first_date or date.min, last_date or date.max)
        if dates[1] < dates[0]:
            raise UserError("The last date comes before the first.")
    hours = None
    if from_hour is not None or to_hour is not None:
        hours = (from_hour or 0.0, 24.0 if to_hour is None else to_hour)
        if hours[0] == hours[1]:
            raise UserError("The hours begin and end at the same time.")
    return DetectionFilter(tuple(label), tuple(site), dates, hours, min_score, recording)


Wanted = Annotated[DetectionFilter, Depends(_wanted)]
