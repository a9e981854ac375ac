"""The results file of a submission, from runs of the loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from antiphon.active.baseal.fields import Form
from antiphon.active.baseal.results import running_area
from antiphon.active.learner.record import Cycle, Run
from antiphon.active.learner.scores import BASELINE_BATCH, BASELINE_EPOCHS
from antiphon.errors import UserError
from antiphon.labels.formats.table import write_text

# BaseAL reckons its baseline with batches of 32, the task page with 50.
_BASELINE_BATCH_COMPAT = 32


@dataclass(frozen=True, slots=True)
class Header:
    """What a results file says besides its figures.

    Parameters
    ----------
    lastname
        Of the corresponding author.
    institute
        Abbreviation, or None.
    model
        Which vectors, as ``perch_v2``.
    dataset
        As BaseAL names the set; that of the runs if empty.
    method
        Name of the strategy; that of the runs if empty.
    """

    lastname: str
    institute: str | None = None
    model: str = "perch_v2"
    dataset: str = ""
    method: str = ""


def submission_fields(
    runs: Sequence[Run],
    header: Header,
    *,
    form: Form = "aggregated",
    compat: bool = False,
    when: datetime | None = None,
) -> dict[str, Any]:
    """Return the fields of a results file, in their order.

    Parameters
    ----------
    runs
        Independent runs of one strategy on one set with one setting; five for a submission.
    form
        ``"aggregated"`` as on the task page, or ``"export"`` as of ``learner.export()``.
    compat
        Whether the baseline is BaseAL's: ``budget // 32`` cycles and as many parameters as the
        head has. Otherwise it is the task page's: ``ceil(labels spent / 50)`` cycles of a head
        whose hidden layer is as wide as the vectors.
    when
        Time of submission; now if None.

    Notes
    -----
    As in BaseAL, deviations are divided by n, events of a cycle are those of the first run, and
    values are rounded to six decimals (annotation totals to two).

    Raises
    ------
    UserError
        If there are no runs, or they differ in strategy, set, settings or labels spent.
    """
    cycles = _aligned(runs)
    first = runs[0]
    n_cycles = len(cycles)
    repeats = "n_outer_repeats" if form == "aggregated" else "repeats"
    rows = _aggregated_rows(cycles) if form == "aggregated" else _export_rows(runs, cycles)
    cost = _cost(first, n_cycles, cycles[-1][0].n_labelled, compat=compat)
    return {
        "submission_timestamp": (when or datetime.now()).isoformat(timespec="seconds"),
        "author_lastname": header.lastname,
        "institute_abbreviation": header.institute,
        "sampling_strategy": header.method or first.strategy,
        "dataset": header.dataset or first.dataset,
        "model": header.model,
        "config": {
            "learning_rate": float(first.config.learning_rate),
            "model_parameters": int(first.parameters),
            repeats: len(runs),
            "pretrain_samples": 0,
        },
        "learning_curve": rows,
        "supplementary": {
            "n_cycles": n_cycles,
            **(_totals(runs, n_cycles) if form == "aggregated" else _sums(rows)),
            "computational_cost": cost,
        },
    }


def write_submission(
    runs: Sequence[Run],
    folder: Path,
    header: Header,
    *,
    form: Form = "aggregated",
    compat: bool = False,
    when: datetime | None = None,
) -> Path:
    """Write ``{method}_{dataset}_{lastname}.yaml`` into a folder and return its path.

    Parameters and errors are those of :func:`submission_fields`.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    fields = submission_fields(runs, header, form=form, compat=compat, when=when)
    name = submission_name(fields["sampling_strategy"], fields["dataset"], header.lastname)
    path = folder / name
    write_text(path, yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))
    return path


def submission_name(method: str, dataset: str, lastname: str) -> str:
    """Return ``{method}_{dataset}_{lastname}.yaml`` with marks that are safe in file names.

    Raises
    ------
    UserError
        If a part is empty.
    """
    parts = [re.sub(r"[^\w.-]+", "-", part.replace("/", "_").strip()) for part in (method, dataset)]
    parts.append(re.sub(r"[^\w.-]+", "-", lastname.strip()))
    for part, what in zip(parts, ("method", "data set", "last name"), strict=True):
        if not part.strip("-_."):
            raise UserError(f"The {what} is empty; a results file is named by it.")
    return f"{'_'.join(parts)}.yaml"


def _aligned(runs: Sequence[Run]) -> list[list[Cycle]]:
    """Return for each cycle that all runs have that of each run."""
    if not runs:
        raise UserError("There are no runs to write results of.")
    first = runs[0]
    for run in runs[1:]:
        for what in ("strategy", "dataset", "config"):
            if getattr(run, what) != getattr(first, what):
                raise UserError(
                    f"Runs that are to be one result differ in {what}: "
                    f"{getattr(first, what)!r} and {getattr(run, what)!r}."
                )
    count = min(len(run.cycles) for run in runs)
    if count == 0:
        raise UserError(f"A run of {first.strategy} on {first.dataset} has no cycles.")
    cycles = [[run.cycles[i] for run in runs] for i in range(count)]
    for index, group in enumerate(cycles, start=1):
        spent = {cycle.n_labelled for cycle in group}
        if len(spent) > 1:
            raise UserError(
                f"Runs of {first.strategy} on {first.dataset} have {min(spent)} to {max(spent)} "
                f"labels after cycle {index}; only equal schedules can be averaged."
            )
    return cycles


