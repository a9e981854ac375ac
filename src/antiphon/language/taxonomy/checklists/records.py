"""What every reader of a checklist yields, and how it says what it read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from antiphon.errors import FileError
from antiphon.language.taxonomy.rejections import Rejections

RECORDS = pa.schema(
    [
        ("id", pa.string()),
        ("parent", pa.string()),
        ("accepted", pa.string()),
        ("name", pa.string()),
        ("authorship", pa.string()),
        ("rank", pa.string()),
        ("status", pa.string()),
        ("path", pa.string()),
    ]
)
"""One row per name. ``parent`` is the id of the taxon above (of accepted names), ``accepted`` that
of the accepted name (of synonyms), ``name`` is without authors, ``rank`` and ``status`` are the
checklist's own words, ``path`` names higher taxa (kingdom to genus, tab between them, as many as
are known), used where the parent is not in the file."""

COMMON = pa.schema([("id", pa.string()), ("name", pa.string()), ("language", pa.string())])
"""One row per common name; ``language`` as in ISO 639 or BCP 47, empty where it is not given."""

PATH_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")
BATCH_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class About:
    """Which checklist it was: kept in the compiled file.

    Parameters
    ----------
    name
        Short name such as "gbif" or "ebird".
    version
        Of the publisher, such as "2023-08-28" or "2024"; empty where nothing tells it.
    files
        Name, size in bytes and SHA-256 of every file read.
    """

    name: str
    version: str
    files: tuple[tuple[str, int, str], ...]


class ChecklistReader(Protocol):
    """Reads one checklist, in batches."""

    name: str
    version: str
    paths: tuple[Path, ...]
    implied: frozenset[str]
    """Names in ``path`` that the reader adds and the checklist does not give."""

    def batches(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the names, batches with :data:`RECORDS`."""
        ...

    def common(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the common names, batches with :data:`COMMON`."""
        ...


def about(reader: ChecklistReader) -> About:
    """Describe what a reader reads.

    Raises
    ------
    FileError
        If a file cannot be read.
    """
    return About(reader.name, reader.version, tuple(_fingerprint(p) for p in reader.paths))


def _fingerprint(path: Path) -> tuple[str, int, str]:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return path.name, path.stat().st_size, digest.hexdigest()
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error})") from error
