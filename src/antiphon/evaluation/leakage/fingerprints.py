"""Audio fingerprints: short codes by which copies of a recording find each other.

Copies may differ in gain, tone (any fixed filter), lossy coding, sample rate, moderate noise, and
in where the clip begins and ends. They must play at the same speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import AudioError, UserError

Float32 = npt.NDArray[np.float32]
UInt32 = npt.NDArray[np.uint32]

RATE = 16_000
"""Hz at which codes are computed."""
HOP_S = 0.016
"""Seconds from one code to the next."""

_HOP = 256
_FRAME = 2048
_LAG = 4
_LOW_HZ, _HIGH_HZ = 250.0, 7_500.0
_BITS = 32
# Power below the clip's mean at which a band counts as silent: what lossy coders throw away.
_FLOOR = 1e-6
# Frames of 2,048 samples in memory at once.
_BLOCK = 4_096

_SHIFT = np.arange(_BITS, dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Codes of one recording.

    Parameters
    ----------
    bits
        ``(n,)`` uint32, one code for each 16 ms.
    valid
        ``(n,)`` uint32: which bits of each code come from bands that are not silent.
    """

    bits: UInt32
    valid: UInt32

    def __len__(self) -> int:
        return len(self.bits)

    @property
    def seconds(self) -> float:
        """Seconds in which at least half of the bands are not silent."""
        return float((np.bitwise_count(self.valid) >= _BITS // 2).sum() * HOP_S)


def fingerprint(audio: npt.ArrayLike, sample_rate: int) -> Fingerprint:
    """Return the fingerprint of a recording.

    Parameters
    ----------
    audio
        ``(n,)`` samples, or ``(channels, n)``, which are averaged; any scale.
    sample_rate
        Hz; other rates than 16 kHz are resampled with soxr.

    Raises
    ------
    UserError
        If the audio is not one of these shapes, or holds NaN or infinity.

    Notes
    -----
    After Haitsma and Kalker (2002), *A Highly Robust Audio Fingerprinting System*, ISMIR, section
    4.2: a bit is the sign of how the difference of two neighbouring bands changes in time. Unlike
    there, power is in logarithms, so that fixed filters cancel; frames of 128 ms (33 bands from 250
    to 7,500 Hz) are compared with those 64 ms earlier, for sounds shorter than music; and bits of
    silent bands are marked as unknown, since field recordings are cut, padded and band-limited.
    Sound above 8 kHz is not looked at.
    """
    x = np.asarray(audio)
    if x.ndim == 2:
        x = x.mean(axis=0)
    if x.ndim != 1 or sample_rate < 1:
        raise UserError(
            f"A fingerprint is of samples (n,) or (channels, n) at a rate in Hz, got shape "
            f"{np.asarray(audio).shape} at {sample_rate}."
        )
    if not np.isfinite(x).all():
        raise UserError(f"Sample {int(np.argmin(np.isfinite(x)))} of the audio is not a number.")
    x = x.astype(np.float32, copy=False)
    if sample_rate != RATE and len(x):
        import soxr

        x = np.asarray(soxr.resample(x, sample_rate, RATE, quality="MQ"), np.float32)
    return _from_bands(_band_power(x))


def fingerprint_file(path: Path | str) -> Fingerprint:
    """Return the fingerprint of a sound file, read in bounded memory.

    Raises
    ------
    AudioError
        If it cannot be read.
    """
    from antiphon.audio.reader import stream

    powers: list[Float32] = []
    rest = np.zeros(0, np.float32)
    for block in stream(path, sample_rate=RATE):
        rest = np.concatenate([rest, block[0]])
        powers.append(_band_power(rest))
        rest = rest[len(powers[-1]) * _HOP :]
    return _from_bands(np.concatenate(powers) if powers else _band_power(rest))


def fingerprint_files(
    paths: Iterable[Path | str], *, workers: int = 1
) -> tuple[list[Fingerprint | None], list[AudioError]]:
    """Return the fingerprints of files, None where one cannot be read, and those errors.

    Parameters
    ----------
    workers
        Threads.
    """
    from concurrent.futures import ThreadPoolExecutor

    def one(path: Path | str) -> Fingerprint | AudioError:
        try:
            return fingerprint_file(path)
        except AudioError as error:
            return error

    with ThreadPoolExecutor(max(1, workers)) as pool:
        found = list(pool.map(one, paths))
    errors = [each for each in found if isinstance(each, AudioError)]
    return [each if isinstance(each, Fingerprint) else None for each in found], errors


def _edges() -> npt.NDArray[np.intp]:
    """Return the first bin of each of the 33 bands, and the bin after the last."""
    hz = np.geomspace(_LOW_HZ, _HIGH_HZ, _BITS + 2)
    return np.round(hz * _FRAME / RATE).astype(np.intp)


def _band_power(x: Float32) -> Float32:
    """Return the power of 33 bands in each whole frame, ``(frames, 33)``."""
    from scipy.fft import rfft

    count = max(0, (len(x) - _FRAME) // _HOP + 1)
    out = np.empty((count, _BITS + 1), np.float32)
    if not count:
        return out
    window = np.hanning(_FRAME).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(x, _FRAME)[::_HOP]
    edges = _edges()
    for begin in range(0, count, _BLOCK):
        part = slice(begin, min(begin + _BLOCK, count))
        spectrum = rfft(frames[part] * window, axis=1)[:, edges[0] : edges[-1]]
        power = spectrum.real**2 + spectrum.imag**2
        out[part] = np.add.reduceat(power, edges[:-1] - edges[0], axis=1)
    return out


def _from_bands(power: Float32) -> Fingerprint:
    if len(power) <= _LAG:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    floor = np.float32(power.mean(dtype=np.float64) * _FLOOR)
    loud = power > floor
    level = np.log(np.maximum(power, max(floor, np.float32(1e-30))))
    slope = level[:, :-1] - level[:, 1:]
    there = loud[:, :-1] & loud[:, 1:]
    bits = slope[_LAG:] > slope[:-_LAG]
    valid = there[_LAG:] & there[:-_LAG]
    return Fingerprint(_packed(bits & valid), _packed(valid))


def _packed(flags: npt.NDArray[np.bool_]) -> UInt32:
    packed: UInt32 = (flags.astype(np.uint32) << _SHIFT).sum(axis=1, dtype=np.uint32)
    return packed
