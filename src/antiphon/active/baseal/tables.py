"""``labels.csv``: the rows, their labels and which of them judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import FileError, FormatError
from antiphon.labels.formats.table import TextTable, read_delimited

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

_TITLES = {"filename", "label", "validation"}
_TRUE = {"true", "1", "yes", "1.0", "t", "y"}
_FALSE = {"false", "0", "no", "0.0", "f", "n", ""}
# Texts that pandas reads as missing, and that BaseAL therefore turns into the class "nan".
_PANDAS_MISSING = frozenset(
    {
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
        "",
    }
)
_WRITTEN_MISSING = frozenset({"nan", "NaN"})


@dataclass(frozen=True, slots=True)
class LabelRows:
    """The rows of a label table.

    Parameters
    ----------
    path
        The file.
    filenames
        One for each row, as written.
    labels
        The labels of each row; none for a clip in which nothing was heard.
    validation
        ``(n,)`` bool.
    numbers
        Row numbers as a spreadsheet counts them, for messages.
    joined
        Whether any row holds the separator of several labels.
    notes
        Choices that were made, as sentences.
    """

    path: Path
    filenames: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    validation: Bool
    numbers: tuple[int, ...]
    joined: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.filenames)

    def select(self, rows: Sequence[int]) -> LabelRows:
        """Return the table with these rows only, in this order."""
        return LabelRows(
            self.path,
            tuple(self.filenames[i] for i in rows),
            tuple(self.labels[i] for i in rows),
            self.validation[list(rows)],
            tuple(self.numbers[i] for i in rows),
            self.joined,
            self.notes,
        )


def read_labels(path: Path, *, compat: bool = False) -> LabelRows:
    """Read ``filename,label[,validation]``; several labels of a row are joined by ``;``.

    Parameters
    ----------
    compat
        Whether cells are understood as BaseAL does through pandas: an empty cell, ``NA`` or
        ``None`` is the class ``"nan"``, and any ``validation`` but true, 1 and yes is false.
        Otherwise an empty cell (or ``nan``) is a clip without any label.

    Raises
    ------
    FileError
        If the file is missing.
    FormatError
        If a column is missing, a name is empty, or a ``validation`` cell is neither yes nor no.
    """
    if not path.is_file():
        raise FileError(path, "there is no such file", "A set needs a labels.csv")
    table = read_delimited(path, _TITLES.__contains__)
    names = table.text(table.find_named("filename"))
    cells = table.text(table.find_named("label"))
    if not names:
        raise table.error("it holds no rows")
    for name, row in zip(names, table.rows, strict=True):
        if not name:
            raise table.error(f"row {row}: the file name is empty")
    notes: list[str] = []
    joined = any(";" in cell for cell in cells)
    if compat:
        labels = [_pandas_labels(cell, joined) for cell in _pandas_texts(cells)]
        missing = sum(cell in _PANDAS_MISSING for cell in cells)
        if missing:
            notes.append(f'{missing:,} rows without a label have the class "nan", as in BaseAL.')
    else:
        labels = [_clean_labels(cell) for cell in cells]
        empty = sum(not found for found in labels)
        if empty:
            notes.append(
                f'{empty:,} rows carry no label; in BaseAL they have a class "nan" of their own.'
            )
    return LabelRows(
        path,
        tuple(names),
        tuple(labels),
        _validation(table, compat=compat),
        tuple(table.rows),
        joined,
        (*table.problems, *notes),
    )


def _clean_labels(cell: str) -> tuple[str, ...]:
    if cell in _WRITTEN_MISSING:
        return ()
    parts = [part.strip() for part in cell.split(";")]
    return tuple(dict.fromkeys(part for part in parts if part))


def _pandas_labels(cell: str, joined: bool) -> tuple[str, ...]:
    """Split a cell as BaseAL does: a separator at the end gives a class with an empty name."""
    parts = [part.strip() for part in cell.split(";")] if joined else [cell.strip()]
    return tuple(dict.fromkeys(parts))


def _pandas_texts(cells: Sequence[str]) -> list[str]:
    """Return the cells after pandas guessed their type and turned them into text again."""
    known = [cell for cell in cells if cell not in _PANDAS_MISSING]
    try:
        numbers = {cell: float(cell) for cell in known}
    except ValueError:
        numbers = {}
    if not numbers:
        return ["nan" if cell in _PANDAS_MISSING else cell for cell in cells]
    whole = len(known) == len(cells) and all(cell.lstrip("+-").isdigit() for cell in known)
    texts = {cell: str(int(cell)) if whole else str(value) for cell, value in numbers.items()}
    return [texts.get(cell, "nan") for cell in cells]


def _validation(table: TextTable, *, compat: bool) -> Bool:
    index = table.find("validation")
    if index is None:
        return np.zeros(len(table), dtype=bool)
    cells = [cell.lower() for cell in table.columns[index]]
    if compat:
        cells = [text.lower() for text in _pandas_texts(cells)]
        return np.array([cell in ("true", "1", "yes") for cell in cells], dtype=bool)
    for cell, row in zip(cells, table.rows, strict=True):
        if cell not in _TRUE and cell not in _FALSE:
            raise table.error(
                f"row {row}, column validation: expected True or False, found {cell[:40]!r}"
            )
    return np.array([cell in _TRUE for cell in cells], dtype=bool)


def class_list(
    rows: LabelRows, classes: Sequence[str] | None, *, source: str = "the class list"
) -> tuple[str, ...]:
    """Return the classes: those given, else all that occur, sorted.

    Raises
    ------
    FormatError
        If a row has a label that is not among those given; the message names the row.
    """
    if classes is None:
        return tuple(sorted({label for labels in rows.labels for label in labels}))
    twice = [name for name, count in Counter(classes).items() if count > 1]
    if twice:
        raise FormatError(rows.path, f"{source} names {twice[0]!r} twice")
    known = set(classes)
    for labels, number in zip(rows.labels, rows.numbers, strict=True):
        for label in labels:
            if label not in known:
                raise FormatError(
                    rows.path,
                    f"row {number}: label {label!r} is not in {source} ({_some(classes)})",
                    "Correct the label or add it to the list",
                )
    return tuple(classes)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def target_matrix(rows: LabelRows, classes: Sequence[str]) -> Float32:
    """Return ``(n, n_classes)`` float32, 1 where a row carries a class, else 0."""
    column = {name: index for index, name in enumerate(classes)}
    targets = np.zeros((len(rows), len(classes)), np.float32)
    for row, labels in enumerate(rows.labels):
        for label in labels:
            targets[row, column[label]] = 1.0
    return targets
