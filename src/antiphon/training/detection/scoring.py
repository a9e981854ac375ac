"""Scores of a trained detector for windows of whole recordings, with what is known of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.errors import AudioError, ModelError
from antiphon.evaluation.blending.files.rows import file_stem, row_id
from antiphon.soundscape.run.rows import windows_of
from antiphon.training.data.clips import audio_file
from antiphon.training.data.config import DataConfig
from antiphon.training.data.crops import Crops
from antiphon.training.data.table import ClipTable
from antiphon.training.data.targets import crop_targets
from antiphon.training.detection.head import SedHead, joint_logit, within
from antiphon.training.model import EncoderModel
from antiphon.training.modes import evaluating

Float32 = npt.NDArray[np.float32]

_WINDOW_S = 5.0

# Contexts of one recording are cut out of stretches of this length, so that memory is bounded.
_STRETCH_S = 120.0


@dataclass(frozen=True, slots=True)
class ScoredWindows:
    """Windows of recordings.

    Parameters
    ----------
    stems
        ``n`` names of recordings, each of one recording.
    start_s, end_s
        ``(n,)`` of each window; the last of a recording may reach beyond it.
    classes
        Names of the columns.
    scores
        ``(n, C)`` float32 in [0, 1].
    labels
        ``(n, C)`` float32: 1 present, 0 absent, NaN unknown.
    """

    stems: tuple[str, ...]
    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]
    classes: tuple[str, ...]
    scores: Float32
    labels: Float32

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the windows, as in score files."""
        return tuple(row_id(s, e) for s, e in zip(self.stems, self.end_s.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Context:
    """Audio of a window and around it."""

    stem: str
    start_s: float
    audio: Float32
    offset_s: float
    labels: Float32


def window_length(data: DataConfig) -> float:
    """Return the seconds of a scored window: those asked for, or 5, but no more than a clip."""
    given = data.folds.window_s if data.folds is not None else None
    return min(given or _WINDOW_S, data.clip_s)


def score_recordings(
    model: EncoderModel,
    table: ClipTable,
    data: DataConfig,
    *,
    names: Mapping[int, str] | None = None,
    device: str = "cpu",
    note: Callable[[str], None] | None = None,
) -> ScoredWindows:
    """Score the recordings of a table in windows side by side.

    A window is scored by the frames in it of a clip around it, as long as those that the network
    was trained on, in whose middle it lies, or as near to it as the recording allows. Where
    windows are as long as clips that is the output of the network. A recording that is shorter is
    padded or repeated, as ``data.short`` says.

    Parameters
    ----------
    model
        With a detection head.
    table
        Clips; all of each of their recordings is scored. A synthesised clip is one window.
    data
        Rate, lengths, batch, rule of overlap.
    names
        Of the recordings, by number; those of :func:`recording_stems` when None.
    device
        Where to compute.
    note
        Is told of recordings that cannot be read; they are left out.

    Raises
    ------
    ModelError
        The model scores no frames, or other classes than those of the table.
    """
    if not model.is_detector or model.classes != tuple(table.classes.names):
        raise ModelError("the model", "is no detector of the classes of these recordings")
    stems, starts, scores, labels = [], [], [], []
    window_s = window_length(data)
    model.to(device)
    with evaluating(model):
        given = recording_stems(table) if names is None else names
        for batch in _batches(_contexts(table, data, given, window_s, note), data.batch):
            scores.append(_score(model, batch, data, window_s, device))
            stems += [one.stem for one in batch]
            starts += [one.start_s for one in batch]
            labels += [one.labels for one in batch]
    first = np.array(starts, np.float64)
    none = np.zeros((0, table.n_classes), np.float32)
    return ScoredWindows(
        tuple(stems),
        first,
        np.round(first + window_s, 6),
        model.classes,
        np.concatenate(scores) if scores else none,
        np.stack(labels) if labels else none,
    )


def _score(
    model: EncoderModel, batch: list[_Context], data: DataConfig, window_s: float, device: str
) -> Float32:
    waveform = np.zeros((len(batch), data.samples), np.float32)
    for row, one in zip(waveform, batch, strict=True):
        row[: len(one.audio)] = one.audio
    valid = torch.tensor([len(one.audio) for one in batch], device=device)
    out = model(torch.from_numpy(waveform).to(device), valid)
    logits, head = out.logits, model.head
    assert isinstance(head, SedHead)
    if window_s < data.clip_s - 1e-6:
        low = torch.tensor([one.offset_s for one in batch], device=device) / data.clip_s
        part = within(out.sed, low, low + window_s / data.clip_s)
        logits = joint_logit(part.clip, part.peak, head.config.clip_share)
    found: Float32 = logits.sigmoid().float().cpu().numpy()
    return found


def _contexts(
    table: ClipTable,
    data: DataConfig,
    names: Mapping[int, str],
    window_s: float,
    note: Callable[[str], None] | None,
) -> Iterator[_Context]:
    crops = Crops(table, data)
    first = {int(recording): clip for clip, recording in reversed([*enumerate(table.recording)])}
    for recording, clip in sorted(first.items()):
        stem = names[recording]
        if crops.made(clip):
            raw = crops.take(clip)
            yield _Context(stem, 0.0, raw.audio, 0.0, _known(raw.labels, raw.known))
            continue
        try:
            with audio_file(table, recording) as path:
                yield from _recording(table, recording, stem, path, data, window_s)
        except AudioError as error:
            if note is not None:
                note(f"Left out of the scores: {error}")


def _recording(
    table: ClipTable, recording: int, stem: str, path: Path, data: DataConfig, window_s: float
) -> Iterator[_Context]:
    rate = data.sample_rate
    duration = probe(path).duration_s
    most = data.folds.most_windows if data.folds is not None else None
    stretch, begins = np.zeros(0, np.float32), 0
    for start_s in windows_of(duration, window_s, window_s)[:most].tolist():
        around = start_s + window_s / 2 - data.clip_s / 2
        low = round(max(0.0, min(around, duration - data.clip_s)) * rate)
        high = low + data.samples
        if low < begins or high > begins + len(stretch):
            end = low / rate + max(_STRETCH_S, data.clip_s)
            stretch, begins = read_span(path, low / rate, end, sample_rate=rate)[0], low
        audio = stretch[low - begins : high - begins]
        if not len(audio) or not np.isfinite(audio).all():
            raise AudioError(path, f"holds no usable sample at {start_s:g} s", "Convert it again")
        if data.short == "loop" and len(audio) < data.samples:
            audio = np.resize(audio, data.samples)
        end_s = min(start_s + window_s, duration)
        labels, known = crop_targets(table, recording, start_s, end_s, data.min_overlap)
        yield _Context(stem, start_s, audio, start_s - low / rate, _known(labels, known))


def recording_stems(table: ClipTable) -> dict[int, str]:
    """Return a name for each recording of a table that anything may be judged on.

    That is its file stem. Where several share it, source and path come before it, with hyphens for
    slashes. Pseudo-labelled recordings have none.
    """
    recordings = table.recordings
    used = np.unique(table.recording[~table.pseudo_clips]).tolist()
    paths = {number: str(recordings.path[number].as_py()) for number in used}
    stems = {number: file_stem(path) for number, path in paths.items()}
    shared = Counter(stems.values())
    for number in [n for n, stem in stems.items() if shared[stem] > 1]:
        source = table.sources[int(recordings.source[number])].name
        folders = paths[number].split("/")[:-1]
        stems[number] = "-".join([source, *folders, stems[number]])
    return stems


def _known(labels: Float32, known: Float32) -> Float32:
    return np.where(known > 0, (labels >= 0.5).astype(np.float32), np.float32(np.nan))


def _batches(contexts: Iterator[_Context], size: int) -> Iterator[list[_Context]]:
    batch: list[_Context] = []
    for one in contexts:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
