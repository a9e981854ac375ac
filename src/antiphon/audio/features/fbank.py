"""Kaldi's log-mel filterbank features, which many speech and audio transformers expect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from antiphon.audio.features.mel import MelProjection, mel_filterbank
from antiphon.audio.features.stft import (
    Bool,
    Int64,
    WindowName,
    analysis_window,
    as_batch,
    frame_blocks,
    frame_mask,
    spectrum,
)
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]

# Kaldi floors mel energies at the machine epsilon of float32.
_FLOOR = np.float32(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class KaldiFbank:
    """Kaldi filterbank by fixed parameters; call it on audio. There is no dither.

    The defaults are those of Kaldi's ``compute-fbank-feats`` without dither and energy. Per frame:
    subtract the mean, pre-emphasise, apply a symmetric window, zero-pad to a power of two, take
    the power spectrum, weigh it with triangles on Kaldi's mel scale (1127 ln(1 + f / 700)), and
    take the natural logarithm. Source: Kaldi, ``feat/feature-fbank.cc``, ``feat/feature-window.cc``
    and ``feat/mel-computations.cc``.

    Parameters
    ----------
    sample_rate
        Hz of the audio.
    n_mels
        Number of mel bands.
    frame_ms, shift_ms
        Length of a frame and step between frames in milliseconds.
    fmin, fmax
        Hz; an ``fmax`` of 0 or less counts from half the sample rate down.
    window
        ``povey``, ``hann``, ``hamming`` or ``rectangular``.
    preemphasis
        Coefficient, 0 for none.
    remove_dc
        Whether to subtract each frame's mean.
    snip_edges
        Whether frames lie within the audio only; else their number is that of the steps, and the
        audio is mirrored beyond its ends.
    power
        2 for the power spectrum, 1 for magnitudes.
    log
        Whether to take the logarithm.
    scale
        Factor on the audio first: ``32768`` where a network was trained on 16-bit integers.
    """

    sample_rate: int
    n_mels: int = 23
    frame_ms: float = 25.0
    shift_ms: float = 10.0
    fmin: float = 20.0
    fmax: float = 0.0
    window: WindowName = "povey"
    preemphasis: float = 0.97
    remove_dc: bool = True
    snip_edges: bool = True
    power: int = 2
    log: bool = True
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.frame_length < 2 or self.hop < 1:
            raise UserError(
                f"Frames of {self.frame_ms} ms every {self.shift_ms} ms are too short "
                f"at {self.sample_rate} Hz."
            )
        if not 0 <= self.preemphasis <= 1 or self.power not in (1, 2):
            raise UserError("Kaldi filterbank: pre-emphasis must be 0 to 1, power 1 or 2.")
        _projection(self)

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return int(self.sample_rate * self.frame_ms * 0.001)

    @property
    def hop(self) -> int:
        """Samples between frames."""
        return int(self.sample_rate * self.shift_ms * 0.001)

    @property
    def n_fft(self) -> int:
        """Length of the transform: the next power of two."""
        return int(1 << (self.frame_length - 1).bit_length())

    def n_frames(self, n_samples: int) -> int:
        """Frames over ``n_samples`` samples."""
        if self.snip_edges:
            return max(0, 1 + (n_samples - self.frame_length) // self.hop)
        return (n_samples + self.hop // 2) // self.hop

    def frame_mask(self, valid: Int64, n_samples: int) -> Bool:
        """Frames that hold audio; see :func:`antiphon.audio.features.stft.frame_mask`."""
        centre = self.frame_length // 2 if self.snip_edges else self.hop // 2
        return frame_mask(valid, self.n_frames(n_samples), self.hop, first_centre=centre)

    def __call__(self, audio: Float32) -> Float32:
        """Compute the features: ``(n, samples)`` to ``(n, frames, n_mels)`` float32."""
        audio = as_batch(audio)
        project = _projection(self)
        window = analysis_window(self.window, self.frame_length, periodic=False)
        out = np.empty((len(audio), self.n_frames(audio.shape[1]), self.n_mels), np.float32)
        for row, samples in enumerate(audio):
            padded = self._padded(samples * np.float32(self.scale))
            for first, frames in frame_blocks(padded, self.frame_length, self.hop):
                shaped = self._shaped(frames)
                shaped *= window
                mel = project(spectrum(shaped, self.n_fft, self.power))
                out[row, first : first + len(frames)] = mel
        if self.log:
            np.maximum(out, _FLOOR, out=out)
            np.log(out, out=out)
        return out

    def _shaped(self, frames: Float32) -> Float32:
        """Subtract the mean and pre-emphasise; the first sample is its own predecessor."""
        if self.remove_dc:
            frames = frames - frames.mean(axis=1, keepdims=True, dtype=np.float32)
        shaped = frames.copy()
        if self.preemphasis:
            coefficient = np.float32(self.preemphasis)
            shaped[:, 1:] -= coefficient * frames[:, :-1]
            shaped[:, 0] -= coefficient * frames[:, 0]
        return shaped

    def _padded(self, samples: Float32) -> Float32:
        if self.snip_edges or len(samples) == 0:
            return samples
        left = self.frame_length // 2 - self.hop // 2
        needed = (self.n_frames(len(samples)) - 1) * self.hop + self.frame_length
        if left < 0:
            samples, left = samples[-left:], 0
        right = max(0, needed - left - len(samples))
        return np.pad(samples, (left, right), mode="symmetric")[:needed]


@lru_cache(maxsize=32)
def _projection(config: KaldiFbank) -> MelProjection:
    nyquist = config.sample_rate / 2
    fmax = config.fmax if config.fmax > 0 else nyquist + config.fmax
    filters = mel_filterbank(
        config.sample_rate,
        config.n_fft,
        config.n_mels,
        config.fmin,
        fmax,
        scale="htk",
        norm=None,
        slopes="mel",
    )
    return MelProjection(filters)