def _areas(runs_cycles: Sequence[Sequence[Cycle]], value: Callable[[Cycle], float]) -> np.ndarray:
    """Return the running area of each run, ``(n_cycles, n_runs)``."""
    n_labelled = [group[0].n_labelled for group in runs_cycles]
    values = np.array([[value(cycle) for cycle in group] for group in runs_cycles])
    return np.array([running_area(n_labelled, column) for column in values.T.tolist()]).T


def _aggregated_rows(cycles: Sequence[Sequence[Cycle]]) -> list[dict[str, Any]]:
    areas = _areas(cycles, lambda cycle: cycle.mAP)
    rows = []
    for index, (group, area) in enumerate(zip(cycles, areas, strict=True), start=1):
        quality = [cycle.mAP for cycle in group]
        seconds = [cycle.select_s for cycle in group]
        rows.append(
            {
                "cycle": index,
                "n_labeled": int(group[0].n_labelled),
                "mAP_mean": _mean(quality),
                "mAP_sd": _sd(quality),
                "aulc_mAP_mean": _mean(area),
                "aulc_mAP_sd": _sd(area),
                "annotation_cost": int(group[0].events),
                "sampling_time_s_mean": _mean(seconds),
                "sampling_time_s_sd": _sd(seconds),
            }
        )
    return rows


def _export_rows(runs: Sequence[Run], cycles: Sequence[Sequence[Cycle]]) -> list[dict[str, Any]]:
    metrics: dict[str, Callable[[Cycle], float]] = {
        "accuracy": lambda cycle: cycle.accuracy,
        "f1_score": lambda cycle: cycle.f1,
        "mAP": lambda cycle: cycle.mAP,
    }
    areas = {name: _areas(cycles, value) for name, value in metrics.items()}
    rows = []
    for index, group in enumerate(cycles):
        values = {name: [value(cycle) for cycle in group] for name, value in metrics.items()}
        rows.append(
            {
                "cycle": index + 1,
                **{name: _mean(found) for name, found in values.items()},
                **{f"{name}_sd": _sd(found) for name, found in values.items()},
                "n_labeled": int(group[0].n_labelled),
                "epochs": int(runs[0].config.epochs),
                "batch_size": int(runs[0].config.batch),
                "sampling_time_s": _mean([cycle.select_s for cycle in group]),
                "annotation_cost": int(group[0].events),
                **{f"aulc_{name}": _mean(areas[name][index]) for name in ("mAP", "accuracy")},
                "aulc_f1_score": _mean(areas["f1_score"][index]),
            }
        )
    return rows


def _totals(runs: Sequence[Run], n_cycles: int) -> dict[str, Any]:
    events = [sum(cycle.events for cycle in run.cycles[:n_cycles]) for run in runs]
    seconds = [sum(cycle.select_s for cycle in run.cycles[:n_cycles]) for run in runs]
    return {
        "n_outer_repeats": len(runs),
        "total_annotation_cost_mean": _mean(events, 2),
        "total_annotation_cost_sd": _sd(events, 2),
        "total_sampling_time_s_mean": _mean(seconds),
        "total_sampling_time_s_sd": _sd(seconds),
    }


def _sums(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "total_sampling_time_s": round(sum(row["sampling_time_s"] for row in rows), 6),
        "total_annotation_cost": sum(row["annotation_cost"] for row in rows),
    }


def _cost(run: Run, n_cycles: int, spent: int, *, compat: bool) -> dict[str, Any]:
    """Return the training cost, parameters x epochs x cycles, and the baseline's."""
    if compat:
        baseline_cycles = run.config.budget // _BASELINE_BATCH_COMPAT
        baseline_parameters = run.parameters
    else:
        baseline_cycles = -(-spent // BASELINE_BATCH)
        baseline_parameters = run.baseline_parameters
    cost = run.parameters * run.config.epochs * n_cycles
    baseline = baseline_parameters * BASELINE_EPOCHS * baseline_cycles
    return {
        "model_parameters": int(run.parameters),
        "epochs_per_cycle": int(run.config.epochs),
        "n_cycles": n_cycles,
        "cost_method": int(cost),
        "baseline_n_cycles": int(baseline_cycles),
        "baseline_cost": int(baseline),
        "relative_cost": round(cost / baseline, 4) if baseline else None,
    }


def _mean(values: Sequence[float] | np.ndarray, digits: int = 6) -> float:
    return round(float(np.mean(values)), digits)


def _sd(values: Sequence[float] | np.ndarray, digits: int = 6) -> float:
    return round(float(np.std(values)), digits)
