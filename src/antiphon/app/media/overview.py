"""A whole recording in few numbers: the levels of each ten seconds, kept in the project."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.app.media.sources import MIX, Source
from antiphon.audio.features.stft import StftConfig, analysis_window, spectra
from antiphon.audio.reader import stream
from antiphon.errors import AudioError
from antiphon.pipeline.files import replace_file

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

COLUMN_S = 10.0
"""Seconds that a column stands for; the last one of a recording may hold less."""
ROWS = 256
"""Rows, evenly from 0 Hz to half the sample rate."""

_N_FFT = 2 * ROWS
_STFT = StftConfig(_N_FFT, _N_FFT, pad="none")
_FULL = float(analysis_window("hann", _N_FFT).sum() / 2) ** 2
# One byte holds -130 to -2.5 dB below a full-scale sine, in steps of half a decibel.
_LOWEST_DB, _STEP_DB = -130.0, 0.5
_FORMAT = "overview 1"


@dataclass(frozen=True, slots=True)
class Overview:
    """Levels of a whole recording, the mix of its channels.

    Parameters
    ----------
    rate
        Hz of the recording.
    duration_s
        Seconds it holds.
    mean, loudest
        ``(columns, ROWS)`` uint8: mean power and largest power; see :func:`to_db`.
    """

    rate: int
    duration_s: float
    mean: UInt8
    loudest: UInt8

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.mean.nbytes + self.loudest.nbytes


def to_db(values: UInt8) -> Float32:
    """Return what the bytes of an overview stand for, dB below a full-scale sine."""
    decibels: Float32 = _LOWEST_DB + values.astype(np.float32) * np.float32(_STEP_DB)
    return decibels


def make_overview(source: Source, progress: Callable[[float], None]) -> Overview:
    """Read a recording from end to end, in memory that does not grow with its length.

    Parameters
    ----------
    progress
        Called with the share that is done; what it raises ends the work.

    Raises
    ------
    MediaError
        If the recording cannot be read.
    """
    rate, frames = source.info.sample_rate, source.info.frames
    column = round(COLUMN_S * rate)
    mean, loudest = [], []
    try:
        for samples in _columns(source, column):
            blocks = [block for _, block in spectra(samples, _STFT, 2)]
            power = np.concatenate(blocks)
            # A row lies between two bins, so that rows fill the band from end to end.
            power = (power[:, :-1] + power[:, 1:]) / np.float32(2 * _FULL)
            mean.append(_bytes(power.mean(axis=0)))
            loudest.append(_bytes(power.max(axis=0)))
            progress(min(1.0, len(mean) * column / frames))
    except AudioError as error:
        raise source.fault(error) from error
    return Overview(rate, frames / rate, np.stack(mean), np.stack(loudest))


def read_overview(folder: Path, source: Source) -> Overview | None:
    """Return the overview that is kept for a recording's contents, None if there is none."""
    try:
        with np.load(_file(folder, source), allow_pickle=False) as kept:
            made = Overview(
                int(kept["rate"]), float(kept["duration_s"]), kept["mean"], kept["loudest"]
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        # It is derived: one that cannot be read is made again.
        return None
    whole = made.mean.shape == made.loudest.shape and made.mean.shape[1:] == (ROWS,)
    return made if whole and made.mean.dtype == made.loudest.dtype == np.uint8 else None


def keep_overview(folder: Path, source: Source, made: Overview) -> None:
    """Write an overview beside the others; it is there whole or not at all."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                rate=made.rate,
                duration_s=made.duration_s,
                mean=made.mean,
                loudest=made.loudest,
            )

    replace_file(_file(folder, source), write)


def _file(folder: Path, source: Source) -> Path:
    facts = f"{_FORMAT} {source.content_key} {MIX}".encode()
    return folder / f"{hashlib.blake2b(facts, digest_size=16).hexdigest()}.npz"


def _columns(source: Source, column: int) -> Iterator[Float32]:
    """Yield the samples of each column; the last one may be shorter, but never than a frame."""
    rest = np.empty(0, np.float32)
    for block in stream(source.info.path, channel=source.mode(MIX), block_s=COLUMN_S):
        clean = np.nan_to_num(block[0], nan=0.0, posinf=0.0, neginf=0.0)
        rest = np.concatenate([rest, clean])
        while len(rest) >= column:
            yield rest[:column]
            rest = rest[column:]
    if len(rest):
        yield np.pad(rest, (0, max(0, _N_FFT - len(rest))))


def _bytes(power: Float32) -> UInt8:
    decibels = 10 * np.log10(np.maximum(power, 1e-20))
    return np.clip(np.round((decibels - _LOWEST_DB) / _STEP_DB), 0, 255).astype(np.uint8)
