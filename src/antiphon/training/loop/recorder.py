"""Follows a run: log, progress with time left, checkpoints, validation, and stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from antiphon.engine.progress import Reporter
from antiphon.training.config import RunConfig
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.log import CsvLog, TensorBoard
from antiphon.training.loop.measures import Measures, StepValues
from antiphon.training.loop.module import StageModule
from antiphon.training.loop.stopping import StopRequest
from antiphon.training.loop.validate import ValidationResult, validate
from antiphon.training.task import Batch

# Between two lines about where the run is.
_NOTE_S = 300.0
_STOP = "stop"


class Recorder:
    """What happens between the steps.

    Only the first of several processes writes and validates.

    Parameters
    ----------
    module
        Runs the steps.
    folder
        Of the run.
    config
        Settings of the run.
    held_out
        Returns the batches of the held-out clips; None where nothing is held out.
    reporter
        Hears of the progress.
    stop
        Whether somebody asked to stop.
    progress
        From the checkpoint that the run goes on from; empty at its start.
    main
        Whether this is the first process.
    processes
        How many there are.
    data
        What the examples are made of, as plain values; kept in checkpoints.

    Attributes
    ----------
    done
        Steps done.
    stopped
        Whether the run was stopped before its end.
    validations
        Step -> result, of this part of the run.
    """

    def __init__(
        self,
        module: StageModule,
        folder: RunFolder,
        config: RunConfig,
        *,
        held_out: Callable[[], Iterable[Batch]] | None,
        reporter: Reporter,
        stop: StopRequest,
        progress: dict[str, Any],
        main: bool,
        processes: int,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.module = module
        self.folder = folder
        self.config = config
        self.held_out = held_out
        self.reporter = reporter
        self.stop = stop
        self.main = main
        self.processes = processes
        self.data = dict(data or {})
        self.done = module.first_step
        self.stopped = False
        self.validations: dict[int, ValidationResult] = {}
        self._told: set[str] = set()
        self._asked: int | None = None
        self._latest: dict[str, float] = {}
        self._measures = Measures(processes)
        self._pending = [StepValues(step, dict(v)) for step, v in progress.get("pending", [])]
        self._seconds_before = float(progress.get("seconds", 0.0))
        self._cpu_before = float(progress.get("cpu_s", 0.0))
        self._saved_step = module.first_step
        self._log: CsvLog | None = None
        self._judged: CsvLog | None = None
        self._board: TensorBoard | None = None

    def begin(self) -> None:
        """Open the logs, and judge the encoder before its first step."""
        self.stop.install()
        self._measures.lenient = self.module.lenient
        now = time.monotonic()
        self._start = self._row_start = self._saved_at = self._noted_at = now
        self._cpu_start = time.process_time()
        self._paused = 0.0
        if not self.main:
            return
        self._log = CsvLog(self.folder.log, after=self.done)
        self._judged = CsvLog(self.folder.validation_log, after=self.done)
        if self.config.loop.tensorboard:
            self._board = TensorBoard(self.folder.tensorboard, after=self.done)
        if self.done == 0:
            self._validate()
        self.reporter.start("training", self.config.loop.steps, "steps")
        self.reporter.advance(self.done)

    def step_done(self, step: int) -> None:
        """Do what is due after a step."""
        self.done = step + 1
        values = dict(self.module.parts)
        plain = {"lr": self.module.learning_rate}
        if self.processes > 1:
            # Filled on the device: a number sent there would make it wait at every step.
            asked = torch.full((), float(self.stop.asked), device=values["loss"].device)
            values[_STOP] = asked
        else:
            plain[_STOP] = float(self.stop.asked)
        self._measures.push(step, values, plain)
        last = self.done == self.config.loop.steps
        every = self.config.validation.every
        judge = every is not None and self.done % every == 0 and not last
        save = last or (self.main and self._checkpoint_due())
        arrived = self._measures.take(all_of_them=judge or save)
        self._collect(arrived)
        if self.main:
            self.reporter.advance(1)
            if judge:
                self._pause(self._validate)
            if save:
                self._pause(self.save)
            self._say_where()
        # A step later than asked: by then all processes know of it, whatever they read early.
        if self._asked is not None and self._asked < step and not last:
            self._collect(self._measures.take(all_of_them=True))
            if self.main and self._saved_step != self.done:
                self.save()
            self.stopped = True
            self.module.trainer.should_stop = True

    def save(self) -> None:
        """Write a checkpoint."""
        trainer = self.module.trainer
        self.folder.checkpoints(self.config.checkpoint.keep).save(
            {
                "step": self.done,
                "task": self.module.task.state_dict(),
                "optimiser": trainer.optimizers[0].state_dict(),
                "precision": trainer.precision_plugin.state_dict(),
                "progress": {
                    "pending": [[v.step, v.values] for v in self._pending],
                    "seconds": self.seconds,
                    "cpu_s": self.cpu_s,
                    "data": self.data,
                },
            }
        )
        self._saved_step, self._saved_at = self.done, time.monotonic()

    def close(self) -> None:
        """Close logs and progress."""
        if self.main:
            self.reporter.finish()
        for log in (self._log, self._judged, self._board):
            if log is not None:
                log.close()

    @property
    def seconds(self) -> float:
        """Seconds of the run so far, all parts together."""
        return self._seconds_before + time.monotonic() - self._start

    @property
    def cpu_s(self) -> float:
        """CPU seconds of this process so far, all parts of the run together."""
        return self._cpu_before + time.process_time() - self._cpu_start

    def _collect(self, arrived: list[StepValues]) -> None:
        for one in arrived:
            if one.values.pop(_STOP, 0.0) > 0 and self._asked is None:
                self._asked = one.step
            self._pending.append(one)
            done = one.step + 1
            if done % self.config.loop.log_every == 0 or done == self.config.loop.steps:
                self._write_row()

    def _write_row(self) -> None:
        rows, self._pending = self._pending, []
        now = time.monotonic()
        elapsed = now - self._row_start - self._paused
        self._row_start, self._paused = now, 0.0
        names = dict.fromkeys(name for row in rows for name in row.values)
        row: dict[str, float] = {"step": rows[-1].step + 1}
        for name in names:
            given = [r.values[name] for r in rows if name in r.values]
            row[name] = given[-1] if name == "lr" else sum(given) / len(given)
        row["examples_per_s"] = round(len(rows) * self.config.batch / max(elapsed, 1e-9), 3)
        row["cpu_s"] = round(self.cpu_s, 3)
        self._latest = row
        if self._log is not None:
            self._log.add(row)
        if self._board is not None:
            self._board.add(row, "training")

    def _checkpoint_due(self) -> bool:
        c = self.config.checkpoint
        if c.every_steps is not None and self.done % c.every_steps == 0:
            return True
        waited = time.monotonic() - self._saved_at
        return c.every_minutes is not None and waited >= 60.0 * c.every_minutes

    def _validate(self) -> None:
        if self.held_out is None:
            return
        module = self.module
        result = validate(module.task, self.held_out(), self.config.validation, module.device)
        self.validations[self.done] = result
        row = {"step": float(self.done), **result.values}
        if self._judged is not None:
            self._judged.add(row)
        if self._board is not None:
            self._board.add(row, "validation")
        told = ", ".join(
            f"{name} {result.values[key]:.3f}"
            for key, name in SHOWN.items()
            if key in result.values
        )
        self.reporter.note(f"Step {self.done:,}, held-out clips: {told or 'nothing to measure'}")
        for note in result.notes:
            if note not in self._told:
                self._told.add(note)
                self.reporter.note(f"Held-out clips: {note}")

    def _pause(self, work: Callable[[], None]) -> None:
        """Do something whose time is not that of the steps."""
        begun = time.monotonic()
        work()
        self._paused += time.monotonic() - begun

    def _say_where(self) -> None:
        now = time.monotonic()
        if now - self._noted_at < _NOTE_S:
            return
        self._noted_at = now
        steps = self.config.loop.steps
        share = (now - self._start) / max(1, self.done - self.module.first_step)
        left = duration_text(share * (steps - self.done))
        loss = self._latest.get("loss")
        told = "" if loss is None else f", loss {loss:.4g}"
        self.reporter.note(f"Step {self.done:,} of {steps:,}{told}, {left} left")


SHOWN = {
    "loss": "loss",
    "auc": "macro ROC-AUC",
    "r_auc": "R-AUC",
    "probe_accuracy": "probe accuracy",
    "probe_map": "probe mAP",
}
"""Measures of validation that are told and drawn, by their name in the log."""


def told_values(values: Mapping[str, float]) -> str:
    """Return what is told of a validation, such as ``loss 0.312, R-AUC 0.871``."""
    return ", ".join(f"{name} {values[key]:.3f}" for key, name in SHOWN.items() if key in values)


def duration_text(seconds: float) -> str:
    """Return a duration in the two largest of days, hours, minutes and seconds."""
    whole = max(0, round(seconds))
    parts = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min")]
    parts.append((whole % 60, "s"))
    first = next((i for i, (n, _) in enumerate(parts) if n), len(parts) - 1)
    return " ".join(f"{n} {unit}" for n, unit in parts[first : first + 2])
