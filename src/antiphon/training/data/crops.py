"""Crops of clips of any kind, with what is known of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from antiphon.training.data.cache import AudioCache
from antiphon.training.data.clips import ClipReader
from antiphon.training.data.config import DataConfig
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
    """

    audio: Float32
    labels: Float32
    known: Float32
    clip: int
    start_s: float
    faults: tuple[Fault, ...] = ()


class Crops:
    """Crops of a table's clips with their labels, whatever the kind of their source.

    Parameters
    ----------
    table
        The clips.
    data
        Rate, length, cache, rule of overlap.
    """

    def __init__(self, table: ClipTable, data: DataConfig) -> None:
        cache = data.cache
        self.table = table
        self.samples = data.samples
        self._rate = data.sample_rate
        self._min_overlap = data.min_overlap
        self._short = data.short
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
            return Raw(audio, labels, known, clip, float("nan"))
        if start_s is not None:
            crop = self.reader.at(clip, start_s)
        else:
            crop = self.reader.centre(clip) if rng is None else self.reader.random(clip, rng)
        labels, known = crop_targets(
            self.table, recording, crop.start_s, crop.end_s, self._min_overlap
        )
        return Raw(crop.audio, labels, known, clip, crop.start_s)


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
    """
    labels = np.maximum(one.labels * one.known, other.labels * other.known)
    return labels, np.maximum(one.known * other.known, labels > 0).astype(np.float32)
