"""What is known of whole recordings besides their labels: faint classes, and none at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from antiphon.labels.formats.cells import split_labels
from antiphon.labels.formats.table import read_delimited
from antiphon.labels.formats.titles import KNOWN, RECORDING
from antiphon.labels.labelset import Label
from antiphon.training.data.config import FolderSource, SourceConfig
from antiphon.training.data.matching import listing, match_recordings
from antiphon.training.data.reading import Said, SourceRows
from antiphon.training.data.table import ABSENT, EVERY, SECONDARY, Bool, Int32


def background(
    source: FolderSource, root: Path, paths: pa.Array, labels: tuple[Label, ...]
) -> tuple[Said, list[tuple[int, str]]]:
    """Read the classes in the background of recordings from the source's ``secondary_column``.

    Parameters
    ----------
    source
        The settings.
    root
        Its folder.
    paths
        ``(m,)`` recordings, relative to it.
    labels
        Of the source.

    Returns
    -------
    said : Said
        Statements of the value :data:`~antiphon.training.data.table.SECONDARY`.
    others : list of tuple of int and str
        Recording and name where no label of the source is called so; for :func:`among_all`.

    Raises
    ------
    FormatError
        The metadata cannot be read or lack the column.
    """
    if source.secondary_column is None or source.metadata is None:
        return Said.nothing(), []
    place = root / source.metadata
    table = read_delimited(place, frozenset(KNOWN).__contains__)
    column = table.find(*RECORDING)
    if column is None:
        raise table.error(f"no column names the recording; {table.listing()}")
    owner = match_recordings(pa.array(table.text(column), pa.large_string()), paths, place)
    cells = table.text(table.find_named(source.secondary_column))
    number = {label.name: at for at, label in enumerate(labels)}
    rows = [
        (at, name)
        for at, cell in zip(owner.tolist(), cells, strict=True)
        if at >= 0
        for name in split_list(cell)
    ]
    kept = [(at, number[name]) for at, name in rows if name in number]
    others = [(at, name) for at, name in rows if name not in number]
    return Said.whole([at for at, _ in kept], [label for _, label in kept], SECONDARY), others


def among_all(
    part: SourceRows, source: SourceConfig, column: Int32, classes: Sequence[str]
) -> tuple[Said, Int32]:
    """Return a source's statements with those about classes that only other sources label.

    A class of another source in the background of a recording is no more absent there than one of
    its own. Names that are no class at all are told in the notes of ``part``.

    Parameters
    ----------
    part, source
        The source and its settings.
    column
        ``(own classes,)`` class of each of its own, -1 for none.
    classes
        Names of all classes.

    Returns
    -------
    said : Said
        The statements, their labels numbered on after its own.
    column : numpy.ndarray
        The same with the class of each of those.
    """
    if not part.behind:
        return part.said, column
    number = {name: at for at, name in enumerate(classes)}
    found = [(at, number.get(source.rename.get(n, n) or "", -1)) for at, n in part.behind]
    kept = sorted({pair for pair in found if pair[1] >= 0})
    lost = sorted({n for (_, n), (_, at) in zip(part.behind, found, strict=True) if at < 0})
    if lost:
        part.notes.append(
            f"Source {part.name!r}: {len(lost)} names in secondary_column are no class and say "
            f"nothing: {listing(lost)}."
        )
    own = len(column)
    more = Said.whole([at for at, _ in kept], own + np.arange(len(kept)), SECONDARY)
    extended = np.array([*column.tolist(), *(at for _, at in kept)], np.int32)
    return part.said.joined(more), extended


def nothing_heard(labelled: Bool) -> Said:
    """Return statements that recordings without a label, ``(m,)`` False, hold no class."""
    return Said.whole(np.flatnonzero(~labelled), EVERY, ABSENT)


def split_list(cell: str) -> list[str]:
    """Split a cell that holds a list, as ``A; B`` or as Python writes it: ``['A', 'B']``."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return split_labels(cell)
    parts = [part.strip().strip("'\"").strip() for part in text[1:-1].split(",")]
    return list(dict.fromkeys(part for part in parts if part))
