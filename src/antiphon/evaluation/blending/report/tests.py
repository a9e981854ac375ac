"""Sections on choices: weights, steps, boards."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from antiphon.evaluation.blending.evaluate import Evaluation
from antiphon.evaluation.blending.report.number_text import (
    NOTHING,
    area,
    p_text,
    signed,
    signed_interval,
)
from antiphon.evaluation.blending.report.parts import Rows, name_cell, number, paragraph, span_of
from antiphon.evaluation.blending.report.wording import delta_text, split_sentence
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.page import Column, figure, table


def weights_section(found: Evaluation) -> Markup:
    """Return learned against equal weights; nothing without a search."""
    search = found.search
    if search is None:
        return Markup("")
    columns = [
        Column("Held out"),
        Column("Gain", True, "learned minus equal weights where they were not chosen"),
        Column("Optimism", True, "what the choice only seemed to bring"),
        Column("Parts", True),
    ]
    nan = float("nan")
    rows: Rows = [
        [
            "nothing (apparent)",
            number(signed(search.apparent), search.apparent),
            NOTHING,
            number("1", 1),
        ]
    ]
    for one in search.nested:
        lost = search.apparent - one.gain
        parts = f"{one.folds}" + (f" x {one.repeats}" if one.repeats > 1 else "")
        rows.append(
            [
                f"by {one.grouping} ({one.n_groups})",
                number(signed_interval(one.gain, one.low, one.high), one.gain),
                number(signed(lost), lost),
                number(parts, one.folds),
            ]
        )
    body = paragraph(search.reason)
    caption = "Learned against equal weights of the rank blend"
    body += table(columns, rows, caption=caption, show_caption=True)
    total = sum(search.learned)
    drawn = np.array(search.nested[0].weights)
    chart = dots_and_intervals(
        search.models,
        [w / total for w in search.learned],
        drawn.min(axis=0) if len(drawn) else [nan] * len(search.models),
        drawn.max(axis=0) if len(drawn) else [nan] * len(search.models),
        label="Learned weight of each model",
        x_title=f"weight; equal ones are {1 / len(search.models):.2f}",
        notes=[f"{w / total:.2f}" for w in search.learned],
        x_range=span_of([0.0, 1.0]),
        width=560,
    )
    body += figure(
        chart,
        "Learned weights after shrinkage, with the range over the parts of the nested search. "
        f"{search.shrinkage:.0%} of the way from equal weights to the best candidate is gone.",
    )
    how = (
        f"{search.n_candidates} candidates on a grid" if search.method == "grid" else "greedy steps"
    )
    best = ", ".join(f"{m} {w}" for m, w in zip(search.models, search.best, strict=True))
    return body + paragraph(f"Best of {how} on all recordings: {best}.")


def stages_section(found: Evaluation) -> Markup:
    """Return each step with its test against the stage before it; nothing without steps."""
    if not found.stages:
        return Markup("")
    columns = [
        Column("Step"),
        Column("Macro ROC-AUC", True),
        Column("Difference", True, "from the stage before it, with its 95 % interval"),
        Column("Smallest detectable", True),
        Column("p", True),
    ]
    rows: Rows = [
        [
            name_cell(s.step),
            number(area(s.auc), s.auc),
            number(delta_text(s.delta), s.delta.value),
            number(area(s.delta.detectable), s.delta.detectable),
            number(p_text(s.delta.p), s.delta.p),
        ]
        for s in found.stages
    ]
    value, low, high = (
        [1000 * getattr(s.delta, end) for s in found.stages] for end in ("value", "low", "high")
    )
    chart = dots_and_intervals(
        [s.step for s in found.stages],
        value,
        low,
        high,
        label="What each step changes, in thousandths of AUC",
        x_title="thousandths of AUC above the stage before",
        notes=[f"{v:+.1f}" for v in value],
        x_range=span_of(value, low, high, zero=True),
        width=620,
    )
    return table(columns, rows, caption="Steps, in their order", show_caption=True) + figure(
        chart, "Each step against the stage before it, paired over recordings."
    )


def splits_section(found: Evaluation) -> Markup:
    """Return what leaders of simulated public boards are worth on the private ones."""
    s = found.splits
    columns = [
        Column("System"),
        Column("Leads public", True, "share of the splits"),
        Column("Leads private", True, "share of the splits"),
        Column("Public minus private", True, "standard deviation over splits"),
        Column("Lead moves by", True, f"standard deviation of the lead over {s.names[0]}"),
    ]
    rows: Rows = [
        [
            name_cell(name, strong=name == found.chosen.name),
            number(f"{s.public_leads[k]:.0%}", float(s.public_leads[k])),
            number(f"{s.private_leads[k]:.0%}", float(s.private_leads[k])),
            number(f"{s.gap_sd[k]:.4f}", float(s.gap_sd[k])),
            NOTHING if k == 0 else number(f"{s.delta_sd[k]:.4f}", float(s.delta_sd[k])),
        ]
        for k, name in enumerate(s.names)
    ]
    scores = {one.name: one.auc for one in found.systems}
    order = sorted(
        range(len(rows)), key=lambda k: (-float(s.private_leads[k]), -scores[s.names[k]])
    )
    caption = f"{s.n_splits:,} random splits of the recordings"
    body = paragraph(split_sentence(found))
    return body + table(columns, [rows[k] for k in order], caption=caption, show_caption=True)
