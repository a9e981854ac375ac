"""Training and validation that share no group, and counts of both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from antiphon.errors import UserError
from antiphon.training.data.config import HoldoutConfig
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.folds import assign_folds, name_share
from antiphon.training.data.table import Bool, ClipTable, Int32


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
    """Clips to train on and clips held out.

    Parameters
    ----------
    training, validation
        They share no group.
    dropped
        Clips of held-out groups or recordings whose targets come from a model: nothing is judged
        by those.
    """

    training: ClipTable
    validation: ClipTable
    dropped: int = 0

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
        if self.dropped:
            lines.append(
                f"{self.dropped} pseudo-labelled clips of held-out groups are on neither side."
            )
        return "\n".join(lines)


def split(table: ClipTable, holdout: HoldoutConfig, folds: FoldsConfig | None = None) -> Sides:
    """Divide the clips by their groups.

    A group of which a source states the side is there; any other is held out if it is of the
    fold that is, or else if a hash of its name, as a number in [0, 1), is below the share.

    Parameters
    ----------
    table
        All clips.
    holdout
        Share and salt.
    folds
        Where they say which fold is held out, nothing else decides.

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
    if folds is not None and folds.fold is not None:
        held = assign_folds(table, folds) == folds.fold
    else:
        held = np.array(
            [name_share(name, holdout.salt) < holdout.share for name in table.groups.to_pylist()],
            bool,
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
    pseudo = table.pseudo_clips
    # A held-out recording may be pseudo-labelled too, in a source that groups otherwise.
    chosen |= pseudo & _named_as(table, np.unique(table.recording[chosen & ~pseudo]))
    dropped = int((chosen & pseudo).sum())
    return Sides(table.select(~chosen), table.select(chosen & ~pseudo), dropped)


def _named_as(table: ClipTable, held: Int32) -> Bool:
    """Return ``(n,)``: clips of recordings that have the file name of one of these."""
    path = table.recordings.path
    names = {PurePosixPath(path[number].as_py()).stem for number in held.tolist()}
    pseudo = np.unique(table.recording[table.pseudo_clips]).tolist()
    same = [number for number in pseudo if PurePosixPath(path[number].as_py()).stem in names]
    found: Bool = np.isin(table.recording, same)
    return found


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
