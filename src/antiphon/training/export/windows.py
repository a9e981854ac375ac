"""Windows of audio on which an export is judged and calibrated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from antiphon.audio.reader import read_span
from antiphon.audio.recording import find_recordings, probe
from antiphon.audio.resample import output_length
from antiphon.audio.synthesis.dataset import plan_dataset
from antiphon.audio.synthesis.soundscape import SceneConfig
from antiphon.audio.windows import window_starts
from antiphon.encoders.base import Float32, Int64
from antiphon.errors import AudioError, UserError

T = TypeVar("T")

Bool = npt.NDArray[np.bool_]

# Shares of a window that are audio, in turn; every fourth window is cut so.
_CUTS = (0.75, 0.5, 0.3, 0.9, 0.1)
_EVERY = 4

_SYNTHESIS_SEED = 20_260
_LOWEST_RATE = 2_000


@dataclass(frozen=True, slots=True)
class AudioWindows:
    """Windows with their names.

    Parameters
    ----------
    audio
        ``(n, N)`` float32, zero beyond the audio.
    valid
        ``(n,)`` int64 samples that are audio.
    names
        Recording and span of each, for people.
    """

    audio: Float32
    valid: Int64
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def padded(self) -> Bool:
        """``(n,)``: windows that are not audio to their end."""
        return np.asarray(self.valid < self.audio.shape[1])


@dataclass(frozen=True, slots=True)
class Material:
    """All audio of an export.

    Parameters
    ----------
    parity
        Windows on which it is compared; every fourth is cut short, so that padding is judged too.
    calibration
        Windows for the scales of static quantisation, cut likewise.
    described
        What is compared, as "64 windows of the recordings in NAME".
    notes
        What was left out, and what is shared between the two.
    """

    parity: AudioWindows
    calibration: AudioWindows
    described: str
    notes: tuple[str, ...] = ()


def gather_windows(
    folder: Path | None, sample_rate: int, samples: int, *, parity: int, calibration: int
) -> Material:
    """Read windows spread evenly over the recordings of a folder, or synthesise soundscapes.

    The choice follows from the files alone, and no window is in both parts where there are
    enough of them.

    Parameters
    ----------
    folder
        A folder of recordings, or one recording; None to synthesise.
    sample_rate
        Hz.
    samples
        Of a window.
    parity, calibration
        Windows wanted for each part.

    Raises
    ------
    UserError
        The folder holds no audio that can be read.
    """
    wanted = parity + calibration
    notes: list[str] = []
    if folder is None:
        found = list(_synthesised(sample_rate, samples, wanted))
        kind = "soundscapes synthesised by antiphon"
    else:
        found = list(_read(folder, sample_rate, samples, wanted, notes))
        if not found:
            why = f": {notes[0]}" if notes else ""
            raise UserError(f"{folder} holds no audio that can be read{why}.")
        kind = f"the recordings in {folder.resolve().name}"
    apart = len(found) >= 2 * _EVERY
    chosen = np.zeros(len(found), bool)
    if apart:
        share = max(1, len(found) * calibration // wanted)
        chosen[np.linspace(0, len(found) - 1, share).round().astype(np.int64)] = True
    else:
        notes.append(f"only {len(found)} windows: calibration and parity use the same ones")
    judged = _cut(_pack(found, ~chosen, samples))
    scales = _cut(_pack(found, chosen, samples)) if apart else judged
    return Material(judged, scales, f"{len(judged)} windows of {kind}", tuple(notes))


_Window = tuple[str, float, Float32, int]  # name, start in seconds, audio, Hz


def _read(
    folder: Path, rate: int, samples: int, wanted: int, notes: list[str]
) -> Iterator[_Window]:
    paths = _spread(find_recordings(folder), wanted)
    root = folder if folder.is_dir() else folder.parent
    starts: list[tuple[Path, Int64]] = []
    for path in paths:
        try:
            info = probe(path)
            total = output_length(info.frames, info.sample_rate, rate)
        except AudioError as error:
            notes.append(f"left out: {error}")
            continue
        if total:
            starts.append((path, window_starts(total, samples, samples)))
    each = -(-wanted // max(1, len(starts)))
    spans = [(path, _spread(list(begins), each)) for path, begins in starts]
    left = wanted
    for turn in range(each):
        for path, begins in spans:
            if turn >= len(begins) or not left:
                continue
            begin = int(begins[turn])
            try:
                audio = read_span(path, begin / rate, (begin + samples) / rate, sample_rate=rate)
            except AudioError as error:
                notes.append(f"left out: {error}")
                continue
            left -= 1
            yield path.relative_to(root).as_posix(), begin / rate, audio[0], rate


def _synthesised(rate: int, samples: int, wanted: int) -> Iterator[_Window]:
    each = 8
    config = SceneConfig(
        sample_rate=max(rate, _LOWEST_RATE),
        duration_s=max(1.0, each * samples / rate),
        activity=3.0,
    )
    days = -(-wanted // (each * 24))
    plan = plan_dataset(seed=_SYNTHESIS_SEED, sites=3, days=days, recordings_per_site_day=8)
    count = 0
    for recording in _spread(list(plan), -(-wanted // each)):
        scene = recording.synthesise(config)
        audio = scene.audio
        if config.sample_rate != rate:
            from antiphon.audio.resample import Resampler

            audio = Resampler(config.sample_rate, rate, 1).process(audio[:, None], last=True)[:, 0]
        for begin in range(0, each * samples, samples):
            if count < wanted:
                count += 1
                part = np.ascontiguousarray(audio[begin : begin + samples], np.float32)
                yield recording.stem, begin / rate, part, rate


def _pack(found: list[_Window], chosen: Bool, samples: int) -> AudioWindows:
    kept = [window for window, wanted in zip(found, chosen, strict=True) if wanted]
    audio = np.zeros((len(kept), samples), np.float32)
    for row, (_, _, part, _) in enumerate(kept):
        audio[row, : len(part)] = part[:samples]
    valid = np.array([min(len(part), samples) for _, _, part, _ in kept], np.int64)
    names = [
        f"{name} {start:.1f}-{start + count / rate:.1f} s"
        for (name, start, _, rate), count in zip(kept, valid.tolist(), strict=True)
    ]
    return AudioWindows(audio, valid, tuple(names))


def _cut(windows: AudioWindows) -> AudioWindows:
    """Cut every fourth window short, as the last one of a recording is."""
    audio, valid, names = windows.audio.copy(), windows.valid.copy(), list(windows.names)
    for number, row in enumerate(range(_EVERY - 1, len(names), _EVERY)):
        share = _CUTS[number % len(_CUTS)]
        valid[row] = max(1, int(valid[row] * share))
        audio[row, valid[row] :] = 0.0
        names[row] += f", its first {100 * share:.0f} %"
    return AudioWindows(audio, valid, tuple(names))


def _spread(items: list[T], count: int) -> list[T]:
    """Return at most ``count`` items, evenly spread."""
    if len(items) <= count:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]
