"""Folders of recordings as sources."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.audio.recording import find_recordings
from antiphon.errors import FileError, FormatError
from antiphon.labels.formats.registry import read_annotations
from antiphon.labels.formats.table import read_delimited
from antiphon.labels.formats.titles import DURATION, KNOWN, RECORDING
from antiphon.labels.labelset import Label
from antiphon.training.data.background import background, nothing_heard
from antiphon.training.data.config import FolderSource
from antiphon.training.data.matching import listing, match_recordings
from antiphon.training.data.reading import (
    Said,
    SourceRows,
    inaudible,
    recording_groups,
    said_by,
    site_groups,
)
from antiphon.training.data.table import Bool, Float64, Int8, strings
from antiphon.training.pseudo.source import read_targets


def read_folder(source: FolderSource, name: str, sample_rate: int) -> SourceRows:
    """List the recordings of a folder and read their labels.

    Raises
    ------
    FileError
        The folder is missing or empty, or a table of it is missing.
    FormatError
        A table cannot be read, or names recordings that are not there.
    """
    root = source.path.expanduser().absolute()
    base = os.fspath(root)
    found = [os.fspath(path) for path in find_recordings(root)]
    if not found:
        raise FileError(root, "holds no recording", "Check the path of the source")
    skip = len(base.rstrip(os.sep)) + 1
    paths = strings([path[skip:].replace(os.sep, "/") for path in found])
    del found
    pseudo = None
    others: list[tuple[int, str]] = []
    if source.pseudo is None:
        labels, said, labelled, notes = _labels(source, root, paths, sample_rate)
        behind, others = background(source, root, paths, labels)
        said = said.joined(behind)
        if source.unlabelled == "absent":
            said = said.joined(nothing_heard(labelled))
    else:
        pseudo = read_targets(source.pseudo.expanduser(), root, paths, source.missing)
        paths, notes = pseudo.paths, pseudo.notes
        labels, said = _as_labels(list(pseudo.classes), source), Said.nothing()
        labelled = np.zeros(len(paths), bool)
    group, side, duration_s = _facts(source, root, paths, name)
    if pseudo is not None:
        duration_s = np.where(np.isnan(duration_s), pseudo.duration_s, duration_s)
    return SourceRows(
        name=name,
        root=base,
        path=paths,
        labels=labels,
        said=said,
        labelled=labelled,
        group=group,
        side=side,
        duration_s=duration_s,
        notes=notes,
        pseudo=None if pseudo is None else pseudo.targets,
        behind=others,
    )


def _labels(
    source: FolderSource, root: Path, paths: pa.Array, sample_rate: int
) -> tuple[tuple[Label, ...], Said, Bool, list[str]]:
    n = len(paths)
    if source.label_folders:
        parents = [PurePosixPath(path).parent.name for path in paths.to_pylist()]
        inside = np.array([bool(parent) for parent in parents])
        names = sorted(set(filter(None, parents)))
        number = {parent: at for at, parent in enumerate(names)}
        owner = np.flatnonzero(inside)
        said = Said.whole(owner, [number[parents[at]] for at in owner])
        return _as_labels(names, source), said, inside, []
    if source.labels is None:
        return (), Said.nothing(), np.zeros(n, bool), []
    place = root / source.labels
    read = read_annotations(place, source.format, label_column=source.label_column)
    if read.unread:
        first = read.unread[0]
        raise FormatError(first.path, first.problem.rstrip("."))
    notes = [f"{problem.path}: {problem.problem}" for problem in read.problems]
    table = read.table
    # Together, as the folders of some names tell how to read the others.
    names = [*table.column("recording").to_pylist(), *read.reviewed]
    matched = match_recordings(pa.array(names, pa.large_string()), paths, place)
    owner, reviewed = matched[: len(table)], matched[len(table) :]
    lost = owner < 0
    if lost.any():
        missing = sorted(set(table.column("recording").filter(pa.array(lost)).to_pylist()))
        problem = f"names {len(missing)} recordings that are not in {root}: {listing(missing)}"
        if source.missing == "error":
            raise FormatError(place, problem, "Correct them, or set missing: report")
        notes.append(f"{place}: {problem}.")
    table = table.filter(pa.array(~lost)).append_column("recording_id", pa.array(owner[~lost]))
    labelled = np.zeros(n, bool)
    labelled[owner[~lost]] = True
    labelled[reviewed[reviewed >= 0]] = True
    named = set(pc.unique(table.column("label").drop_null()).to_pylist())
    scopes = table.column("scope").combine_chunks()
    named |= set(scopes.flatten().to_pylist())
    ordered = sorted(named)
    said, dropped = said_by(table, ordered, np.zeros(n, np.int64))
    notes += inaudible(table, sample_rate, place)
    if dropped:
        notes.append(f"{place}: {dropped} absences of single channels say nothing of the mix.")
    return _as_labels(ordered, source), said, labelled, notes


def _as_labels(names: list[str], source: FolderSource) -> tuple[Label, ...]:
    return tuple(Label(name, source.label_kind) for name in names)


def _facts(
    source: FolderSource, root: Path, paths: pa.Array, name: str
) -> tuple[list[str], Int8, Float64]:
    """Return the group, the side and the stated duration of each recording."""
    n = len(paths)
    side = np.full(n, -1, np.int8)
    duration_s = np.full(n, np.nan)
    texts = paths.to_pylist()
    if source.group_column is not None:
        group = [""] * n
    elif source.group == "recording":
        group = recording_groups(texts)
    elif source.group == "site":
        group = site_groups(texts)
    elif source.group == "folder":
        group = [f"{name}/{PurePosixPath(path).parent}" for path in texts]
    else:
        group = [name] * n
    if source.metadata is None:
        return group, side, duration_s
    place = root / source.metadata
    table = read_delimited(place, frozenset(KNOWN | {"group", "site", "split"}).__contains__)
    column = table.find(*RECORDING)
    if column is None:
        raise table.error(f"no column names the recording; {table.listing()}")
    owner = match_recordings(pa.array(table.text(column), pa.large_string()), paths, place)
    if source.group_column is not None:
        cells = table.text(table.find_named(source.group_column))
        for at, cell in zip(owner.tolist(), cells, strict=True):
            if at >= 0:
                group[at] = cell
        unnamed = [text for text, one in zip(texts, group, strict=True) if not one]
        if unnamed:
            raise table.error(
                f"the column {source.group_column!r} gives no group for {listing(unnamed)}",
                "Every recording needs one, or nothing keeps the sides apart",
            )
    if source.split_column is not None:
        side[:] = -2
        cells = table.text(table.find_named(source.split_column))
        for at, cell in zip(owner.tolist(), cells, strict=True):
            if at >= 0 and cell in source.training_splits:
                side[at] = 0
            elif at >= 0 and cell in source.validation_splits:
                side[at] = 1
    length = table.find(*DURATION)
    if length is not None:
        duration_s[owner[owner >= 0]] = table.numbers(length)[owner >= 0]
    return group, side, duration_s
