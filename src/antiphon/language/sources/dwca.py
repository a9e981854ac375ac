"""Darwin Core archives: a table of occurrences and one of their media, told apart by meta.xml.

Both are read as streams; media wait for their occurrence in a temporary database on disk, so
that archives of any size and order pass through bounded memory.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from antiphon.audio.recording import AUDIO_SUFFIXES
from antiphon.errors import FileError, FormatError
from antiphon.language.sources.mapping import Record
from antiphon.language.sources.records import Faulty, rows_of, text_stream
from antiphon.language.sources.values import file_name

_MEDIA = ("http://rs.gbif.org/terms/1.0/multimedia", "http://rs.tdwg.org/ac/terms/multimedia")
_COMMIT = 100_000


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an archive, as meta.xml describes it.

    Parameters
    ----------
    location
        File in the archive.
    kind
        Its row type, lower case.
    columns
        Term by place; ``id`` where the core's identifier stands.
    defaults
        Values of terms that have no column.
    delimiter, quoted, encoding, skip
        How the text is read.
    """

    location: str
    kind: str
    columns: tuple[str, ...]
    defaults: dict[str, str]
    delimiter: str
    quoted: bool
    encoding: str
    skip: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An occurrence with its sounds.

    Parameters
    ----------
    number
        Of its row in the core, from 1.
    record
        Values by term ("scientificName").
    sounds
        Media records of type Sound.
    """

    number: int
    record: Record
    sounds: tuple[Record, ...]


def read_archive(path: Path) -> Iterator[Occurrence]:
    """Read the occurrences of an archive, and at the end the sounds that belong to none.

    Parameters
    ----------
    path
        The zip file, or the folder it was unpacked into.

    Yields
    ------
    Occurrence
        A :class:`~.records.Faulty` record where a row cannot be read, or for orphaned sounds.

    Raises
    ------
    FormatError
        If there is no meta.xml, it describes no occurrences, or a file it names is missing.
    FileError
        If the archive cannot be read.
    """
    with _files(path) as files, tempfile.TemporaryDirectory() as folder:
        core, media = _tables(path, files)
        base = sqlite3.connect(Path(folder) / "media.db")
        try:
            base.execute("PRAGMA journal_mode=OFF")
            base.execute("CREATE TABLE sound (core TEXT, record TEXT)")
            base.execute("CREATE TABLE seen (core TEXT)")
            for table in media:
                _store_sounds(base, files, table, path)
            base.execute("CREATE INDEX by_core ON sound (core)")
            for number, record in _rows(files, core, path):
                if isinstance(record, Faulty):
                    yield Occurrence(number, record, ())
                    continue
                found = base.execute(
                    "SELECT record FROM sound WHERE core = ? ORDER BY rowid", (record["id"],)
                ).fetchall()
                if found:
                    base.execute("INSERT INTO seen VALUES (?)", (record["id"],))
                yield Occurrence(number, record, tuple(json.loads(text) for (text,) in found))
            yield from _orphans(base)
        finally:
            base.close()


def _orphans(base: sqlite3.Connection) -> Iterator[Occurrence]:
    orphans = base.execute("SELECT core FROM sound WHERE core NOT IN (SELECT core FROM seen)")
    for (core,) in orphans:
        yield Occurrence(0, Faulty(f"a sound of occurrence {core!r}, which is not there"), ())


def _store_sounds(base: sqlite3.Connection, files: _Files, table: Table, path: Path) -> None:
    for number, record in _rows(files, table, path):
        if isinstance(record, Faulty):
            # Nobody knows whose it is; it comes out among the orphans.
            base.execute("INSERT INTO sound VALUES (?, ?)", (f"row {number}", "{}"))
        elif is_sound(record):
            base.execute("INSERT INTO sound VALUES (?, ?)", (record["id"], json.dumps(record)))
        if number % _COMMIT == 0:
            base.commit()
    base.commit()


def is_sound(record: Record) -> bool:
    """Return whether a media record is a sound: by its type, its format, or its file's name."""
    kind = str(record.get("type") or "").lower()
    if kind:
        return kind.rpartition("/")[2] == "sound"
    form = str(record.get("format") or "").lower()
    if form:
        return form.startswith("audio")
    name = file_name(record.get("identifier") or record.get("accessURI")) or ""
    return Path(name).suffix.lower() in AUDIO_SUFFIXES


class _Files:
    """Files of an archive, packed or not."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self._path = path
        self._archive = archive

    def open(self, name: str) -> IO[bytes]:
        try:
            if self._archive is not None:
                return self._archive.open(name)
            return (self._path / name).open("rb")
        except (KeyError, FileNotFoundError):
            raise FormatError(
                self._path, f"holds no {name}", "A Darwin Core archive is expected: get it again"
            ) from None


@contextmanager
def _files(path: Path) -> Iterator[_Files]:
    if path.is_dir():
        yield _Files(path, None)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Files(path, archive)
    except zipfile.BadZipFile as error:
        raise FormatError(path, f"is not a zip file ({error})", "Get it again") from error
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(path, f"cannot be read ({error})") from error


def _rows(files: _Files, table: Table, path: Path) -> Iterator[tuple[int, Record]]:
    with files.open(table.location) as data:
        lines = text_stream(data, table.encoding)
        rows = rows_of(
            lines, path / table.location, table.delimiter, table.quoted, table.columns, table.skip
        )
        for number, record in rows:
            full = record if isinstance(record, Faulty) else {**table.defaults, **record}
            yield number, full


def _tables(path: Path, files: _Files) -> tuple[Table, list[Table]]:
    with files.open("meta.xml") as file:
        try:
            root = ElementTree.parse(file).getroot()
        except ElementTree.ParseError as error:
            raise FormatError(path, f"its meta.xml is damaged ({error})", "Get it again") from error
    core = next((part for part in root if _local(part.tag) == "core"), None)
    if core is None:
        raise FormatError(path, "its meta.xml has no core table")
    found = _table(core, "id", path)
    if not found.kind.endswith("/occurrence"):
        raise FormatError(
            path, f"its core is {found.kind}, not occurrences", "Get the archive of occurrences"
        )
    others = [_table(part, "coreid", path) for part in root if _local(part.tag) == "extension"]
    return found, [table for table in others if table.kind in _MEDIA]


def _table(part: ElementTree.Element, key: str, path: Path) -> Table:
    location, places, defaults = "", {}, {}
    for child in part.iter():
        name = _local(child.tag)
        if name == "location":
            location = (child.text or "").strip()
        elif name == key:
            places[int(child.get("index", "0"))] = "id"
        elif name == "field":
            term = _local(child.get("term", ""))
            index = child.get("index")
            if index is None:
                defaults[term] = child.get("default", "")
            else:
                # The identifier's own column may carry a term as well (gbifID).
                places.setdefault(int(index), term)
    if not location or "id" not in places.values():
        raise FormatError(path, "its meta.xml does not say where a table or its identifier is")
    width = max(places) + 1
    columns = tuple(places.get(i, f"column{i}") for i in range(width))
    return Table(
        location,
        part.get("rowType", "").lower(),
        columns,
        defaults,
        _unescaped(part.get("fieldsTerminatedBy", ",")),
        bool(part.get("fieldsEnclosedBy", '"')),
        part.get("encoding") or "utf-8",
        int(part.get("ignoreHeaderLines") or 0),
    )


def _unescaped(text: str) -> str:
    return {"\\t": "\t", "\\n": "\n"}.get(text, text)


def _local(name: str) -> str:
    return name.replace("#", "/").rpartition("}")[2].rpartition("/")[2]
