"""The eBird taxonomy and the Clements checklist of birds, as their CSV tables.

Three layouts, told apart by their column names: the eBird taxonomy (``SCI_NAME``,
``PRIMARY_COM_NAME``), the answer of eBird's web service (``SCIENTIFIC_NAME``, ``COMMON_NAME``), and
the Clements or the integrated checklist (``scientific name``, ``English name``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from antiphon.errors import FileError, FormatError
from antiphon.language.taxonomy.checklists.records import COMMON, RECORDS
from antiphon.language.taxonomy.names import fold
from antiphon.language.taxonomy.rejections import Rejections

_FIELDS = {
    "name": ("sci_name", "scientific_name"),
    "common": ("primary_com_name", "common_name", "english_name"),
    "code": ("species_code",),
    "concept": ("taxon_concept_id",),
    "category": ("category",),
    "order": ("order", "order1"),
    "family": ("family_sci_name", "family"),
    "report_as": ("report_as",),
    "authority": ("authority",),
}
_NO_TAXON = {"spuh": "a spuh is no single taxon", "slash": "a slash is no single taxon"}
_BELOW_SPECIES = frozenset(
    {"issf", "form", "domestic", "intergrade", "subspecies", "group (monotypic)"}
    | {"group (polytypic)"}
)
_ROWS = 8192


class EbirdReader:
    """Reads an eBird or Clements table.

    Parameters
    ----------
    path
        The CSV file.
    name
        What the checklist is to be called.
    version
        Its year; by default what its column names ("sort v2024") or its file name say.
    language
        Of its common names.
    translations
        Tables of the same taxonomy whose common names are in other languages, by language.

    Raises
    ------
    FileError
        If a file cannot be read.
    FormatError
        If it lacks a column that is needed.
    """

    implied = frozenset({"Animalia", "Chordata", "Aves"})

    def __init__(
        self,
        path: Path,
        name: str = "ebird",
        version: str = "",
        language: str = "en",
        translations: Mapping[str, Path] | None = None,
    ) -> None:
        self.name = name
        self._path = path
        self._tables = {language: path, **(translations or {})}
        self.paths = tuple(self._tables.values())
        self._header, _ = _open(path)
        for key in ("name", "category"):
            if key not in _places(self._header):
                words = " or ".join(_FIELDS[key])
                raise FormatError(path, f"has no column {words}; it has {', '.join(self._header)}")
        found = re.search(r"v(20\d\d[a-z]?)", " ".join([*self._header, path.name]))
        self.version = version or (found[1] if found else "")

    def batches(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the names, see :class:`ChecklistReader`."""
        species: dict[str, str] = {}
        held: list[dict[str, str | None]] = []
        for row in _rows(self._path):
            if reason := _NO_TAXON.get(row["category"]):
                rejections.add(reason, [row["code"]], [row["name"]])
                continue
            held.append(_record(row, species))
            if len(held) == _ROWS:
                yield pa.RecordBatch.from_pylist(held, schema=RECORDS)
                held = []
        yield pa.RecordBatch.from_pylist(held, schema=RECORDS)

    def common(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the common names, see :class:`ChecklistReader`."""
        for language, path in self._tables.items():
            found = [
                {"id": _identifier(row), "name": row["common"], "language": language}
                for row in _rows(path)
                if row["common"] and row["category"] not in _NO_TAXON
            ]
            yield pa.RecordBatch.from_pylist(found, schema=COMMON)


def is_ebird(path: Path) -> bool:
    """Whether a CSV file has the columns of one of the three layouts."""
    try:
        header, _ = _open(path)
    except FileError:
        return False
    places = _places(header)
    return "name" in places and "category" in places


def _record(row: dict[str, str], species: dict[str, str]) -> dict[str, str | None]:
    """Turn a row into a record; ``species`` knows the ids of the species read so far."""
    name, identifier, category = row["name"], _identifier(row), row["category"]
    words = fold(name).split()
    parent = None
    if category == "species":
        species[" ".join(words)] = identifier
    elif category in _BELOW_SPECIES:
        parent = species.get(" ".join(words[:2])) or row["report_as"] or None
    if category == "issf" and len(words) == 3 and all(word.isalpha() for word in words):
        category = "subspecies"
    family = row["family"].partition("(")[0].strip()
    genus = words[0].capitalize() if words else ""
    higher = ["Animalia", "Chordata", "Aves", row["order"], family, genus]
    return {
        "id": identifier,
        "parent": parent,
        "accepted": None,
        "name": name,
        "authorship": row["authority"] or None,
        "rank": category,
        "status": "accepted",
        "path": "\t".join(higher),
    }


def _identifier(row: dict[str, str]) -> str:
    return row["code"] or row["concept"] or row["name"]


def _places(header: list[str]) -> dict[str, int]:
    return {
        key: next(header.index(n) for n in names if n in header)
        for key, names in _FIELDS.items()
        if any(n in header for n in names)
    }


def _rows(path: Path) -> Iterator[dict[str, str]]:
    header, rows = _open(path)
    places = _places(header)
    for values in rows:
        row = {k: values[i].strip() if i < len(values) else "" for k, i in places.items()}
        row = {**dict.fromkeys(_FIELDS, ""), **row}
        if any(row.values()):
            yield {**row, "category": row["category"].lower()}


def _open(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Return the column names, as ``lower_case``, and an iterator over the other lines."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Clements tables saved by a spreadsheet program.
        text = content.decode("cp1252", "replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip().lower().replace(" ", "_") for name in next(lines, [])]
    return header, lines
