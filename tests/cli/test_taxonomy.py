"""antiphon taxonomy: compile and resolve as a user runs them."""

from __future__ import annotations

import csv
import json

import pytest

from tests.language.taxonomy import replicas


@pytest.fixture
def compiled(antiphon, tmp_path):
    archive = replicas.backbone(tmp_path / "backbone.zip")
    ran = antiphon("taxonomy", "compile", archive, "--out", tmp_path / "t.zip")
    assert ran.code == 0
    return tmp_path / "t.zip"


def test_compile_says_what_it_took_and_left(antiphon, tmp_path):
    birds = replicas.ebird(tmp_path / "birds.csv")
    archive = replicas.backbone(tmp_path / "backbone.zip")
    ran = antiphon(
        "taxonomy", "compile", birds, archive, "--out", tmp_path / "t.zip",
        "--version", "ebird=2024", "--rejected", tmp_path / "r.csv",
    )  # fmt: skip
    assert ran.code == 0
    rows = ran.rows("checklist")
    assert [row[:3] for row in rows] == [["ebird", "2024", "6"], ["gbif", "2023-08-28", "27"]]
    assert "gbif: 1 left out, another line has the same id: 100 Parus idem" in ran.out
    assert "ebird: 1 left out, a slash is no single taxon: y00001" in ran.out
    listed = list(csv.DictReader((tmp_path / "r.csv").open()))
    assert len(listed) == sum(int(row[-1]) for row in rows)


def test_compile_with_common_names_apart(antiphon, tmp_path):
    table = replicas.simple(tmp_path / "simple.txt.gz")
    (tmp_path / "V.tsv").write_text(replicas.vernacular())
    ran = antiphon(
        "taxonomy", "compile", table, "--out", tmp_path / "t.zip", "--common", tmp_path / "V.tsv",
        "--json",
    )  # fmt: skip
    (report,) = json.loads(ran.out)
    assert (report["common_names"], report["version"]) == (6, "")
    ran = antiphon("taxonomy", "compile", table, "--out", tmp_path / "t.zip")
    assert "its version is not known; give it with --version gbif=" in ran.out


def test_resolve_names(antiphon, compiled):
    ran = antiphon("taxonomy", "resolve", compiled, "Parus caeruleus", "Oenanthe", "Turdus mreula")
    rows = ran.rows("given")
    assert ran.code == 0
    assert [row[1] for row in rows] == ["synonym", "homonym", "suggestion"]
    assert rows[0][2:7] == ["Cyanistes caeruleus", "species", "Paridae", "gbif", "102"]
    assert rows[2][-1] == "Turdus merula (Animalia, species)"
    ran = antiphon("taxonomy", "resolve", compiled, "Oenanthe", "--kingdom", "Plantae", "--json")
    (row,) = json.loads(ran.out)
    assert row["family"] == "Apiaceae"
    ran = antiphon("taxonomy", "resolve", compiled, "Amsel", "--by", "common", "--language", "de")
    assert ran.rows("given")[0][2] == "Turdus merula"


def test_resolve_a_list(antiphon, compiled, tmp_path):
    (tmp_path / "n.csv").write_text("bird\nParus major\nnix\n")
    arguments = ("taxonomy", "resolve", compiled, "--list", tmp_path / "n.csv", "--column", "bird")
    assert [row[1] for row in antiphon(*arguments).rows("given")] == ["exact", "unknown"]
    ran = antiphon(*arguments, "--out", tmp_path / "out.csv", "--no-suggest")
    assert ran.code == 0
    assert ran.out.startswith("1 exact, 0 synonym, 0 homonym, 0 suggestion, 1 unknown.")
    assert (tmp_path / "out.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give either names or --list FILE."),
        (("x", "--column", "bird"), "--column goes with --list."),
        (("x", "--out", "o.csv"), "--out goes with --list."),
        (("x", "--kingdom", "Fungi"), "No kingdom 'Fungi'"),
    ],
)
def test_mistakes(antiphon, compiled, arguments, message):
    ran = antiphon("taxonomy", "resolve", compiled, *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_mistakes_of_compile(antiphon, tmp_path):
    archive = replicas.backbone(tmp_path / "b.zip")
    out = ("--out", tmp_path / "t.zip")
    ran = antiphon("taxonomy", "compile", archive, *out, "--version", "2024")
    assert (ran.code, "is not NAME=VALUE" in ran.err) == (2, True)
    ran = antiphon("taxonomy", "compile", tmp_path / "none.zip", *out)
    assert (ran.code, "is not there" in ran.err) == (2, True)
    ran = antiphon("taxonomy", "compile", archive, *out, "--common", "a.tsv", "--common", "b.tsv")
    assert (ran.code, "one VernacularName.tsv" in ran.err) == (2, True)
