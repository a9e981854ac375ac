"""Charts and tables of how good the detector is."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from antiphon.pipeline.report.data import (
    Calibration,
    ClassQuality,
    Estimate,
    Learning,
    PrecisionRecall,
    Quality,
)
from antiphon.pipeline.report.words import estimate_text, groups_text, percent, plural
from antiphon.plots.charts import dots_and_intervals, reliability
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Cell, Column, figure, folded, table
from antiphon.plots.svg import element

# Curves shown at once; the others can be unfolded.
_MOST_CURVES = 12


def how_evaluated(quality: Quality) -> str:
    """Say what the numbers rest on."""
    parts = [f"{plural(quality.windows, 'labelled window')}"]
    if quality.groups:
        parts[0] += f" from {groups_text(quality.groups, quality.group_by)}"
    if quality.folds:
        kept = quality.group_by or "group"
        parts.append(f"{quality.folds} folds that never split a {kept}")
    level = percent(quality.level)
    if quality.bootstrap:
        parts.append(f"{level} intervals from {plural(quality.bootstrap, 'bootstrap replicate')}")
    else:
        parts.append(f"{level} intervals")
    if quality.seed is not None:
        parts.append(f"seed {quality.seed}")
    how = f" {quality.how.rstrip('.')}." if quality.how else ""
    return f"{'; '.join(parts)}.{how}"


def class_dots(quality: Quality) -> Markup:
    """Return average precision with intervals, best class first."""
    ranked = sorted(quality.classes, key=lambda c: -_value(c.average_precision))
    estimates = [c.average_precision or Estimate(math.nan) for c in ranked]
    picture = dots_and_intervals(
        [c.label for c in ranked],
        [e.value for e in estimates],
        [e.low for e in estimates],
        [e.high for e in estimates],
        notes=[f"n = {c.positives:,}" for c in ranked],
        label=f"Average precision of {plural(len(ranked), 'class', 'classes')} with intervals",
        x_title="average precision",
        width=520,
    )
    if len(ranked) > 24:
        picture = element(
            "div",
            picture,
            class_="tall",
            tabindex="0",
            role="region",
            aria_label="Average precision by class",
        )
    caption = (
        f"Average precision of each class; the bars are {percent(quality.level)} intervals, "
        "and n counts the positives that they rest on."
    )
    return figure(picture, caption)


def class_table(quality: Quality) -> Markup:
    """Return all numbers of all classes."""
    columns = [
        Column("Class"),
        Column(
            "Positives",
            numeric=True,
            hint="evaluated windows with the class present, and where from",
        ),
        Column("Negatives", numeric=True, hint="evaluated windows with the class absent"),
        Column("Average precision", numeric=True),
        Column("ROC AUC", numeric=True),
        Column("Threshold", numeric=True),
        Column("Precision", numeric=True, hint="at the threshold"),
        Column("Recall", numeric=True, hint="at the threshold"),
        Column(
            "More clips",
            numeric=True,
            hint="labelled clips that would narrow the interval of the precision",
        ),
    ]
    rows = [_class_row(c, quality.group_by) for c in quality.classes]
    return table(columns, rows, caption="Quality by class")


def curves(quality: Quality) -> Markup | None:
    """Return precision against recall for each class, most positives first."""
    ranked = sorted(quality.classes, key=lambda c: -c.positives)
    drawn = [
        figure(_curve(c.label, c.curve), _curve_caption(c, c.curve))
        for c in ranked
        if c.curve is not None
    ]
    if not drawn:
        return None
    shown = element("div", *drawn[:_MOST_CURVES], class_="multiples")
    rest = drawn[_MOST_CURVES:]
    if not rest:
        return shown
    more = folded(f"Curves of {len(rest)} more classes", element("div", *rest, class_="multiples"))
    return shown + more


def calibration_chart(calibration: Calibration) -> Markup:
    """Return the calibration plot with its table."""
    picture = reliability(
        calibration.predicted,
        calibration.observed,
        calibration.low,
        calibration.high,
        calibration.count,
        label="Calibration: predicted probability against the share of windows with the class",
    )
    rows = []
    for p, o, low, high, n in zip(
        calibration.predicted,
        calibration.observed,
        calibration.low,
        calibration.high,
        calibration.count,
        strict=True,
    ):
        if n > 0:
            rows.append(
                [
                    Cell(f"{p:.3f}", float(p)),
                    Cell(estimate_text(Estimate(float(o), float(low), float(high)), 3), float(o)),
                    Cell(f"{int(n):,}", float(n)),
                ]
            )
    columns = [
        Column("Predicted", numeric=True),
        Column("Observed", numeric=True),
        Column("Windows", numeric=True),
    ]
    total = int(np.sum(calibration.count))
    caption = (
        "A dot on the dashed line is a probability to be taken at its word; above it the detector "
        f"is too shy, below too sure. Expected calibration error "
        f"{estimate_text(calibration.error, 3)}, over {plural(total, 'score')} of all classes."
    )
    return figure(picture, caption, data=table(columns, rows, caption="Calibration by bin"))


def learning_chart(learning: Learning) -> Markup:
    """Return labels spent against quality, with its table."""
    series = [Series(c.name, c.labels, c.value, c.low, c.high) for c in learning.curves]
    picture = line_chart(
        series,
        label=f"Labels spent against {learning.measure}",
        x_title="labels spent",
        y_title=learning.measure,
        width=520,
        height=300,
    )
    rows: list[list[str | Cell]] = []
    for curve in learning.curves:
        numbers = zip(curve.labels, curve.value, curve.low, curve.high, strict=True)
        rows += [
            [
                curve.name,
                Cell(f"{n:,.0f}", float(n)),
                Cell(estimate_text(Estimate(float(v), float(low), float(high)), 3), float(v)),
                Cell(str(curve.seeds), curve.seeds),
            ]
            for n, v, low, high in numbers
        ]
    columns = [
        Column("Chosen by"),
        Column("Labels spent", numeric=True),
        Column(learning.measure, numeric=True),
        Column("Seeds", numeric=True),
    ]
    seeds = "; ".join(f"{c.name}: {plural(c.seeds, 'seed')}" for c in learning.curves)
    caption = f"Labels spent against {learning.measure}. Bands: {learning.band} ({seeds})."
    return figure(picture, caption, data=table(columns, rows, caption=caption))


def _curve(name: str, curve: PrecisionRecall) -> Markup:
    guess = None
    if math.isfinite(curve.prevalence):
        guess = ("guessing", curve.prevalence)
    return line_chart(
        [Series(name, curve.recall, curve.precision, curve.low, curve.high)],
        label=f"Precision against recall of {name}",
        x_title="recall",
        y_title="precision",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        reference=guess,
        width=300,
        height=250,
    )


def _curve_caption(quality: ClassQuality, curve: PrecisionRecall | None) -> Markup:
    said = f"average precision {estimate_text(quality.average_precision)}"
    basis = plural(quality.positives, "positive")
    return Markup("<b>{}</b>: {}, {}").format(quality.label, said, basis)


def _class_row(c: ClassQuality, group_by: str) -> list[str | Cell]:
    threshold = c.threshold if c.threshold is not None and math.isfinite(c.threshold) else None
    more = ""
    if c.more_clips is not None:
        more = _two_lines(f"{c.more_clips:,}", f"to ±{c.half_width:.2f}")
    return [
        _two_lines(c.label, c.note) if c.note else c.label,
        Cell(_two_lines(f"{c.positives:,}", f"in {groups_text(c.groups, group_by)}"), c.positives),
        Cell(f"{c.negatives:,}", c.negatives),
        _estimate(c.average_precision),
        _estimate(c.roc_auc),
        Cell("none" if threshold is None else f"{threshold:.2f}", threshold),
        _estimate(c.precision),
        _estimate(c.recall),
        Cell(more, c.more_clips),
    ]


def _estimate(estimate: Estimate | None) -> Cell:
    if estimate is None or not math.isfinite(estimate.value):
        return Cell("–")
    value, _, interval = estimate_text(estimate).partition(" [")
    content = _two_lines(value, f"[{interval}") if interval else value
    return Cell(content, estimate.value)


def _two_lines(first: str, second: str) -> Markup:
    return Markup("{} <small>{}</small>").format(first, second)


def _value(estimate: Estimate | None) -> float:
    """Return a number to rank by; what was not computed comes last."""
    return estimate.value if estimate is not None and math.isfinite(estimate.value) else -math.inf
