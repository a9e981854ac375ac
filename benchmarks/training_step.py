"""What the training loop costs beside a plain loop of torch on the same networks and batches.

    python benchmarks/training_step.py [--steps 60] [--rounds 5]

Each row is a stage of the tiny presets. The same task runs the same batches, made beforehand, by
turns in ``antiphon`` (Lightning, seeds of each step, schedule, clipping, logs; no validation and no
checkpoint) and in a plain loop: ``training_loss``, ``backward``, ``clip_grad_norm_``, ``step`` and
``after_step``. One round is both; the ratio is the median over rounds, its range beside it. Times
are CPU seconds of this process on one thread, per step, the loop's start left out. The networks
are tiny, so the share of the loop is the largest that it gets.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import copy
import datetime
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from antiphon.engine.progress import Silent
from antiphon.training.config import RunConfig, load_run_config
from antiphon.training.loop.folder import RunFolder
from antiphon.training.loop.module import StageModule
from antiphon.training.loop.recorder import Recorder
from antiphon.training.loop.schedule import learning_rate_factor
from antiphon.training.loop.seeding import seed_everything
from antiphon.training.loop.stages import create_task
from antiphon.training.loop.stopping import stop_on_signal
from antiphon.training.loop.trainer import device_of, make_trainer, quiet
from antiphon.training.task import Batch, Task
from machine import processor

PRESETS = ("eat-tiny", "beats-tiny", "supervised-tiny")
CLASSES = tuple(f"class {i}" for i in range(20))


def batches(config: RunConfig, count: int, device: torch.device) -> list[Batch]:
    """Noise; what is heard does not change what it costs."""
    generator = torch.Generator().manual_seed(0)
    size, samples = config.data.batch, config.data.samples
    made = []
    for step in range(count):
        labels = (torch.rand(size, len(CLASSES), generator=generator) < 0.1).float()
        batch = {
            "waveform": 0.1 * torch.randn(size, samples, generator=generator),
            "valid": torch.full((size,), samples),
            "index": torch.arange(size) + step * size,
            "labels": labels,
            "known": torch.ones_like(labels),
        }
        made.append({k: v.to(device) for k, v in batch.items()})
    return made


class Given:
    """Batches as a loader gives them; a bare list would be taken for several loaders."""

    def __init__(self, given: list[Batch]) -> None:
        self.given = given

    def __len__(self) -> int:
        return len(self.given)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.given)


class Clock:
    """CPU seconds and seconds from the end of the first steps on."""

    def __init__(self, skip: int, device: torch.device) -> None:
        self.skip, self.device = skip, device
        self.cpu = self.wall = 0.0

    def read(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.process_time(), time.perf_counter()

    def step(self, step: int, steps: int) -> None:
        if step == self.skip - 1:
            self.cpu, self.wall = self.read()
        if step == steps - 1:
            cpu, wall = self.read()
            done = steps - self.skip
            self.cpu, self.wall = (cpu - self.cpu) / done, (wall - self.wall) / done


class TimedRecorder(Recorder):
    """The recorder of a run, with a clock."""

    clock: Clock

    def step_done(self, step: int) -> None:
        super().step_done(step)
        self.clock.step(step, self.config.loop.steps)

    def save(self) -> None:
        """A checkpoint is no part of a step."""


def framework(config: RunConfig, task: Task, given: list[Batch], clock: Clock, out: Path) -> None:
    module = StageModule(task, config.optimiser, config.loop, seed=0)
    with quiet(), stop_on_signal() as stop:
        trainer = make_trainer(config.loop, unused=task.unused_parameters)
        folder = RunFolder(out)
        out.mkdir(parents=True)
        recorder = TimedRecorder(
            module,
            folder,
            config,
            held_out=None,
            reporter=Silent(),
            stop=stop,
            progress={},
            main=True,
            processes=1,
        )
        recorder.clock = clock
        module.observer = recorder
        trainer.fit(module, Given(given))
        recorder.close()
    if recorder.stopped:
        raise KeyboardInterrupt


def plain(config: RunConfig, task: Task, given: list[Batch], clock: Clock) -> None:
    optimiser_config, steps = config.optimiser, config.loop.steps
    optimiser = torch.optim.AdamW(
        task.parameter_groups(optimiser_config.lr, optimiser_config.weight_decay),
        betas=optimiser_config.betas,
        eps=optimiser_config.eps,
    )
    device = given[0]["waveform"].device
    half = device.type == "cuda"
    generator = torch.Generator(device=device).manual_seed(0)
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    task.to(device).train()
    for step, batch in enumerate(given):
        task.before_step(step, steps)
        factor = learning_rate_factor(optimiser_config, step, steps)
        for group in optimiser.param_groups:
            group["lr"] = optimiser_config.lr * factor
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = task.training_loss(batch, step, generator)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, optimiser_config.clip or float("inf"))
        optimiser.step()
        task.after_step(step, steps)
        clock.step(step, steps)


def compare(name: str, steps: int, rounds: int, skip: int, changes: dict[str, Any]) -> str:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        settings = {"loop.steps": steps, "checkpoint.every_minutes": None, **changes}
        config = load_run_config(name, settings, folders=[root])
        device = torch.device(device_of(config.loop))
        seed_everything(0)
        start = create_task(config, CLASSES)
        given = batches(config, steps, device)
        ours, theirs = [], []
        for number in range(rounds):
            # By turns, so that a busy machine does not favour one of them.
            for own in (number % 2 == 0, number % 2 == 1):
                clock, task = Clock(skip, device), copy.deepcopy(start)
                seed_everything(0)
                if own:
                    framework(config, task, given, clock, root / str(number))
                else:
                    plain(config, task, given, clock)
                (ours if own else theirs).append(clock)
    ratios = list(_ratios(ours, theirs, "cpu"))
    walls = list(_ratios(ours, theirs, "wall"))
    own, peer = (1e3 * statistics.median(c.cpu for c in clocks) for clocks in (ours, theirs))
    middle, wall = statistics.median(ratios), statistics.median(walls)
    return (
        f"| {name} | {config.data.batch} | {peer:.1f} | {own:.1f} | "
        f"{middle:.3f} ({min(ratios):.3f} to {max(ratios):.3f}) | {wall:.3f} |"
    )


def _ratios(ours: list[Clock], theirs: list[Clock], what: str) -> Iterator[float]:
    for own, peer in zip(ours, theirs, strict=True):
        yield getattr(own, what) / getattr(peer, what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip", type=int, default=10, help="first steps that are not timed")
    parser.add_argument("--preset", action="append", help="in place of the tiny ones")
    parser.add_argument("--device", default="cpu", help="cpu or gpu")
    parser.add_argument("--batch", type=int, help="in place of the preset's")
    asked = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    changes: dict[str, Any] = {"loop.device": asked.device}
    if asked.batch:
        changes["data.batch"] = asked.batch
    where = processor()
    if asked.device == "gpu":
        where = f"{torch.cuda.get_device_name(0)}, {where}"
    print(
        f"{where}, {os.environ['OMP_NUM_THREADS']} thread, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, torch {version('torch')}, lightning "
        f"{version('lightning')}, {datetime.date.today()}\n"
    )
    print("| stage | batch | plain loop, CPU-ms | antiphon, CPU-ms | ratio of CPU | of seconds |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in asked.preset or PRESETS:
        print(compare(name, asked.steps, asked.rounds, asked.skip, changes), flush=True)


if __name__ == "__main__":
    main()
