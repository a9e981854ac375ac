"""How fast an exported encoder is, beside the model it came from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from antiphon.encoders.base import Encoder
from antiphon.training.export.windows import AudioWindows
from antiphon.training.model import EncoderModel

_SECONDS = 1.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Windows per second on one thread, one window at a time, front end included.

    Parameters
    ----------
    runtime
        ``torch fp32``, ``onnx fp32`` and so on.
    windows_per_s
        Of the processor's time, in the quickest of three rounds, so that other load counts little.
    real_time
        Seconds of audio per second.
    size
        Bytes of the file; None for torch.
    """

    runtime: str
    windows_per_s: float
    real_time: float
    size: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``export.json``."""
        return {
            "runtime": self.runtime,
            "windows_per_s": float(f"{self.windows_per_s:.4g}"),
            "times_real_time": float(f"{self.real_time:.4g}"),
            "bytes": self.size,
        }


def torch_speed(model: EncoderModel, windows: AudioWindows, seconds: float = _SECONDS) -> Speed:
    """Time a model in torch, on one thread whatever torch is set to."""
    audio, valid = torch.from_numpy(windows.audio), torch.from_numpy(windows.valid)

    def run(row: int) -> None:
        model(audio[row : row + 1], valid[row : row + 1])

    with _one_thread(), torch.inference_mode():
        rate = windows_per_second(run, len(windows), seconds)
    return Speed("torch fp32", rate, rate * model.window_s)


def encoder_speed(
    encoder: Encoder,
    windows: AudioWindows,
    runtime: str,
    size: int,
    seconds: float = _SECONDS,
) -> Speed:
    """Time an encoder of one thread."""

    def run(row: int) -> None:
        rows = slice(row, row + 1)
        encoder.encode(encoder.prepare(windows.audio[rows], windows.valid[rows]))

    rate = windows_per_second(run, len(windows), seconds)
    return Speed(runtime, rate, rate * encoder.spec.window_s, size)


def windows_per_second(run: Callable[[int], None], count: int, seconds: float) -> float:
    """Return calls per second of the processor's time, in the quickest of three rounds.

    Parameters
    ----------
    run
        Takes the number of a window, below ``count``.
    count
        Windows there are.
    seconds
        About how long a round lasts.
    """
    run(0)
    best, row = 0.0, 0
    for _ in range(_ROUNDS):
        done, begin = 0, time.process_time()
        while (spent := time.process_time() - begin) < seconds or not done:
            run(row % count)
            row, done = row + 1, done + 1
        best = max(best, done / max(spent, 1e-9))
    return best


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
