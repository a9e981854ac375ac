"""A run of one stage, from settings to a kept encoder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import ModelError, UserError
from antiphon.training.config import RunConfig
from antiphon.training.data.matching import listing
from antiphon.training.loop.environment import describe_environment
from antiphon.training.loop.finishing import RunReport, finish, finished_before
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.module import StageModule
from antiphon.training.loop.recorder import Recorder
from antiphon.training.loop.seeding import seed_everything
from antiphon.training.loop.stages import PreparedStage, prepare_stage
from antiphon.training.loop.stopping import stop_on_signal
from antiphon.training.loop.trainer import (
    make_trainer,
    process_rank,
    processes_of,
    quiet,
)
from antiphon.training.task import Task


def run_stage(
    config: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    reporter: Reporter | None = None,
    prepare: Callable[[RunConfig], PreparedStage] | None = None,
) -> RunReport:
    """Train a stage, or go on with a run that was stopped.

    Parameters
    ----------
    config
        Settings.
    out
        Folder of the run. Where it holds a run of the same settings, that run goes on from its
        newest checkpoint.
    resume
        Refuse to begin a new run.
    reporter
        Hears of the progress.
    prepare
        Makes data and task of the settings; :func:`prepare_stage` when None.

    Raises
    ------
    UserError
        The folder is of another run or of something else; there is nothing to go on with; data,
        model and device do not fit.
    LossError
        The loss is no number any more.
    DiskFullError
        A checkpoint could not be written; earlier ones stay.
    """
    main = process_rank() == 0
    folder = RunFolder(out)
    if resume and not folder.begun:
        raise UserError(f"{out} holds no training run to go on with.")
    if main:
        folder.claim(config)
    if folder.finished:
        return finished_before(folder, config, main)
    with folder.held() if main else nullcontext():
        try:
            return _run(config, folder, reporter if main else None, prepare, main)
        except BaseException as error:
            # Settings that led nowhere do not keep corrected ones out of the folder.
            if main:
                folder.give_up()
            if isinstance(error, RuntimeError) and "DataLoader worker" in str(error):
                raise UserError(
                    f"A process that makes examples died ({str(error).split('. ')[0]}), most often "
                    "because memory or shared memory (/dev/shm) ran out. Give fewer data.workers, "
                    "or a smaller data.batch or data.prefetch; the same command then goes on from "
                    "the last checkpoint, if there is one."
                ) from error
            raise


def _run(
    config: RunConfig,
    folder: RunFolder,
    reporter: Reporter | None,
    prepare: Callable[[RunConfig], PreparedStage] | None,
    main: bool,
) -> RunReport:
    """Train, or go on, in a folder that is this run's."""
    if config.loop.threads is not None:
        torch.set_num_threads(config.loop.threads)
    seed_everything(config.seed)
    reporter = reporter or Silent()
    stage = prepare_stage(config, reporter.note) if prepare is None else prepare(config)
    state = folder.checkpoints(config.checkpoint.keep).newest()
    first_step = 0
    if state is not None:
        first_step = int(state["step"])
        _check_data(stage, state, folder, reporter)
        _load(stage.task, state, folder)
    for line in (*stage.notes, *stage.task.describe().splitlines()):
        reporter.note(line)
    if state is not None:
        reporter.note(f"Going on after step {first_step:,} of {config.loop.steps:,}")
    elif main:
        folder.write_json(folder.environment, describe_environment(config.seed))
    recorder = _train(config, folder, stage, state, reporter, main)
    if recorder is not None and recorder.stopped:
        return RunReport(
            folder.path, config.loop.steps, recorder.done, finished=False, now=True, main=main
        )
    if not main:
        return RunReport(folder.path, config.loop.steps, config.loop.steps, True, True, main=False)
    return finish(config, folder, stage, reporter, recorder, state)


def _train(
    config: RunConfig,
    folder: RunFolder,
    stage: PreparedStage,
    state: dict[str, Any] | None,
    reporter: Reporter,
    main: bool,
) -> Recorder | None:
    """Do the steps that are left; None where all were done."""
    first_step = 0 if state is None else int(state["step"])
    if first_step >= config.loop.steps:
        return None
    module = StageModule(
        stage.task, config.optimiser, config.loop, seed=config.seed, first_step=first_step
    )
    processes = processes_of(config.loop)
    with quiet(), stop_on_signal() as stop:
        trainer = make_trainer(config.loop, unused=stage.task.unused_parameters)
        if state is not None:
            module.restored = state["optimiser"]
            trainer.precision_plugin.load_state_dict(state["precision"])
        recorder = Recorder(
            module,
            folder,
            config,
            held_out=stage.held_out,
            reporter=reporter,
            stop=stop,
            progress={} if state is None else state["progress"],
            main=main,
            processes=processes,
            data=stage.data,
        )
        module.observer = recorder
        accumulate = config.loop.accumulate
        loader = stage.training(
            first_step * accumulate,
            config.loop.steps * accumulate,
            process_rank(),
            processes,
        )
        try:
            trainer.fit(module, loader)
        except SystemExit as error:
            # Lightning's way out of a second Ctrl-C, which does not wait for the step's end.
            if isinstance(error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            raise
        finally:
            recorder.close()
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
    return recorder


def _check_data(
    stage: PreparedStage, state: dict[str, Any], folder: RunFolder, reporter: Reporter
) -> None:
    """Refuse other classes than those a run began with; tell other clips."""
    before = state["progress"].get("data")
    if not before or not stage.data or before == stage.data:
        return
    old, new = before.get("classes", []), stage.data.get("classes", [])
    if old != new:
        gone, come = sorted(set(old) - set(new)), sorted(set(new) - set(old))
        parts = [f"{listing(gone)} no longer"] if gone else []
        parts += [f"{listing(come)} as well"] if come else []
        raise UserError(
            f"{folder.path}: the data now have other classes than the run began with "
            f"({', '.join(parts) or 'in another order'}), so its weights would stand for the wrong "
            "ones. Put the data back, or give another --out."
        )
    reporter.note(
        f"The data have changed since the run began ({before.get('clips')} clips then, "
        f"{stage.data.get('clips')} now): it goes on, but not as it would have without a stop."
    )


def _load(task: Task, state: dict[str, Any], folder: RunFolder) -> None:
    try:
        task.load_state_dict(state["task"], strict=True)
    except RuntimeError as error:
        raise ModelError(
            folder.path,
            f"the newest checkpoint does not fit the networks of these settings: {error}",
            "Go on with the version of antiphon that wrote it (environment.json)",
        ) from error
