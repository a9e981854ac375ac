"""Which vector file belongs to which row of ``labels.csv``."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.active.baseal.tables import LabelRows
from antiphon.errors import FileError, FormatError

PREFIX_END = "__"
_SUFFIX = ".npy"


@dataclass(frozen=True, slots=True)
class Matching:
    """Rows of the label table and their files.

    Parameters
    ----------
    rows
        Indices of the rows that have a vector, ascending.
    files
        The file of each of these rows, relative to the folder of vectors.
    notes
        What was left out, as sentences.
    """

    rows: tuple[int, ...]
    files: tuple[str, ...]
    notes: tuple[str, ...]


def list_vectors(folder: Path, *, nested: bool = True) -> list[str]:
    """Return the ``.npy`` files in a folder as sorted relative paths; hidden ones are left out.

    Parameters
    ----------
    nested
        Whether to look into folders inside; BaseAL does not.

    Raises
    ------
    FileError
        If the folder cannot be listed or holds none.
    """
    found: list[str] = []
    waiting = [""]
    try:
        while waiting:
            inside = waiting.pop()
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    path = f"{inside}/{entry.name}" if inside else entry.name
                    if entry.name.endswith(_SUFFIX):
                        found.append(path)
                    elif nested and entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
    except OSError as error:
        raise FileError(folder, f"it cannot be listed: {error.strerror or error}") from error
    if not found:
        raise FileError(folder, "it holds no .npy files", "Embed the clips with the model first")
    return sorted(found)


def match_as_baseal(table: LabelRows, files: Sequence[str], folder: Path) -> Matching:
    """Match rows and files as BaseAL does.

    A row needs ``<stem>.npy``; only if no row at all has one, what follows the first ``__`` of a
    file name is compared. Of files that are equal then, BaseAL takes any one; here it is the last
    by name.

    Raises
    ------
    FileError
        If no row has a file.
    """
    wanted = [f"{_stem(name)}{_SUFFIX}" for name in table.filenames]
    have = {name: name for name in files}
    if not any(name in have for name in wanted):
        have = {name.split(PREFIX_END, 1)[-1]: name for name in files}
    pairs = [(row, have[name]) for row, name in enumerate(wanted) if name in have]
    return _matching(table, files, pairs, folder)


def match(table: LabelRows, files: Sequence[str], folder: Path, model: str = "") -> Matching:
    """Match each row to the one file that is meant.

    In this order: the file of the same name or stem (also with ``_<model>`` at its end), in the
    folder that the row names if it names one, or with that folder as its deployment prefix; then
    a file whose name after a deployment prefix (``prefix__``) is the stem.

    Raises
    ------
    FormatError
        If several files could be meant, or two rows mean one file but differ in their labels.
    FileError
        If no row has a file.
    """
    by_path = set(files)
    by_stem: dict[str, list[str]] = defaultdict(list)
    by_rest: dict[str, list[str]] = defaultdict(list)
    for file in files:
        stem = file.rpartition("/")[2].removesuffix(_SUFFIX)
        by_stem[stem].append(file)
        parts = stem.split(PREFIX_END)
        for start in range(1, len(parts)):
            by_rest[PREFIX_END.join(parts[start:])].append(file)
    pairs = []
    for row, name in enumerate(table.filenames):
        found = _candidates(name, model, by_path, by_stem, by_rest)
        if len(found) > 1:
            raise FormatError(
                folder,
                f"{name!r} ({table.path.name}, row {table.numbers[row]}) could be any of "
                f"{len(found)} files: {', '.join(found[:3])}",
                "Write the deployment into the file name, as deployment__name",
            )
        if found:
            pairs.append((row, found[0]))
    return _without_repeats(table, _matching(table, files, pairs, folder))


def _candidates(
    name: str,
    model: str,
    by_path: set[str],
    by_stem: dict[str, list[str]],
    by_rest: dict[str, list[str]],
) -> list[str]:
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    base = parts[-1] if parts else name
    stems = list(dict.fromkeys([_stem(base), base.removesuffix(_SUFFIX)]))
    if model:
        stems += [f"{stem}_{model}" for stem in stems]
    for deployment in reversed(parts[:-1]):
        for stem in stems:
            for path in (
                f"{deployment}/{stem}{_SUFFIX}",
                f"{deployment}{PREFIX_END}{stem}{_SUFFIX}",
            ):
                if path in by_path:
                    return [path]
    for group in (by_stem, by_rest):
        for stem in stems:
            if stem in group:
                return group[stem]
    return []


def _matching(
    table: LabelRows, files: Sequence[str], pairs: Sequence[tuple[int, str]], folder: Path
) -> Matching:
    if not pairs:
        raise FileError(
            folder,
            f"no file belongs to any of the {len(table):,} rows of {table.path.name} "
            f"(the first is {table.filenames[0]!r}, the first file {files[0]!r})",
            "The files are named after the clips: clip.wav has clip.npy",
        )
    notes = []
    missing = len(table) - len(pairs)
    if missing:
        have = {row for row, _ in pairs}
        first = [table.filenames[row] for row in range(len(table)) if row not in have][:3]
        notes.append(
            f"{missing:,} of {len(table):,} rows of {table.path.name} have no vector and are left "
            f"out: {', '.join(first)}{', ...' if missing > len(first) else ''}."
        )
    used = {file for _, file in pairs}
    extra = len(files) - len(used)
    if extra:
        first = [file for file in files if file not in used][:3]
        notes.append(
            f"{extra:,} vectors have no row in {table.path.name} and are left out: "
            f"{', '.join(first)}{', ...' if extra > len(first) else ''}."
        )
    return Matching(tuple(row for row, _ in pairs), tuple(file for _, file in pairs), tuple(notes))


def _without_repeats(table: LabelRows, found: Matching) -> Matching:
    """Keep the first of rows that mean one file and say the same."""
    first: dict[str, int] = {}
    keep = []
    for position, (row, file) in enumerate(zip(found.rows, found.files, strict=True)):
        if file not in first:
            first[file] = row
            keep.append(position)
            continue
        other = first[file]
        same = set(table.labels[row]) == set(table.labels[other])
        if not same or table.validation[row] != table.validation[other]:
            raise FormatError(
                table.path,
                f"rows {table.numbers[other]} and {table.numbers[row]} both mean the vector "
                f"{file}, but differ",
                "Join their labels with ';' in one row",
            )
    if len(keep) == len(found.rows):
        return found
    note = (
        f"{len(found.rows) - len(keep):,} rows of {table.path.name} repeat others and are left out."
    )
    return Matching(
        tuple(found.rows[i] for i in keep),
        tuple(found.files[i] for i in keep),
        (*found.notes, note),
    )


def _stem(name: str) -> str:
    """Return the last part of a path without its ending, as ``pathlib`` defines it but faster."""
    base = name.rstrip("/").rpartition("/")[2]
    dot = base.rfind(".")
    return base[:dot] if 0 < dot < len(base) - 1 else base
