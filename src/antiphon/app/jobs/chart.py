"""The learning curve as a drawing and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from antiphon.pipeline.history import Forecast
from antiphon.pipeline.report.data import LearningCurve
from antiphon.plots.lines import Series, line_chart

# More of them would hide the current one.
_EARLIER = 2


class Point(BaseModel):
    """What was reached after so many labels; no interval where positives lie in few groups."""

    labels: int
    value: float
    low: float | None = None
    high: float | None = None


def points_of(curve: LearningCurve) -> list[Point]:
    """Return the points of a curve."""
    return [
        Point(
            labels=int(n),
            value=float(value),
            low=float(low) if math.isfinite(low) else None,
            high=float(high) if math.isfinite(high) else None,
        )
        for n, value, low, high in zip(
            curve.labels, curve.value, curve.low, curve.high, strict=True
        )
    ]


def curve_chart(curves: Sequence[LearningCurve], predicted: Forecast | None, target: float) -> str:
    """Draw the curves, the current one first, as SVG; empty before the first point.

    Parameters
    ----------
    curves
        The current one last.
    predicted
        Its continuation, drawn to half as many labels again.
    target
        Drawn as a dashed line.
    """
    if not curves:
        return ""
    now = curves[-1]
    series = [Series("measured", now.labels, now.value, now.low, now.high)]
    if predicted is not None:
        spent = float(now.labels[-1])
        ahead = np.linspace(spent, 1.5 * spent, 40)
        value, low, high = predicted.curve.predict(ahead)
        series.append(Series("predicted", ahead, value, low, high))
    series += [
        Series(f"before: mean over {curve.name}", curve.labels, curve.value, curve.low, curve.high)
        for curve in curves[:-1][-_EARLIER:]
    ]
    last = points_of(now)[-1]
    most = max(float(np.max(one.x)) for one in series)
    least = min(float(np.min(one.x)) for one in series)
    return str(
        line_chart(
            series,
            label=(
                "Learning curve: macro average precision on held-out groups against labels; "
                f"{last.value:.2f} after {last.labels:,} labels. The table below has the numbers."
            ),
            x_title="Labels spent",
            y_title="Macro average precision",
            # From nothing, unless the first point lies so far off that the rest would be squeezed.
            x_range=(0.0 if least < most / 3 or least == most else 0.9 * least, max(most, 1.0)),
            y_range=(0.0, 1.0),
            reference=(f"wanted: {target:g}", target),
            width=820,
            height=340,
        )
    )
