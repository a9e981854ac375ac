r"""GBIF's backbone taxonomy, as its Darwin Core archive and as its simple table.

The archive's ``Taxon.tsv`` has a line of Darwin Core names (that of the Catalogue of Life too, with
the prefix ``dwc:``). The simple table has no such line; its 30 columns are those of GBIF's
``backbone-ddl.sql``, written by PostgreSQL's COPY, where ``\N`` is no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import FormatError
from antiphon.language.taxonomy.checklists.records import COMMON, RECORDS
from antiphon.language.taxonomy.checklists.tables import first_line, members, opened, read_columns
from antiphon.language.taxonomy.names import parse_name, strip_authorship
from antiphon.language.taxonomy.rejections import Rejections

SIMPLE_COLUMNS = (
    "id",
    "parent_key",
    "basionym_key",
    "is_synonym",
    "status",
    "rank",
    "nom_status",
    "constituent_key",
    "origin",
    "source_taxon_key",
    "kingdom_key",
    "phylum_key",
    "class_key",
    "order_key",
    "family_key",
    "genus_key",
    "species_key",
    "name_id",
    "scientific_name",
    "canonical_name",
    "genus_or_above",
    "specific_epithet",
    "infra_specific_epithet",
    "notho_type",
    "authorship",
    "year",
    "bracket_authorship",
    "bracket_year",
    "name_published_in",
    "issues",
)
_HIGHER = ("kingdom", "phylum", "class", "order", "family")
_DWC = (
    "taxonID",
    "parentNameUsageID",
    "acceptedNameUsageID",
    "scientificName",
    "scientificNameAuthorship",
    "canonicalName",
    "taxonRank",
    "taxonomicStatus",
    *_HIGHER,
)
_SIMPLE = (
    "id",
    "parent_key",
    "is_synonym",
    "status",
    "rank",
    "scientific_name",
    "canonical_name",
    "authorship",
    "year",
    "bracket_authorship",
    "bracket_year",
)
_OTU = r"^(BOLD:[A-Z0-9]+|SH\d+\.\d+FU)$"
OTU_REASON = "an operational unit of sequences (BOLD, UNITE) has no scientific name"


class GbifReader:
    """Reads the backbone from an archive (ZIP or folder), a ``Taxon.tsv``, or the simple table.

    Parameters
    ----------
    path
        ``backbone.zip``, the folder it was unpacked to, its ``Taxon.tsv``, or ``simple.txt.gz``.
    name
        What the checklist is to be called.
    version
        Its date; by default what the archive's ``eml.xml`` says.
    common
        Its ``VernacularName.tsv``; by default the one in the archive or beside ``Taxon.tsv``.
    """

    implied: frozenset[str] = frozenset()

    def __init__(
        self, path: Path, name: str = "gbif", version: str = "", common: Path | None = None
    ) -> None:
        self.name = name
        self._path, self._member = path, ""
        self._common: tuple[Path, str] | None = None if common is None else (common, "")
        paths = [path] if common is None else [path, common]
        if path.is_dir() or path.suffix == ".zip":
            names = members(path)
            self._member = _member(names, "taxon") or ""
            if not self._member:
                raise FormatError(path, "has no Taxon.tsv", "Give the archive of a checklist")
            vernacular = _member(names, "vernacularname")
            if common is None and vernacular:
                self._common = (path, vernacular)
            version = version or _issued(path, _member(names, "eml"))
            if path.is_dir():
                used = [self._member, *([vernacular] if vernacular and common is None else [])]
                paths = [path / name for name in used] + paths[1:]
        elif common is None and (path.parent / "VernacularName.tsv").is_file():
            self._common = (path.parent / "VernacularName.tsv", "")
            paths.append(self._common[0])
        self.version = version
        self.paths = tuple(paths)

    def batches(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the names, see :class:`ChecklistReader`."""
        with opened(self._path, self._member) as stream:
            header = first_line(stream, self._path)
            if "taxonID" in header:
                missing = {"taxonID", "scientificName", "taxonRank"} - set(header)
                if missing:
                    raise FormatError(self._path, f"has no column {', '.join(sorted(missing))}")
                for batch in read_columns(stream, header, _DWC, rejections, self._path):
                    yield _from_archive(_without_otus(batch, "taxonID", rejections))
                return
        if len(header) != len(SIMPLE_COLUMNS):
            raise FormatError(
                self._path,
                f"is no backbone: its first line has {len(header)} values, not "
                f"{len(SIMPLE_COLUMNS)}, and no name taxonID",
                "Give backbone.zip, Taxon.tsv or simple.txt.gz as GBIF publishes them",
            )
        with opened(self._path) as stream:
            read = read_columns(stream, SIMPLE_COLUMNS, _SIMPLE, rejections, self._path, "\\N")
            for batch in read:
                yield _from_simple(_without_otus(batch, "id", rejections))

    def common(self, rejections: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the common names, see :class:`ChecklistReader`."""
        if self._common is None:
            return
        path, member = self._common
        wanted = ("taxonID", "vernacularName", "language")
        with opened(path, member) as stream:
            header = first_line(stream, path)
            if "taxonID" not in header or "vernacularName" not in header:
                raise FormatError(path, "has no columns taxonID and vernacularName")
            for batch in read_columns(stream, header, wanted, rejections, path):
                yield pa.RecordBatch.from_arrays(
                    [batch.column(0), batch.column(1), batch.column(2)], schema=COMMON
                )


def _member(names: list[str], stem: str) -> str | None:
    found = [n for n in names if Path(n).stem.lower() == stem and not n.startswith("dataset/")]
    return min(found, key=len) if found else None


def _issued(path: Path, member: str | None) -> str:
    """Return the day that the archive's metadata say it was published."""
    if member is None:
        return ""
    with opened(path, member) as stream:
        text = stream.read(1 << 16).decode("utf-8", "replace")
    found = re.search(r"<pubDate>\s*(\d{4}(?:-\d\d)?(?:-\d\d)?)", text)
    return found[1] if found else ""


def _without_otus(batch: pa.RecordBatch, key: str, rejections: Rejections) -> pa.RecordBatch:
    name = "scientificName" if key == "taxonID" else "scientific_name"
    units = pc.fill_null(pc.match_substring_regex(batch.column(name), _OTU), False)
    if pc.any(units).as_py():
        out = batch.filter(units)
        rejections.add(OTU_REASON, out.column(key).to_pylist(), out.column(name).to_pylist())
        batch = batch.filter(pc.invert(units))
    return batch


def _canonical(given: pa.Array, full: pa.Array, authorship: pa.Array) -> pa.Array:
    """Return the names without authors: the checklist's own, else made from the full name."""
    missing = pc.and_(pc.is_null(given), pc.is_valid(full))
    if not pc.any(missing).as_py():
        return given
    names, authors = full.filter(missing).to_pylist(), authorship.filter(missing).to_pylist()
    pairs = zip(names, authors, strict=True)
    made = [strip_authorship(n, a) if a else _bare(n) for n, a in pairs]
    return pc.replace_with_mask(given, missing, pa.array(made, pa.string()))


def _bare(full: str) -> str:
    parsed = parse_name(full)
    return full if parsed.hybrid or not parsed.authorship else parsed.key.capitalize()


def _from_archive(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    path = pc.binary_join_element_wise(
        *(pc.fill_null(columns[rank], "") for rank in _HIGHER), "\t", null_handling="replace"
    )
    status = columns["taxonomicStatus"]
    # An accepted name may point at itself.
    accepted = columns["acceptedNameUsageID"]
    itself = pc.fill_null(pc.equal(accepted, columns["taxonID"]), False)
    accepted = pc.if_else(itself, pa.scalar(None, pa.string()), accepted)
    authorship = columns["scientificNameAuthorship"]
    name = _canonical(columns["canonicalName"], columns["scientificName"], authorship)
    return pa.RecordBatch.from_arrays(
        [
            columns["taxonID"],
            columns["parentNameUsageID"],
            accepted,
            name,
            authorship,
            columns["taxonRank"],
            status,
            path,
        ],
        schema=RECORDS,
    )


def _from_simple(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    truth = pa.array(["t", "true"])
    synonym = pc.is_in(columns["is_synonym"], value_set=truth)
    nothing = pa.scalar(None, pa.string())
    parent = columns["parent_key"]
    authorship = _authors(columns)
    return pa.RecordBatch.from_arrays(
        [
            columns["id"],
            pc.if_else(synonym, nothing, parent),
            pc.if_else(synonym, parent, nothing),
            _canonical(columns["canonical_name"], columns["scientific_name"], authorship),
            authorship,
            columns["rank"],
            columns["status"],
            pa.nulls(batch.num_rows, pa.string()),
        ],
        schema=RECORDS,
    )


def _authors(columns: dict[str, pa.Array]) -> pa.Array:
    """Join the parts of the authorship: ``(Bracketed, 1766) Author, 1800``."""

    def dated(who: pa.Array, year: pa.Array) -> pa.Array:
        behind = pc.fill_null(pc.binary_join_element_wise(", ", year, ""), "")
        return pc.binary_join_element_wise(who, behind, "")

    inner = dated(columns["bracket_authorship"], columns["bracket_year"])
    outer = dated(columns["authorship"], columns["year"])
    bracketed = pc.binary_join_element_wise("(", inner, ")", "")
    filled = (pc.fill_null(part, "") for part in (bracketed, outer))
    joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*filled, " "))
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
