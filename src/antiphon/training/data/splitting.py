"""Training and validation that share no group, and counts of both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from antiphon.errors import UserError
from antiphon.training.data.config import HoldoutConfig
from antiphon.training.data.table import Bool, ClipTable


@dataclass(frozen=True, slots=True)
class Counts:
    """What one source has on one side.

    Parameters
    ----------
    source
        Its name.
    clips, recordings, groups
        Numbers.
    labelled
        Clips with at least one class present.
    classes
        Classes present at least once.
    hours
        Of the recordings whose duration is known, or None if none is.
    """

    source: str
    clips: int
    recordings: int
    groups: int
    labelled: int
    classes: int
    hours: float | None


@dataclass(frozen=True, slots=True)
class Sides:
    """Clips to train on and clips held out."""

    training: ClipTable
    validation: ClipTable

    def report(self) -> str:
        """Return a table of counts, one line for each source and side."""
        lines = ["source, side: clips, recordings, groups, labelled clips, classes, hours"]
        for side, table in (("training", self.training), ("validation", self.validation)):
            for row in counts(table):
                hours = "unknown" if row.hours is None else f"{row.hours:.2f}"
                lines.append(
                    f"{row.source}, {side}: {row.clips}, {row.recordings}, {row.groups}, "
                    f"{row.labelled}, {row.classes}, {hours}"
                )
        return "\n".join(lines)


def split(table: ClipTable, holdout: HoldoutConfig) -> Sides:
    """Divide the clips by their groups.

    A group of which a source states the side is there; any other is held out if a hash of its
    name, as a number in [0, 1), is below the share.

    Parameters
    ----------
    table
        All clips.
    holdout
        Share and salt.

    Returns
    -------
    Sides
        No group is on both.

    Raises
    ------
    UserError
        By the stated sides a group would be on both, or nothing is left to train on.
    """
    recordings = table.recordings
    held = np.array(
        [_hash(name, holdout.salt) < holdout.share for name in table.groups.to_pylist()], bool
    )
    used = np.zeros(len(recordings), bool)
    used[table.recording] = True
    training = recordings.group[used & (recordings.side == 0)]
    validation = recordings.group[used & (recordings.side == 1)]
    both = np.intersect1d(training, validation)
    if len(both):
        name = table.groups[int(both[0])].as_py()
        raise UserError(
            f"{len(both)} groups would be on both sides, such as {name!r}. Give each group one "
            "side, or group the sources by something finer. Recordings of one file name in two "
            "sources are one group; where they are not the same, set group: folder in both."
        )
    held[training], held[validation] = False, True
    chosen: Bool = held[recordings.group[table.recording]]
    if chosen.all():
        raise UserError(
            "Nothing is left to train on: every group is held out. Lower holdout.share, or group "
            "the sources by something finer."
        )
    return Sides(table.select(~chosen), table.select(chosen))


def counts(table: ClipTable) -> list[Counts]:
    """Return what each source has, also those without a clip."""
    source = table.source_of_clips
    length = np.diff(table.class_first)
    rows = []
    for number, info in enumerate(table.sources):
        mine = np.flatnonzero(source == number)
        recordings = np.unique(table.recording[mine])
        seconds = table.recordings.duration_s[recordings]
        known = seconds[np.isfinite(seconds)]
        rows.append(
            Counts(
                info.name,
                len(mine),
                len(recordings),
                len(np.unique(table.recordings.group[recordings])),
                int((length[mine] > 0).sum()),
                len(np.unique(table.class_of[np.repeat(source == number, length)])),
                float(known.sum()) / 3600 if len(known) else None,
            )
        )
    return rows


def _hash(name: str, salt: str) -> float:
    digest = hashlib.blake2b(name.encode(), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(digest, "big") / 2.0**64
