"""The log of a run: one CSV row for some steps, and TensorBoard's files where they are wanted."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from antiphon.replacing import write_whole
from antiphon.training.needs import need


class CsvLog:
    """A table of numbers by step that can be gone on with.

    Parameters
    ----------
    path
        The file.
    after
        Steps done: later rows, from a part of a run that was lost, are removed.

    Raises
    ------
    FileError
        It cannot be written.
    """

    def __init__(self, path: Path, *, after: int) -> None:
        self.path = path
        self.rows = [row for row in read_log(path) if row["step"] <= after]
        self.columns: list[str] = list(dict.fromkeys(c for row in self.rows for c in row))
        self._file: TextIO | None = None
        self._write_all()

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row; ``step`` is one of its columns. It is on its way to the disk at once."""
        self.rows.append(dict(row))
        new = [name for name in row if name not in self.columns]
        if new:
            self.columns += new
            self._write_all()
            return
        if self._file is None:
            self._file = self.path.open("a", encoding="utf-8", newline="")
        self._file.write(self._line(row))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write_all(self) -> None:
        self.close()
        if not self.columns:
            self.path.unlink(missing_ok=True)
            return
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow(self.columns)
        write_whole(self.path, head.getvalue() + "".join(self._line(row) for row in self.rows))

    def _line(self, row: Mapping[str, float]) -> str:
        return ",".join(_text(row.get(name)) for name in self.columns) + "\n"


def read_log(path: Path) -> list[dict[str, float]]:
    """Return the rows of a log; a last line that was cut off is left out."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        lines = [line for line in file if line.endswith("\n")]
    reader = csv.reader(lines)
    columns = next(reader, [])
    whole = (cells for cells in reader if len(cells) == len(columns))
    rows = [{n: float(c) for n, c in zip(columns, cells, strict=True) if c} for cells in whole]
    return [row for row in rows if "step" in row]


class TensorBoard:
    """Writes the same numbers for TensorBoard.

    Parameters
    ----------
    folder
        Of its files.
    after
        Steps done; what the files hold of later ones is not shown.

    Raises
    ------
    MissingExtraError
        The package tensorboard is not installed.
    """

    def __init__(self, folder: Path, *, after: int) -> None:
        need("tensorboard", "write TensorBoard's files")
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder), purge_step=after + 1)

    def add(self, row: Mapping[str, float], group: str) -> None:
        """Write a row; its names are shown under ``group``."""
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(f"{group}/{name}", value, int(row["step"]))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _text(value: float | None) -> str:
    """Return a number so that reading it gives the same; whole ones without a point."""
    if value is None:
        return ""
    whole = math.isfinite(value) and value == int(value) and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(value))
