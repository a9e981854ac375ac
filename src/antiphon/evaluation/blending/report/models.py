"""Sections on models and blends: what may be judged, scores, what each model brings."""

from __future__ import annotations

from markupsafe import Markup

from antiphon.evaluation.blending.choosing.shares import NEAR
from antiphon.evaluation.blending.evaluate import Evaluation
from antiphon.evaluation.blending.report.number_text import (
    NOTHING,
    area,
    area_interval,
    p_text,
    signed,
)
from antiphon.evaluation.blending.report.parts import (
    Rows,
    name_cell,
    number,
    paragraph,
    red,
    span_of,
)
from antiphon.evaluation.blending.report.wording import delta_text, standing
from antiphon.evaluation.blending.trust.suspects import Component
from antiphon.plots.charts import dots_and_intervals
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Cell, Column, figure, table

NAN = float("nan")
# Lines that can be told apart in one chart.
_MOST_LINES = 10


def provenance_section(found: Evaluation) -> Markup:
    """Return what is declared and tested of each model's training."""
    canaries = any(c.canary is not None for c in found.components)
    columns = [
        Column("Model"),
        Column("Standing"),
        Column("Declared"),
        Column("Seen", True, "recordings that judge it and that it was trained on"),
        Column("Surer by", True, "membership test, in standard deviations of its logits"),
        Column("p, surer", True, "of the membership test, corrected by Holm"),
    ]
    if canaries:
        columns += [
            Column("Canary AUC", True, "over classes without training audio; 0.5 is chance"),
            Column("p, canary", True, "corrected by Holm"),
        ]
    columns.append(Column("Why"))
    rows = [_provenance_row(c, canaries) for c in found.components]
    body = table(columns, rows, caption="What each model may have seen", show_caption=True)
    tested = next((c.membership for c in found.components if c.membership is not None), None)
    if tested is None:
        said = (
            "No membership test: the score files hold no recordings without truth to compare with."
        )
    elif tested.note:
        said = f"No membership test: {tested.note}."
    else:
        said = (
            f"Membership test: {tested.n_judged} recordings that judge against {tested.n_matched} "
            f"without truth, matched by {found.matched_by}."
        )
    return body + paragraph(said)


def _provenance_row(c: Component, canaries: bool) -> list[str | Cell]:
    worry = c.standing != "judged"
    seen = len(c.provenance.overlap)
    row: list[str | Cell] = [
        name_cell(c.name, warning=worry),
        Cell(red(standing(c))) if worry else standing(c),
        c.provenance.status,
        number(f"{seen}", seen),
    ]
    m, k = c.membership, c.canary
    effect, p = (NAN, NAN) if m is None else (m.effect, m.p_holm)
    row += [number(signed(effect, 2), effect), _p_cell(p, m is not None and m.suspected)]
    if canaries:
        found, p = (NAN, NAN) if k is None else (k.auc, k.p_holm)
        row += [number(area(found, 3), found), _p_cell(p, k is not None and k.suspected)]
    return [*row, " ".join(c.reasons)]


def _p_cell(p: float, worry: bool) -> Cell:
    return Cell(red(p_text(p)) if worry else p_text(p), p)


