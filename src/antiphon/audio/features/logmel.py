"""Mel spectrogram with a logarithm: the front end of most audio networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.audio.features.mel import (
    MelNorm,
    MelProjection,
    MelScale,
    Slopes,
    mel_filterbank,
)
from antiphon.audio.features.stft import (
    Bool,
    Int64,
    Padding,
    StftConfig,
    WindowName,
    as_batch,
    spectra,
)
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]

LogKind = Literal["natural", "db", "none"]


@dataclass(frozen=True, slots=True)
class LogMel:
    """A mel spectrogram by fixed parameters; call it on audio.

    Parameters
    ----------
    sample_rate
        Hz of the audio.
    n_fft, hop, win_length, window, pad
        As in :class:`~antiphon.audio.features.stft.StftConfig`.
    n_mels, fmin, fmax, scale, norm, slopes
        As in :func:`~antiphon.audio.features.mel.mel_filterbank`.
    power
        2 to filter the power spectrum, 1 the magnitudes.
    log
        ``natural``: ln(mel + offset). ``db``: 20 / power * log10(max(mel, floor)), so that it is
        dB for both powers. ``none``: the mel energies.
    offset
        Added before the natural logarithm.
    floor
        Smallest value taken to dB.
    top_db
        Clip dB values at this far below the loudest of the same window; None does not clip.

    Raises
    ------
    UserError
        Parameters that do not go together.
    """

    sample_rate: int
    n_fft: int = 2048
    hop: int = 512
    win_length: int | None = None
    window: WindowName = "hann"
    pad: Padding = "reflect"
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    scale: MelScale = "slaney"
    norm: MelNorm = "slaney"
    slopes: Slopes = "hz"
    power: Literal[1, 2] = 2
    log: LogKind = "natural"
    offset: float = 1e-6
    floor: float = 1e-10
    top_db: float | None = None

    def __post_init__(self) -> None:
        if self.power not in (1, 2):
            raise UserError(f"Mel power {self.power}: use 1 (magnitude) or 2 (power).")
        if self.log not in ("natural", "db", "none"):
            raise UserError(f"Mel log {self.log!r}: use 'natural', 'db' or 'none'.")
        if self.offset < 0 or self.floor <= 0 or (self.top_db is not None and self.top_db < 0):
            raise UserError("Mel offset and top_db must not be negative, and floor positive.")
        _projection(self)

    @property
    def stft(self) -> StftConfig:
        """The transform under the mel filters."""
        return StftConfig(self.n_fft, self.hop, self.win_length, self.window, self.pad)

    def n_frames(self, n_samples: int) -> int:
        """Frames over ``n_samples`` samples."""
        return self.stft.n_frames(n_samples)

    def frame_mask(self, valid: Int64, n_samples: int) -> Bool:
        """Frames that hold audio; see :func:`antiphon.audio.features.stft.frame_mask`."""
        return self.stft.frame_mask(valid, n_samples)

    def mel(self, audio: Float32) -> Float32:
        """Mel energies (or magnitudes) before the logarithm.

        Parameters
        ----------
        audio
            ``(n, samples)`` float32.

        Returns
        -------
        numpy.ndarray
            ``(n, frames, n_mels)`` float32.
        """
        audio = as_batch(audio)
        config, project = self.stft, _projection(self)
        out = np.empty((len(audio), config.n_frames(audio.shape[1]), self.n_mels), np.float32)
        for row, samples in enumerate(audio):
            for first, block in spectra(samples, config, self.power):
                out[row, first : first + len(block)] = project(block)
        return out

    def __call__(self, audio: Float32) -> Float32:
        """Compute the features: ``(n, samples)`` to ``(n, frames, n_mels)`` float32."""
        mel = self.mel(audio)
        if self.log == "natural":
            mel += np.float32(self.offset)
            # Silence with an offset of 0 is minus infinity, as it should be.
            with np.errstate(divide="ignore"):
                return np.log(mel, out=mel)
        if self.log == "db":
            return self._to_db(mel)
        return mel

    def _to_db(self, mel: Float32) -> Float32:
        np.maximum(mel, np.float32(self.floor), out=mel)
        np.log10(mel, out=mel)
        mel *= np.float32(20 / self.power)
        if self.top_db is not None and mel.size:
            loudest = mel.max(axis=(1, 2), keepdims=True)
            np.maximum(mel, loudest - np.float32(self.top_db), out=mel)
        return mel


@lru_cache(maxsize=32)
def _projection(config: LogMel) -> MelProjection:
    return MelProjection(
        mel_filterbank(
            config.sample_rate,
            config.n_fft,
            config.n_mels,
            config.fmin,
            config.fmax,
            config.scale,
            config.norm,
            config.slopes,
        )
    )
