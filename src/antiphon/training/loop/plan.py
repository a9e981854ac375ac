"""What a run would do, without doing it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import torch

from antiphon.training.config import RunConfig
from antiphon.training.loop.seeding import seed_everything
from antiphon.training.loop.stages import PreparedStage, prepare_stage
from antiphon.training.loop.trainer import device_of, precision_of, processes_of

_MB = 1e6


def make_plan(
    config: RunConfig, stage: PreparedStage | None = None, *, out: Path | None = None
) -> list[tuple[str, str]]:
    """Return what a run would do, as names and values.

    Parameters
    ----------
    config
        Settings.
    stage
        Its data and task; made from the settings when None.
    out
        Where the run would be kept, for the space on that disk.

    Notes
    -----
    Memory is what weights, gradients and the optimiser's two moments take, plus what autograd
    keeps for the backward pass of one batch. The latter is measured: one forward pass on the CPU,
    in float32, of two examples of the first batch, scaled to the batch of one process. In 16 bits
    it is about half, which the figure takes into account; reserves of the allocator are not in it.
    """
    seed_everything(config.seed)
    if stage is None:
        stage = prepare_stage(config)
    task, loop = stage.task, config.loop
    processes = processes_of(loop)
    trained = [p for p in task.parameters() if p.requires_grad]
    everything = list(task.parameters()) + list(task.buffers())
    state = sum(t.numel() * t.element_size() for t in everything)
    state += 3 * sum(p.numel() * p.element_size() for p in trained)
    batch = next(iter(stage.training(0, 1, 0, processes)))
    rows = len(batch["index"])
    kept, seconds = _activations({k: v[:2] for k, v in batch.items()}, stage)
    half = precision_of(loop) != "32-true"
    activations = kept * rows / min(2, rows) * (0.5 if half else 1.0)
    checkpoint = sum(t.numel() * t.element_size() for t in everything)
    checkpoint += 2 * sum(p.numel() * p.element_size() for p in trained)
    place = out if out is not None else Path.cwd()
    while not place.exists():
        place = place.parent
    shared = f", {processes} processes of {rows * loop.accumulate}" if processes > 1 else ""
    several = f" in {loop.accumulate} batches" if loop.accumulate > 1 else ""
    hours = loop.steps * config.batch * config.data.clip_s / 3600.0
    return [
        ("name", config.name),
        ("stage", config.stage),
        *stage.facts,
        ("parameters", f"{sum(p.numel() for p in task.parameters()):,}"),
        ("parameters of the encoder", f"{sum(p.numel() for p in task.encoder().parameters()):,}"),
        ("trained", " ".join(task.describe().split())),
        ("steps", f"{loop.steps:,}, {config.optimiser.warmup_steps(loop.steps):,} of warm-up"),
        ("examples", f"{loop.steps * config.batch:,}, {hours:,.1f} h of audio"),
        ("examples of a step", f"{config.batch}{several}{shared}"),
        ("device", device_of(loop)),
        ("precision", precision_of(loop)),
        ("weights, gradients, optimiser", f"{state / _MB:,.1f} MB"),
        ("activations of a batch, about", f"{activations / _MB:,.1f} MB"),
        ("forward pass, CPU, two examples", f"{seconds:.2f} s"),
        ("a checkpoint", f"{checkpoint / _MB:,.1f} MB, {config.checkpoint.keep} are kept"),
        ("free on the disk", f"{shutil.disk_usage(place).free / _MB:,.1f} MB"),
    ]


def _activations(batch: dict[str, torch.Tensor], stage: PreparedStage) -> tuple[int, float]:
    """Return the bytes that autograd keeps of a forward pass, each storage once, and seconds."""
    weights = {p.untyped_storage().data_ptr() for p in stage.task.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    stage.task.train()
    begun = time.perf_counter()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        stage.task.training_loss(batch, 0, torch.Generator().manual_seed(0))
    return sum(kept.values()), time.perf_counter() - begun
