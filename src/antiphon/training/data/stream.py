"""Examples by number: each is a function of the seed and its number, and of nothing else."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from antiphon.audio.augmentation.chain import Augmenter
from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.audio.augmentation.waveform import mix
from antiphon.errors import AudioError
from antiphon.training.data.config import DataConfig
from antiphon.training.data.crops import (
    Crops,
    Fault,
    Raw,
    as_row,
    frame_union,
    padded,
    union,
)
from antiphon.training.data.sampling import ClipSampler, clip_weights
from antiphon.training.data.soft_targets import rolled
from antiphon.training.data.table import ClipTable, Float32

# Partners of mixup come from the same aligned block of examples, which one worker makes anyway:
# so mixing costs no second decoding.
_BLOCK = 8
_KEPT = 2 * _BLOCK

# First numbers of the seeds of independent draws.
_CROP, _PARTNER, _CHANGE = 31, 32, 33


@dataclass(frozen=True, slots=True)
class Example:
    """One example.

    Parameters
    ----------
    waveform
        ``(N,)`` float32, zero-padded.
    valid
        Samples of it that are audio.
    raw
        The crop it was made of.
    labels, known
        ``(C,)`` float32, of the mixture.
    partner
        Number of the example that was mixed in, -1 for none.
    weight
        Share of the example itself in the mixture; 1 for none.
    snr_db
        Of the added noise; NaN for none.
    faults
        As in :class:`Raw`, noise recordings included.
    frames, frame_known
        As in :class:`Raw`, of the mixture, moved with the audio.
    """

    waveform: Float32
    valid: int
    raw: Raw
    labels: Float32
    known: Float32
    partner: int = -1
    weight: float = 1.0
    snr_db: float = float("nan")
    faults: tuple[Fault, ...] = ()
    frames: Float32 | None = None
    frame_known: Float32 | None = None


class ClipStream:
    """Examples for training by number, from 0 without end.

    Parameters
    ----------
    table
        The clips of the training side.
    data, augment
        The settings.
    seed
        Of the run.

    Raises
    ------
    UserError
        No clip can be drawn.
    FileError
        The noise folder is missing or empty.
    """

    def __init__(
        self, table: ClipTable, data: DataConfig, augment: AugmentConfig, *, seed: int
    ) -> None:
        weights = clip_weights(
            table, mix=data.mix, long_tail=data.long_tail, per_class=data.clips_per_class
        )
        self.table = table
        self._sampler = ClipSampler(weights, seed)
        self._crops = Crops(table, data)
        self._augment = augment
        self._augmenter = Augmenter(augment, data.sample_rate)
        self._seed = seed
        self._rate = data.sample_rate
        self._kept: OrderedDict[int, Raw] = OrderedDict()

    def raw(self, index: int) -> Raw:
        """Return the crop of an example; unreadable recordings are replaced by further draws.

        Raises
        ------
        AudioError
            Twenty draws in a row cannot be read.
        """
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        faults: list[Fault] = []
        for attempt in range(20):
            clip = self._sampler.clip(index, attempt)
            rng = np.random.default_rng([self._seed, _CROP, index, attempt])
            try:
                raw = self._crops.take(clip, rng)
            except AudioError as error:
                faults.append((self.table.name(int(self.table.recording[clip])), str(error)))
                continue
            raw = replace(raw, faults=tuple(faults))
            self._kept[index] = raw
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return raw
        raise AudioError(
            faults[-1][0],
            f"and {len(faults) - 1} other draws in a row cannot be read; it says: {faults[-1][1]}",
            "Check that the disk is there and the files are whole",
        )

    def partner(self, index: int) -> tuple[int, float]:
        """Return the example that is mixed into this one and this one's share, or -1 and 1."""
        config = self._augment.mixup
        if config is None:
            return -1, 1.0
        rng = np.random.default_rng([self._seed, _PARTNER, index])
        if rng.random() >= config.p:
            return -1, 1.0
        first = index // _BLOCK * _BLOCK
        other = first + (index - first + int(rng.integers(1, _BLOCK))) % _BLOCK
        return other, float(rng.uniform(*config.weight))

    def example(self, index: int) -> Example:
        """Make an example.

        Raises
        ------
        AudioError
            Many draws in a row cannot be read.
        """
        raw = self.raw(index)
        audio, labels, known, faults = raw.audio, raw.labels, raw.known, raw.faults
        frames, frame_known = raw.frames, raw.frame_known
        partner, weight = self.partner(index)
        if partner >= 0:
            other = self.raw(partner)
            assert self._augment.mixup is not None
            audio = mix(audio, other.audio, weight, equal_power=self._augment.mixup.equal_power)
            labels, known = union(raw, other)
            if frames is not None:
                frames, frame_known = frame_union(raw, other)
            faults += other.faults
        changed = self._augmenter(audio, np.random.default_rng([self._seed, _CHANGE, index]))
        faults += tuple((str(error.path), str(error)) for error in changed.faults)
        if frames is not None and changed.shifted:
            times = [n / self._rate for n in (changed.shifted, len(audio), self._crops.samples)]
            frames = rolled(frames, *times)
        return Example(
            waveform=padded(changed.waveform, self._crops.samples),
            valid=len(changed.waveform),
            raw=raw,
            labels=labels,
            known=known,
            partner=partner,
            weight=weight,
            snr_db=changed.snr_db,
            faults=faults,
            frames=frames,
            frame_known=frame_known,
        )

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return an example as a row of a batch, with its ``faults``."""
        example = self.example(index)
        row = as_row(self.table, example.raw, index)
        row |= {
            "waveform": example.waveform,
            "valid": np.int64(example.valid),
            "mixed": np.float32(example.partner >= 0),
            "snr_db": np.float32(example.snr_db),
            "faults": example.faults,
        }
        if self.table.n_classes:
            row |= {"labels": example.labels, "known": example.known}
        if example.frames is not None:
            row |= {"frame_labels": example.frames, "frame_known": example.frame_known}
        return row
