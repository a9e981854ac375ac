"""Text tables as the field's tools write them: read as text, by header, with row numbers."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.errors import FormatError
from antiphon.replacing import replacing

Float64 = npt.NDArray[np.float64]

MISSING_NUMBER = frozenset({"", "NA", "N/A", "NaN", "nan", "None", "null"})
"""What tools write for a number they do not have. Text cells are never read this way."""

_DELIMITER_NAMES = {"\t": "TAB", ",": "comma", ";": "semicolon"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text cells with a header.

    Parameters
    ----------
    path
        The file.
    header
        Column titles as written, stripped.
    columns
        One list of cells per column, stripped of outer spaces.
    rows
        Row number of each data row as a spreadsheet counts them; the header is row 1.
    problems
        Oddities met on the way (another encoding).
    """

    path: Path
    header: tuple[str, ...]
    columns: tuple[list[str], ...]
    rows: list[int]
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, *keys: str) -> int | None:
        """Return the column whose :func:`key` is the first of ``keys`` that there is, or None."""
        keyed = [key(title) for title in self.header]
        return next((keyed.index(wanted) for wanted in keys if wanted in keyed), None)

    def find_named(self, title: str) -> int:
        """Return the index of the column with this title, written in any case and spacing.

        Raises
        ------
        FormatError
            If there is none; the message lists the columns.
        """
        index = self.find(key(title))
        if index is None:
            raise self.error(f"there is no column {title!r}; {self.listing()}")
        return index

    def text(self, index: int | None) -> list[str]:
        """Return the cells of a column; empty texts where the column is missing."""
        return self.columns[index] if index is not None else [""] * len(self)

    def optional_text(self, index: int | None) -> list[str | None]:
        """Return the cells of a column, None where a cell is empty."""
        return [cell or None for cell in self.text(index)]

    def numbers(self, index: int | None, missing: Iterable[str] = MISSING_NUMBER) -> Float64:
        """Return a column as numbers, NaN where a cell is one of ``missing``.

        Raises
        ------
        FormatError
            Naming row and column, if another cell is not a finite number.
        """
        if index is None:
            return np.full(len(self), np.nan)
        skip = frozenset(missing)
        cells = self.columns[index]
        try:
            values = [math.nan if cell in skip else _number(cell) for cell in cells]
        except ValueError:
            values = []
            for cell, row in zip(cells, self.rows, strict=True):
                try:
                    values.append(math.nan if cell in skip else _number(cell))
                except ValueError:
                    comma = re.fullmatch(r"-?\d+,\d+", cell)
                    raise FormatError(
                        self.path,
                        f"row {row}, column {self.header[index]}: expected a number, "
                        f"found {cell[:80]!r}",
                        "Use a point as the decimal sign" if comma else "",
                    ) from None
        return np.array(values, dtype=np.float64)

    def listing(self) -> str:
        """Return the column titles as part of a sentence."""
        return f"the columns are {', '.join(repr(title) for title in self.header)}"

    def error(self, problem: str, advice: str = "") -> FormatError:
        """Return an error about this file."""
        return FormatError(self.path, problem, advice)

    def select(self, keep: Sequence[bool] | npt.NDArray[np.bool_]) -> TextTable:
        """Return the table with only the data rows where ``keep`` is true."""
        chosen = [i for i, wanted in enumerate(keep) if wanted]
        return TextTable(
            self.path,
            self.header,
            tuple([column[i] for i in chosen] for column in self.columns),
            [self.rows[i] for i in chosen],
            self.problems,
        )


def key(title: str) -> str:
    """Return a column title without case, unit in brackets, spaces and marks.

    "Begin Time (s)" gives "begintime", "min.frq" "minfrq", "MANUAL ID*" "manualid".
    """
    bare = re.sub(r"[(\[][^)\]]*[)\]]", "", title)
    return "".join(letter for letter in bare.casefold() if letter.isalnum())


def unit(title: str) -> str:
    """Return the unit in the brackets of a column title, in lower case, or an empty text."""
    found = re.search(r"[(\[]([^)\]]*)[)\]]", title)
    return found.group(1).strip().casefold() if found else ""


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """Read a text file as UTF-8 (or UTF-16 with its mark), else as Latin-1 with a stated problem.

    Raises
    ------
    FormatError
        If the file is not text, or empty.
    """
    raw = path.read_bytes()
    if not raw:
        raise FormatError(path, "the file is empty (0 bytes)", "Write it again from its source")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), ()
        except UnicodeDecodeError as error:
            raise FormatError(path, "it is not a text table") from error
    if b"\0" in raw:
        raise FormatError(path, "it is not a text table (it holds NUL bytes)")
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return raw.decode("latin-1"), (f"it is not UTF-8 (line {line}) and was read as Latin-1",)


