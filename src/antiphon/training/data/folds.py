"""Which fold each group of recordings is in, and the table that keeps it."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np

from antiphon.audio.recording import content_key
from antiphon.errors import AudioError, UserError
from antiphon.labels.formats.table import csv_text, read_delimited, write_text
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.table import Bool, ClipTable, Int64

_COLUMNS = ("filename", "fold", "group", "source")


def assign_folds(table: ClipTable, config: FoldsConfig) -> Int64:
    """Put each group of recordings into a fold.

    Without a file the groups are shared out so that every class is spread evenly, by
    :func:`antiphon.evaluation.crossval.grouped_folds`. With one its groups have the folds it
    names; any other is put into one by a hash of its name, which no other group changes. Groups
    that hold one file under two names go together.

    Parameters
    ----------
    table
        All clips.
    config
        How many folds, and the file.

    Returns
    -------
    numpy.ndarray
        ``(groups,)`` int64, -1 for groups in no fold: those of which a source states the side,
        and those of pseudo-labelled recordings that the file does not name.

    Raises
    ------
    UserError
        There are fewer groups than folds.
    FormatError
        The file cannot be used.
    """
    group = table.recordings.group[table.recording].astype(np.int64)
    stated = np.zeros(len(table.groups), bool)
    stated[group[table.recordings.side[table.recording] >= 0]] = True
    free: Bool = np.zeros(len(table.groups), bool)
    free[group[~table.pseudo_clips]] = True
    free &= ~stated
    if config.file is None:
        return _spread(table, group, free, config)
    known = read_folds(config.file, config.count)
    names = table.groups.to_pylist()
    folds = np.array([known.get(name, -1) for name in names], np.int64)
    new = np.flatnonzero(free & (folds < 0))
    if len(new):
        one = _of_one_content(table, free)
        settled = {int(one[n]): int(folds[n]) for n in np.flatnonzero(free & (folds >= 0))}
        for number in new.tolist():
            hashed = int(name_share(names[one[number]], "fold") * config.count)
            folds[number] = settled.get(int(one[number]), hashed)
    folds[stated] = -1
    return folds


def _spread(table: ClipTable, group: Int64, free: Bool, config: FoldsConfig) -> Int64:
    from antiphon.evaluation.crossval import grouped_folds

    one = _of_one_content(table, free)
    groups = len(np.unique(one[free]))
    if groups < config.count:
        raise UserError(
            f"The data have {groups} groups of recordings to hold out in turn, which make "
            f"no {config.count} folds. Group the sources by something finer, or lower "
            "data.folds.count."
        )
    mine = free[group]
    rows = np.flatnonzero(mine)
    present = np.zeros((len(rows), table.n_classes), bool)
    length = np.diff(table.class_first)[rows]
    present[np.repeat(np.arange(len(rows)), length), table.select(mine).class_of] = True
    folds = np.full(len(table.groups), -1, np.int64)
    folds[group[rows]] = grouped_folds(one[group[rows]], present, config.count, config.seed)
    return folds


def _of_one_content(table: ClipTable, free: Bool) -> Int64:
    """Return ``(groups,)``: for each the first one that it shares a file with, or itself.

    Only files of equal size are looked into. What lies in shards or is synthesised has no file of
    its own, and one that cannot be read has no content.
    """
    recordings = table.recordings
    files = {
        number: Path(table.name(number))
        for number in np.unique(table.recording).tolist()
        if recordings.shard[number] < 0
        and free[recordings.group[number]]
        and table.sources[int(recordings.source[number])].kind != "repertoire"
    }
    sizes = {n: path.stat().st_size for n, path in files.items() if path.is_file()}
    alike = Counter(sizes.values())
    first: dict[str, int] = {}
    parent = np.arange(len(table.groups), dtype=np.int64)

    def root(group: int) -> int:
        while parent[group] != group:
            group = int(parent[group])
        return group

    for number in (n for n, size in sizes.items() if alike[size] > 1):
        try:
            content = content_key(files[number])
        except AudioError:
            continue
        mine = root(int(recordings.group[number]))
        other = root(first.setdefault(content, mine))
        parent[max(mine, other)] = min(mine, other)
    return np.array([root(group) for group in range(len(parent))], np.int64)


def name_share(name: str, salt: str) -> float:
    """Return a number in [0, 1) that follows from a name, evenly spread over names."""
    digest = hashlib.blake2b(name.encode(), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def write_folds(path: Path, table: ClipTable, folds: Int64) -> None:
    """Write which fold each recording is in.

    Parameters
    ----------
    path
        A CSV file with the columns filename (relative to its source), fold, group and source. It
        serves as out-of-fold map of ``antiphon blend`` as well.
    table
        All clips.
    folds
        Of :func:`assign_folds`; recordings in no fold are left out.

    Raises
    ------
    FileError
        It cannot be written.
    """
    recordings = table.recordings
    names = table.groups.to_pylist()
    rows = []
    for number in np.unique(table.recording).tolist():
        group = int(recordings.group[number])
        if folds[group] >= 0:
            source = table.sources[int(recordings.source[number])].name
            recording = recordings.path[number].as_py()
            rows.append((recording, str(folds[group]), names[group], source))
    write_text(path, csv_text(_COLUMNS, rows))


def read_folds(path: Path, count: int) -> dict[str, int]:
    """Return the fold of each group that a table names.

    Parameters
    ----------
    path
        A table with the columns ``group`` and ``fold``, as :func:`write_folds` writes it.
    count
        How many folds there are.

    Raises
    ------
    FormatError
        A column is missing, a fold is none of these, or a group is in two.
    """
    table = read_delimited(path, frozenset(_COLUMNS).__contains__)
    groups = table.text(table.find_named("group"))
    found: dict[str, int] = {}
    for row, group, cell in zip(
        table.rows, groups, table.text(table.find_named("fold")), strict=True
    ):
        if not cell.isdigit() or int(cell) >= count:
            raise table.error(f"row {row}: the fold {cell!r} is none of 0 to {count - 1}")
        if found.setdefault(group, int(cell)) != int(cell):
            raise table.error(f"row {row}: the group {group!r} is in fold {found[group]} as well")
    return found
