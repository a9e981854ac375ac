"""A few taxa in the layouts of the publishers: GBIF's archive and simple table, eBird, Clements."""

from __future__ import annotations

import csv
import gzip
import re
import zipfile
from pathlib import Path

_COLUMNS = (
    "taxonID datasetID parentNameUsageID acceptedNameUsageID originalNameUsageID scientificName "
    "scientificNameAuthorship canonicalName genericName specificEpithet infraspecificEpithet "
    "taxonRank nameAccordingTo namePublishedIn taxonomicStatus nomenclaturalStatus taxonRemarks "
    "kingdom phylum class order family genus"
)
TAXON_HEADER = _COLUMNS.split()

BIRDS = ("Animalia", "Chordata", "Aves", "Passeriformes")
PLANTS = ("Plantae", "Tracheophyta", "Magnoliopsida", "Lamiales")

# id, parent, accepted, canonical name, authorship, rank, status, classification
TAXA = [
    (1, None, None, "Animalia", "", "kingdom", "accepted", ("Animalia",)),
    (6, None, None, "Plantae", "", "kingdom", "accepted", ("Plantae",)),
    (44, 1, None, "Chordata", "", "phylum", "accepted", BIRDS[:2]),
    (212, 44, None, "Aves", "", "class", "accepted", BIRDS[:3]),
    (729, 212, None, "Passeriformes", "", "order", "accepted", BIRDS),
    (9327, 729, None, "Paridae", "", "family", "accepted", (*BIRDS, "Paridae")),
    (5290, 729, None, "Turdidae", "", "family", "accepted", (*BIRDS, "Turdidae")),
    (9321, 729, None, "Muscicapidae", "", "family", "accepted", (*BIRDS, "Muscicapidae")),
    (240, 9327, None, "Parus", "Linnaeus, 1758", "genus", "accepted", (*BIRDS, "Paridae")),
    (241, 9327, None, "Cyanistes", "Kaup, 1829", "genus", "accepted", (*BIRDS, "Paridae")),
    (242, 5290, None, "Turdus", "Linnaeus, 1758", "genus", "accepted", (*BIRDS, "Turdidae")),
    (243, 9321, None, "Oenanthe", "Vieillot, 1816", "genus", "accepted", (*BIRDS, "Muscicapidae")),
    (100, 240, None, "Parus major", "Linnaeus, 1758", "species", "accepted", (*BIRDS, "Paridae")),
    (101, 100, None, "Parus major newtoni", "Pražák, 1894", "subspecies", "accepted",
     (*BIRDS, "Paridae")),
    (102, 241, None, "Cyanistes caeruleus", "(Linnaeus, 1758)", "species", "accepted",
     (*BIRDS, "Paridae")),
    (103, 240, 102, "Parus caeruleus", "Linnaeus, 1758", "species", "homotypic synonym",
     (*BIRDS, "Paridae")),
    (104, 240, 103, "Parus coeruleus", "Linnaeus, 1758", "species", "synonym",
     (*BIRDS, "Paridae")),
    (105, 242, None, "Turdus merula", "Linnaeus, 1758", "species", "accepted",
     (*BIRDS, "Turdidae")),
    (106, 242, None, "Turdus philomelos", "C.L.Brehm, 1831", "species", "accepted",
     (*BIRDS, "Turdidae")),
    (107, 243, None, "Oenanthe oenanthe", "(Linnaeus, 1758)", "species", "accepted",
     (*BIRDS, "Muscicapidae")),
    (108, 240, 100, "Parus fringillago", "Pallas, 1811", "species", "proparte synonym",
     (*BIRDS, "Paridae")),
    # Homonyms: a genus of plants of the same name, and a species twice in one kingdom.
    (300, 6, None, "Tracheophyta", "", "phylum", "accepted", PLANTS[:2]),
    (301, 300, None, "Magnoliopsida", "", "class", "accepted", PLANTS[:3]),
    (302, 301, None, "Lamiales", "", "order", "accepted", PLANTS),
    (303, 302, None, "Apiaceae", "Lindl.", "family", "accepted", (*PLANTS, "Apiaceae")),
    (304, 303, None, "Oenanthe", "L.", "genus", "accepted", (*PLANTS, "Apiaceae")),
    (305, 303, None, "Citrus aurantiifolia", "(Christm.) Swingle", "species", "accepted",
     (*PLANTS, "Apiaceae")),
    (306, 304, None, "Oenanthe javanica", "DC.", "species", "accepted", (*PLANTS, "Apiaceae")),
    (310, 242, None, "Turdus duplex", "Smith, 1900", "species", "accepted", (*BIRDS, "Turdidae")),
    (311, 242, None, "Turdus duplex", "Brown, 1950", "species", "accepted", (*BIRDS, "Turdidae")),
    # What cannot be used.
    (400, 242, 999, "Turdus perditus", "Nobody, 1900", "species", "synonym", (*BIRDS, "Turdidae")),
    (401, 242, 402, "Turdus circularis", "A", "species", "synonym", (*BIRDS, "Turdidae")),
    (402, 242, 401, "Turdus rotundus", "B", "species", "synonym", (*BIRDS, "Turdidae")),
    (100, 240, None, "Parus idem", "", "species", "accepted", (*BIRDS, "Paridae")),
    (403, 242, None, "", "", "species", "accepted", (*BIRDS, "Turdidae")),
]  # fmt: skip

