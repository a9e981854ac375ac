"""Short-time Fourier transform of batches of windows: magnitude and power."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

WindowName = Literal["hann", "hamming", "povey", "rectangular"]
Padding = Literal["reflect", "zero", "none"]

# Frames that are transformed at once: their samples and spectra stay in a core's cache.
_CHUNK = 128


@dataclass(frozen=True, slots=True)
class StftConfig:
    """How to cut audio into frames and transform them.

    Parameters
    ----------
    n_fft
        Length of the transform in samples, even.
    hop
        Samples between frames.
    win_length
        Samples in a frame, at most ``n_fft`` (the rest is zeros); ``n_fft`` when not given.
    window
        Analysis window, periodic: ``hann``, ``hamming``, ``povey`` (Hann to the power 0.85) or
        ``rectangular``.
    pad
        ``reflect`` or ``zero``: frames are centred, frame ``t`` on sample ``t * hop``, and the
        audio is mirrored or zero beyond its ends; ``1 + samples // hop`` frames. ``none``: frame
        ``t`` starts at sample ``t * hop``; ``1 + (samples - win_length) // hop`` frames.

    Raises
    ------
    UserError
        A length is not positive, or the frame is longer than the transform.
    """

    n_fft: int = 2048
    hop: int = 512
    win_length: int | None = None
    window: WindowName = "hann"
    pad: Padding = "reflect"

    def __post_init__(self) -> None:
        if self.n_fft < 2 or self.n_fft % 2 or self.hop < 1:
            raise UserError(
                f"n_fft {self.n_fft} must be even and positive, hop {self.hop} positive."
            )
        if not 1 <= self.frame_length <= self.n_fft:
            raise UserError(f"win_length {self.win_length} must be between 1 and {self.n_fft}.")
        if self.pad not in ("reflect", "zero", "none"):
            raise UserError(f"pad {self.pad!r}: use 'reflect', 'zero' or 'none'.")
        analysis_window(self.window, self.frame_length)

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return self.n_fft if self.win_length is None else self.win_length

    @property
    def n_bins(self) -> int:
        """Frequency bins, from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1

    @property
    def first_centre(self) -> int:
        """Sample on which frame 0 is centred."""
        return self.frame_length // 2 if self.pad == "none" else 0

    def n_frames(self, n_samples: int) -> int:
        """Frames over ``n_samples`` samples; 0 if there is not even one."""
        if self.pad == "none":
            return max(0, 1 + (n_samples - self.frame_length) // self.hop)
        return 1 + n_samples // self.hop if n_samples else 0

    def frame_mask(self, valid: Int64, n_samples: int) -> Bool:
        """Frames to pool over, ``(n, frames)``; see :func:`frame_mask`."""
        return frame_mask(valid, self.n_frames(n_samples), self.hop, first_centre=self.first_centre)


def frame_mask(valid_samples: Int64, n_frames: int, hop: int, *, first_centre: int = 0) -> Bool:
    """Say which frames hold audio and not padding, for pooling over time.

    A frame counts if its centre, sample ``first_centre + t * hop``, lies in the valid part: at
    least half of its window is audio then. Frame 0 counts whenever there is any audio at all, so
    that a pool is never empty.

    Parameters
    ----------
    valid_samples
        ``(n,)`` samples of each window that are audio.
    n_frames
        Frames per window.
    hop
        Samples between frames.
    first_centre
        Sample on which frame 0 is centred: 0 for centred frames, half a frame otherwise.

    Returns
    -------
    numpy.ndarray
        ``(n, n_frames)`` bool.
    """
    valid = np.asarray(valid_samples, np.int64)
    centres = first_centre + np.arange(n_frames, dtype=np.int64) * hop
    mask: Bool = centres < valid[:, None]
    mask[:, :1] = valid[:, None] > 0
    return mask


@lru_cache(maxsize=64)
def analysis_window(name: WindowName, length: int, periodic: bool = True) -> Float32:
    """Return a window ``(length,)`` float32, read-only.

    Parameters
    ----------
    name
        ``hann``, ``hamming`` (0.54 - 0.46 cos), ``povey`` (Hann to the power 0.85, as in Kaldi)
        or ``rectangular``.
    length
        Samples.
    periodic
        Whether the window repeats after ``length`` samples (for spectra), or is symmetric.
    """
    phase = 2 * np.pi * np.arange(length) / max(length if periodic else length - 1, 1)
    match name:
        case "hann":
            values = 0.5 - 0.5 * np.cos(phase)
        case "hamming":
            values = 0.54 - 0.46 * np.cos(phase)
        case "povey":
            values = (0.5 - 0.5 * np.cos(phase)) ** 0.85
        case "rectangular":
            values = np.ones(length)
        case _:
            raise UserError(f"Window {name!r}: use hann, hamming, povey or rectangular.")
    window = values.astype(np.float32)
    window.flags.writeable = False
    return window


def power_spectrogram(audio: Float32, config: StftConfig) -> Float32:
    """Squared magnitude of the short-time Fourier transform.

    Parameters
    ----------
    audio
        ``(n, samples)`` float32.
    config
        How to frame and transform.

    Returns
    -------
    numpy.ndarray
        ``(n, frames, n_fft // 2 + 1)`` float32, not normalised by window or length.
    """
    return _spectrogram(audio, config, power=2)


def stft_magnitude(audio: Float32, config: StftConfig) -> Float32:
    """Magnitude of the short-time Fourier transform; as :func:`power_spectrogram`."""
    return _spectrogram(audio, config, power=1)


def _spectrogram(audio: Float32, config: StftConfig, power: int) -> Float32:
    audio = as_batch(audio)
    out = np.empty((len(audio), config.n_frames(audio.shape[1]), config.n_bins), np.float32)
    for row, samples in enumerate(audio):
        for first, block in spectra(samples, config, power):
            out[row, first : first + len(block)] = block
    return out


def as_batch(audio: Float32) -> Float32:
    """Return ``audio`` as ``(n, samples)`` float32; anything else than two axes is an error."""
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 2:
        raise ValueError(f"audio must be (n, samples), not {audio.shape}")
    return audio


def spectra(samples: Float32, config: StftConfig, power: int) -> Iterator[tuple[int, Float32]]:
    """Yield the spectra of one window in pieces: the first frame and ``(frames, bins)``."""
    window = analysis_window(config.window, config.frame_length)
    for first, frames in frame_blocks(_padded(samples, config), config.frame_length, config.hop):
        yield first, spectrum(frames * window, config.n_fft, power)


def frame_blocks(samples: Float32, length: int, hop: int) -> Iterator[tuple[int, Float32]]:
    """Yield views of the frames ``(up to 128, length)`` of one window, and the first's index."""
    if len(samples) < length:
        return
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    for first in range(0, len(frames), _CHUNK):
        yield first, frames[first : first + _CHUNK]


def spectrum(frames: Float32, n_fft: int, power: int) -> Float32:
    """Magnitude (``power`` 1) or its square (2) of windowed frames ``(n, length)``."""
    complex_ = fft.rfft(frames, n_fft, axis=1)
    squared = np.square(complex_.real)
    squared += np.square(complex_.imag)
    magnitude: Float32 = np.sqrt(squared, out=squared) if power == 1 else squared
    return magnitude


def _padded(samples: Float32, config: StftConfig) -> Float32:
    if config.pad == "none" or len(samples) == 0:
        return samples
    # The frame lies in the middle of the transform, so that both are centred on one sample.
    inside = (config.n_fft - config.frame_length) // 2
    left = config.n_fft // 2 - inside
    last = len(samples) // config.hop * config.hop - left + config.frame_length
    right = max(0, last - len(samples))
    mode: Literal["reflect", "constant"] = "reflect" if config.pad == "reflect" else "constant"
    return np.pad(samples, (left, right), mode=mode)
