"""Crops of clips of any kind, with what is known of their labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from antiphon.training.data.cache import AudioCache
from antiphon.training.data.clips import ClipReader, Crop
from antiphon.training.data.config import DataConfig
from antiphon.training.data.soft_targets import PRESENT_FROM, soft_frames, soft_labels
from antiphon.training.data.synthesised import Synthesiser
from antiphon.training.data.table import ClipTable, Float32
from antiphon.training.data.targets import crop_targets

_VALIDATION = 34

Fault = tuple[str, str]
"""Name and problem of a recording that cannot be read."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A crop before augmentation.

    Parameters
    ----------
    audio
        ``(v,)`` float32 without padding.
    labels, known
        ``(C,)`` float32.
    clip
        Its number in the table.
    start_s
        Where the crop begins in its recording; NaN if it was synthesised.
    faults
        Name and problem of recordings that could not be read on the way.
    frames, frame_known
        ``(T, C)`` targets of frames and ``(C,)`` which of them are known, where any source has
        some; else None.
    """

    audio: Float32
    labels: Float32
    known: Float32
    clip: int
    start_s: float
    faults: tuple[Fault, ...] = ()
    frames: Float32 | None = None
    frame_known: Float32 | None = None


class Crops:
    """Crops of a table's clips with their labels, whatever the kind of their source.

    Parameters
    ----------
    table
        The clips.
    data
        Rate, length, cache, rule of overlap.

    Attributes
    ----------
    frames
        Frames of an example that have targets of their own, 0 where no source has any.
    """

    def __init__(self, table: ClipTable, data: DataConfig) -> None:
        cache = data.cache
        self.table = table
        self.samples = data.samples
        self._rate = data.sample_rate
        self._min_overlap = data.min_overlap
        self._secondary = data.secondary
        self._short = data.short
        self.frames = frames_of(table, data)
        self.reader = ClipReader(
            table,
            data.sample_rate,
            data.samples,
            short=data.short,
            cache=None if cache is None else AudioCache(cache.path, data.sample_rate, cache.dtype),
            cache_longest_s=0.0 if cache is None else cache.longest_s,
        )
        self._synthesisers = {
            number: Synthesiser(table, number)
            for number, info in enumerate(table.sources)
            if info.kind == "repertoire"
        }

    def made(self, clip: int) -> bool:
        """Return whether a clip is synthesised."""
        recording = int(self.table.recording[clip])
        return int(self.table.recordings.source[recording]) in self._synthesisers

    def take(
        self, clip: int, rng: np.random.Generator | None = None, start_s: float | None = None
    ) -> Raw:
        """Return a crop: at a random place, from a time on, or from the middle.

        Raises
        ------
        AudioError
            The recording cannot be read.
        """
        recording = int(self.table.recording[clip])
        if self.made(clip):
            maker = self._synthesisers[int(self.table.recordings.source[recording])]
            # Without a generator it is for validation: the same at each pass, of other voices.
            draw = np.random.default_rng([_VALIDATION, recording]) if rng is None else rng
            audio, labels, known = maker.clip(
                draw, self._rate, self.samples, "validation" if rng is None else "train"
            )
            return self._with_frames(Raw(audio, labels, known, clip, float("nan")), None)
        if start_s is not None:
            crop = self.reader.at(clip, start_s)
        else:
            crop = self.reader.centre(clip) if rng is None else self.reader.random(clip, rng)
        soft = self.table.soft_of(recording)
        if soft is None:
            labels, known = crop_targets(
                self.table,
                recording,
                crop.start_s,
                crop.end_s,
                self._min_overlap,
                self._secondary,
            )
        else:
            labels, known = soft_labels(
                soft, recording, crop.start_s, crop.end_s, self._min_overlap
            )
        return self._with_frames(Raw(crop.audio, labels, known, clip, crop.start_s), crop)

    def _with_frames(self, raw: Raw, crop: Crop | None) -> Raw:
        """Add the targets of frames, all unknown where the source has none."""
        if not self.frames:
            return raw
        recording = int(self.table.recording[raw.clip])
        soft = None if crop is None else self.table.soft_of(recording)
        n = self.table.n_classes
        if crop is None or soft is None or soft.frames is None:
            nothing = np.zeros((self.frames, n), np.float32)
            return replace(raw, frames=nothing, frame_known=nothing[0])
        length = crop.end_s - crop.start_s
        # A looped clip repeats its audio, and so its frames.
        repeats = max(1, math.ceil(len(crop.audio) / self._rate / length - 1e-9))
        pieces = [(k * length, crop.start_s, crop.end_s) for k in range(repeats)]
        frames, known = soft_frames(soft, recording, pieces, self.samples / self._rate, self.frames)
        return replace(raw, frames=frames, frame_known=known)


def frames_of(table: ClipTable, data: DataConfig) -> int:
    """Return how many frames of an example have targets: by the source of the shortest frames."""
    steps = [soft.step_s for soft in table.soft if soft is not None and soft.frames is not None]
    return max(1, round(data.clip_s / min(steps))) if steps else 0


def as_row(table: ClipTable, raw: Raw, index: int) -> dict[str, Any]:
    """Return what a batch says of where an example comes from."""
    recording = int(table.recording[raw.clip])
    return {
        "index": np.int64(index),
        "clip": np.int64(raw.clip),
        "recording": np.int64(recording),
        "folder": np.int64(table.recordings.source[recording]),
        "group": np.int64(table.recordings.group[recording]),
    }


def padded(audio: Float32, samples: int) -> Float32:
    """Return ``(samples,)`` float32: the audio and zeros after it."""
    out = np.zeros(samples, np.float32)
    out[: len(audio)] = audio
    return out


def union(one: Raw, other: Raw) -> tuple[Float32, Float32]:
    """Return labels and known of two crops that sound together.

    A class is present if it is in either; absent if it is known to be in neither; else unknown.
    Of targets between, the larger one is taken, and it is enough to be known in one crop from
    :data:`~antiphon.training.data.soft_targets.PRESENT_FROM` on.
    """
    labels = np.maximum(one.labels * one.known, other.labels * other.known)
    known = np.maximum(one.known * other.known, labels >= PRESENT_FROM).astype(np.float32)
    return labels * known, known


def frame_union(one: Raw, other: Raw) -> tuple[Float32, Float32]:
    """Return the frames' targets and known of two crops that sound together from their starts on.

    A class that one crop is known not to have has a target of 0 in all frames of it, also where
    its source has no frames.
    """
    frames, told, known = [], [], []
    for raw in (one, other):
        assert raw.frames is not None
        assert raw.frame_known is not None
        frames.append(raw.frames)
        told.append(raw.frame_known > 0)
        known.append(told[-1] | ((raw.known > 0) & (raw.labels == 0)))
    # Where neither crop tells of frames there is nothing to learn of when a class sounds.
    both = known[0] & known[1] & (told[0] | told[1])
    mixed = np.where(both, np.maximum(*frames), np.float32(0.0))
    return mixed, both.astype(np.float32)
