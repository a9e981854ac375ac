"""Features of one log-mel spectrogram: level, statistics per band, joint scattering."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from antiphon.encoders.base import Float32

_SIZE = 8  # frames and bands under a filter
_WIDTHS = (4.0, 8.0)  # wavelengths in frames and bands
_ORIENTATIONS = 8
_OCTAVES = 6
_ZONES = 12

# Columns in a matrix product: 32 x 64 x 128 is the most that OpenBLAS does in one thread.
_PIECE = 128

# Modulations below this (in nepers of log-mel) are noise of the estimate.
_LOG_FLOOR = np.float32(0.02)

# The four level features stand for as much as this many others each.
_LEVEL_COPIES = 2


def level_features(log_mel: Float32) -> Float32:
    """Overall level: median, 95th percentile, mean of the loudest band, maximum.

    Parameters
    ----------
    log_mel
        ``(frames, bands)`` natural logarithm of power.

    Returns
    -------
    numpy.ndarray
        ``(8,)``: the four values, each twice, which is their weight among the others.
    """
    ordered = np.sort(log_mel, axis=None)
    middle, high = (ordered[round(share * (ordered.size - 1))] for share in (0.5, 0.95))
    loudest_band = log_mel.mean(axis=0).max()
    values = np.array([middle, high, loudest_band, ordered[-1]], np.float32)
    return np.repeat(values, _LEVEL_COPIES)


def band_statistics(log_mel: Float32) -> Float32:
    """Per band, over time: mean, deviation, percentiles 10, 50, 90 and maximum.

    Parameters
    ----------
    log_mel
        ``(frames, bands)``.

    Returns
    -------
    numpy.ndarray
        ``(6 * bands,)``, relative to the median of all, so that a gain changes nothing.
    """
    ordered = np.sort(log_mel, axis=0)
    last = len(ordered) - 1
    percentiles = [ordered[round(share * last)] for share in (0.1, 0.5, 0.9, 1.0)]
    values = [log_mel.mean(axis=0), *percentiles]
    flat = np.sort(log_mel, axis=None)
    centre = flat[flat.size // 2]
    shifted = [value - centre for value in values]
    return np.concatenate([*shifted, log_mel.std(axis=0)]).astype(np.float32)


def scattering(log_mel: Float32) -> Float32:
    """Logarithm of the mean and deviation over time of Gabor moduli, by rate, filter and zone.

    Each octave halves the frame rate by averaging pairs of frames. Beyond the ends of the sound
    its first and last frame are repeated, so that a sound shorter than a filter has features too.

    Parameters
    ----------
    log_mel
        ``(frames, bands)``, at least one frame and 32 bands.

    Returns
    -------
    numpy.ndarray
        ``(2304,)``: 6 octaves x (mean, deviation) x 16 filters x 12 zones.
    """
    parts = []
    # Frames last: they are the long axis, and all that follows runs along it.
    level = np.ascontiguousarray(log_mel.T)
    for octave in range(_OCTAVES):
        if octave:
            if level.shape[1] % 2:
                level = np.concatenate([level, level[:, -1:]], axis=1)
            level = (level[:, ::2] + level[:, 1::2]) * np.float32(0.5)
        zones = _zone_moduli(level)
        parts += [zones.mean(axis=2).ravel(), zones.std(axis=2).ravel()]
    logarithm: Float32 = np.log(np.concatenate(parts).astype(np.float32) + _LOG_FLOOR)
    return logarithm


def _zone_moduli(level: Float32) -> Float32:
    """Moduli of all filters, averaged within zones of frequency: ``(filters, zones, frames)``."""
    padded = np.pad(level, ((0, 0), (_SIZE // 2, _SIZE // 2 - 1)), mode="edge")
    # The modulus is smooth over neighbouring bands, so that every second place is enough.
    patches = np.lib.stride_tricks.sliding_window_view(padded, (_SIZE, _SIZE))[::2]
    bands, frames = patches.shape[:2]
    columns = patches.transpose(2, 3, 0, 1).reshape(_SIZE * _SIZE, bands * frames)
    response = _product(_gabor_filters(), columns).reshape(2, -1, bands, frames)
    np.square(response, out=response)
    moduli = np.sqrt(response[0] + response[1])
    edges = np.linspace(0, bands, _ZONES + 1).astype(np.int64)
    summed: Float32 = np.add.reduceat(moduli, edges[:-1], axis=1)
    summed /= np.diff(edges).astype(np.float32)[:, None]
    return summed


def _product(filters: Float32, columns: Float32) -> Float32:
    """Matrix product in pieces that BLAS takes in one thread.

    Callers run side by side already, where threads of BLAS only wait for each other, and a product
    that is split by threads could differ in the last bit from one machine setting to another.
    """
    rows, total = len(filters), columns.shape[1]
    out = np.empty((rows, total), np.float32)
    count = total // _PIECE
    whole = count * _PIECE
    pieces = columns[:, :whole].reshape(len(columns), count, _PIECE).transpose(1, 0, 2)
    target = out[:, :whole].reshape(rows, count, _PIECE).transpose(1, 0, 2)
    np.matmul(filters, pieces, out=target)
    np.matmul(filters, columns[:, whole:], out=out[:, whole:])
    return out


@lru_cache(maxsize=1)
def _gabor_filters() -> npt.NDArray[np.float32]:
    """Real and imaginary parts of the filters as rows, ``(2 * 16, 64)``, bands before frames.

    Each is a wave under a Gaussian of 0.45 wavelengths deviation, without mean, with an absolute
    sum of 1, so that a response is a contrast in the unit of the spectrogram.
    """
    offsets = np.arange(_SIZE) - (_SIZE - 1) / 2
    band, time = np.meshgrid(offsets, offsets, indexing="ij")
    real: list[Float32] = []
    imaginary: list[Float32] = []
    for width in _WIDTHS:
        envelope = np.exp(-(time**2 + band**2) / (2 * (0.45 * width) ** 2))
        for angle in np.arange(_ORIENTATIONS) * np.pi / _ORIENTATIONS:
            phase = 2 * np.pi / width * (time * np.cos(angle) + band * np.sin(angle))
            for wave, group in ((np.cos(phase), real), (np.sin(phase), imaginary)):
                kernel = envelope * wave
                kernel -= envelope * (kernel.sum() / envelope.sum())
                group.append((kernel.ravel() / np.abs(kernel).sum()).astype(np.float32))
    filters = np.array(real + imaginary, np.float32)
    filters.flags.writeable = False
    return filters
