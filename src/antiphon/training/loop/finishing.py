"""The end of a run: the encoder is completed, judged, kept and reported."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from antiphon.engine.progress import Reporter
from antiphon.training.checkpoints.models import save_model
from antiphon.training.config import RunConfig
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import CsvLog, read_log
from antiphon.training.loop.recorder import SHOWN, Recorder, duration_text, told_values
from antiphon.training.loop.report import write_report
from antiphon.training.loop.stages import PreparedStage
from antiphon.training.loop.trainer import device_of, precision_of
from antiphon.training.loop.validate import ValidationResult, validate


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to.

    Parameters
    ----------
    folder
        Of the run.
    steps, done
        Steps of the run, and steps done so far.
    finished
        Whether it went to its end, now or before.
    now
        Whether steps were done now; False for a run that was finished before.
    main
        Whether this is the first process; the others have nothing to tell.
    first, last
        Validation before the first and after the last step; empty where there was none.
    seconds
        Of training, all parts of the run together.
    """

    folder: Path
    steps: int
    done: int
    finished: bool
    now: bool
    main: bool = True
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def finish(
    config: RunConfig,
    folder: RunFolder,
    stage: PreparedStage,
    reporter: Reporter,
    recorder: Recorder | None,
    state: dict[str, Any] | None,
) -> RunReport:
    """Complete the task, judge and keep its encoder, and write the report."""
    begun = time.monotonic()
    device = torch.device(device_of(config.loop))
    stage.task.to(device)
    batches = stage.training(0, config.loop.steps * config.loop.accumulate, 0, 1)
    stage.task.finish({k: v.to(device) for k, v in batch.items()} for batch in batches)
    last = ValidationResult({}, notes=("No clip is held out.",))
    if stage.held_out is not None:
        last = validate(stage.task, stage.held_out(), config.validation, device)
    judged = CsvLog(folder.validation_log, after=config.loop.steps - 1)
    if last.values:
        judged.add({"step": float(config.loop.steps), **last.values})
    judged.close()
    told = told_values(last.values)
    if told:
        reporter.note(f"After the last step, held-out clips: {told}")
    save_model(
        stage.task.encoder().cpu().eval(),
        folder.model,
        name=config.name,
        description=config.description,
        licence=config.licence,
        source=config.source,
    )
    rows = read_log(folder.validation_log)
    first = {k: v for k, v in rows[0].items() if k != "step"} if rows else {}
    seconds = _seconds(recorder, state) + time.monotonic() - begun
    facts = [
        ("name", config.name),
        ("stage", config.stage),
        ("steps", f"{config.loop.steps:,} of {config.batch} examples"),
        ("seed", str(config.seed)),
        ("precision", precision_of(config.loop)),
        ("time", duration_text(seconds)),
        *stage.facts,
        *(
            (f"{name}, held out", f"{first[key]:.3f} before, {last.values[key]:.3f} after")
            for key, name in SHOWN.items()
            if key in last.values and key in first
        ),
    ]
    write_report(folder, facts)
    folder.write_json(
        folder.validation,
        {
            "finished": True,
            "steps": config.loop.steps,
            "seconds": round(seconds, 1),
            "first": first,
            "last": last.to_json(),
            "data": dict(stage.facts),
        },
    )
    return RunReport(
        folder.path,
        config.loop.steps,
        config.loop.steps,
        finished=True,
        now=True,
        first=first,
        last=last.values,
        seconds=seconds,
    )


def _seconds(recorder: Recorder | None, state: dict[str, Any] | None) -> float:
    if recorder is not None:
        return recorder.seconds
    return 0.0 if state is None else float(state["progress"].get("seconds", 0.0))


def finished_before(folder: RunFolder, config: RunConfig, main: bool) -> RunReport:
    """Return what a run came to that was finished before."""
    found = folder.read_validation()
    return RunReport(
        folder.path,
        config.loop.steps,
        config.loop.steps,
        finished=True,
        now=False,
        main=main,
        first=found.get("first", {}),
        last=found.get("last", {}).get("values", {}),
        seconds=float(found.get("seconds", 0.0)),
    )
