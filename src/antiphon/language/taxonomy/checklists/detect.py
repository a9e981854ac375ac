"""Which reader a file needs, from what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from antiphon.errors import FileError, FormatError, UserError
from antiphon.language.taxonomy.checklists.ebird import EbirdReader, is_ebird
from antiphon.language.taxonomy.checklists.gbif import GbifReader
from antiphon.language.taxonomy.checklists.records import ChecklistReader


def open_checklists(
    paths: Sequence[Path],
    *,
    versions: Mapping[str, str] | None = None,
    common: Path | None = None,
    translations: Mapping[str, Path] | None = None,
) -> list[ChecklistReader]:
    """Return a reader for each file, in the same order.

    A CSV file with eBird's or Clements' columns is the checklist ``ebird``; archives, folders,
    ``Taxon.tsv`` and the simple table are ``gbif``. A second one of a kind is ``gbif-2``. A name
    of one's own is given as ``NAME=PATH``.

    Parameters
    ----------
    paths
        The files or folders.
    versions
        By the names of checklists, where the files do not tell them or tell them wrongly.
    common
        ``VernacularName.tsv`` for the first of GBIF's checklists.
    translations
        eBird tables in other languages, by language, for the first of eBird's.

    Raises
    ------
    FileError
        If a file is not there.
    FormatError
        If it has no layout that is known.
    UserError
        If a version or common names are given for a checklist that is not there.
    """
    versions = dict(versions or {})
    readers: list[ChecklistReader] = []
    kinds: list[str] = []
    for given in paths:
        name, path = _named(given)
        kind = _kind(path)
        first = kind not in kinds
        kinds.append(kind)
        name = name or (kind if first else f"{kind}-{kinds.count(kind)}")
        version = versions.pop(name, "")
        if kind == "ebird":
            extra = translations if first else None
            readers.append(EbirdReader(path, name, version, translations=extra))
        else:
            readers.append(GbifReader(path, name, version, common if first else None))
    if versions:
        known, unknown = ", ".join(reader.name for reader in readers), ", ".join(versions)
        raise UserError(f"A version is given for {unknown}, but the checklists are {known}.")
    if common is not None and "gbif" not in kinds:
        raise UserError(f"{common} holds common names for a GBIF checklist, but none is given.")
    if translations and "ebird" not in kinds:
        raise UserError("Common names in other languages are given for eBird, but no eBird table.")
    return readers


def _named(given: Path) -> tuple[str, Path]:
    name, equals, rest = str(given).partition("=")
    if equals and name and "/" not in name and not given.exists():
        return name, Path(rest)
    return "", given


def _kind(path: Path) -> str:
    if not path.exists():
        raise FileError(path, "is not there", "Give the file of a checklist")
    if path.suffix.lower() != ".csv":
        return "gbif"
    if is_ebird(path):
        return "ebird"
    raise FormatError(
        path,
        "is no checklist that is known: it has no columns of an eBird or Clements table",
        "GBIF's are read as backbone.zip, Taxon.tsv or simple.txt.gz",
    )
