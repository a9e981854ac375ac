"""Facts about recordings from a CSV: site, start time, position, licence and whatever else."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from antiphon.errors import FormatError

_FILE = ("file", "filename", "file_name", "path", "filepath", "recording", "audio", "begin file")
_KNOWN = {
    "site": ("site", "location", "station", "deployment"),
    "start_time": ("start_time", "datetime", "start time", "date_time", "timestamp"),
    "latitude": ("latitude", "lat", "decimallatitude"),
    "longitude": ("longitude", "lon", "lng", "decimallongitude"),
    "licence": ("licence", "license"),
}


@dataclass(frozen=True, slots=True)
class RecordingMetadata:
    """What a row says of one recording; None where it says nothing.

    Parameters
    ----------
    site
        Name of the place.
    start_time
        Naive, by the recorder's clock.
    latitude, longitude
        Degrees, WGS 84.
    licence
        As given.
    extra
        All other columns, as text.
    """

    site: str | None = None
    start_time: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    licence: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class MetadataTable:
    """Rows by the recording's name, looked up by relative path, file name or stem."""

    source: Path
    rows: dict[str, RecordingMetadata]
    used: set[str] = field(default_factory=set)

    def find(self, relative: PurePosixPath, root: str = "") -> RecordingMetadata | None:
        """Return the row for a recording, the most specific name first.

        ``root``, the audio folder's name, may lead the path where several folders hold it.
        """
        parts = (root, *relative.parts) if root else relative.parts
        tails = ["/".join(parts[i:]) for i in range(len(parts))]
        for key in (*tails, str(relative.with_suffix("")), relative.stem):
            if key in self.rows:
                self.used.add(key)
                return self.rows[key]
        return None

    @property
    def unused(self) -> list[str]:
        """Names in the table that no recording has."""
        return sorted(set(self.rows) - self.used)


def read_metadata(path: Path) -> MetadataTable:
    """Read a metadata CSV (or TSV): one row for each recording, matched by its header.

    The column ``file`` (or filename, path, recording) names the recording by its path relative
    to the audio folder, its file name or its stem. ``site``, ``start_time`` (ISO 8601),
    ``latitude``, ``longitude`` and ``licence`` are known; other columns are kept as they are and
    may be grouped by (``--group-by source``).

    Raises
    ------
    FormatError
        If the file is missing or not a table, has no column that names the file, names one
        recording twice with different facts, or holds an impossible time or coordinate.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            sample = stream.read(4096)
            stream.seek(0)
            delimiter = "\t" if sample.count("\t") > sample.count(",") else ","
            lines = list(csv.reader(stream, delimiter=delimiter))
    except FileNotFoundError:
        raise FormatError(path, "this metadata table is not there", "Check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read as text ({error})", "Save it as UTF-8") from error
    if not lines:
        raise FormatError(path, "this metadata table is empty", "It needs a header line")
    header = [name.strip() for name in lines[0]]
    low = [name.lower() for name in header]
    names = next((low.index(name) for name in _FILE if name in low), None)
    if names is None:
        raise FormatError(
            path,
            f"no column names the recording (there are: {', '.join(header)})",
            "Add a column 'file' with paths relative to the audio folder",
        )
    columns = {
        known: next((low.index(alias) for alias in aliases if alias in low), None)
        for known, aliases in _KNOWN.items()
    }
    others = [i for i in range(len(header)) if i != names and i not in columns.values()]
    rows: dict[str, RecordingMetadata] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(header):
            raise FormatError(
                path, f"row {number} has {len(line)} cells, the header has {len(header)}"
            )
        key = line[names].strip().replace("\\", "/").lstrip("/")
        given = {
            known: line[index].strip() or None if index is not None else None
            for known, index in columns.items()
        }
        row = RecordingMetadata(
            site=given["site"],
            start_time=_time(path, number, given["start_time"]),
            latitude=_degrees(path, number, "latitude", given["latitude"], 90.0),
            longitude=_degrees(path, number, "longitude", given["longitude"], 180.0),
            licence=given["licence"],
            extra={header[i]: line[i].strip() for i in others},
        )
        if rows.get(key, row) != row:
            raise FormatError(
                path, f"row {number} names {key!r} a second time with other facts", "Keep one"
            )
        rows[key] = row
    return MetadataTable(path, rows)


def _time(path: Path, row: int, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise FormatError(
            path, f"row {row}: start_time is {text!r}", "Write it as 2026-05-01T04:30:00"
        ) from None


def _degrees(path: Path, row: int, column: str, text: str | None, limit: float) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -limit <= value <= limit:
        raise FormatError(
            path, f"row {row}: {column} is {text!r}", f"It must lie within -{limit:g} and {limit:g}"
        )
    return value
