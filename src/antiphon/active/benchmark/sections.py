"""Sections of the report that compare: against Random, by paired tests, by cost."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from antiphon.active.benchmark.comparing import (
    Comparison,
    Gain,
    Reference,
    against_random,
    against_reference,
    gains,
    random_for,
    set_verdict,
    verdicts,
)
from antiphon.active.benchmark.curves import MOST_LINES
from antiphon.active.benchmark.figures import RANDOM, SCORES, Figures, Score
from antiphon.active.benchmark.tables import TESTED
from antiphon.active.benchmark.words import (
    NOTHING,
    name_cell,
    p_text,
    paragraph,
    seconds_text,
    signed,
    signed_interval,
)
from antiphon.evaluation.paired import PairedDifference
from antiphon.plots.lines import Series, line_chart
from antiphon.plots.page import Cell, Column, figure, switch, table

_MARKS = {"win": "+", "loss": "−", "undecided": "=", None: NOTHING}


def against_random_section(figures: Figures) -> Markup:
    """Return wins and losses against Random by set, and the paired tests; nothing without it."""
    systems = [
        (s, random)
        for s in figures.systems
        if s.strategy != RANDOM and (random := random_for(figures, s)) is not None
    ]
    if not systems:
        return Markup("")
    columns = [
        Column("System"),
        Column("Against"),
        Column("Ahead", True, "sets where the 95 % interval of the difference lies above 0"),
        Column("Behind", True, "sets where it lies below 0"),
        Column("Undecided", True, "sets where it holds 0"),
        *(Column(data.label) for data in figures.sets),
    ]
    rows: list[list[str | Cell]] = []
    for system, random in systems:
        found = verdicts(figures, system, random)
        counts = [len(found.wins), len(found.losses), len(found.undecided)]
        marks = [_MARKS[set_verdict(figures, system, random, d)] for d in figures.sets]
        rows.append(
            [
                name_cell(system.label),
                name_cell(random.label),
                *(Cell(f"{n}", n) for n in counts),
                *marks,
            ]
        )
    caption = "AULC against Random on each set, beyond the noise between repeats"
    said = (
        "+ ahead, − behind, = neither: by the 95 % interval (Student's) of the paired difference "
        "over the repeats. Sets are not corrected for being several: by chance alone, one in forty "
        "is ahead."
    )
    tests = switch(
        "Score",
        [(SCORES[s], _tests(against_random(figures, s), s)) for s in TESTED],
    )
    return table(columns, rows, caption=caption, show_caption=True) + paragraph(said) + tests


def tests_section(figures: Figures, reference: Reference) -> Markup:
    """Return the paired tests of the reference against each other system."""
    if len(figures.systems) < 2:
        return Markup("")
    lead = (
        "Where it ran with several schedules, it is compared by the one that the other has."
        if not reference.exact
        else ""
    )
    panels = [(SCORES[s], _tests(against_reference(figures, reference, s), s)) for s in TESTED]
    return (paragraph(lead) if lead else Markup("")) + switch("Score", panels)


def _tests(found: Sequence[Comparison], score: Score) -> Markup:
    columns = [
        Column("System"),
        Column("Minus"),
        Column("Mean difference", True, "over sets, with the 95 % bootstrap interval"),
        Column("p, sign flips", True, "corrected by Holm"),
        Column("p, Wilcoxon", True, "corrected by Holm"),
        Column("n", True, "sets, and pairs of set and repeat"),
        Column("Unit", hint="what was resampled and flipped"),
    ]
    rows: list[list[str | Cell]] = []
    for c in found:
        d = c.difference
        rows.append(
            [
                name_cell(c.a),
                name_cell(c.b),
                Cell(signed_interval(d.value, d.low, d.high), d.value),
                Cell(p_text(c.p_permutation_holm), c.p_permutation_holm),
                Cell(p_text(c.p_wilcoxon_holm), c.p_wilcoxon_holm),
                Cell(f"{d.n_groups} sets, {d.n_pairs} pairs", d.n_pairs),
                "set" if d.unit == "group" else "pair",
            ]
        )
    caption = f"Paired differences in {SCORES[score]}, {len(found)} tests in one family"
    body = table(columns, rows, caption=caption, show_caption=True)
    if any(c.difference.unit == "pair" for c in found):
        body += paragraph(
            "Where the unit is the pair there are fewer than six sets: interval and p speak about "
            "these sets only, not about others."
        )
    return body


def gains_section(figures: Figures) -> Markup:
    """Return what the schedule and what the selection bring, against Random with batches of 50."""
    panels = []
    for score in ("aulc", "aulc_grid"):
        found = gains(figures, score)
        if found:
            panels.append((SCORES[score], _gains(found, score)))
    if not panels:
        return Markup("")
    lead = paragraph(
        "Smaller batches raise AULC by themselves: the curve is measured earlier, and the head is "
        "trained more often. Total is the gain over Random with batches of 50; selection is that "
        "over Random with the same batches; the rest is the schedule's. On the equal grid the "
        "part that comes from measuring earlier is gone. A dash means that the run needed for it "
        "is not here."
    )
    return lead + switch("Score", panels)


def _gains(found: Sequence[Gain], score: Score) -> Markup:
    columns = [
        Column("System"),
        Column("Total", True, "minus Random with batches of 50"),
        Column("Selection", True, "minus Random with the same batches"),
        Column("Schedule", True, "Random with these batches minus Random with batches of 50"),
        Column("Own schedule", True, "minus the same strategy with batches of 50"),
    ]
    rows: list[list[str | Cell]] = [
        [
            name_cell(g.system),
            *(_gain(part) for part in (g.total, g.selection, g.schedule, g.own_schedule)),
        ]
        for g in found
    ]
    caption = f"Gains in {SCORES[score]}, mean over sets with the 95 % bootstrap interval"
    return table(columns, rows, caption=caption, show_caption=True)


def _gain(part: PairedDifference | None) -> Cell:
    if part is None:
        return Cell(NOTHING, None)
    if part.value == part.low == part.high == 0:
        return Cell(signed(0.0), 0.0)
    return Cell(signed_interval(part.value, part.low, part.high), part.value)


def cost_section(figures: Figures) -> Markup:
    """Return costs of selection, training and annotation, and AULC against the first."""
    columns = [
        Column("System"),
        Column("AULC", True),
        Column("AULC, mean over n", True),
        Column("AULC, equal grid", True),
        Column("Selection, each cycle", True, "mean over sets"),
        Column("Slowest set", True, "mean selection of one cycle on the slowest set"),
        Column("Training cost", True, "parameters x epochs x cycles over the baseline's"),
        Column("Training", True, "all cycles of one run, mean over sets"),
        Column("Events", True, "annotation cost of one run, mean over sets"),
    ]
    rows: list[list[str | Cell]] = []
    points = []
    for system in figures.systems:
        s = figures.standings[system.key]
        row: list[str | Cell] = [name_cell(system.label)]
        for score in ("aulc", "aulc_mean", "aulc_grid"):
            whole = s.overall[score]
            row.append(Cell(NOTHING) if whole is None else Cell(f"{whole.value:.3f}", whole.value))
        rows.append(
            [
                *row,
                Cell(seconds_text(s.select_cycle_s), s.select_cycle_s),
                Cell(seconds_text(s.most_select_cycle_s), s.most_select_cycle_s),
                Cell(f"{s.relative_cost:.2f}", s.relative_cost),
                Cell(seconds_text(s.train_s), s.train_s),
                Cell(f"{s.events:,.0f}", s.events),
            ]
        )
        area = s.overall["aulc"]
        if area is not None and s.select_cycle_s > 0:
            points.append(
                Series(system.label, [s.select_cycle_s], [area.value], [area.low], [area.high])
            )
    body = table(columns, rows, caption="Cost of each system", show_caption=True)
    points = points[:MOST_LINES]
    if len(points) > 1:
        x = [float(p.x[0]) for p in points]
        chart = line_chart(
            points,
            label="AULC against seconds of selection",
            x_title="seconds of one selection",
            y_title="AULC",
            x_range=(min(x) / 2, max(x) * 2),
            x_log=True,
            width=640,
            height=320,
        )
        some = f", the best {len(points)}" if len(points) < len(figures.systems) else ""
        body += figure(
            chart, f"Overall AULC against seconds of selection{some}; better is up and left."
        )
    return body + paragraph(
        "Seconds were measured while other runs went on beside, each on one core; for figures to "
        "publish, run with --jobs 1."
    )
