"""Tables of labels as people write them: which column is what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import FileError, FormatError
from antiphon.evaluation.benchmarks.sets.rows import Table, read_table

COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("filename", "file", "path", "audio", "recording", "begin file", "fn", "file name"),
    "label": ("label", "labels", "class", "species", "category", "primary_label", "call_type"),
    "start": ("start_s", "start", "begin", "onset", "start_time", "begin time (s)", "onset_s"),
    "end": ("end_s", "end", "stop", "offset", "end_time", "end time (s)", "offset_s"),
    "fold": ("fold",),
    "split": ("split", "subset", "side"),
    "source": ("source", "src_file", "recordist", "parent"),
    "site": ("site", "location", "station"),
    "day": ("day", "date"),
    "individual": ("individual", "individual_id", "bird", "animal", "emitter"),
}
"""Names that are understood for each column, the preferred one first."""

_TABLES = (".csv", ".tsv")
_USUAL = ("labels", "annotations", "metadata")


@dataclass(frozen=True, slots=True)
class LocalTable:
    """A table with its columns recognised.

    Parameters
    ----------
    table
        The rows.
    found
        The table's name for each column of :data:`COLUMNS` that it has.
    """

    table: Table
    found: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> LocalTable:
        """Read a table.

        Raises
        ------
        FileError
            If it cannot be read.
        FormatError
            If it has no column of file names or of labels, or a start without an end.
        """
        table = read_table(path)
        low = {name.lower(): name for name in reversed(table.columns)}
        found = {
            what: low[next(n for n in names if n in low)]
            for what, names in COLUMNS.items()
            if any(n in low for n in names)
        }
        for what in ("file", "label"):
            if what not in found:
                raise FormatError(
                    path,
                    f"it has no column of {what}s ({', '.join(COLUMNS[what])}); its columns are "
                    f"{', '.join(table.columns)}",
                    "Rename one of them",
                )
        if ("start" in found) != ("end" in found):
            has, lacks = ("start", "end") if "start" in found else ("end", "start")
            raise FormatError(path, f"it has a column of {has}s but none of {lacks}s")
        if not table.rows:
            raise FormatError(path, "it has a heading but no row")
        return cls(table, found)

    def __len__(self) -> int:
        return len(self.table.rows)

    @property
    def path(self) -> Path:
        """The file."""
        return self.table.path

    @property
    def timed(self) -> bool:
        """Whether rows are segments."""
        return "start" in self.found

    def cell(self, row: int, what: str) -> str:
        """Return a cell, empty where the table has no such column."""
        name = self.found.get(what)
        value = self.table.rows[row][name] if name else ""
        if what == "file" and not value:
            raise FormatError(self.path, f"line {row + 2} names no file")
        return value

    def labels(self, row: int) -> tuple[str, ...]:
        """Return the labels of a row; several are joined by semicolons."""
        parts = [part.strip() for part in self.cell(row, "label").split(";")]
        labels = tuple(dict.fromkeys(part for part in parts if part))
        if not labels:
            raise FormatError(
                self.path, f"line {row + 2} has no label", "Leave out rows that are not labelled"
            )
        return labels

    def fold(self, row: int) -> int:
        """Return the fold of a row, -1 where the table has none."""
        return int(self.table.number(row, self.found["fold"])) if "fold" in self.found else -1

    def span(self, row: int) -> tuple[float, float]:
        """Return start and end in seconds."""
        start = self.table.number(row, self.found["start"])
        end = self.table.number(row, self.found["end"])
        if not 0 <= start < end:
            raise FormatError(
                self.path,
                f"line {row + 2} is of {start:g} s to {end:g} s",
                "The start must be 0 or later, the end after it",
            )
        return start, end


def find_table(folder: Path) -> Path | None:
    """Return the table of labels of a folder, None if it has no table at all.

    Raises
    ------
    FileError
        If there are several and none has a usual name.
    """
    tables = sorted(p for p in folder.iterdir() if p.suffix.lower() in _TABLES and p.is_file())
    if len(tables) <= 1:
        return tables[0] if tables else None
    for name in _USUAL:
        usual = [p for p in tables if p.stem.lower() == name]
        if usual:
            return usual[0]
    raise FileError(
        folder,
        f"it holds {len(tables)} tables ({', '.join(p.name for p in tables[:5])})",
        "Say which one has the labels with --labels FILE",
    )
