"""Readers of tables and of file names: how a publisher's files become items.

Each takes the data set's folder and its options and returns items in a fixed order. They read
labels only; audio is opened when it is embedded.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.encoders.checking import Strict
from antiphon.errors import FormatError
from antiphon.evaluation.benchmarks.sets.items import Absent, Item, Side, Split
from antiphon.evaluation.benchmarks.sets.rows import (
    AudioByName,
    Table,
    files_matching,
    fill,
    inside,
    read_table,
)


class TableOptions(Strict):
    """One row for each clip.

    Parameters
    ----------
    table, files
        The table, or one for each side of the split.
    roots
        Subfolders that may hold everything; the first that has the table counts.
    audio, find, within
        Template of the audio file's path; or of its base name, to be found below the folder or
        these parts of it.
    label, one_hot, not_labels
        Column of the label; or each column but these is a class and holds 0 or 1.
    empty_label, rare, rare_label
        Label of rows without one; classes with at most so many rows become ``rare_label``.
    drop_labels, label_pattern, where
        Rows to leave out: of these labels, whose label does not fit, whose cells differ.
    split, sides, fold, source, individual, start, end
        Further columns; ``sides`` maps what the split column holds.
    """

    table: str = ""
    files: dict[Side, str] = Field(default_factory=dict)
    roots: tuple[str, ...] = ("",)
    audio: str = ""
    find: str = ""
    within: tuple[str, ...] = ()
    label: str = ""
    one_hot: bool = False
    not_labels: tuple[str, ...] = ()
    empty_label: str = ""
    rare: int = 0
    rare_label: str = ""
    drop_labels: tuple[str, ...] = ()
    label_pattern: str = ""
    where: dict[str, str] = Field(default_factory=dict)
    split: str = ""
    sides: dict[str, Side] = Field(default_factory=dict)
    fold: str = ""
    source: str = ""
    individual: str = ""
    start: str = ""
    end: str = ""


def read_clips(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read tables with a row for each clip; see :class:`TableOptions`."""
    given = TableOptions.model_validate(options)
    root = _root(folder, given.roots, given.table or next(iter(given.files.values())))
    files: list[tuple[Split, str]] = [*given.files.items()] or [("", given.table)]
    places = [root / part for part in given.within]
    names = None
    if given.find:
        names = AudioByName([p for p in places if p.is_dir()] or [root], AUDIO_SUFFIXES)
    absent, notes = Absent(), []
    items: list[Item] = []
    total = dropped = 0
    for side, name in files:
        table = read_table(inside(root, name))
        labels = _labels(table, given)
        columns = (given.split, given.fold, given.source, given.individual, given.start, given.end)
        table.need(*(c for c in columns if c), *given.where)
        for index, (row, label) in enumerate(zip(table.rows, labels, strict=True)):
            if not _wanted(row, label, given):
                dropped += 1
                continue
            total += 1
            path = _audio(row, table.path, given, root, names)
            if path is None:
                absent.names.append(fill(given.audio or given.find, row, table.path))
                continue
            items.append(
                Item(
                    path,
                    (label,),
                    start_s=table.number(index, given.start) if given.start else 0.0,
                    end_s=table.number(index, given.end) if given.end else None,
                    split=_side(row, table, index, given) if given.split else side,
                    fold=int(table.number(index, given.fold)) if given.fold else -1,
                    source=row[given.source] if given.source else "",
                    individual=row[given.individual] if given.individual else "",
                )
            )
    if dropped and not given.where and not given.label_pattern:
        notes.append(f"{dropped} rows of classes that are left out were skipped")
    if given.rare:
        items = _join_rare(items, given.rare, given.rare_label)
    return items, notes + absent.note(total)


class NameOptions(Strict):
    """Labels in file names.

    Parameters
    ----------
    audio
        Patterns of files below the folder.
    pattern
        Searched for in the stem; its groups ``label``, ``individual`` and ``day`` are used.
    rename, otherwise
        Other names for labels, and the one for labels that have none there.
    lower
        Whether labels are made lower case.
    """

    audio: tuple[str, ...]
    pattern: str
    rename: dict[str, str] = Field(default_factory=dict)
    otherwise: str = ""
    lower: bool = False


def read_names(folder: Path, options: dict[str, object]) -> tuple[list[Item], list[str]]:
    """Read labels out of file names; see :class:`NameOptions`."""
    given = NameOptions.model_validate(options)
    paths = files_matching(folder, given.audio)
    items, odd = [], []
    for path in paths:
        found = re.search(given.pattern, path.stem)
        if found is None:
            odd.append(path.name)
            continue
        parts = {"individual": "", "day": "", **found.groupdict()}
        label = parts["label"].strip()
        label = label.lower() if given.lower else label
        if given.rename:
            label = given.rename.get(label, given.otherwise or label)
        items.append(
            Item(path, (label,), individual=parts["individual"] or "", day=parts["day"] or "")
        )
    notes = []
    if odd:
        notes.append(
            f"{len(odd)} files have names without a label ({', '.join(odd[:3])}); they are left out"
        )
    return items, notes


def _root(folder: Path, roots: tuple[str, ...], table: str) -> Path:
    for part in roots:
        if (folder / part / table).is_file():
            return folder / part
    return folder


def _labels(table: Table, given: TableOptions) -> list[str]:
    if not given.one_hot:
        table.need(given.label)
        return [row[given.label] or given.empty_label for row in table.rows]
    table.need(*given.not_labels)
    classes = [c for c in table.columns if c not in given.not_labels]
    found = []
    for number, row in enumerate(table.rows, start=2):
        marked = [c for c in classes if row[c] not in ("", "0", "0.0")]
        if len(marked) != 1:
            raise FormatError(
                table.path,
                f"line {number} marks {len(marked)} classes ({', '.join(marked) or 'none'})",
                "Each row must mark one",
            )
        found.append(marked[0])
    return found


def _wanted(row: dict[str, str], label: str, given: TableOptions) -> bool:
    return (
        bool(label)
        and label not in given.drop_labels
        and all(row[column] == value for column, value in given.where.items())
        and (not given.label_pattern or re.search(given.label_pattern, label) is not None)
    )


def _audio(
    row: dict[str, str], table: Path, given: TableOptions, root: Path, names: AudioByName | None
) -> Path | None:
    if names is not None:
        return names.get(fill(given.find, row, table))
    path = inside(root, fill(given.audio, row, table))
    return path if path.is_file() else None


def _side(row: dict[str, str], table: Table, index: int, given: TableOptions) -> Split:
    value = row[given.split]
    if value not in given.sides:
        raise FormatError(
            table.path,
            f"line {index + 2}: {given.split!r} is {value!r}; known are {', '.join(given.sides)}",
        )
    return given.sides[value]


def _join_rare(items: list[Item], most: int, name: str) -> list[Item]:
    counts = Counter(item.labels[0] for item in items)
    return [
        replace(item, labels=(name,)) if counts[item.labels[0]] <= most else item for item in items
    ]
