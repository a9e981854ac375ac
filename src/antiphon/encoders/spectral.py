"""The built-in encoder: statistics and modulations of a log-mel spectrogram, without weights.

A window becomes a log-mel spectrogram, and that two sets of features:

- per band, over time: mean, deviation, the 10th, 50th and 90th percentile and the maximum, all
  relative to the window's median, so that they follow the shape of the sound and not its gain;
- joint time-frequency scattering in the manner of Andén, Lostanlen & Mallat, "Joint time-frequency
  scattering" (IEEE TSP 2019, section III): two-dimensional Gabor filters of 8 orientations (tones,
  onsets, rising and falling sweeps, harmonic ripples) and 2 widths, over 6 octaves of modulation
  rate, modulus, mean and deviation over time in 12 zones of frequency, logarithm (Andén & Mallat,
  "Deep scattering spectrum", IEEE TSP 2014, section V).

Each feature is centred and scaled by what it is on a fixed set of synthetic sounds, never on
recordings, and a subsampled randomised cosine transform (Ailon & Chazelle 2009; Tropp 2011) brings
them to the wanted length with distances kept. Level enters through the floor of the logarithm and
as features of its own, so a far call stays near to a close one without being the same.

Only frames that lie wholly inside the audio are used: padding cannot influence an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from antiphon.audio.features.logmel import LogMel
from antiphon.encoders.base import Encoded, EncoderSpec, Float32, Int64
from antiphon.encoders.calibration import calibration_sounds
from antiphon.encoders.checking import check_parameters
from antiphon.encoders.modulation import band_statistics, level_features, scattering
from antiphon.encoders.presets import PRESETS, SpectralParameters
from antiphon.errors import UserError

# Raised with every change to what is computed, so that old and new vectors never mix.
ALGORITHM = 1

# Power of white noise, re full scale, below which a band counts as silent: about -71 dB.
_FLOOR = 8e-8

# Frames at least, for the statistics to mean something.
_MIN_FRAMES = 8

# Length of the synthetic sounds, at most that of a window.
_CALIBRATION_FRAMES = 150

# Features further from the synthetic mean than this many deviations are held there.
_LIMIT = 8.0


class SpectralEncoder:
    """The built-in encoder for one set of parameters; see the module for what it computes.

    All methods may be called from several threads. Nothing depends on the batch, to the bit.

    Parameters
    ----------
    name
        For the spec.
    parameters
        Rate, window, bands, length.

    Raises
    ------
    UserError
        The window holds too few frames.
    """

    def __init__(self, name: str, parameters: SpectralParameters) -> None:
        self._mel = _mel(parameters)
        window = round(parameters.window_s * parameters.sample_rate)
        if self._mel.n_frames(window) < _MIN_FRAMES:
            raise UserError(
                f"Encoder {name!r}: a window of {parameters.window_s} s holds "
                f"{self._mel.n_frames(window)} frames of {parameters.frame_ms} ms, too few: use a "
                "longer window or shorter frames."
            )
        self._window = window
        length = min(window, self._mel.n_fft + _CALIBRATION_FRAMES * self._mel.hop)
        self._mean, self._scale = _constants(self._mel, length, parameters.fmin, parameters.top)
        self._projection = Projection(len(self._mean), parameters.dim, parameters.seed)
        facts = parameters.model_dump(exclude={"sample_rate", "window_s", "hop_s", "dim"})
        self._spec = EncoderSpec(
            name=name,
            sample_rate=parameters.sample_rate,
            window_s=parameters.window_s,
            hop_s=parameters.hop_s or parameters.window_s,
            dim=parameters.dim,
            parameters={**facts, "fmax": parameters.top, "algorithm": ALGORITHM},
        )

    @property
    def spec(self) -> EncoderSpec:
        """The facts that identify the encoder."""
        return self._spec

    def prepare(self, audio: Float32, valid: Int64) -> Float32:
        """Compute the features of each window, ``(n, features)``: nearly all of the work."""
        if audio.ndim != 2 or audio.shape[1] != self._window or len(valid) != len(audio):
            raise ValueError(
                f"windows must be (n, {self._window}) with n valid counts, "
                f"not {audio.shape} with {np.shape(valid)}"
            )
        out = np.empty((len(audio), len(self._mean)), np.float32)
        for row, (samples, count) in enumerate(zip(audio, valid, strict=True)):
            features = _features(samples[: max(int(count), self._mel.n_fft)], self._mel)
            scaled = (features - self._mean) / self._scale
            out[row] = np.clip(scaled, -_LIMIT, _LIMIT)
        return out

    def encode(self, features: Float32) -> Encoded:
        """Project the features; see :class:`antiphon.encoders.base.Encoder`."""
        return Encoded(self._projection(features))


class Projection:
    """A fixed projection that keeps distances: random signs, cosine transform, some of its rows.

    Parameters
    ----------
    features
        Length of what comes in.
    dim
        Length of what goes out.
    seed
        Of signs and rows.
    """

    def __init__(self, features: int, dim: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._length = max(features, dim)
        self._signs = rng.choice(np.array([-1.0, 1.0], np.float32), features)
        self._rows = np.sort(rng.permutation(self._length)[:dim])
        self._gain = np.float32(np.sqrt(self._length / dim / features))

    def __call__(self, values: Float32) -> Float32:
        """Project ``(n, features)`` to ``(n, dim)``; unit variances come out near length 1."""
        out = np.empty((len(values), len(self._rows)), np.float32)
        for row, vector in enumerate(values):
            turned = fft.dct(vector * self._signs, n=self._length, norm="ortho")
            out[row] = turned[self._rows] * self._gain
        return out


def create_spectral(preset: str, parameters: Mapping[str, Any]) -> SpectralEncoder:
    """Create the built-in encoder.

    Parameters
    ----------
    preset
        A key of :data:`antiphon.encoders.presets.PRESETS`.
    parameters
        What differs from the preset, as
        :class:`~antiphon.encoders.presets.SpectralParameters`.

    Raises
    ------
    UserError
        A parameter is unknown or does not go with the others.
    """
    values = {**PRESETS[preset].values, **parameters}
    return SpectralEncoder(preset, check_parameters(SpectralParameters, values, preset))


def _mel(parameters: SpectralParameters) -> LogMel:
    hop = max(1, round(parameters.frame_ms * 1e-3 * parameters.sample_rate))
    # The power of two nearest to 3.2 hops: 32 ms frames every 10 ms at 32 kHz.
    n_fft = max(16, 2 ** round(np.log2(3.2 * hop)))
    return LogMel(
        parameters.sample_rate,
        n_fft=n_fft,
        hop=hop,
        pad="none",
        n_mels=parameters.n_mels,
        fmin=parameters.fmin,
        fmax=parameters.top,
        log="none",
    )


def _features(samples: Float32, mel: LogMel) -> Float32:
    energy = mel.mel(samples[None])[0]
    # White noise of variance v gives v * gain in every band: unit-area filters, Hann window.
    gain = 0.375 * mel.n_fft * (mel.n_fft / mel.sample_rate)
    log_mel = np.log(energy + np.float32(_FLOOR * gain))
    log_mel -= np.float32(np.log(gain))
    return np.concatenate(
        [level_features(log_mel), band_statistics(log_mel), scattering(log_mel)], dtype=np.float32
    )


@lru_cache(maxsize=8)
def _constants(
    mel: LogMel, n_samples: int, fmin: float, fmax: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and scale of each feature over the synthetic sounds."""
    sounds = calibration_sounds(n_samples, mel.sample_rate, fmin, fmax)
    table = np.stack([_features(sound, mel) for sound in sounds]).astype(np.float64)
    deviation = table.std(axis=0)
    # A feature that hardly varies on these sounds must not be blown up on others.
    scale = deviation + 0.05 * np.median(deviation)
    return table.mean(axis=0).astype(np.float32), scale.astype(np.float32)
