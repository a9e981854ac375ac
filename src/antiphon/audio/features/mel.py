"""Mel scales and triangular filters."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MelScale = Literal["slaney", "htk"]
MelNorm = Literal["slaney"] | None
Slopes = Literal["hz", "mel"]

# Slaney's Auditory Toolbox (1998): linear up to 1 kHz, then 27 logarithmic steps per 6.4-fold.
_LINEAR_HZ = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: npt.ArrayLike, scale: MelScale = "slaney") -> Float64:
    """Convert Hz to mel: ``slaney`` (Slaney 1998) or ``htk`` (2595 log10(1 + f / 700))."""
    f = np.asarray(hz, np.float64)
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + f / 700.0))
    above = _BREAK_MEL + np.log(np.maximum(f, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(f >= _BREAK_HZ, above, f / _LINEAR_HZ)


def mel_to_hz(mel: npt.ArrayLike, scale: MelScale = "slaney") -> Float64:
    """Convert mel to Hz, the inverse of :func:`hz_to_mel`."""
    m = np.asarray(mel, np.float64)
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (m / 2595.0) - 1.0))
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(m, _BREAK_MEL) - _BREAK_MEL))
    return np.where(m >= _BREAK_MEL, above, m * _LINEAR_HZ)


@lru_cache(maxsize=64)
def mel_filterbank(
    sample_rate: int,
    n_fft: int,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    scale: MelScale = "slaney",
    norm: MelNorm = "slaney",
    slopes: Slopes = "hz",
) -> Float32:
    """Triangular filters, equally spaced on a mel scale.

    Parameters
    ----------
    sample_rate
        Hz.
    n_fft
        Length of the transform whose bins are weighted.
    n_mels
        Number of filters.
    fmin, fmax
        Hz: lower edge of the first and upper edge of the last filter; ``fmax`` is half the
        sample rate when not given.
    scale
        ``slaney`` or ``htk``.
    norm
        ``slaney`` gives each filter unit area over Hz (times 2 / bandwidth); None a peak of 1.
    slopes
        Whether the flanks are straight over ``hz`` (librosa) or over ``mel`` (TensorFlow, Kaldi).

    Returns
    -------
    numpy.ndarray
        ``(n_mels, n_fft // 2 + 1)`` float32, read-only. With more filters than bins at low
        frequencies some rows are zero.

    Raises
    ------
    UserError
        The frequencies are not ``0 <= fmin < fmax <= sample_rate / 2``, or a name is unknown.
    """
    top = sample_rate / 2 if fmax is None else fmax
    if not 0 <= fmin < top <= sample_rate / 2:
        raise UserError(
            f"Mel filters from {fmin} to {top} Hz do not fit audio at {sample_rate} Hz: "
            f"use 0 <= fmin < fmax <= {sample_rate / 2}."
        )
    if scale not in ("slaney", "htk") or norm not in ("slaney", None) or n_mels < 1:
        raise UserError(f"Unknown mel scale {scale!r}, norm {norm!r} or {n_mels} filters.")
    low, high = hz_to_mel([fmin, top], scale).tolist()
    mels = np.linspace(low, high, n_mels + 2)
    bins: Float64 = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
    edges = mel_to_hz(mels, scale)
    if slopes == "mel":
        weights = _triangles(hz_to_mel(bins, scale), mels)
    else:
        weights = _triangles(bins, edges)
    if norm == "slaney":
        weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    filters = weights.astype(np.float32)
    filters.flags.writeable = False
    return filters


def _triangles(points: Float64, edges: Float64) -> Float64:
    """Height at ``points`` of the triangles over each three successive ``edges``."""
    width = np.diff(edges)[:, None]
    rising = (points - edges[:-2, None]) / width[:-1]
    falling = (edges[2:, None] - points) / width[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


class MelProjection:
    """Apply a filterbank to spectra, as a sparse product.

    Each output is summed bin by bin in one order, whatever the number of frames or threads,
    which a BLAS product does not promise; with two filters per bin it is also quicker.

    Parameters
    ----------
    filters
        ``(n_mels, bins)`` float32.
    """

    def __init__(self, filters: Float32) -> None:
        self._filters = sparse.csr_array(filters)

    def __call__(self, spectra: Float32) -> Float32:
        """Turn ``(frames, bins)`` into ``(frames, n_mels)``."""
        mel: Float32 = self._filters @ np.ascontiguousarray(spectra.T)
        return mel.T
