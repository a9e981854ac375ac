from __future__ import annotations

import csv
import json
import zipfile

import pyarrow as pa
import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.language.taxonomy.checklists.detect import open_checklists
from antiphon.language.taxonomy.compile import compile_taxonomy
from antiphon.language.taxonomy.lookup import Taxonomy
from tests.language.taxonomy import replicas

REJECTED = {
    "an operational unit of sequences (BOLD, UNITE) has no scientific name": 1,
    "the line has no name": 1,
    "its accepted name is not in the checklist": 1,
    "it is a synonym of itself, by way of others": 2,
    "another line has the same id": 1,
    "the id of a common name is not in the checklist": 1,
    "a common name is empty": 1,
}


def test_every_line_is_a_name_or_a_rejection(tmp_path):
    archive = replicas.backbone(tmp_path / "backbone.zip")
    listing = tmp_path / "rejected.csv"
    (report,) = compile_taxonomy(
        open_checklists([archive]), tmp_path / "out" / "t.zip", rejected=listing
    )
    counts = {reason: part["count"] for reason, part in report.rejected.items()}
    assert counts == REJECTED
    common = ("the id of a common name is not in the checklist", "a common name is empty")
    lines_rejected = sum(count for reason, count in counts.items() if reason not in common)
    assert report.accepted + report.synonyms + lines_rejected == len(replicas.TAXA) + 1
    assert report.synonyms == 3
    assert report.rejected["another line has the same id"]["examples"] == ["100 Parus idem"]
    rows = list(csv.DictReader(listing.open()))
    assert len(rows) == sum(REJECTED.values())
    assert {"checklist": "gbif", "reason": "the line has no name", "id": "403", "name": ""} in rows


def test_the_archive_and_the_simple_table_give_the_same(tmp_path, gbif):
    table = replicas.simple(tmp_path / "simple.txt.gz")
    (tmp_path / "V.tsv").write_text(replicas.vernacular())
    readers = open_checklists([table], versions={"gbif": "2023-08-28"}, common=tmp_path / "V.tsv")
    compile_taxonomy(readers, tmp_path / "t.zip")
    names = [str(row[3]) for row in replicas.TAXA]
    with Taxonomy.open(tmp_path / "t.zip") as simple:
        assert simple.resolve(names).table() == gbif.resolve(names).table()
        for row in range(len(gbif.names)):
            assert simple.taxon(row) == gbif.taxon(row)
        assert simple.versions == gbif.versions == {"gbif": "2023-08-28"}


def test_what_is_kept_of_the_files(gbif):
    (checklist,) = gbif.meta["checklists"]
    (file,) = checklist["files"]
    assert file["name"] == "backbone.zip"
    assert len(file["sha256"]) == 64
    assert checklist["rejected"]["the line has no name"]["count"] == 1
    assert gbif.kingdoms == ["Animalia", "Plantae"]


def test_the_file_is_a_zip_of_arrow_files(gbif):
    with zipfile.ZipFile(gbif.path) as archive:
        assert archive.testzip() is None
        with archive.open("taxa.arrow") as member:
            table = pa.ipc.open_file(pa.py_buffer(member.read())).read_all()
        info = archive.getinfo("taxa.arrow")
        assert info.compress_type == zipfile.ZIP_STORED
        assert (info.header_offset + 30 + len("taxa.arrow") + len(info.extra)) % 64 == 0
    assert table.num_rows == len(gbif.names)
    keys = table.column("sort").to_pylist()
    assert keys == sorted(keys)


def test_a_part_of_an_archive_finds_its_higher_taxa(compiled):
    """Lines of birds only: kingdom, phylum and class are named by columns alone."""
    birds = [row for row in replicas.TAXA if row[0] in (729, 9327, 240, 100, 102)]
    taxonomy = compiled(*birds)
    (report,) = taxonomy.meta["checklists"]
    assert report["higher"] == 3
    assert report["orphans"] == 0
    found = taxonomy.resolve(["Parus major", "Cyanistes caeruleus"]).table().to_pylist()
    assert [found[0][rank] for rank in ("kingdom", "phylum", "class", "order", "family", "genus")] \
        == ["Animalia", "Chordata", "Aves", "Passeriformes", "Paridae", "Parus"]  # fmt: skip
    # The genus Cyanistes is not in the file: the family is, and the genus is read off the name.
    assert found[1]["family"] == "Paridae"
    assert found[1]["genus"] == "Cyanistes"
    assert (
        taxonomy.resolve(["Aves"], kingdom="Animalia").table().column("status")[0].as_py()
        == "exact"
    )


def test_many_names_pass_all_buckets_and_batches(compiled):
    """20,000 names: more than a batch of authors, in all the files that they are sorted in."""
    rows = [(1, None, None, "Animalia", "", "kingdom", "accepted", ("Animalia",))]
    letters = "bcdfghjklm"
    for i in range(20_000):
        word = "".join(letters[int(d)] + "a" for d in f"{i:05d}")
        rows.append((i + 2, 1, None, f"{word.capitalize()} x{word}", f"Author{i}, 1900", "species",
                     "accepted", ("Animalia",)))  # fmt: skip
    taxonomy = compiled(*rows)
    found = taxonomy.resolve([str(row[3]) for row in rows])
    assert found.counts()["exact"] == len(rows)
    assert found.table().column("taxon_id").to_pylist() == [str(row[0]) for row in rows]
    for place in (1, 8_192, 12_345, 20_000):
        assert taxonomy.taxon(int(found.rows[place])).authorship == rows[place][4]


def test_unknown_status_and_wrong_lines_are_counted(tmp_path):
    lines = replicas.taxon_lines([
        (1, None, None, "Animalia", "", "kingdom", "accepted", ("Animalia",)),
        (2, 1, None, "Parus", "", "genus", "bare name", ("Animalia",)),
        (3, 1, None, "Larus", "", "genus", "accepted", ("Animalia",)),
    ])  # fmt: skip
    table = tmp_path / "Taxon.tsv"
    table.write_text("\n".join([*lines, "4\ttoo\tfew"]) + "\n")
    (report,) = compile_taxonomy(open_checklists([table]), tmp_path / "t.zip")
    counts = {reason: part["count"] for reason, part in report.rejected.items()}
    assert counts == {"its status is not known": 1, "the line has 3 values, not 23": 1}
    assert report.accepted == 2


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    bad = tmp_path / "simple.txt"
    bad.write_bytes(b"1\t\\N\n")
    with pytest.raises(FormatError, match="is no backbone"):
        compile_taxonomy(open_checklists([bad]), tmp_path / "out" / "t.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_wrong_files_are_named(tmp_path):
    path = tmp_path / "t.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(FormatError, match="not a compiled taxonomy"):
        Taxonomy.open(path)
    with pytest.raises(FileError, match="cannot be read"):
        Taxonomy.open(tmp_path / "none.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "meta.json", json.dumps({"format": "antiphon-taxonomy", "format_version": 9})
        )
    with pytest.raises(FormatError, match="of format 9"):
        Taxonomy.open(path)
    with pytest.raises(UserError, match="different names"):
        compile_taxonomy([], path)


def test_a_truncated_file_is_refused(gbif, tmp_path):
    path = tmp_path / "cut.zip"
    path.write_bytes(gbif.path.read_bytes()[:-1000])
    with pytest.raises(FormatError, match="not a compiled taxonomy"):
        Taxonomy.open(path)
