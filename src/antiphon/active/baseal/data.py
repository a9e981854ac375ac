"""A BaseAL folder as a set with all its labels."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.active.baseal.folders import (
    EMBEDDINGS,
    LABELS,
    METADATA,
    deployment_of,
    find_subsets,
    set_domain,
    set_name,
    vector_folder,
)
from antiphon.active.baseal.metadata import read_metadata
from antiphon.active.baseal.names import list_vectors, match, match_as_baseal
from antiphon.active.baseal.tables import LabelRows, class_list, read_labels, target_matrix
from antiphon.active.baseal.vectors import read_vectors
from antiphon.active.dataset import LabelledSet
from antiphon.errors import FormatError

__all__ = ["find_subsets", "read_files", "read_subset", "split_by_deployment"]

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_FEWEST = 10
# The span of a segment at the end of its name: start and end, in seconds or samples.
_AUDIO = re.compile(r"\.[a-zA-Z][a-zA-Z0-9]{1,4}$")
_SEGMENT = re.compile(r"[_-]\d+(\.\d+)?[_-]\d+(\.\d+)?$")


def read_subset(
    folder: Path,
    model: str | None = None,
    *,
    compat: bool = False,
    cache: Path | None = None,
    multilabel: bool | None = None,
    classes: Sequence[str] | None = None,
) -> LabelledSet:
    """Read ``folder/labels.csv`` with the vectors in ``folder/embeddings/<model>``.

    Parameters
    ----------
    model
        Which folder of vectors; may be None where there is only one.
    compat
        Whether to read as BaseAL does, for comparison with its figures: a row without a label
        has the class ``"nan"``, a table without any ``;`` is single-label, names are matched by
        stem and only then by what follows ``__``, folders inside are not looked into, and
        ``metadata.csv`` is kept whole. Otherwise a row may be without label, a file that could be
        meant by several rows is an error, and metadata that tell the labels are left out.
        ``notes`` says what was decided.
    cache
        Folder for the packed vectors (:func:`~antiphon.active.baseal.vectors.read_vectors`).
    multilabel
        Whether a row may carry several labels; None decides by content.
    classes
        The classes, in the order of the columns; all that occur, sorted, if None.

    Raises
    ------
    FileError
        If a file is missing or no vector belongs to any row.
    FormatError
        If a file breaks its format; the message names it.
    """
    vectors = vector_folder(folder, model)
    return read_files(
        vectors,
        folder / LABELS,
        folder / METADATA if (folder / METADATA).is_file() else None,
        model=vectors.name if vectors.name != EMBEDDINGS else "",
        name=set_name(folder),
        domain=set_domain(folder),
        compat=compat,
        cache=cache,
        multilabel=multilabel,
        classes=classes,
    )


def read_files(
    vectors: Path,
    labels: Path,
    metadata: Path | None = None,
    *,
    model: str = "",
    name: str = "",
    domain: str = "",
    compat: bool = False,
    cache: Path | None = None,
    multilabel: bool | None = None,
    classes: Sequence[str] | None = None,
) -> LabelledSet:
    """Read a set whose parts are named one by one, as in BaseAL's ``config.yml``.

    Parameters
    ----------
    vectors, labels, metadata
        Folder of the ``.npy`` files, ``labels.csv``, and ``metadata.csv`` or None.
    model
        Name of the model, which may stand at the end of the file names.
    name, domain
        Of the set; by the folder of ``labels`` when empty.

    Other parameters and errors are those of :func:`read_subset`.
    """
    table = read_labels(labels, compat=compat)
    files = list_vectors(vectors, nested=not compat)
    if compat:
        matching = match_as_baseal(table, files, vectors)
    else:
        matching = match(table, files, vectors, model)
    rows = table.select(matching.rows)
    # BaseAL lists the classes of all rows, those without a vector too.
    known = class_list(table if compat else rows, classes)
    if not known:
        raise FormatError(labels, "no row with a vector carries a label")
    targets = target_matrix(rows, known)
    if rows.validation.all():
        raise FormatError(
            labels,
            "every row with a vector is marked for validation",
            "Mark those that may be selected with False in column validation",
        )
    several, note = _several(rows, targets, multilabel, compat=compat)
    embeddings, digest = read_vectors(vectors, matching.files, flatten=compat, cache=cache)
    names = _unique(rows.filenames)
    notes = [*rows.notes, *matching.notes, *note, *_warnings(targets, rows.validation, known)]
    extra: pa.Table | None = None
    extra_notes: list[str] = []
    sources: list[str] | None = None
    if metadata is not None:
        extra, extra_notes, sources = read_metadata(metadata, rows, compat=compat)
    key = hashlib.blake2b(digest.encode(), digest_size=16)
    key.update("\0".join([*names, *known, str(several)]).encode())
    key.update(targets.tobytes() + rows.validation.tobytes())
    return LabelledSet(
        name=name or set_name(labels.parent),
        embeddings=embeddings,
        targets=targets,
        labels=known,
        validation=rows.validation,
        recording=_recordings(sources or rows.filenames, derived=sources is None),
        filenames=names,
        multilabel=several,
        domain=domain or set_domain(labels.parent),
        metadata=extra,
        key=key.hexdigest(),
        notes=(*notes, *extra_notes),
    )


def split_by_deployment(data: LabelledSet) -> list[LabelledSet]:
    """Return a set for each deployment prefix of the file names (``casey2014__...``), sorted.

    A set without prefixes is returned as it is. Each part has the classes that occur in it and
    the loss of the whole; its domain is the name of the whole.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(data.filenames):
        groups[deployment_of(name)].append(row)
    if set(groups) == {""}:
        return [data]
    parts = []
    for deployment, rows in sorted(groups.items()):
        index = np.array(rows, np.int64)
        here = np.flatnonzero(data.targets[index].any(axis=0))
        key = hashlib.blake2b(f"{data.key}\0{deployment}".encode(), digest_size=16)
        targets = np.ascontiguousarray(data.targets[np.ix_(index, here)])
        classes = tuple(data.labels[i] for i in here)
        notes = _warnings(targets, data.validation[index], classes)
        parts.append(
            replace(
                data,
                name=deployment or data.name,
                embeddings=_rows(data.embeddings, index),
                targets=targets,
                labels=classes,
                validation=data.validation[index],
                recording=data.recording[index],
                filenames=tuple(data.filenames[i] for i in rows),
                domain=data.domain or data.name,
                metadata=None if data.metadata is None else data.metadata.take(pa.array(index)),
                key=key.hexdigest(),
                notes=(*data.notes, *(f"{deployment}: {note}" for note in notes)),
            )
        )
    return parts


