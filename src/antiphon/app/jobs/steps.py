"""What a job does, step by step; runs in the worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from antiphon.app.jobs.preferences import Preferences
from antiphon.app.jobs.queue import fill_queue
from antiphon.app.jobs.records import Measured, Outcome, Step
from antiphon.errors import UserError
from antiphon.pipeline.browse.thresholds import set_before
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.evaluate import evaluate
from antiphon.pipeline.report.values import to_json
from antiphon.pipeline.train import train
from antiphon.pipeline.windows import load_windows, targets
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Tell = Callable[[dict[str, Any]], None]

_TITLES = {
    "train": "Train the detector",
    "choose": "Choose the next windows",
    "measure": "Measure it on windows it has not seen",
}
# The next windows come before the measurement: labelling waits for them, not for the figures.
_STEPS = {"train": ("train", "choose", "measure"), "batch": ("choose",)}


def steps_of(kind: str) -> list[Step]:
    """Return the steps of a kind of job, none of them begun."""
    return [Step(name=name, title=_TITLES[name]) for name in _STEPS[kind]]


def run_job(folder: ProjectFolder, kind: str, preferences: Preferences, tell: Tell) -> Outcome:
    """Do a job and return what it brought.

    Too few labels are no fault: the notes say what is missing, and the queue is renewed all the
    same.

    Parameters
    ----------
    tell
        Called when a step begins and ends, with the fields of
        :class:`~antiphon.app.jobs.records.Step`.

    Raises
    ------
    AntiphonError
        If the project cannot be used as it is.
    """
    table = folder.table()
    outcome = Outcome()
    work = {"train": _train, "choose": _choose, "measure": _measure}
    for step in steps_of(kind):
        if step.name == "measure" and outcome.detector is None:
            tell({"name": step.name, "state": "skipped"})
            continue
        tell({"name": step.name, "state": "running"})
        began, cpu = time.perf_counter(), time.process_time()
        try:
            work[step.name](folder, table, preferences, outcome)
        except UserError as error:
            # Subclasses speak of a project that cannot be read, which is a fault.
            if type(error) is not UserError:
                raise
            outcome.notes.append(str(error))
        tell(
            {
                "name": step.name,
                "state": "done",
                "seconds": round(time.perf_counter() - began, 2),
                "cpu_s": round(time.process_time() - cpu, 2),
            }
        )
    return outcome


def lacking(folder: ProjectFolder, table: VectorTable) -> list[str]:
    """Return what is missing before a detector can be trained, a sentence each."""
    windows = load_windows(folder, table)
    names = folder.catalogue.label_names()
    if not names:
        return ["The project has no labels yet. Add one on the page Label and answer windows."]
    said = targets(folder, windows, names)
    rows = np.flatnonzero(~np.isnan(said).all(axis=1))
    if not len(rows):
        return ["No window carries a label yet. Answer some on the page Label."]
    found = []
    present, absent = (said[rows] == 1.0).any(axis=0), (said[rows] == 0.0).any(axis=0)
    if not present.any():
        found.append(
            f"None of the {len(rows):,} labelled windows has a label present; a detector needs "
            "examples of what it is to find."
        )
    elif not absent[present].any():
        found.append(
            "No window is known to lack a label, and a detector learns from both: answer "
            "“nothing here”, or mark a label absent, in some windows."
        )
    by = folder.config.train.group_by
    groups, _ = windows.take(rows).groups(by)
    if len(np.unique(groups)) < 2:
        found.append(
            f"All {len(rows):,} labelled windows come from one {_kind_of(by)}. A detector is "
            f"judged where it has not learnt, so label windows of a second {_kind_of(by)}, "
            "better of five."
        )
    return found


def _train(
    folder: ProjectFolder, table: VectorTable, preferences: Preferences, outcome: Outcome
) -> None:
    outcome.labels_spent = folder.catalogue.labels_spent()
    missing = lacking(folder, table)
    if missing:
        outcome.notes += missing
        return
    before = find_detector(folder, table)
    head = "linear" if before is None else str(before.facts.get("head", "linear"))
    report = train(folder, table, head=head)
    outcome.detector = report.detector.facts["name"]
    outcome.windows = report.windows
    outcome.groups = report.groups
    outcome.group_by = report.group_by
    outcome.untrained = report.untrained
    dropped = set_before(folder, table, report.detector)
    if dropped:
        values = ", ".join(f"{label} {value:.2f}" for label, value in dropped.items())
        outcome.notes.append(
            f"Thresholds that had been set by hand were chosen anew ({values} before): they belong "
            "to the probabilities of the earlier detector. Recordings, Thresholds, sets them again."
        )


def _choose(
    folder: ProjectFolder, table: VectorTable, preferences: Preferences, outcome: Outcome
) -> None:
    queue, _ = fill_queue(folder, table, preferences)
    outcome.queue, outcome.left = queue.id, queue.left


def _measure(
    folder: ProjectFolder, table: VectorTable, preferences: Preferences, outcome: Outcome
) -> None:
    quality = evaluate(folder, table)[0]
    if quality.macro_average_precision is None:
        outcome.notes.append("No label can be judged yet; the table of labels says why.")
    else:
        outcome.average_precision = Measured(**to_json(quality.macro_average_precision))


def _kind_of(group_by: str) -> str:
    return {"date": "day"}.get(group_by, group_by)
