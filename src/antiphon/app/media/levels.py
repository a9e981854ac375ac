"""Levels of a span as a grey picture: transform, axis, pooling, range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.app.media.resolution import Look, Plan, bin_rows, plan
from antiphon.app.media.sources import MediaError, Source
from antiphon.audio.features.mel import MelProjection, hz_to_mel, mel_filterbank, mel_to_hz
from antiphon.audio.features.pcen import pcen
from antiphon.audio.features.stft import analysis_window, spectra
from antiphon.audio.reader import ChannelMode, read_span
from antiphon.errors import AudioError

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Project = Callable[[Float32], Float32]

_PLAIN = Look()
# Levels this far below the loudest are drawn as the quietest.
_RANGE_DB = 100.0
_FLOOR = 1e-20
_BLOCK = 1 << 21
_MOST_ENERGIES = 1 << 24
# The memory of PCEN, in analysis windows: as long as a call, shorter than the weather.
_PCEN_WINDOWS = 20
_PCEN_SETTLED = 3


@dataclass(frozen=True, slots=True)
class Levels:
    """A picture of levels.

    Parameters
    ----------
    values
        ``(rows, columns)`` uint8, the highest frequency in row 0; 0 is ``low`` and 255 is
        ``high``, even steps of ``unit`` between.
    start_s, end_s
        Time that the columns cover, s within the recording.
    low_hz, high_hz
        Frequencies that the rows cover, evenly on the axis ``scale``.
    low, high, unit
        Range of the levels: dB below a full-scale sine, or values of PCEN.
    window_s
        Length of the analysis window, s.
    """

    values: UInt8
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    scale: Literal["linear", "mel"]
    low: float
    high: float
    unit: Literal["dB", "PCEN"]
    window_s: float


def make_levels(
    source: Source, channel: int, start_s: float, end_s: float, look: Look = _PLAIN
) -> Levels:
    """Compute the levels of a span in memory that does not grow with its length.

    Frames are centred within the span and see the audio around it; beyond the ends of the
    recording it is mirrored. Where there are more frames than columns, or more bins than rows,
    the loudest is kept: a click stays visible at any zoom.

    Raises
    ------
    MediaError
        If the span cannot be drawn.
    """
    begin, end = source.clip(start_s, end_s)
    made = plan(source.info.sample_rate, begin, end, look, whole_s=end_s - start_s)
    mode = source.mode(channel)
    try:
        if look.pcen:
            pooled = _pcen(source, mode, made)
            low, high = 0.0, float(pooled.max())
        else:
            pooled = _decibels(source, mode, made)
            high = float(pooled.max())
            low = max(float(pooled.min()), high - _RANGE_DB)
    except AudioError as error:
        raise source.fault(error) from error
    share = (pooled - np.float32(low)) / np.float32(high - low if high > low else 1.0)
    values = np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return Levels(
        values=np.ascontiguousarray(values.T[::-1]),
        start_s=made.start_s,
        end_s=made.end_s,
        low_hz=made.low_hz,
        high_hz=made.high_hz,
        scale=made.scale,
        low=low,
        high=high,
        unit="PCEN" if look.pcen else "dB",
        window_s=made.window_s,
    )


def _decibels(source: Source, mode: ChannelMode, made: Plan) -> Float32:
    """Return ``(columns, rows)`` in dB relative to a sine of full scale."""
    project = _projection(made)
    pooled = np.zeros((made.columns, made.rows), np.float32)
    for first, block in _spectra(source, mode, made, 0, power=2):
        _pool(pooled, project(block), first, made.frames)
    full = np.float32((float(analysis_window("hann", made.window).sum()) / 2) ** 2)
    pooled /= full
    np.maximum(pooled, np.float32(_FLOOR), out=pooled)
    decibels: Float32 = np.log10(pooled, out=pooled)
    decibels *= np.float32(10)
    return decibels


def _pcen(source: Source, mode: ChannelMode, made: Plan) -> Float32:
    """Return ``(columns, rows)`` of PCEN, settled on the audio before the span.

    The parameters are those of Lostanlen et al. 2019 for recordings outdoors, but for the time
    constant, which follows the analysis window.
    """
    memory_s = _PCEN_WINDOWS * made.window_s
    before = int(_PCEN_SETTLED * memory_s * made.rate / made.hop)
    before = min(before, made.first // made.hop)
    count = before + made.frames
    if count * made.rows > _MOST_ENERGIES:
        raise MediaError("PCEN of a span this long takes too much memory. Choose a shorter span.")
    project = _projection(made)
    energies = np.empty((1, count, made.rows), np.float32)
    for first, block in _spectra(source, mode, made, before, power=1):
        energies[0, first : first + len(block)] = project(block)
    values = pcen(
        energies,
        sample_rate=made.rate,
        hop=made.hop,
        time_constant_s=memory_s,
        gain=0.8,
        bias=10.0,
        power=0.25,
        scale=2.0**31,
    )[0, before:]
    pooled = np.zeros((made.columns, made.rows), np.float32)
    _pool(pooled, values, 0, made.frames)
    return pooled


def _projection(made: Plan) -> Project:
    """Return what turns spectra ``(frames, bins)`` into rows, the lowest frequency first."""
    if made.scale == "linear":
        band, starts = bin_rows(made)

        def loudest(block: Float32) -> Float32:
            rows: Float32 = np.maximum.reduceat(block[:, band], starts, axis=1)
            return rows

        return loudest
    # Filters stand in the middle of their rows, but where the band leaves no room for that.
    low_mel, high_mel = hz_to_mel([made.low_hz, made.high_hz]).tolist()
    half = (high_mel - low_mel) / made.rows / 2
    low, high = mel_to_hz([max(low_mel - half, 0.0), high_mel + half]).tolist()
    filters = mel_filterbank(
        made.rate, made.n_fft, made.rows, low, min(high, made.rate / 2), "slaney", "slaney"
    )
    # Areas of 1 over Hz become areas of 1 over bins: means, on one scale with a linear axis.
    project = MelProjection(filters)
    width = np.float32(made.rate / made.n_fft)
    return lambda block: project(block) * width


def _spectra(
    source: Source, mode: ChannelMode, made: Plan, before: int, power: int
) -> Iterator[tuple[int, Float32]]:
    """Yield spectra of the span's frames and ``before`` frames ahead of it, in pieces."""
    total = source.info.frames
    count = before + made.frames
    # Frame t is centred in the stretch of `hop` samples that it stands for.
    origin = made.first - before * made.hop + made.hop // 2 - made.window // 2
    step = max(1, _BLOCK // made.hop)
    for first in range(0, count, step):
        last = min(count, first + step)
        begin = origin + first * made.hop
        stop = origin + (last - 1) * made.hop + made.window
        audio = _read(source, mode, begin, stop, total)
        for at, block in spectra(audio, made.stft, power):
            yield first + at, block


def _read(source: Source, mode: ChannelMode, begin: int, stop: int, total: int) -> Float32:
    """Read samples; those beyond the ends are mirrored, or silent when there are too few."""
    rate = source.info.sample_rate
    inner, outer = min(max(begin, 0), total - 1), min(max(stop, 1), total)
    audio = read_span(source.info.path, inner / rate, outer / rate, channel=mode)[0]
    left, right = inner - begin, stop - outer
    if left or right:
        enough = max(left, right) < len(audio)
        audio = np.pad(audio, (left, right), mode="reflect" if enough else "constant")
    clean: Float32 = np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0)
    return clean


def _pool(pooled: Float32, block: Float32, first: int, frames: int) -> None:
    """Keep in each column the loudest of its frames."""
    columns = np.arange(first, first + len(block)) * len(pooled) // frames
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    loudest = np.maximum.reduceat(block, starts, axis=0)
    at = columns[starts]
    pooled[at] = np.maximum(pooled[at], loudest)