def systems_section(found: Evaluation) -> Markup:
    """Return scores of models and blends and their differences from the equal rank blend."""
    systems = sorted(found.systems, key=lambda s: -s.auc)
    names = [s.name for s in systems]
    lows, highs = [s.low for s in systems], [s.high for s in systems]
    values = [s.auc for s in systems]
    dots = dots_and_intervals(
        names,
        values,
        lows,
        highs,
        label="Macro ROC-AUC of models and blends",
        x_title="macro ROC-AUC",
        notes=[area(v) for v in values],
        x_range=span_of(values, lows, highs),
        width=700,
    )
    body = figure(dots, "Macro ROC-AUC with its 95 % interval over recordings; the best first.")
    apart = [(s.name, s.delta) for s in systems if s.delta is not None]
    if apart:
        value, low, high = (
            [1000 * getattr(d, end) for _, d in apart] for end in ("value", "low", "high")
        )
        chart = dots_and_intervals(
            [name for name, _ in apart],
            value,
            low,
            high,
            label=f"Differences from {apart[0][1].reference}, in thousandths",
            x_title=f"thousandths of AUC above {apart[0][1].reference}",
            notes=[
                ("" if d.detectable != d.detectable else f"± {1000 * d.detectable:.1f}")
                for _, d in apart
            ],
            x_range=span_of(value, low, high, zero=True),
            width=700,
        )
        body += figure(
            chart,
            f"Paired difference from the {apart[0][1].reference} blend, in thousandths of AUC; at "
            "the right the smallest difference that these recordings could show.",
        )
    columns = [
        Column("System"),
        Column("Macro ROC-AUC", True, "with its 95 % interval over recordings"),
        Column("Difference", True, "from the equal rank blend, paired, with its 95 % interval"),
        Column("Smallest detectable", True, "difference, with power 0.8"),
        Column("p", True, "corrected by Holm"),
        Column("Within", True, "AUC over pairs of windows of one recording"),
        Column("Between", True, "AUC over pairs from two recordings"),
    ]
    rows: Rows = []
    for s in systems:
        d = s.delta
        rows.append(
            [
                name_cell(s.name, strong=s.sort == "chosen"),
                number(area_interval(s.auc, s.low, s.high), s.auc),
                NOTHING if d is None else number(delta_text(d), d.value),
                NOTHING if d is None else number(area(d.detectable), d.detectable),
                number(p_text(s.p_holm), s.p_holm),
                number(area(s.within, 3), s.within),
                number(area(s.between, 3), s.between),
            ]
        )
    rows += [
        [name_cell(c.name, warning=True), Cell(red(c.standing)), *[NOTHING] * 5]
        for c in found.components
        if not c.takes_part
    ]
    body += table(columns, rows, caption="Models and blends", show_caption=True)
    if found.search is not None and not found.search.keep_equal:
        body += paragraph(
            "The weights of the weighted blend were chosen on these recordings, so its difference "
            "here flatters; the nested gain is under Weights."
        )
    if found.problem.scores.min() < 0 or found.problem.scores.max() > 1:
        body += paragraph("Some scores are no probabilities, so only ranks can be blended.")
    return body


def shares_section(found: Evaluation) -> Markup:
    """Return the gain of each model, and the score for every share of it."""
    if not found.shares:
        return Markup("")
    columns = [
        Column("Model"),
        Column("With it", True, "equal rank blend of all models minus that of the others"),
        Column("Smallest detectable", True),
        Column("Best share", True, "on these recordings: an apparent figure"),
    ]
    rows: Rows = [
        [
            name_cell(s.model),
            number(delta_text(s.with_it), s.with_it.value),
            number(area(s.with_it.detectable), s.with_it.detectable),
            number(f"{s.best_share:.2f}", s.best_share),
        ]
        for s in found.shares
    ]
    body = table(columns, rows, caption="What the blend gains by each model", show_caption=True)
    shown = found.shares[:_MOST_LINES]
    chart = line_chart(
        [Series(s.model, s.share, s.auc) for s in shown],
        label="Macro ROC-AUC by the share of one model",
        x_title="share of the model, the rest to the others in equal parts",
        y_title="macro ROC-AUC",
        x_range=(0, 1),
        width=700,
        height=320,
    )
    some = f" The first {len(shown)} models." if len(shown) < len(found.shares) else ""
    body += figure(
        chart,
        "One model against the equal rank blend of the others: at 0 it is left out, at 1 it is "
        f"alone.{some}",
    )
    if found.crossing is not None:
        c = found.crossing
        body += paragraph(
            f"Exactly, over {c.breakpoints:,} breakpoints: the best weight of {c.second} against "
            f"{c.first} lies between {c.low:.4f} and {c.high:.4f} with a macro ROC-AUC of "
            f"{c.best:.4f} on these recordings. Weights from {c.near_low:.2f} to {c.near_high:.2f} "
            f"come within {NEAR:g} of it."
        )
    return body