OTU = "BOLD:AAA1234"

COMMON = [
    (100, "Great Tit", "en"),
    (100, "great tit", "en"),
    (100, "Kohlmeise", "de"),
    (103, "Blaumeise", "deu"),
    (105, "Common Blackbird", "en"),
    (105, "Amsel", "de"),
    (106, "Song Thrush", ""),
    (106, "", "de"),
    (555, "Nobody's Bird", "en"),
]

_EBIRD_COLUMNS = (
    "TAXON_ORDER CATEGORY SPECIES_CODE TAXON_CONCEPT_ID PRIMARY_COM_NAME SCI_NAME ORDER FAMILY "
    "SPECIES_GROUP REPORT_AS"
)
TITS, THRUSHES = "Paridae (Tits, Chickadees, and Titmice)", "Turdidae (Thrushes and Allies)"

# category, code, English name, scientific name, family, report as
EBIRD = [
    ("species", "gretit1", "Great Tit", "Parus major", TITS, ""),
    ("issf", "gretit4", "Great Tit (Great)", "Parus major [major Group]", TITS, "gretit1"),
    ("spuh", "parus1", "Parus sp.", "Parus sp.", TITS, ""),
    ("species", "blutit", "Eurasian Blue Tit", "Cyanistes caeruleus", TITS, ""),
    ("hybrid", "x00001", "Blue x Great Tit", "Cyanistes caeruleus x Parus major", TITS, ""),
    ("species", "eurbla", "Eurasian Blackbird", "Turdus merula", THRUSHES, ""),
    ("slash", "y00001", "Blackbird/Thrush", "Turdus merula/philomelos", THRUSHES, ""),
    ("issf", "xxx1", "Great Tit (newtoni)", "Parus major newtoni", TITS, "gretit1"),
]


def taxon_lines(rows: list[tuple[object, ...]]) -> list[str]:
    lines = ["\t".join(TAXON_HEADER)]
    for key, parent, accepted, name, author, rank, status, path in rows:
        values = dict.fromkeys(TAXON_HEADER, "")
        values |= {
            "taxonID": str(key),
            "parentNameUsageID": "" if parent is None else str(parent),
            "acceptedNameUsageID": "" if accepted is None else str(accepted),
            "scientificName": f"{name} {author}".strip(),
            "scientificNameAuthorship": str(author),
            "canonicalName": str(name),
            "taxonRank": str(rank),
            "taxonomicStatus": str(status),
        }
        values |= dict(zip(("kingdom", "phylum", "class", "order", "family"), path, strict=False))
        lines.append("\t".join(values[name] for name in TAXON_HEADER))
    return lines


def backbone(path: Path, rows: list[tuple[object, ...]] | None = None) -> Path:
    """GBIF's archive; the last row is a unit of sequences, without a canonical name."""
    lines = taxon_lines(TAXA if rows is None else rows)
    otu = dict.fromkeys(TAXON_HEADER, "")
    otu |= {"taxonID": "900", "scientificName": OTU, "taxonRank": "unranked",
            "taxonomicStatus": "doubtful"}  # fmt: skip
    lines.append("\t".join(otu[name] for name in TAXON_HEADER))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Taxon.tsv", "\n".join(lines) + "\n")
        archive.writestr("VernacularName.tsv", vernacular())
        archive.writestr("eml.xml", "<eml><dataset><pubDate>2023-08-28</pubDate></dataset></eml>")
        archive.writestr("dataset/eml.xml", "<eml/>")
    return path


def vernacular() -> str:
    lines = ["taxonID\tvernacularName\tlanguage\tcountry\tcountryCode\tsex\tlifeStage\tsource"]
    lines += [f"{key}\t{name}\t{language}\t\t\t\t\tx" for key, name, language in COMMON]
    return "\n".join(lines) + "\n"


def simple(path: Path) -> Path:
    """GBIF's simple table: 30 columns without names, as PostgreSQL's COPY writes them."""
    lines = []
    for key, parent, accepted, name, author, rank, status, _ in TAXA:
        inner, outer = re.fullmatch(r"(?:\((.*)\))? ?(.*)", str(author)).groups()
        values = ["\\N"] * 30
        values[0] = str(key)
        above = parent if accepted is None else accepted
        values[1] = "\\N" if above is None else str(above)
        values[3] = "f" if accepted is None else "t"
        values[4] = str(status).upper().replace(" ", "_")
        values[5] = str(rank).upper()
        values[6] = values[29] = "{}"
        values[18], values[19] = f"{name} {author}".strip() or "\\N", str(name) or "\\N"
        for at, part in ((24, outer), (26, inner)):
            who, _, year = (part or "").partition(", ")
            values[at], values[at + 1] = who or "\\N", year or "\\N"
        lines.append("\t".join(values))
    otu = ["\\N"] * 30
    otu[0], otu[3], otu[4], otu[5], otu[18] = "900", "f", "DOUBTFUL", "UNRANKED", OTU
    lines.append("\t".join(otu))
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def ebird(path: Path) -> Path:
    """The eBird taxonomy; the file begins with a byte order mark, as eBird's own."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_EBIRD_COLUMNS.split())
        for i, (category, code, english, name, family, report) in enumerate(EBIRD, 1):
            writer.writerow(
                [i, category, code, "", english, name, "Passeriformes", family, "", report]
            )
    return path