def lines_of(text: str) -> list[str]:
    """Split a text at line ends of any system, and nowhere else."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_tsv(path: Path) -> TextTable:
    """Read a TAB-separated table with a header, in which quotes mean nothing.

    Raises
    ------
    FormatError
        If the file is not text, or a row has more cells than the header.
    """
    text, problems = read_text(path)
    return _table(path, [line.split("\t") for line in lines_of(text)], problems)


def read_delimited(path: Path, is_known: Callable[[str], bool]) -> TextTable:
    """Read a table separated by comma, semicolon or TAB, with CSV quotes and a header.

    Parameters
    ----------
    path
        The file.
    is_known
        Whether a column :func:`key` is one that the caller looks for; the separator that shows
        most of them is taken.

    Raises
    ------
    FormatError
        If the file is not text, a quote is never closed, or a row has more cells than the header.
    """
    text, problems = read_text(path)
    return _table(path, split_rows(path, text, guess_delimiter(text, is_known)), problems)


def guess_delimiter(text: str, is_known: Callable[[str], bool]) -> str:
    """Return the separator under which the first line shows most known columns, then most cells."""

    def score(delimiter: str) -> tuple[int, int]:
        titles = first_cells(text, delimiter)
        return sum(is_known(key(title)) for title in titles), len(titles)

    return max(_DELIMITER_NAMES, key=score)


def first_titles(path: Path, is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the titles of a table, to tell which kind it is before its rows are read.

    Raises
    ------
    FormatError
        If the file is not text, or empty.
    """
    text, _ = read_text(path)
    return tuple(first_cells(text, guess_delimiter(text, is_known)))


def first_cells(text: str, delimiter: str) -> list[str]:
    """Return the cells of the first line that is not empty."""
    for line in lines_of(text[:65_536].lstrip("\ufeff")):
        if line.strip():
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    return []


def split_rows(path: Path, text: str, delimiter: str) -> list[list[str]]:
    """Split CSV text into rows of cells; an empty line is an empty row.

    Raises
    ------
    FormatError
        Naming the row where the quoting breaks.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise FormatError(
            path,
            f"row {len(rows) + 1}: the quotes or separators are broken ({error}), with "
            f"{_DELIMITER_NAMES[delimiter]} as separator",
        ) from error
    return rows


def table_without_header(
    path: Path, rows: list[list[str]], header: Sequence[str], problems: tuple[str, ...]
) -> TextTable:
    """Give rows of cells the titles ``header``; row numbers start at 1."""
    return _fill(path, list(header), list(enumerate(rows, start=1)), problems)


def _table(path: Path, rows: list[list[str]], problems: tuple[str, ...]) -> TextTable:
    numbered = [pair for pair in enumerate(rows, start=1) if any(map(str.strip, pair[1]))]
    if not numbered:
        raise FormatError(path, "it holds nothing but empty lines")
    (_, header), *body = numbered
    while header and not header[-1].strip():
        header = header[:-1]
    return _fill(path, [title.strip() for title in header], body, problems)


def _fill(
    path: Path, header: list[str], body: list[tuple[int, list[str]]], problems: tuple[str, ...]
) -> TextTable:
    width = len(header)
    numbers, cells = [], []
    for number, row in body:
        if not any(map(str.strip, row)):
            continue
        if len(row) > width:
            if any(map(str.strip, row[width:])):
                raise FormatError(
                    path, f"row {number} has {len(row)} cells, expected {width} as in the header"
                )
            row = row[:width]
        elif len(row) < width:
            row = row + [""] * (width - len(row))
        numbers.append(number)
        cells.append(row)
    columns = tuple([cell.strip() for cell in column] for column in zip(*cells, strict=True))
    return TextTable(path, tuple(header), columns or ([],) * width, numbers, problems)


def _number(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value) or "_" in cell:
        raise ValueError(cell)
    return value


def number_text(value: float | None) -> str:
    """Write a number so that reading gives the same float64, without an exponent; None is empty."""
    if value is None:
        return ""
    text = repr(float(value))
    if "e" in text:
        return np.format_float_positional(value, trim="0")
    return text


def short_number_text(value: float | None) -> str:
    """Write a number with six decimals at most, such as seconds to the microsecond."""
    if value is None:
        return ""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text so that the file appears whole or not at all.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    with replacing(path, "it cannot be written") as part:
        part.write_text(text, encoding="utf-8", newline="")
    return path


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Return a table as CSV text, cells quoted where they need it."""
    # csv.writer leaves a lone carriage return bare, and then cannot read it again.
    special = re.compile(f'[{delimiter}"\r\n]')

    def cell_text(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if special.search(cell) else cell

    lines = [delimiter.join(map(cell_text, row)) for row in (header, *rows)]
    return "\n".join(lines) + "\n"


def tsv_text(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as TAB-separated text without quotes.

    Raises
    ------
    FormatError
        If a cell holds a TAB or a line end, which such a file cannot hold.
    """
    lines = ["\t".join(header)]
    for number, row in enumerate(rows, start=2):
        line = "\t".join(row)
        if line.count("\t") != len(header) - 1 or "\n" in line or "\r" in line:
            for title, cell in zip(header, row, strict=True):
                if any(mark in cell for mark in "\t\r\n"):
                    raise FormatError(
                        path,
                        f"row {number}, column {title}: {cell[:80]!r} holds a TAB or a line end, "
                        "which this format cannot hold",
                        "Rename the label or the recording, or write csv or parquet",
                    )
        lines.append(line)
    return "\n".join(lines) + "\n"
