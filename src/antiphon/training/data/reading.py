"""What reading a source gives, before the sources are joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.labels.annotation import ABSENT as SAID_ABSENT
from antiphon.labels.annotation import PRESENT as SAID_PRESENT
from antiphon.labels.labelset import Label
from antiphon.labels.spans import read_spans
from antiphon.training.data.soft_targets import SoftTargets
from antiphon.training.data.table import ABSENT, PRESENT, UNSURE, Bool, Float64, Int8, Int32, Int64


@dataclass(slots=True)
class Said:
    """Statements of one source; the class is a number among its own labels."""

    recording: Int64
    label: Int32
    start_s: Float64
    end_s: Float64
    value: Int8

    @classmethod
    def nothing(cls) -> Said:
        """Return no statement."""
        return cls.whole(np.empty(0, np.int64), np.empty(0, np.int32))

    @classmethod
    def whole(cls, recording: npt.ArrayLike, label: npt.ArrayLike, value: int = PRESENT) -> Said:
        """Return statements about labels in whole recordings, one or the same label for each."""
        owner = np.asarray(recording, np.int64)
        n = len(owner)
        return cls(
            owner,
            np.broadcast_to(np.asarray(label, np.int32), n).copy(),
            np.full(n, -np.inf),
            np.full(n, np.inf),
            np.full(n, value, np.int8),
        )

    def joined(self, other: Said) -> Said:
        """Return the statements of both."""
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return Said(*(np.concatenate(pair) for pair in pairs))


@dataclass(slots=True)
class SourceRows:
    """One source as it was read.

    Parameters
    ----------
    name
        For messages.
    path
        ``(m,)`` texts, relative to ``root``.
    labels, said
        Its labels and what it says with them.
    labelled
        ``(m,)`` whether the labels speak of the recording.
    group
        ``(m,)`` texts.
    side
        ``(m,)`` 0 training, 1 validation, -1 undecided, -2 left out.
    duration_s
        ``(m,)`` NaN where nobody has looked.
    shards, shard, offset, size
        Paths of tar files, and where each recording lies in them; left out for plain files.
    notes
        Sentences for the report.
    settings
        Of synthesised sources.
    pseudo
        Pseudo-labels of the recordings, their classes numbered as ``labels``; None for none.
    behind
        Number of a recording and name of what is in its background, where that is none of
        ``labels``.
    """

    name: str
    root: str
    path: Any
    labels: tuple[Label, ...]
    said: Said
    labelled: Bool
    group: Sequence[str]
    side: Int8
    duration_s: Float64
    shards: tuple[str, ...] = ()
    shard: Int32 | None = None
    offset: Int64 | None = None
    size: Int64 | None = None
    notes: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    pseudo: SoftTargets | None = None
    behind: Sequence[tuple[int, str]] = ()


def recording_groups(paths: Sequence[str]) -> list[str]:
    """Return what each recording is called as a group of its own.

    The file name, so that a recording that lies in two sources is one group; its path where
    several of the source share the name.
    """
    names = [path.rsplit("/", 1)[-1] for path in paths]
    count = Counter(names)
    return [name if count[name] == 1 else path for name, path in zip(names, paths, strict=True)]


def site_groups(paths: Sequence[str]) -> list[str]:
    """Return the site that each file name has as a group; the recording where it has none."""
    from antiphon.evaluation.blending.files.sites import site_and_hour

    sites = [site_and_hour(PurePosixPath(path).stem)[0] for path in paths]
    own = recording_groups(paths)
    return [f"site {site}" if site else one for site, one in zip(sites, own, strict=True)]


def inaudible(annotations: pa.Table, sample_rate: int, where: object) -> list[str]:
    """Return a sentence about present sounds that lie above all that a sample rate holds."""
    if "low_hz" not in annotations.column_names:
        return []
    low = annotations.column("low_hz").cast(pa.float64()).fill_null(0.0).to_numpy()
    present = np.array(annotations.column("presence").to_pylist()) == SAID_PRESENT
    lost = present & (low >= sample_rate / 2)
    if not lost.any():
        return []
    note = (
        f"{where}: {int(lost.sum())} annotations lie above {sample_rate / 2:g} Hz, so nothing of "
        f"them is heard at data.sample_rate {sample_rate}; the highest begins at "
        f"{low[lost].max():g} Hz. Raise the rate, or leave their labels out by rename."
    )
    return [note]


def said_by(annotations: pa.Table, labels: Sequence[str], channels: Int64) -> tuple[Said, int]:
    """Turn annotations into statements about the mix of a recording's channels.

    An absence in one channel says nothing of the mix, unless the recording has no other.

    Parameters
    ----------
    annotations
        With the columns of an annotation table and ``recording_id``, from 0.
    labels
        Names, by number.
    channels
        ``(m,)`` channels of each recording, 0 where nobody has looked.

    Returns
    -------
    said : Said
        The statements.
    dropped : int
        How many absences of single channels were left out.
    """
    spans = read_spans(annotations, labels)
    value = np.where(
        spans.presence == SAID_PRESENT,
        PRESENT,
        np.where(spans.presence == SAID_ABSENT, ABSENT, UNSURE),
    )
    alone = (value == ABSENT) & (spans.channel >= 0) & (channels[spans.recording] != 1)
    keep = ~alone
    said = Said(
        spans.recording[keep],
        spans.label[keep].astype(np.int32),
        spans.start[keep],
        spans.end[keep],
        value[keep].astype(np.int8),
    )
    return said, int(alone.sum())
