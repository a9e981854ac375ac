"""Figures as JSON values and as CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from antiphon.active.benchmark.comparing import (
    against_random,
    against_reference,
    gains,
    random_for,
    reference_of,
    verdicts,
)
from antiphon.active.benchmark.compute import equal_grid
from antiphon.active.benchmark.figures import (
    RANDOM,
    SCORES,
    Figures,
    Score,
    plain,
)
from antiphon.active.benchmark.folder import Failure, Result
from antiphon.labels.formats.table import csv_text
from antiphon.replacing import write_whole

_WHO = ("set", "system", "seed")
_RUN_COLUMNS = (
    *("set_name", "domain", "strategy", "n_labelled", "aulc", "aulc_mean_over_n"),
    *("aulc_equal_grid", "final_mAP", "events", "select_s", "train_s", "relative_cost"),
)
_CYCLE_COLUMNS = (
    *("cycle", "n_labelled", "events", "mAP", "accuracy", "f1", "calibration_error", "loss"),
    *("select_s", "predict_s", "train_s", "judge_s"),
)

TESTED: tuple[Score, ...] = ("aulc", "aulc_grid", "final")
"""Scores that are compared by tests."""


def figures_json(
    figures: Figures, failures: Sequence[Failure] = (), reference: str | None = None
) -> dict[str, Any]:
    """Return all figures of the report as plain JSON values.

    Raises
    ------
    UserError
        If there are no results of the reference.
    """
    other = reference_of(figures, reference)
    labels = {s.key: s.label for s in figures.systems} | {s.key: s.label for s in figures.sets}
    cells = [
        plain(cell) | {"system": labels[cell.system], "set": labels[cell.set]}
        for cell in figures.cells.values()
    ]
    standings = {
        s.label: {k: v for k, v in plain(figures.standings[s.key]).items() if k != "system"}
        for s in figures.systems
    }
    won = []
    for system in figures.systems:
        random = random_for(figures, system)
        if random is not None and system.strategy != RANDOM:
            won.append(plain(verdicts(figures, system, random)))
    return {
        "scores": dict(SCORES),
        "systems": [plain(s) for s in figures.systems],
        "sets": [plain(s) for s in figures.sets],
        "results": cells,
        "overall": standings,
        "reference": other.title,
        "against_reference": _compared(figures, lambda s: against_reference(figures, other, s)),
        "against_random": _compared(figures, lambda s: against_random(figures, s)),
        "beyond_noise_against_random": won,
        "gains": [plain(g) for score in ("aulc", "aulc_grid") for g in gains(figures, score)],
        "failures": [f.to_json() for f in failures],
        "notes": list(figures.notes),
    }


def write_tables(results: Sequence[Result], figures: Figures, folder: Path) -> list[Path]:
    """Write ``runs.csv`` (one row for each run) and ``cycles.csv`` (one for each of its cycles).

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    texts = table_texts(results, figures)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def table_texts(results: Sequence[Result], figures: Figures) -> dict[str, str]:
    """Return ``runs.csv``, ``cycles.csv`` and, where runs kept it, ``classes.csv`` as text."""
    labels = {s.key: s.label for s in figures.systems} | {s.key: s.label for s in figures.sets}
    runs, cycles = [], []
    for result in results:
        run = result.run
        who = [labels[result.facts.key], labels[result.system_key], str(run.seed)]
        runs.append(
            [
                *who,
                result.facts.name,
                result.facts.domain,
                run.strategy,
                str(run.cycles[-1].n_labelled),
                _number(run.aulc()),
                _number(run.aulc_mean()),
                _number(run.aulc_on_grid(equal_grid(run.cycles[-1].n_labelled))),
                _number(run.cycles[-1].mAP),
                str(run.events()),
                _number(run.select_s()),
                _number(sum(c.train_s for c in run.cycles)),
                _number(run.relative_cost()),
            ]
        )
        for c in run.cycles:
            numbers = (c.mAP, c.accuracy, c.f1, c.calibration_error, c.loss)
            seconds = (c.select_s, c.predict_s, c.train_s, c.judge_s)
            cycles.append(
                [*who, str(c.cycle), str(c.n_labelled), str(c.events)]
                + [_number(v) for v in (*numbers, *seconds)]
            )
    texts = {
        "runs.csv": csv_text([*_WHO, *_RUN_COLUMNS], runs),
        "cycles.csv": csv_text([*_WHO, *_CYCLE_COLUMNS], cycles),
    }
    classes = [
        [labels[r.facts.key], labels[r.system_key], str(r.run.seed), name, _maybe(value)]
        for r in results
        for name, value in r.run.by_label
    ]
    if classes:
        texts["classes.csv"] = csv_text([*_WHO, "class", "average_precision"], classes)
    return texts


def _compared(figures: Figures, compare: Any) -> dict[str, Any]:
    return {score: [plain(c) for c in compare(score)] for score in TESTED}


def _number(value: float) -> str:
    return f"{value:.8g}" if value == value else ""


def _maybe(value: float | None) -> str:
    return "" if value is None else _number(value)
