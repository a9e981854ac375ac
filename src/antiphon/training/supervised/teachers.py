"""Where the embeddings that a student learns from come from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.audio.resample import Resampler
from antiphon.audio.windows import WindowSpec, window_starts
from antiphon.encoders.base import Encoder
from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating
from antiphon.training.supervised.teacher_cache import TeacherCache, content_key
from antiphon.training.task import Batch

Float32 = npt.NDArray[np.float32]


class Teacher(Protocol):
    """Embeddings for a batch."""

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        ...

    def __call__(self, batch: Batch) -> Tensor:
        """Return ``(B, dim)`` float32 on the device of the batch, without gradient."""
        ...


class FromModel:
    """An encoder in torch that is run on each batch, as it is given: augmented audio included.

    Parameters
    ----------
    model
        Stays as it is, in evaluation mode.
    """

    def __init__(self, model: EncoderModel) -> None:
        self.model = model.eval().requires_grad_(False)
        self.dim = model.dim

    def __call__(self, batch: Batch) -> Tensor:
        """Return the embeddings of the batch's audio."""
        waveform = batch["waveform"]
        if next(self.model.parameters()).device != waveform.device:
            self.model.to(waveform.device)
        with evaluating(self.model):
            found: Tensor = self.model(waveform, batch["valid"]).embedding.float()
        return found


class FromEncoder:
    """Any encoder of Antiphon; its windows over a clip are averaged by the audio they hold.

    Parameters
    ----------
    encoder
        Run on the CPU.
    sample_rate
        Hz of the batches.
    cache
        Where embeddings are kept; None keeps none.
    """

    def __init__(
        self, encoder: Encoder, sample_rate: int, cache: TeacherCache | None = None
    ) -> None:
        self.encoder = encoder
        self.sample_rate = sample_rate
        self.cache = cache
        self.dim = encoder.spec.dim

    def __call__(self, batch: Batch) -> Tensor:
        """Return the embeddings of the batch's audio."""
        waveform = batch["waveform"].detach().float().cpu().numpy()
        found = self.embed(waveform, batch["valid"].cpu().numpy())
        return torch.from_numpy(found).to(batch["waveform"].device)

    def embed(self, waveform: Float32, valid: npt.NDArray[np.int64]) -> Float32:
        """Return ``(B, dim)`` embeddings of ``(B, N)`` clips with ``(B,)`` samples of audio."""
        clips = [row[: max(int(n), 1)] for row, n in zip(waveform, valid, strict=True)]
        if self.cache is None:
            return np.stack([self._clip(clip) for clip in clips])
        keys = [content_key(clip, self.sample_rate) for clip in clips]
        rows = self.cache.get(keys)
        missing = [n for n, row in enumerate(rows) if row is None]
        if missing:
            made = np.stack([self._clip(clips[n]) for n in missing])
            self.cache.put([keys[n] for n in missing], made)
            for n, row in zip(missing, made, strict=True):
                rows[n] = row
        return np.stack([row for row in rows if row is not None])

    def _clip(self, clip: Float32) -> Float32:
        spec = self.encoder.spec
        if spec.sample_rate != self.sample_rate:
            resampler = Resampler(self.sample_rate, spec.sample_rate, 1)
            clip = resampler.process(clip[:, None], last=True)[:, 0]
        windows = WindowSpec(spec.window_s, min(spec.hop_s, spec.window_s), spec.sample_rate)
        length = windows.window_samples
        starts = window_starts(max(len(clip), 1), length, windows.hop_samples)
        audio = np.zeros((len(starts), length), np.float32)
        valid = np.minimum(len(clip) - starts, length).astype(np.int64)
        for row, start, count in zip(audio, starts, valid, strict=True):
            row[:count] = clip[start : start + count]
        rows = self.encoder.encode(self.encoder.prepare(audio, valid)).embeddings
        weight = np.maximum(valid, 1).astype(np.float64)
        mean: Float32 = (weight @ rows / weight.sum()).astype(np.float32)
        return mean
