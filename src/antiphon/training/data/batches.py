"""Batches by number, as worker processes make them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from antiphon.errors import AntiphonError, AudioError
from antiphon.training.data.config import DataConfig
from antiphon.training.data.crops import Crops, as_row, padded
from antiphon.training.data.cutting import ROUNDING, SLIVER
from antiphon.training.data.faults import FaultMonitor
from antiphon.training.data.stream import ClipStream
from antiphon.training.data.table import Float64, Int64


class TrainingBatches(Dataset):
    """The slice of one rank of each step's batch.

    Parameters
    ----------
    stream
        The examples.
    size
        Of the slice.
    batch
        Over all ranks.
    rank
        Which slice.
    """

    def __init__(self, stream: ClipStream, size: int, batch: int, rank: int) -> None:
        self._stream = stream
        self._size, self._batch, self._rank = size, batch, rank

    def __getitem__(self, step: int) -> dict[str, Any]:
        first = step * self._batch + self._rank * self._size
        try:
            return _collated([self._stream[i] for i in range(first, first + self._size)])
        except AntiphonError as error:
            # Across the border of a worker, torch would turn it into a page of traceback.
            return {"error": error}


class ValidationBatches(Dataset):
    """Crops in order; the last batch holds what is left.

    Parameters
    ----------
    crops
        Makes them.
    clips, starts
        ``(n,)`` clip and start of each crop; NaN for one from the middle.
    batch
        Crops of a batch.
    """

    def __init__(self, crops: Crops, clips: Int64, starts: Float64, batch: int) -> None:
        self._crops, self._clips, self._starts, self._batch = crops, clips, starts, batch

    def __getitem__(self, number: int) -> dict[str, Any]:
        table = self._crops.table
        rows, faults = [], []
        first = number * self._batch
        for at in range(first, min(first + self._batch, len(self._clips))):
            clip, start_s = int(self._clips[at]), float(self._starts[at])
            try:
                raw = self._crops.take(clip, start_s=None if math.isnan(start_s) else start_s)
            except AudioError as error:
                faults.append((table.name(int(table.recording[clip])), str(error)))
                continue
            except AntiphonError as error:
                return {"error": error}
            row = as_row(table, raw, at)
            row["waveform"] = padded(raw.audio, self._crops.samples)
            row["valid"] = np.int64(len(raw.audio))
            if table.n_classes:
                row |= {"labels": raw.labels, "known": raw.known}
            if raw.frames is not None:
                row |= {"frame_labels": raw.frames, "frame_known": raw.frame_known}
            rows.append({**row, "faults": ()})
        batch = _collated(rows) if rows else {"faults": [], "draws": 0}
        batch["faults"] = faults
        return batch


def validation_windows(
    crops: Crops, data: DataConfig, monitor: FaultMonitor, note: Callable[[str], None]
) -> tuple[Int64, Float64]:
    """Return clip and start of each crop; NaN for one from the middle.

    Side by side, a rest shorter than ``SLIVER`` of a window gives no crop; ``note`` is told of
    how many clips, and how long they are together.
    """
    table = crops.table
    if data.holdout.windows == "centre":
        return np.arange(len(table)), np.full(len(table), np.nan)
    clips: list[int] = []
    starts: list[float] = []
    rests: list[float] = []
    for clip in range(len(table)):
        if crops.made(clip):
            clips.append(clip)
            starts.append(math.nan)
            continue
        try:
            low, high = crops.reader.span(clip)
        except AudioError as error:
            monitor.add(1, [(table.name(int(table.recording[clip])), str(error))])
            continue
        windows = (high - low) / data.clip_s
        count = max(1, math.ceil(windows - SLIVER))
        if windows > count + ROUNDING:
            rests.append(high - low - count * data.clip_s)
        clips += [clip] * count
        starts += [low + k * data.clip_s for k in range(count)]
    if rests:
        note(
            f"{len(rests)} held-out clips end in less than {SLIVER:.0%} of a window, which is not "
            f"validated on: {sum(rests):.2f} s in all."
        )
    return np.array(clips, np.int64), np.array(starts, np.float64)


def _collated(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    batch: dict[str, Tensor | Any] = {
        key: torch.from_numpy(np.stack([row[key] for row in rows]))
        for key in rows[0]
        if key != "faults"
    }
    batch["faults"] = [fault for row in rows for fault in row["faults"]]
    batch["draws"] = len(rows)
    return batch