def _several(
    rows: LabelRows, targets: Float32, wanted: bool | None, *, compat: bool
) -> tuple[bool, list[str]]:
    """Decide whether a row may carry several labels; return it with what to tell."""
    counts = targets.sum(axis=1)
    if wanted is False and not (counts == 1).all():
        row = int(np.flatnonzero(counts != 1)[0])
        raise FormatError(
            rows.path,
            f"row {rows.numbers[row]} carries {int(counts[row])} labels, but the set is said to "
            "have exactly one for each row",
            "Read it as multi-label",
        )
    if wanted is not None:
        return wanted, []
    if compat:
        note = "No row holds ';': single-label, as BaseAL reads it."
        return rows.joined, [] if rows.joined else [note]
    if rows.joined or counts.max() > 1:
        return True, []
    if counts.min() == 0 or targets.shape[1] == 1:
        why = "some rows carry no label" if counts.min() == 0 else "there is one class only"
        return True, [f"No row carries two labels, but {why}: taken as multi-label."]
    return False, ["Every row carries exactly one label: taken as single-label."]


def _warnings(targets: Float32, validation: Bool, classes: Sequence[str]) -> list[str]:
    """Say what makes a set hard to learn from or to judge."""
    notes = []
    pool = int((~validation).sum())
    if pool < _FEWEST:
        notes.append(f"Only {pool} rows can be selected, fewer than a batch of {_FEWEST}.")
    if not validation.any():
        notes.append("No row is marked for validation: the head is judged on all rows.")
        return notes
    taught, judged = targets[~validation].any(axis=0), targets[validation].any(axis=0)
    for which, what in (
        (judged & ~taught, "occur in validation rows only and cannot be learned"),
        (taught & ~judged, "have no validation row and do not count in mAP"),
        (~taught & ~judged, "occur in no row"),
    ):
        found = [name for name, wanted in zip(classes, np.atleast_1d(which), strict=True) if wanted]
        if found:
            notes.append(f"{len(found)} of {len(classes)} classes {what}: {', '.join(found)}.")
    return notes


def _unique(filenames: Sequence[str]) -> tuple[str, ...]:
    """Return the names, with a number added to those that come again."""
    seen: Counter[str] = Counter()
    names = []
    for name in filenames:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(names)


def _recordings(sources: Sequence[str], *, derived: bool) -> Int64:
    """Number the recordings; derived from segment names, only where these end in a span."""
    numbers: dict[str, int] = {}
    rows = np.full(len(sources), -1, np.int64)
    for row, source in enumerate(sources):
        name = source
        if derived:
            stem = source.rsplit(".", 1)[0] if _AUDIO.search(source) else source
            name = _SEGMENT.sub("", stem)
            if name == stem:
                continue
        rows[row] = numbers.setdefault(name, len(numbers))
    return rows


def _rows(embeddings: Float32, index: Int64) -> Float32:
    """Return rows without a copy where they follow each other."""
    if len(index) == index[-1] - index[0] + 1:
        return embeddings[int(index[0]) : int(index[-1]) + 1]
    return embeddings[index]
