"""Recordings cut into clips, and the classes that each clip has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from antiphon.audio.recording import probe
from antiphon.errors import AudioError, UserError
from antiphon.labels.labelset import LabelSet
from antiphon.training.data.config import DataConfig
from antiphon.training.data.table import (
    PRESENT,
    Bool,
    ClipTable,
    Float64,
    Int32,
    Int64,
    Recordings,
    SourceInfo,
    Statements,
)

SLIVER = 0.1
"""Share of a window below which the rest of a recording is no window of its own."""

# A rest below this share is rounding and not worth a word.
ROUNDING = 1e-3


def cut_clips(
    infos: tuple[SourceInfo, ...],
    classes: LabelSet,
    groups: Any,
    shards: Any,
    recordings: Recordings,
    statements: Statements,
    config: DataConfig,
    windowed: Bool | None = None,
) -> tuple[ClipTable, list[str]]:
    """Cut recordings into clips: those with annotated spans into windows, the others not at all.

    ``windowed`` ``(recordings,)`` names further ones that are cut.

    A rest shorter than :data:`SLIVER` of a window belongs to the window before it.

    Returns
    -------
    table : ClipTable
        All clips.
    notes : list of str
        Recordings that had to be opened and cannot be read, and how many end in such a rest.

    Raises
    ------
    UserError
        Too many cannot be read, or the length of one in a shard is not stated.
    """
    owners = statements.owners()
    timed = np.zeros(len(recordings), bool)
    timed[owners[np.isfinite(statements.start_s)]] = True
    if windowed is not None:
        timed |= windowed
    empty = np.empty(0, np.int32)
    table = ClipTable(
        infos, classes, groups, shards, recordings, statements,
        empty, empty.astype(np.float64), empty.astype(np.float64), empty.astype(bool),
        np.zeros(1, np.int64), empty,
    )  # fmt: skip
    notes = _look_up_durations(table, timed, config.max_fault_share)
    readable = ~(timed & np.isnan(recordings.duration_s))
    cut = timed & readable
    windows = np.nan_to_num(recordings.duration_s) / config.clip_s
    count = np.where(cut, np.ceil(windows - SLIVER), 1)
    count = np.where(readable, np.maximum(count, 1), 0).astype(np.int64)
    recording = np.repeat(np.arange(len(recordings), dtype=np.int32), count)
    within = np.arange(len(recording)) - np.repeat(np.cumsum(count) - count, count)
    fixed = cut[recording]
    last = within == count[recording] - 1
    start = np.where(fixed, within * config.clip_s, 0.0)
    length_s = recordings.duration_s[recording]
    end = np.where(fixed, np.where(last, length_s, start + config.clip_s), np.inf)
    first, taken = _present(statements, owners, count, start, end, config)
    notes += _beyond(table, owners, cut)
    merged = int((cut & (windows > count + ROUNDING)).sum())
    if merged:
        notes.append(
            f"{merged} recordings end in less than {SLIVER:.0%} of a window; that rest belongs to "
            "the window before it."
        )
    return ClipTable(
        infos, classes, groups, shards, recordings, statements,
        recording, start, end, fixed, first, taken,
    ), notes  # fmt: skip


def _look_up_durations(table: ClipTable, timed: Bool, max_share: float) -> list[str]:
    """Fill in the durations of recordings that are to be cut; return sentences about faults."""
    recordings = table.recordings
    asked = np.flatnonzero(timed & np.isnan(recordings.duration_s) & (recordings.shard < 0))
    notes = []
    for recording in asked.tolist():
        try:
            recordings.duration_s[recording] = probe(Path(table.name(recording))).duration_s
        except AudioError as error:
            notes.append(str(error))
    unknown = np.flatnonzero(timed & np.isnan(recordings.duration_s) & (recordings.shard >= 0))
    if len(unknown):
        raise UserError(
            f"{table.name(int(unknown[0]))}: has annotated spans but no duration_s in its JSON. "
            "Write it there, as write_shards does for recordings of known length."
        )
    if len(notes) > max_share * len(recordings):
        raise UserError(
            f"{len(notes)} of {len(recordings)} recordings cannot be read, more than the share of "
            f"{max_share:g} that max_fault_share allows. The first: {notes[0]}"
        )
    return notes


def _beyond(table: ClipTable, owners: Int64, cut: Bool) -> list[str]:
    """Return a sentence about annotations that begin after the end of their recording."""
    duration = table.recordings.duration_s[owners]
    late = np.flatnonzero(cut[owners] & (table.statements.start_s >= duration))
    if not len(late):
        return []
    first = int(late[0])
    note = (
        f"{len(late)} of {len(owners)} annotations begin after the end of their recording and say "
        f"nothing, such as one at {table.statements.start_s[first]:g} s of "
        f"{table.name(int(owners[first]))}, which lasts {duration[first]:.3f} s. Are the times "
        "in seconds?"
    )
    return [note]


def _present(
    statements: Statements,
    owners: Int64,
    count: Int64,
    start: Float64,
    end: Float64,
    config: DataConfig,
) -> tuple[Int64, Int32]:
    """Return the classes present in each clip, as lists joined; a statement may span several."""
    said = np.flatnonzero((statements.value == PRESENT) & (count[owners] > 0))
    owner = owners[said]
    ahead = np.cumsum(count) - count
    low = np.maximum(statements.start_s[said], 0.0)
    reach = statements.end_s[said]
    whole = ~np.isfinite(statements.start_s[said])
    last = count[owner] - 1
    begin = np.where(whole, 0, np.minimum(low // config.clip_s, last)).astype(np.int64)
    endless = whole | ~np.isfinite(reach)
    stop = np.where(endless, last, np.minimum(np.where(endless, 0, reach) // config.clip_s, last))
    spans = np.maximum(stop.astype(np.int64) - begin + 1, 0)
    which = np.repeat(np.arange(len(said)), spans)
    clip = np.arange(len(which)) - np.repeat(np.cumsum(spans) - spans, spans)
    clip += (ahead[owner] + begin)[which]
    overlap = np.minimum(reach[which], end[clip]) - np.maximum(low[which], start[clip])
    shorter = np.minimum(end[clip] - start[clip], reach[which] - low[which])
    enough = whole[which] | (overlap >= config.min_overlap * shorter - 1e-9)
    label = statements.label[said][which][enough]
    # Each class once in each clip.
    pairs = np.unique(np.stack([clip[enough], label.astype(np.int64)]), axis=1)
    first = np.zeros(len(start) + 1, np.int64)
    np.cumsum(np.bincount(pairs[0], minlength=len(start)), out=first[1:])
    return first, pairs[1].astype(np.int32)
