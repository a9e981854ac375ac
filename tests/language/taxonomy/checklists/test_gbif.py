from __future__ import annotations

import zipfile

import pyarrow as pa
import pytest

from antiphon.errors import FileError, FormatError
from antiphon.language.taxonomy.checklists.gbif import SIMPLE_COLUMNS, GbifReader
from antiphon.language.taxonomy.rejections import Rejections
from tests.language.taxonomy import replicas


def read(reader):
    rejections = Rejections(reader.name)
    return pa.Table.from_batches(reader.batches(rejections)).to_pylist(), rejections


def test_columns_are_those_of_the_publisher():
    assert len(SIMPLE_COLUMNS) == 30
    assert len(replicas.TAXON_HEADER) == 23


def test_a_synonym_of_the_archive_and_of_the_simple_table(tmp_path):
    for path in (replicas.backbone(tmp_path / "b.zip"), replicas.simple(tmp_path / "s.txt.gz")):
        rows, _ = read(GbifReader(path))
        (row,) = (r for r in rows if r["id"] == "103")
        assert row["accepted"] == "102"
        assert row["name"] == "Parus caeruleus"
        assert row["authorship"] == "Linnaeus, 1758"
        assert row["status"].lower().replace("_", " ") == "homotypic synonym"
        (row,) = (r for r in rows if r["id"] == "102")
        assert (row["parent"], row["accepted"]) == ("241", None)
        assert row["authorship"] == "(Linnaeus, 1758)"


def test_common_names_and_version_of_an_archive(tmp_path):
    reader = GbifReader(replicas.backbone(tmp_path / "b.zip"))
    table = pa.Table.from_batches(reader.common(Rejections("gbif")))
    assert table.num_rows == len(replicas.COMMON)
    assert table.slice(2, 1).to_pylist() == [{"id": "100", "name": "Kohlmeise", "language": "de"}]
    assert reader.version == "2023-08-28"


def test_an_unpacked_archive_and_a_table_alone(tmp_path):
    folder = tmp_path / "backbone"
    with zipfile.ZipFile(replicas.backbone(tmp_path / "b.zip")) as archive:
        archive.extractall(folder)
    expected, _ = read(GbifReader(tmp_path / "b.zip"))
    assert read(GbifReader(folder))[0] == expected
    alone = GbifReader(folder / "Taxon.tsv")
    assert read(alone)[0] == expected
    assert [path.name for path in alone.paths] == ["Taxon.tsv", "VernacularName.tsv"]


def test_names_without_a_canonical_one_and_prefixed_columns(tmp_path):
    """The Catalogue of Life: columns as dwc:taxonID, text ids, full names only."""
    table = tmp_path / "Taxon.tsv"
    header = "taxonID acceptedNameUsageID parentNameUsageID scientificName scientificNameAuthorship"
    names = [f"dwc:{name}" for name in (*header.split(), "taxonRank", "taxonomicStatus")]
    lines = [
        names,
        ["8NQF", "", "AB", "Parus major Linnaeus, 1758", "Linnaeus, 1758", "species", "accepted"],
        ["8NQG", "8NQF", "", "Parus robustus C. L. Brehm", "", "species", "ambiguous synonym"],
    ]
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    rows, _ = read(GbifReader(table))
    assert [row["name"] for row in rows] == ["Parus major", "Parus robustus"]
    assert [row["accepted"] for row in rows] == [None, "8NQF"]


def test_units_of_sequences_are_rejected(tmp_path):
    _, rejections = read(GbifReader(replicas.simple(tmp_path / "s.txt.gz")))
    (reason,) = rejections.counts
    assert reason.startswith("an operational unit")
    assert rejections.examples[reason] == ["900 BOLD:AAA1234"]


def test_wrong_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(FormatError, match=r"has no Taxon.tsv"):
        GbifReader(tmp_path / "empty.zip")
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(FormatError, match="is not a ZIP archive"):
        GbifReader(tmp_path / "text.zip")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError, match="UTF-8"):
        read(GbifReader(tmp_path / "a.txt"))
    with pytest.raises(FileError, match="cannot be read"):
        read(GbifReader(tmp_path / "none.txt"))
    lines = replicas.taxon_lines([])
    header = (lines[0] + "\n").encode()
    (tmp_path / "Taxon.tsv").write_bytes(header + b"1\t" * 5 + b"\xe9" + b"\t" * 17 + b"\n")
    with pytest.raises(FormatError, match="UTF-8"):
        read(GbifReader(tmp_path / "Taxon.tsv"))
