"""From windows of audio to the tensor that a network takes, as its manifest says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.audio.features.fbank import KaldiFbank
from antiphon.audio.features.logmel import LogMel
from antiphon.audio.features.pcen import pcen
from antiphon.audio.features.stft import StftConfig, stft_magnitude
from antiphon.encoders.base import Float32, Int64
from antiphon.encoders.manifest import (
    FrontEnd,
    Input,
    KaldiFrontEnd,
    LogMelFrontEnd,
    Manifest,
    MelFrontEnd,
    PcenFrontEnd,
    StftFrontEnd,
    WaveformFrontEnd,
    _Mel,
    _Spectrogram,
)
from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a front end made of ``n`` windows.

    Parameters
    ----------
    tensor
        ``(n, ...)`` float32 in the layout of the network's input.
    valid
        ``(n,)`` share of each window that is audio, in (0, 1].
    """

    tensor: Float32
    valid: npt.NDArray[np.float64]


class NetworkFrontEnd:
    """Compute a manifest's front end; safe to call from several threads.

    Parameters
    ----------
    manifest
        The description of the network.

    Raises
    ------
    UserError
        Settings that do not go together, or a window too short for a frame.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._samples = round(manifest.window_s * manifest.sample_rate)
        self._input = manifest.input
        self._compute = _computation(manifest.front_end, manifest.sample_rate)
        probe = self(np.zeros((1, self._samples), np.float32), np.array([self._samples]))
        self.shape: tuple[int, ...] = probe.tensor.shape[1:]
        if 0 in self.shape:
            raise UserError(
                f"Encoder {manifest.name!r}: a window of {manifest.window_s} s is shorter than "
                "one frame of its front end."
            )

    def __call__(self, audio: Float32, valid: Int64) -> Prepared:
        """Compute the input tensor.

        Parameters
        ----------
        audio
            ``(n, window_samples)`` float32, zero-padded.
        valid
            ``(n,)`` samples that are audio.
        """
        audio = np.ascontiguousarray(audio, np.float32)
        valid = np.asarray(valid, np.int64)
        if audio.ndim != 2 or audio.shape[1] != self._samples or valid.shape != audio.shape[:1]:
            raise ValueError(
                f"windows must be (n, {self._samples}) with n valid counts, "
                f"not {audio.shape} with {valid.shape}"
            )
        features = self._compute(audio, valid)
        return Prepared(_arrange(features, self._input), valid / self._samples)


def _computation(front_end: FrontEnd, rate: int) -> Callable[[Float32, Int64], Float32]:
    if isinstance(front_end, WaveformFrontEnd):
        return lambda audio, valid: _waveform(audio, valid, front_end)
    transform, mask = _spectrogram(front_end, rate)

    def compute(audio: Float32, valid: Int64) -> Float32:
        features = transform(audio)
        if front_end.frames is not None:
            features = _fit(features, front_end.frames)
        audible = mask(valid, audio.shape[1])[:, : features.shape[1]]
        return _normalise(features, audible, front_end)

    return compute


def _spectrogram(
    front_end: _Spectrogram, rate: int
) -> tuple[Callable[[Float32], Float32], Callable[[Int64, int], Bool]]:
    """Return the function from audio to ``(n, frames, bins)`` and the one to its frame mask."""
    if isinstance(front_end, StftFrontEnd):
        stft = StftConfig(
            front_end.n_fft, front_end.hop, front_end.win_length, front_end.window, front_end.pad
        )
        return lambda audio: stft_magnitude(audio, stft), stft.frame_mask
    if isinstance(front_end, KaldiFrontEnd):
        keys = set(KaldiFrontEnd.model_fields) - set(_Spectrogram.model_fields) - {"kind"}
        fbank = KaldiFbank(rate, **front_end.model_dump(include=keys))
        return fbank, fbank.frame_mask
    if isinstance(front_end, LogMelFrontEnd):
        log_mel = _mel(front_end, rate, "log", "offset", "floor", "top_db")
        return log_mel, log_mel.frame_mask
    if isinstance(front_end, MelFrontEnd):
        mel = _mel(front_end, rate)
        return mel.mel, mel.frame_mask
    if isinstance(front_end, PcenFrontEnd):
        energy = _mel(front_end, rate)

        def normalised(audio: Float32) -> Float32:
            return pcen(
                energy.mel(audio),
                sample_rate=rate,
                hop=front_end.hop,
                time_constant_s=front_end.time_constant_s,
                gain=front_end.gain,
                bias=front_end.bias,
                power=front_end.exponent,
                eps=front_end.eps,
                scale=front_end.gain_scale,
            )

        return normalised, energy.frame_mask
    raise TypeError(type(front_end).__name__)


def _mel(front_end: _Mel, rate: int, *more: str) -> LogMel:
    keys = {"n_fft", "hop", "win_length", "window", "pad", "n_mels", "fmin", "fmax", "scale"}
    values = front_end.model_dump(include=keys | {"slopes", "power", *more})
    return LogMel(rate, norm=None if front_end.norm == "none" else front_end.norm, **values)


def _waveform(audio: Float32, valid: Int64, front_end: WaveformFrontEnd) -> Float32:
    out = np.zeros_like(audio)
    for row, (samples, count) in enumerate(zip(audio, valid.tolist(), strict=True)):
        part = samples[:count] * np.float32(front_end.scale)
        if front_end.remove_mean and count:
            part = part - part.mean(dtype=np.float64).astype(np.float32)
        loudest = float(np.abs(part).max()) if count else 0.0
        if front_end.peak is not None and loudest > 0:
            part = part * np.float32(front_end.peak / loudest)
        out[row, :count] = part
    return out


def _fit(features: Float32, frames: int) -> Float32:
    if features.shape[1] < frames:
        raise UserError(
            f"The front end gives {features.shape[1]} frames per window, the manifest says "
            f"{frames}: check hop, pad and window_s."
        )
    return features[:, :frames]


def _normalise(features: Float32, audible: Bool, front_end: _Spectrogram) -> Float32:
    if front_end.normalise == "none":
        return features
    if front_end.normalise == "fixed":
        mean, std = front_end.mean, front_end.std
        assert mean is not None
        assert std is not None
        return (features - np.float32(mean)) / np.float32(std)
    out = np.zeros_like(features)
    for row, (values, frames) in enumerate(zip(features, audible, strict=True)):
        part = values[frames]
        if part.size == 0:
            continue
        if front_end.normalise == "min_max":
            low, spread = part.min(), part.max() - part.min()
        else:
            low = part.mean(dtype=np.float64).astype(np.float32)
            spread = part.std(dtype=np.float64).astype(np.float32)
        # A constant window (digital silence) has no spread and stays at zero.
        if spread > 0:
            out[row, frames] = (part - low) / spread
    return out


def _arrange(features: Float32, entry: Input) -> Float32:
    """Put ``(n, S)`` or ``(n, T, F)`` into the input's layout, with channels where it has them."""
    axes = "NS" if features.ndim == 2 else "NTF"
    if "C" in entry.layout:
        features = np.broadcast_to(features[..., None], (*features.shape, entry.channels))
        axes += "C"
    return np.ascontiguousarray(features.transpose([axes.index(a) for a in entry.layout]))
