"""Clips, their recordings and what is said of them, as arrays that worker processes share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.labels.labelset import LabelSet
from antiphon.training.data.soft_targets import SoftTargets

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

PRESENT, ABSENT, UNSURE, SECONDARY = 1, 0, -1, 2
"""Values of statements; the last is of classes in the background, as an author noted them."""

EVERY = -1
"""Class of a statement about all classes."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """One source, as the table needs it.

    Parameters
    ----------
    name, kind, domain
        As in the settings.
    root
        Folder that the paths of its recordings are relative to; empty for none.
    weight
        Relative to other sources; None for the number of clips.
    own
        ``(C,)`` bool: classes that a labelled recording of this source speaks of even where it
        names none of them.
    columns
        Class of each of its own labels, -1 for none.
    settings
        What makes its clips, where they are synthesised.
    """

    name: str
    kind: str
    domain: str
    root: str
    weight: float | None
    own: Bool
    columns: Int32
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statements:
    """What is said of spans of recordings, sorted by recording.

    Parameters
    ----------
    first
        ``(recordings + 1,)``: those of recording r are ``first[r]`` to ``first[r + 1]``.
    label
        ``(k,)`` class, :data:`EVERY` for all.
    start_s, end_s
        ``(k,)`` seconds; infinite for a whole recording.
    value
        ``(k,)`` :data:`PRESENT`, :data:`ABSENT`, :data:`UNSURE` or :data:`SECONDARY`.
    """

    first: Int64
    label: Int32
    start_s: Float64
    end_s: Float64
    value: Int8

    @classmethod
    def sort(
        cls,
        recordings: int,
        recording: npt.ArrayLike,
        label: npt.ArrayLike,
        start_s: npt.ArrayLike,
        end_s: npt.ArrayLike,
        value: npt.ArrayLike,
    ) -> Statements:
        """Build the table from rows in any order."""
        owner = np.asarray(recording, np.int64)
        order = np.argsort(owner, kind="stable")
        first = np.zeros(recordings + 1, np.int64)
        np.cumsum(np.bincount(owner, minlength=recordings), out=first[1:])
        return cls(
            first,
            np.asarray(label, np.int32)[order],
            np.asarray(start_s, np.float64)[order],
            np.asarray(end_s, np.float64)[order],
            np.asarray(value, np.int8)[order],
        )

    def __len__(self) -> int:
        return len(self.label)

    def of(self, recording: int) -> slice:
        """Return where the statements about a recording are."""
        return slice(int(self.first[recording]), int(self.first[recording + 1]))

    def owners(self) -> Int64:
        """Return the recording of each statement, ``(k,)``."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recordings of all sources.

    Parameters
    ----------
    path
        Arrow strings, relative to the root of the source; within a shard, its key.
    source
        ``(m,)`` number of the source.
    group
        ``(m,)`` number of the group, into :attr:`ClipTable.groups`.
    duration_s
        ``(m,)`` seconds; NaN where nobody has looked.
    labelled
        ``(m,)`` whether the source's labels speak of it.
    side
        ``(m,)`` 0 for training, 1 for validation, -1 where a hash of the group decides.
    shard, offset, size
        ``(m,)`` where its bytes are in a tar: number of the shard (-1 for a plain file), first
        byte, bytes.
    """

    path: Any
    source: Int32
    group: Int32
    duration_s: Float64
    labelled: Bool
    side: Int8
    shard: Int32
    offset: Int64
    size: Int64

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True)
class ClipTable:
    """Everything that examples are made of; all of it arrays, so that processes share it.

    Parameters
    ----------
    sources
        By number.
    classes
        One label for each column of the targets.
    groups
        Arrow strings: names of groups.
    shards
        Arrow strings: paths of tar files.
    recordings, statements
        See there.
    recording
        ``(n,)`` the recording of each clip.
    start_s, end_s
        ``(n,)`` span from which crops are drawn; an infinite end is that of the recording.
    fixed
        ``(n,)`` whether the span is a window of a longer recording, from whose neighbourhood
        crops may reach.
    class_first, class_of
        Classes present in clip i: ``class_of[class_first[i]:class_first[i + 1]]``.
    soft
        Targets in [0, 1] in place of statements, for each source; None for a source without.
    """

    sources: tuple[SourceInfo, ...]
    classes: LabelSet
    groups: Any
    shards: Any
    recordings: Recordings
    statements: Statements
    recording: Int32
    start_s: Float64
    end_s: Float64
    fixed: Bool
    class_first: Int64
    class_of: Int32
    soft: tuple[SoftTargets | None, ...] = ()

    def __len__(self) -> int:
        return len(self.recording)

    @property
    def n_classes(self) -> int:
        """Columns of the targets."""
        return len(self.classes)

    @property
    def source_of_clips(self) -> Int32:
        """``(n,)`` number of the source of each clip."""
        return self.recordings.source[self.recording]

    def soft_of(self, recording: int) -> SoftTargets | None:
        """Return the targets of the source of a recording, None where it has statements."""
        source = int(self.recordings.source[recording])
        return self.soft[source] if self.soft else None

    @property
    def pseudo_clips(self) -> Bool:
        """``(n,)`` whether the targets of each clip come from a model."""
        sources = np.array([one is not None for one in self.soft], bool)
        if not sources.any():
            return np.zeros(len(self), bool)
        found: Bool = sources[self.source_of_clips]
        return found

    def classes_of(self, clip: int) -> Int32:
        """Return the classes present in a clip."""
        return self.class_of[self.class_first[clip] : self.class_first[clip + 1]]

    def name(self, recording: int) -> str:
        """Return what a recording is called in messages."""
        path = str(self.recordings.path[recording].as_py())
        shard = int(self.recordings.shard[recording])
        if shard >= 0:
            return f"{self.shards[shard].as_py()}:{path}"
        root = self.sources[int(self.recordings.source[recording])].root
        return f"{root}/{path}" if root else path

    def with_weight(self, source: int, weight: float) -> ClipTable:
        """Return the table with another weight of a source."""
        infos = list(self.sources)
        infos[source] = replace(infos[source], weight=weight)
        return replace(self, sources=tuple(infos))

    def select(self, keep: Bool | Int64) -> ClipTable:
        """Return the table with some of its clips; recordings and statements stay as they are."""
        chosen = np.asarray(keep)
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        first, taken = take_lists(self.class_first, self.class_of, rows)
        return replace(
            self,
            recording=self.recording[rows],
            start_s=self.start_s[rows],
            end_s=self.end_s[rows],
            fixed=self.fixed[rows],
            class_first=first,
            class_of=taken,
        )

    def fingerprint(self) -> str:
        """Return a hash of the clips and of what is said of them; not of the audio."""
        used = np.unique(self.recording)
        code = hashlib.blake2b(digest_size=16)
        code.update(json.dumps([self.classes.names, [s.name for s in self.sources]]).encode())
        code.update("\0".join(self.recordings.path.take(pa.array(used)).to_pylist()).encode())
        arrays = (
            self.recordings.source[used],
            self.recordings.labelled[used],
            np.searchsorted(used, self.recording),
            self.start_s,
            self.end_s,
            self.class_first,
            self.class_of,
        )
        for array in arrays:
            code.update(np.ascontiguousarray(array).tobytes())
        said = np.isin(self.statements.owners(), used)
        for name in ("label", "start_s", "end_s", "value"):
            code.update(np.ascontiguousarray(getattr(self.statements, name)[said]).tobytes())
        for soft in self.soft:
            if soft is not None:
                soft.add_to(code)
        return code.hexdigest()

    def class_counts(self) -> Int64:
        """Return ``(C,)`` how many clips have each class."""
        return np.bincount(self.class_of, minlength=self.n_classes)


def take_lists(first: Int64, values: Int32, rows: Int64) -> tuple[Int64, Int32]:
    """Choose some of many lists that lie one after the other in one array.

    Parameters
    ----------
    first
        ``(n + 1,)`` where each list begins.
    values
        All lists joined.
    rows
        ``(m,)`` which to choose.

    Returns
    -------
    first, values
        The same for the chosen ones.
    """
    length = np.diff(first)[rows]
    begin = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(length, out=begin[1:])
    at = np.arange(begin[-1]) + np.repeat(first[:-1][rows] - begin[:-1], length)
    return begin, values[at]


def strings(values: Any) -> Any:
    """Return texts as Arrow strings, whose memory forked processes share."""
    return pa.array(values, pa.large_string())
