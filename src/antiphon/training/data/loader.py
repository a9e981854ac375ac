"""Batches for the training loop, made by worker processes."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.errors import UserError
from antiphon.training.data.batches import (
    TrainingBatches,
    ValidationBatches,
    validation_windows,
)
from antiphon.training.data.config import DataConfig
from antiphon.training.data.crops import Crops
from antiphon.training.data.faults import FaultMonitor, warn
from antiphon.training.data.sources import read_sources
from antiphon.training.data.splitting import Sides, split
from antiphon.training.data.stream import ClipStream
from antiphon.training.data.table import ClipTable
from antiphon.training.task import Batch

_CHOICE = 35
"""Seeds the choice of crops to validate on."""


def open_sides(data: DataConfig, note: Callable[[str], None] = warn) -> Sides:
    """Read the sources and divide them; what was odd is told to ``note``.

    Raises
    ------
    UserError, FileError, FormatError, StoreError
        A source cannot be read, or the sides cannot be kept apart.
    """
    table, notes = read_sources(data)
    for text in notes:
        note(text)
    return split(table, data.holdout, data.folds)


def training_loader(
    data: DataConfig,
    augment: AugmentConfig,
    *,
    seed: int,
    first_step: int = 0,
    steps: int,
    rank: int = 0,
    world: int = 1,
    table: ClipTable | None = None,
    pin_memory: bool = False,
    note: Callable[[str], None] = warn,
) -> ClipLoader:
    """Return the batches of steps ``first_step`` to ``first_step + steps - 1``.

    The batch of a step follows from the seed and the step alone: it is the same for any number
    of workers and after a resume, and the slices of all ranks joined are the same for any number
    of ranks.

    Parameters
    ----------
    data, augment
        The settings.
    seed
        Of the run.
    first_step, steps
        Which steps.
    rank, world
        Which slice of each batch, of how many.
    table
        Clips of the training side; read from the sources when None.
    pin_memory
        Whether batches lie in memory from which a GPU copies faster.
    note
        Is told about each unreadable recording once.

    Returns
    -------
    ClipLoader
        Yields :data:`antiphon.training.task.Batch` with, besides the usual keys, ``clip``,
        ``recording``, ``folder`` (source) and ``group`` ``(B,)`` int64, ``mixed`` ``(B,)`` float32
        (1 where another example was mixed in) and ``snr_db`` ``(B,)`` float32 (NaN without noise).

    Raises
    ------
    UserError
        The batch cannot be divided among the ranks, or there is nothing to draw from.
    """
    if not 0 <= rank < world:
        raise UserError(f"Rank {rank} is not one of {world}.")
    if data.batch % world:
        raise UserError(
            f"data.batch is {data.batch}, which {world} processes cannot share evenly. Make it a "
            "multiple of them."
        )
    table = open_sides(data, note).training if table is None else table
    stream = ClipStream(table, data, augment, seed=seed)
    dataset = TrainingBatches(stream, data.batch // world, data.batch, rank)
    return ClipLoader(
        dataset,
        range(first_step, first_step + steps),
        data,
        pin_memory,
        _monitor(table, data, note),
    )


def validation_loader(
    data: DataConfig,
    *,
    rank: int = 0,
    world: int = 1,
    table: ClipTable | None = None,
    most: int | None = None,
    pin_memory: bool = False,
    note: Callable[[str], None] = warn,
) -> ClipLoader:
    """Return the clips of the validation side in order, to the last, without augmentation.

    The last batch may be smaller. A recording that cannot be read is told and left out. With
    several ranks each has every ``world``-th batch.

    Parameters
    ----------
    data, rank, world, pin_memory, note
        As in :func:`training_loader`; ``holdout.windows`` says which crops of a clip.
    table
        Clips of the validation side; read from the sources when None.
    most
        Only so many crops, drawn from all over the table and always the same ones: the first
        would be those of the first sources, folders and classes alone. None for all.

    Returns
    -------
    ClipLoader
        Its batches have ``clip`` ``(B,)`` int64, the number of the clip of each crop.
    """
    table = open_sides(data, note).validation if table is None else table
    crops = Crops(table, data)
    monitor = _monitor(table, data, note, "It is left out of validation.")
    clips, starts = validation_windows(crops, data, monitor, note)
    if most is not None and most < len(clips):
        chosen = np.sort(np.random.default_rng(_CHOICE).permutation(len(clips))[:most])
        clips, starts = clips[chosen], starts[chosen]
    dataset = ValidationBatches(crops, clips, starts, data.batch)
    numbers = range(rank, math.ceil(len(clips) / data.batch), world)
    return ClipLoader(dataset, numbers, data, pin_memory, monitor)


class ClipLoader:
    """Yields batches; an iterable with a length, and each pass over it is the same.

    Attributes
    ----------
    faults
        Problem of each unreadable recording met so far, by name.
    """

    def __init__(
        self,
        dataset: Dataset,
        numbers: Sequence[int],
        data: DataConfig,
        pin_memory: bool,
        monitor: FaultMonitor,
    ) -> None:
        several: dict[str, Any] = {}
        if data.workers:
            several = {
                "worker_init_fn": _start_worker,
                "prefetch_factor": data.prefetch,
                "multiprocessing_context": data.start,
            }
        self._numbers = numbers
        self._monitor = monitor
        self._loader = DataLoader(
            dataset,
            batch_size=None,
            sampler=numbers,
            num_workers=data.workers,
            collate_fn=_as_it_is,
            pin_memory=pin_memory,
            # Without one of its own, the loader would draw from the model's generator.
            generator=torch.Generator().manual_seed(0),
            **several,
        )

    @property
    def faults(self) -> dict[str, str]:
        """Problem of each unreadable recording met so far, by name."""
        return self._monitor.faults

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Batch]:
        with _deaf_children():
            batches = iter(self._loader)
        try:
            for batch in batches:
                if "error" in batch:
                    raise batch["error"]
                faults = batch.pop("faults")
                self._monitor.add(batch.pop("draws"), faults)
                if batch:
                    yield batch
        finally:
            # Workers end with their iterator, also when the caller stops early.
            del batches


def _as_it_is(batch: dict[str, Any]) -> dict[str, Any]:
    return batch


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that start in here never hear Ctrl-C, which reaches the trainer as well."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # A child inherits what is blocked; what arrives here meanwhile is delivered afterwards.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(worker: int) -> None:
    """Keep a worker to one thread, and let the trainer alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _monitor(
    table: ClipTable,
    data: DataConfig,
    note: Callable[[str], None],
    consequence: str = "Another clip takes its place.",
) -> FaultMonitor:
    recordings = len(np.unique(table.recording))
    return FaultMonitor(recordings, data.max_fault_share, note, consequence)
