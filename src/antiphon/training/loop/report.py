"""The curves of a run and a page about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from antiphon._version import __version__
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Column, Section, facts, figure, folded, render_page, table
from antiphon.plots.svg import element
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import read_log
from antiphon.training.loop.measures import GRADIENT
from antiphon.training.loop.recorder import SHOWN

# Points of a curve; more are averaged, neighbours together.
_POINTS = 400
_SPEED = ("examples_per_s", "cpu_s")
_JUDGED = ("r_auc", "probe_accuracy", "probe_map")

Rows = Sequence[Mapping[str, float]]


def write_report(folder: RunFolder, facts_of_run: Sequence[tuple[str, str]]) -> None:
    """Write ``curves.svg`` and ``report.html`` from the logs of a run.

    Parameters
    ----------
    folder
        Of the run.
    facts_of_run
        What is said of it at the top.
    """
    from antiphon.replacing import write_whole

    log, judged = read_log(folder.log), read_log(folder.validation_log)
    loss = loss_chart(log, judged)
    write_whole(folder.curves, str(loss))
    parts = [facts(list(facts_of_run)), figure(loss, "Loss by step", data=_table(log))]
    measures = [name for name in _JUDGED if any(name in row for row in judged)]
    if measures:
        chart = line_chart(
            [_series(SHOWN[name], judged, name) for name in measures],
            label="Quality of the embeddings on held-out clips by step.",
            x_title="step",
            y_title="measure",
            width=640,
        )
        parts.append(figure(chart, "Retrieval and probe on held-out clips", data=_table(judged)))
    rest = [
        ("lr", "Learning rate"),
        (GRADIENT, "Norm of the gradient, before clipping"),
        ("examples_per_s", "Examples per second"),
    ]
    for name, caption in rest:
        if any(name in row for row in log):
            chart = line_chart(
                [_series(caption, log, name)],
                label=f"{caption} by step.",
                x_title="step",
                y_title=name.replace("_", " "),
                width=640,
                height=200,
            )
            parts.append(figure(chart, caption))
    text = element("pre", folder.config.read_text(encoding="utf-8"))
    sections = [
        Section("run", "The run", Markup("").join(parts)),
        Section("settings", "Settings", folded("All settings", text)),
    ]
    title = dict(facts_of_run).get("name", folder.path.name)
    page = render_page(f"Training of {title}", sections, footer=f"antiphon {__version__}")
    write_whole(folder.report, page)


def loss_chart(log: Rows, judged: Rows) -> Markup:
    """Draw the loss of training, and of validation where there is one."""
    series = [_series("training", log, "loss")]
    if any("loss" in row for row in judged):
        series.append(_series("held-out", judged, "loss"))
    return line_chart(series, label="Loss by step.", x_title="step", y_title="loss", width=640)


def _series(name: str, rows: Rows, column: str) -> Series:
    points = [(r["step"], r[column]) for r in rows if math.isfinite(r.get(column, math.nan))]
    size = max(1, math.ceil(len(points) / _POINTS))
    means = []
    for begin in range(0, len(points), size):
        some = points[begin : begin + size]
        means.append((some[-1][0], sum(p[1] for p in some) / len(some)))
    return Series(name, [p[0] for p in means], [p[1] for p in means])


def _table(rows: Rows) -> Markup:
    names = list(dict.fromkeys(name for row in rows for name in row))
    step = max(1, len(rows) // 30)
    chosen = [row for i, row in enumerate(rows) if i % step == 0 or i == len(rows) - 1]
    body = [[_cell(row.get(name)) for name in names] for row in chosen]
    return table([Column(name, numeric=True) for name in names], body, caption="By step")


def _cell(value: Any) -> str:
    if value is None or not math.isfinite(value):
        return "" if value is None else "none"
    return f"{value:,.0f}" if value == int(value) and abs(value) > 10 else f"{value:.5g}"
