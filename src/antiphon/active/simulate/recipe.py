"""What a simulated set of embeddings is made of."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from antiphon.errors import UserError

Activation = Literal["swish", "relu", "none"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a simulated set, but for the seed.

    A set is a number of recordings, each at one of some sites, cut into segments in order of time.
    A segment's embedding is made in a latent space of ``latent`` dimensions: its background (site,
    recording, what drifts, what is random) plus a vector for each sound in it (call of a class, or
    clutter that nobody labels), mapped to ``dimension`` numbers by a random matrix, an offset and
    an activation. Lengths in the latent space are relative to a call of gain 1.

    Parameters
    ----------
    name, domain
        Of the set, and of the larger set that it is a part of.
    n_pool, n_validation
        Segments that may be selected, and segments that judge; exact.
    n_classes
        Classes; each has at least two segments in the pool and two in validation (fewer where
        there are not so many segments).
    labels_per_sample
        Mean number of labels of a segment, empty ones included; met to the nearest label as far as
        segments that are not repeated can make up the difference.
    empty_share
        Share of segments without any label, 0 to 1.
    dimension
        Length of an embedding.
    latent
        Dimensions of the latent space.
    activation
        ``swish`` (as the last layer of Perch v2: mostly small values, few large ones), ``relu``
        (non-negative) or ``none``.
    contrast
        Deviation of a segment from the set's mean embedding, before the activation, relative to
        the deviation of that mean between dimensions. At 0.5 the cosine between two random
        segments is near 0.8, as Perch v2's.
    norm
        Mean length of an embedding; about 4 for Perch v2.
    floor
        Deviation of independent noise in each dimension, relative to ``contrast``.
    segments_per_recording
        Mean length of a recording, in segments.
    n_sites
        Sites; the first ones have more recordings.
    long_tail
        Class frequencies fall as rank to the power of minus this.
    site_affinity, recording_affinity
        Deviation of the log frequency of a class between sites, and between recordings of a site.
    bout_affinity
        The same between bouts, spells of ``bout`` segments in which the same animals call.
    bout
        Mean length of a bout in segments.
    clumping
        How far the number of labels of a segment follows its recording and bout, 0 (not) to 1.
    cooccurrence
        Deviation of the log frequencies along a few directions that classes share (dawn, habitat).
    call_types
        Kinds of call of a class; one bout has one kind.
    type_spread
        Distance of a kind of call from the mean of its class, relative to the length of that mean.
    overlap
        Share of a class's direction (as squared cosine) that it shares with its group of four.
    individual
        Deviation of calls between recordings (another animal, another distance).
    variation
        Deviation between calls of one animal.
    gain
        Median length of a call.
    gain_spread
        Deviation of the logarithm of that length; half of its variance is between recordings.
    mixing
        0: sounds in one segment add up; 1: the segment shows their mean.
    background
        Length of the background's deviation.
    spectrum
        The background's variances fall as component number to the power of minus this.
    site_shift, recording_shift, drift
        Parts of the background's variance that are fixed for a site, a recording, a bout; at most
        1 together. The rest is independent.
    clutter_share
        Share of segments with a sound that nobody labels.
    clutter_types
        Kinds of such sounds.
    clutter_gain
        Median length of such a sound, relative to ``gain``.
    duplicates
        Share of segments that nearly repeat the segment before.
    junk_share, junk_size
        Share of segments that a fault of the recorder moves far away, each in its own direction,
        and how far.
    missed
        Sounds of a class that carry no label, as a share of the labels.
    spurious
        Share of the labels with no sound.

    Raises
    ------
    UserError
        A knob is out of its range, or the shares contradict each other.
    """

    name: str
    n_pool: int
    n_validation: int
    n_classes: int
    labels_per_sample: float
    domain: str = ""
    empty_share: float = 0.3
    dimension: int = 1536
    latent: int = 128
    activation: Activation = "swish"
    contrast: float = 0.5
    norm: float = 4.0
    floor: float = 0.1
    segments_per_recording: float = 60.0
    n_sites: int = 5
    long_tail: float = 1.0
    site_affinity: float = 0.5
    recording_affinity: float = 0.8
    bout_affinity: float = 0.8
    bout: float = 6.0
    clumping: float = 0.5
    cooccurrence: float = 0.5
    call_types: int = 3
    type_spread: float = 0.8
    overlap: float = 0.2
    individual: float = 0.3
    variation: float = 0.5
    gain: float = 1.0
    gain_spread: float = 0.6
    mixing: float = 0.5
    background: float = 1.0
    spectrum: float = 1.0
    site_shift: float = 0.2
    recording_shift: float = 0.2
    drift: float = 0.2
    clutter_share: float = 0.2
    clutter_types: int = 12
    clutter_gain: float = 1.0
    duplicates: float = 0.1
    junk_share: float = 0.01
    junk_size: float = 4.0
    missed: float = 0.1
    spurious: float = 0.05

    def __post_init__(self) -> None:
        for knob in fields(self):
            value = getattr(self, knob.name)
            if isinstance(value, (int, float)) and not (math.isfinite(value) and value >= 0):
                raise self._wrong(knob.name, "it must be a number of 0 or more")
        for name in ("n_pool", "n_validation", "n_classes", "dimension", "latent", "n_sites"):
            if getattr(self, name) < 1:
                raise self._wrong(name, "it must be 1 or more")
        for name in ("call_types", "clutter_types", "bout", "segments_per_recording"):
            if getattr(self, name) < 1:
                raise self._wrong(name, "it must be 1 or more")
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise self._wrong(name, "it must lie between 0 and 1")
        if self.site_shift + self.recording_shift + self.drift > 1:
            raise self._wrong("site_shift", "with recording_shift and drift it must be at most 1")
        if self.activation not in ("swish", "relu", "none"):
            raise self._wrong("activation", "it can be 'swish', 'relu' or 'none'")
        heard = 1.0 - self.empty_share
        if not heard - 1e-9 <= self.labels_per_sample <= heard * self.n_classes + 1e-9:
            raise self._wrong(
                "labels_per_sample",
                f"with {self.n_classes} classes and {self.empty_share:.0%} of the segments empty "
                f"it must lie between {heard:g} and {heard * self.n_classes:g}",
            )

    def to_json(self) -> dict[str, Any]:
        """Return all knobs as plain values."""
        return asdict(self)

    def _wrong(self, knob: str, rule: str) -> UserError:
        return UserError(f"Recipe {self.name!r}: {knob} is {getattr(self, knob)!r}; {rule}.")


_SHARES = (
    "empty_share",
    "clumping",
    "overlap",
    "mixing",
    "site_shift",
    "recording_shift",
    "drift",
    "clutter_share",
    "duplicates",
    "junk_share",
    "spurious",
)
