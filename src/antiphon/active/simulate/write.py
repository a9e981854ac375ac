"""Write a set as a folder that BaseAL reads."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from antiphon.active.dataset import LabelledSet
from antiphon.errors import FileError, UserError
from antiphon.replacing import replacing

_AUDIO = frozenset({".wav", ".mp3", ".flac", ".ogg", ".npy"})
_SEPARATOR = ";"


def write_baseal(data: LabelledSet, folder: Path, model: str = "perch_v2") -> Path:
    """Write ``embeddings/<model>/*.npy``, ``labels.csv`` and ``metadata.csv``.

    A row of ``labels.csv`` holds the file name, its labels joined by ``;`` (nothing for an empty
    segment) and ``validation``; a vector has the stem of its file name. ``labels.csv`` is written
    last, so a folder that has one is whole.

    Parameters
    ----------
    data
        The set; ``.wav`` is added to names without the suffix of a recording.
    folder
        Must be new or empty.
    model
        Name of the folder of vectors.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileError
        The folder holds something already, or cannot be written.
    UserError
        Two rows would have the same vector file, or a class name holds the separator.

    Notes
    -----
    BaseAL makes a class ``nan`` of the segments without label, and takes a set in which no segment
    has two labels for one with a single label each; the reader of this package does neither.
    """
    names = [_audio_name(name) for name in data.filenames]
    _check_names(names, data.labels, data.name)
    if folder.exists() and any(folder.iterdir()):
        raise FileError(folder, "it is not empty", "Choose a new folder")
    vectors = folder / "embeddings" / model
    try:
        vectors.mkdir(parents=True, exist_ok=True)
        for name, vector in zip(names, data.embeddings, strict=True):
            np.save(vectors / f"{_stem(name)}.npy", np.asarray(vector, np.float32))
        if data.metadata is not None:
            columns = data.metadata.to_pydict()
            columns["filename"] = names
            rows = list(zip(*columns.values(), strict=True))
            _write_csv(folder / "metadata.csv", list(columns), rows)
        cells = [
            _SEPARATOR.join(data.labels[c] for c in np.flatnonzero(row)) for row in data.targets
        ]
        table = list(zip(names, cells, data.validation.tolist(), strict=True))
        _write_csv(folder / "labels.csv", ["filename", "label", "validation"], table)
    except OSError as error:
        raise FileError(
            Path(error.filename or folder),
            f"cannot be written ({error.strerror or error})",
            "Check free space and permissions",
        ) from error
    return folder


def _check_names(names: list[str], labels: tuple[str, ...], what: str) -> None:
    counts = Counter(_stem(name) for name in names)
    if counts and (common := counts.most_common(1)[0])[1] > 1:
        raise UserError(
            f"Set {what!r}: {common[1]} rows would have the vector file {common[0]}.npy. "
            "Give them names that differ before the suffix."
        )
    for label in labels:
        if _SEPARATOR in label or label != label.strip():
            raise UserError(
                f"Set {what!r}: the class {label!r} cannot be written, since labels are joined by "
                f"{_SEPARATOR!r} and stripped. Rename it."
            )


def _audio_name(name: str) -> str:
    flat = name.replace("/", "_").replace("\\", "_")
    return flat if PurePosixPath(flat).suffix.lower() in _AUDIO else f"{flat}.wav"


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _write_csv(path: Path, titles: list[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    with replacing(path, alone=True) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")
