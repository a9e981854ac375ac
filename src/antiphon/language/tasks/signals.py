"""Measure a sound: where its spectrum peaks, how long it lasts, how fast its pulses follow.

A measure that is not clear is None: a question is only asked where its answer is sure.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.errors import AudioError
from antiphon.language.schema import CorpusRow

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

HOP_S = 0.002
"""Step of the envelope, seconds: times are known to about this."""

_SMOOTH_S = 0.006
_STANDS_OUT_DB = 12.0
_TOP_DB = 30.0
_WINDOW_S = 0.04
_LOWEST_HZ = 40.0
_PEAK_DB = 15.0
_AGREE = 0.08
_AGREE_SHARE = 0.6
_LEAST_PULSES = 4
_REGULAR = 0.15


@dataclass(frozen=True, slots=True)
class Signal:
    """What could be measured of a sound.

    Parameters
    ----------
    peak_hz
        Frequency at which the spectrum of what stands out has its maximum, Hz; None unless most
        of its moments peak there too, 15 dB above the median of the spectrum.
    start_s, end_s
        First onset and last end of what stands out of the background, seconds; None if nothing
        does, or if it reaches the start or the end of the recording.
    pulses_per_s
        Rate of a regular series of at least four pulses; None if there is none.
    """

    peak_hz: float | None
    start_s: float | None
    end_s: float | None
    pulses_per_s: float | None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first onset to the last end."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s


def measure(samples: Float32, sample_rate: int) -> Signal:
    """Measure a sound.

    Parameters
    ----------
    samples
        ``(n,)`` one channel, any scale.
    sample_rate
        Hz.
    """
    level = envelope(samples, sample_rate)
    if len(level) < 10 or not np.isfinite(level.max()):
        return Signal(None, None, None, None)
    floor, top = _floor(level), float(np.percentile(level, 99.5))
    out = top - floor >= _STANDS_OUT_DB
    # Half way up, but not so low that a long echo counts.
    threshold = max(floor + _STANDS_OUT_DB / 2, top - _TOP_DB)
    active = level >= threshold if out else np.ones(len(level), dtype=bool)
    start_s, end_s = _limits(active) if out else (None, None)
    rate = _pulses(level, floor, top) if out else None
    return Signal(_peak(samples, sample_rate, active, out), start_s, end_s, rate)


def envelope(samples: Float32, sample_rate: int) -> Float64:
    """Return the level in dB every :data:`HOP_S` seconds, smoothed over 6 ms.

    What is below 40 Hz (wind, a constant offset) does not count.
    """
    from scipy.signal import butter, sosfilt

    sos = butter(2, _LOWEST_HZ, "highpass", fs=sample_rate, output="sos")
    power = sosfilt(sos, samples.astype(np.float64)) ** 2
    edges = np.round(np.arange(0, len(power) / sample_rate, HOP_S) * sample_rate).astype(np.int64)
    edges = edges[edges < len(power)]
    if not len(edges):
        return np.empty(0)
    sizes = np.diff(np.append(edges, len(power)))
    means = np.add.reduceat(power, edges) / sizes
    width = max(1, round(_SMOOTH_S / HOP_S))
    smooth = np.convolve(np.pad(means, width // 2, mode="edge"), np.ones(width) / width, "valid")
    level: Float64 = 10 * np.log10(
        np.maximum(smooth[: len(means)], 1e-12 * max(smooth.max(), 1e-30))
    )
    return level


def measure_row(row: CorpusRow, most_s: float) -> Signal | None:
    """Measure the sound of a row; None if it is longer than ``most_s`` seconds.

    Raises
    ------
    AudioError
        If its audio cannot be read.
    """
    return _measure_file(row.audio_path, row.audio_bytes, row.start_s, row.end_s, most_s)


@lru_cache(maxsize=4)
def _measure_file(
    path: str | None, data: bytes | None, start_s: float | None, end_s: float | None, most_s: float
) -> Signal | None:
    if data is not None:
        samples, rate = _decode(data, start_s, end_s)
    elif path is not None:
        from antiphon.audio.recording import probe

        info = probe(path)
        rate = info.sample_rate
        start = start_s or 0.0
        if min(end_s or info.duration_s, info.duration_s) - start > most_s:
            return None
        samples = read_span(path, start, end_s)[0]
    else:
        raise AudioError("(no path)", "the row has no audio", "Download it first")
    return measure(samples, rate) if len(samples) <= most_s * rate + 1 else None


def _decode(data: bytes, start_s: float | None, end_s: float | None) -> tuple[Float32, int]:
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError("(bytes in the table)", f"cannot be decoded: {error}") from error
    first = round((start_s or 0.0) * rate)
    last = None if end_s is None else round(end_s * rate)
    mixed: Float32 = samples[first:last].mean(axis=1)
    return mixed, int(rate)


def _floor(level: Float64) -> float:
    return float(np.percentile(level, 10))


def _limits(active: npt.NDArray[np.bool_]) -> tuple[float | None, float | None]:
    found = np.flatnonzero(active)
    edge = 2
    if not len(found) or found[0] < edge or found[-1] >= len(active) - edge:
        return None, None
    return float(found[0] * HOP_S), float((found[-1] + 1) * HOP_S)


def _pulses(level: Float64, floor: float, top: float) -> float | None:
    """Return the rate of regular onsets: up through one level after down through a lower one."""
    high = max(floor + _STANDS_OUT_DB * 0.75, top - 10.0)
    low = max(floor + 3.0, top - 16.0) if high - 6.0 > floor + 3.0 else high - 3.0
    above = np.where(level >= high, 1, np.where(level < low, -1, 0))
    known = np.flatnonzero(above)
    turns = known[np.flatnonzero(np.diff(above[known], prepend=-1) > 0)]
    if len(turns) < _LEAST_PULSES:
        return None
    gaps = np.diff(turns) * HOP_S
    middle = float(np.median(gaps))
    # Onsets are known to a step of the envelope, which matters where pulses follow fast.
    spread = max(_REGULAR * middle, 1.5 * HOP_S)
    if np.mean(np.abs(gaps - middle) <= spread) < 0.9 or middle < 4 * HOP_S:
        return None
    regular = gaps[np.abs(gaps - middle) <= spread]
    return float(1.0 / regular.mean())


def _peak(samples: Float32, rate: int, active: npt.NDArray[np.bool_], out: bool) -> float | None:
    size = 1 << round(np.log2(_WINDOW_S * rate))
    if len(samples) < size:
        return None
    step = size // 2
    starts = np.arange(0, len(samples) - size + 1, step)
    at = np.minimum((starts + size // 2) / rate / HOP_S, len(active) - 1).astype(np.int64)
    on = active[at]
    if not on.any():
        # Sounds shorter than a step: the window that holds most of them.
        share = [
            active[int(s / rate / HOP_S) : int((s + size) / rate / HOP_S) + 1].sum() for s in starts
        ]
        on = np.zeros(len(starts), dtype=bool)
        on[int(np.argmax(share))] = True
    window = np.hanning(size)
    frames = np.stack([samples[s : s + size] for s in starts]).astype(np.float64) * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    if out and (~on).sum() >= 3:
        power = np.maximum(power - np.median(power[~on], axis=0), 0.0)
    power = power[on]
    hz = np.fft.rfftfreq(size, 1 / rate)
    low = int(np.searchsorted(hz, _LOWEST_HZ))
    mean = power.mean(axis=0)
    mean[:low] = 0.0
    best = int(mean[low:-1].argmax()) + low
    clear = 10 * np.log10(max(mean[best], 1e-30) / max(np.median(mean[low:]), 1e-30))
    if clear < _PEAK_DB:
        return None
    each = hz[power[:, low:-1].argmax(axis=1) + low]
    peak = _interpolated(mean, best) * rate / size
    if np.mean(np.abs(each - peak) <= max(_AGREE * peak, 2 * rate / size)) < _AGREE_SHARE:
        return None
    return float(peak)


def _interpolated(power: Float64, best: int) -> float:
    """Return the place of a maximum between bins: the top of a parabola through three levels."""
    if not 0 < best < len(power) - 1:
        return float(best)
    a, b, c = np.log(np.maximum(power[best - 1 : best + 2], 1e-30))
    bend = a - 2 * b + c
    return best + float(0.5 * (a - c) / bend) if bend < 0 else float(best)
