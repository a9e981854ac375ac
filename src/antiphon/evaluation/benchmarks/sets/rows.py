"""Rows of publishers' tables, and the audio files that they name."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import FileError, FormatError, UserError

csv.field_size_limit(1 << 24)


@dataclass(frozen=True, slots=True)
class Table:
    """A delimited text file with a heading.

    Parameters
    ----------
    path
        The file.
    columns
        Its heading.
    rows
        One dictionary for each row.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def need(self, *columns: str) -> None:
        """Raise :class:`FormatError` unless all these columns are there."""
        lacking = [c for c in columns if c not in self.columns]
        if lacking:
            raise FormatError(
                self.path,
                f"it has no column {', '.join(map(repr, lacking))}; its columns are "
                f"{', '.join(self.columns)}",
                "Get the file from its publisher again, or name the columns as the publisher does",
            )

    def number(self, row: int, column: str) -> float:
        """Return a number of a row (counted from 0); NaN and text are errors that name it."""
        text = self.rows[row].get(column, "")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value != value or abs(value) == float("inf"):
            raise FormatError(
                self.path, f"line {row + 2}: {column!r} is {text!r} and no number", "Correct it"
            )
        return value


def read_table(path: Path, separator: str | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    path
        UTF-8, with or without a byte-order mark; Latin-1 where it is not UTF-8.
    separator
        Between cells; comma, semicolon or tab, whichever the heading has most of, when None.

    Raises
    ------
    FileError
        If it is missing or cannot be read.
    FormatError
        If it is empty, or a row has more cells than the heading.
    """
    text = read_text(path)
    lines = text.splitlines()
    if not lines:
        raise FormatError(path, "it is empty", "Get it from its publisher again")
    mark = separator or max(",;\t", key=lambda c: (lines[0].count(c), c == ","))
    reader = csv.DictReader(lines, delimiter=mark, restkey="")
    columns = tuple(name.strip() for name in reader.fieldnames or ())
    reader.fieldnames = list(columns)
    rows = []
    for row in reader:
        extra = row.pop("", None) if "" not in columns else None
        if extra:
            raise FormatError(
                path,
                f"line {reader.line_num} has {len(columns) + len(extra)} cells, the heading has "
                f"{len(columns)}",
                "Put cells that hold the separator into quotation marks",
            )
        rows.append({k: (v or "").strip() for k, v in row.items()})
    return Table(path, columns, tuple(rows))


def read_text(path: Path) -> str:
    """Return a text file's content.

    Raises
    ------
    FileError
        If it is missing or cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileError(
            path, "there is no such file", "Check --data, or get it with --download"
        ) from None
    except OSError as error:
        raise FileError(path, f"it cannot be read ({error.strerror or error})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def fill(template: str, row: dict[str, str], table: Path) -> str:
    """Return a path template such as ``audio/{filename}`` with a row's cells in it.

    Raises
    ------
    FormatError
        If the row has no such column.
    """
    try:
        return template.format_map(row)
    except KeyError as error:
        raise FormatError(
            table, f"it has no column {error}; its columns are {', '.join(row)}"
        ) from None


def inside(folder: Path, name: str) -> Path:
    """Return a path below a folder.

    Raises
    ------
    UserError
        If it leads out of the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UserError(f"{name!r} leads out of {folder}; such a table is not read.")
    return folder / name


def files_matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files that fit any pattern, each once, in the order of their paths.

    Raises
    ------
    FileError
        If there is none.
    """
    shown = list(patterns)
    found = sorted(
        {
            path
            for pattern in shown
            for path in folder.glob(pattern)
            if path.is_file() and not path.name.startswith(".")
        }
    )
    if not found:
        raise FileError(
            folder,
            f"it holds no file {' or '.join(shown)}",
            "Check --data, unpack the publisher's archives there, or get them with --download",
        )
    return found


class AudioByName:
    """Finds audio files by their base name, wherever they were unpacked.

    Parameters
    ----------
    folders
        Where to look, in this order; those that do not exist are skipped.
    suffixes
        Lower-case suffixes of audio files.
    """

    def __init__(self, folders: Sequence[Path], suffixes: Iterable[str]) -> None:
        wanted = frozenset(suffixes)
        self._found: dict[str, Path] = {}
        self._stems: dict[str, Path] = {}
        self._times: Counter[str] = Counter()
        for folder in folders:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.suffix.lower() in wanted and not path.name.startswith("."):
                    self._found.setdefault(path.name, path)
                    self._stems.setdefault(path.stem, path)
                    self._times.update((path.name, path.stem))

    def __len__(self) -> int:
        return len(self._found)

    def several(self, name: str) -> bool:
        """Return whether several files have the base name, or the stem, of ``name``."""
        return self._times[Path(name.replace("\\", "/")).name] > 1

    def get(self, name: str) -> Path | None:
        """Return the file whose base name is that of ``name``, or None."""
        return self._found.get(Path(name.replace("\\", "/")).name)

    def get_stem(self, name: str) -> Path | None:
        """Return the file whose stem is ``name``, for tables that leave suffixes out."""
        return self._stems.get(Path(name.replace("\\", "/")).name)
