from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from antiphon.errors import UserError
from antiphon.language.taxonomy.lookup import Taxonomy


def one(taxonomy: Taxonomy, name: str | None, **options: object) -> dict[str, object]:
    (row,) = taxonomy.resolve([name], **options).table().to_pylist()
    return row


@pytest.mark.parametrize(
    "written",
    [
        "Parus major",
        "parus MAJOR",
        "Parus_major",
        " Parus  major ",
        "Parus major Linnaeus, 1758",
        "Parus (Parus) major L.",
        "Pãrus majör",
    ],
)
def test_a_name_is_known_however_it_is_written(gbif, written):
    row = one(gbif, written)
    assert (row["status"], row["name"], row["taxon_id"]) == ("exact", "Parus major", "100")
    assert row["given"] == written


def test_the_whole_classification(gbif):
    row = one(gbif, "Parus major newtoni")
    assert [row[rank] for rank in ("kingdom", "phylum", "class", "order", "family", "genus")] == [
        "Animalia", "Chordata", "Aves", "Passeriformes", "Paridae", "Parus"
    ]  # fmt: skip
    assert (row["species"], row["subspecies"]) == ("Parus major", "Parus major newtoni")
    assert (row["rank"], row["checklist"]) == ("subspecies", "gbif")
    order = one(gbif, "Passeriformes")
    assert (order["order"], order["family"], order["rank"]) == ("Passeriformes", None, "order")


@pytest.mark.parametrize(
    ("name", "accepted", "kind"),
    [
        ("Parus caeruleus", "Cyanistes caeruleus", "homotypic synonym"),
        ("Parus coeruleus", "Cyanistes caeruleus", "synonym"),
        ("Parus fringillago", "Parus major", "pro parte synonym"),
    ],
)
def test_synonyms_and_synonyms_of_synonyms(gbif, name, accepted, kind):
    row = one(gbif, name)
    assert (row["status"], row["name"]) == ("synonym", accepted)
    assert (row["matched_name"], row["matched_status"]) == (name, kind)
    assert ("in part" in str(row["note"])) == (kind == "pro parte synonym")


def test_homonyms_of_two_kingdoms_stay_open_until_the_kingdom_is_told(gbif):
    row = one(gbif, "Oenanthe")
    assert (row["status"], row["name"]) == ("homonym", None)
    assert row["alternatives"] == ["Oenanthe (Animalia, genus)", "Oenanthe (Plantae, genus)"]
    assert one(gbif, "Oenanthe", kingdom="Animalia")["family"] == "Muscicapidae"
    assert one(gbif, "Oenanthe", kingdom="plantae")["family"] == "Apiaceae"
    assert one(gbif, "Oenanthe L.")["family"] == "Apiaceae"
    each = gbif.resolve(["Oenanthe", "Oenanthe", "Oenanthe"], kingdom=["Metazoa", "Plantae", None])
    assert each.table().column("family").to_pylist() == ["Muscicapidae", "Apiaceae", None]


def test_homonyms_of_one_kingdom_are_told_apart_by_their_authors(gbif):
    assert one(gbif, "Turdus duplex", kingdom="Animalia")["status"] == "homonym"
    assert one(gbif, "Turdus duplex Brown, 1950")["taxon_id"] == "311"
    assert one(gbif, "Turdus duplex Smith")["taxon_id"] == "310"
    assert one(gbif, "Turdus duplex Miller, 1960")["status"] == "homonym"


def test_a_name_of_another_kingdom_is_unknown_and_said_so(gbif):
    row = one(gbif, "Turdus merula", kingdom="Plantae")
    assert (row["status"], row["name"]) == ("unknown", None)
    assert row["note"] == "known in another kingdom: Animalia"


def test_accepted_wins_over_a_synonym_of_another_kingdom(compiled):
    taxonomy = compiled(
        (1, None, None, "Animalia", "", "kingdom", "accepted", ("Animalia",)),
        (2, None, None, "Plantae", "", "kingdom", "accepted", ("Plantae",)),
        (3, 1, None, "Prunella", "Vieillot", "genus", "accepted", ("Animalia",)),
        (4, 2, None, "Brunella", "L.", "genus", "accepted", ("Plantae",)),
        (5, 2, 4, "Prunella", "L.", "genus", "synonym", ("Plantae",)),
        (6, 1, None, "Larus", "L.", "genus", "doubtful", ("Animalia",)),
        (7, 2, 4, "Falso", "", "genus", "misapplied", ("Plantae",)),
    )
    assert one(taxonomy, "Prunella")["taxon_id"] == "3"
    assert one(taxonomy, "Prunella", kingdom="Plantae")["name"] == "Brunella"
    assert one(taxonomy, "Larus")["note"] == "doubtful in its checklist"
    assert one(taxonomy, "Falso")["status"] == "unknown"
    assert one(taxonomy, "Falso")["note"] == "known only as a misapplied name"


def test_near_names_are_suggested_never_applied(gbif):
    row = one(gbif, "Turdus mreula", suggest=True)
    assert (row["status"], row["name"], row["row"]) == ("suggestion", None, -1)
    assert row["suggestions"] == ["Turdus merula (Animalia, species)"]
    assert one(gbif, "Turdus mreula")["status"] == "unknown"
    assert one(gbif, "Parus cäruleos", suggest=True)["suggestions"] == [
        "Parus caeruleus (Animalia, species, accepted: Cyanistes caeruleus)"
    ]


def test_what_is_passed_over_is_said(gbif):
    row = one(gbif, "Parus major [major Group]")
    assert row["name"] == "Parus major"
    assert row["note"] == "what follows the name is passed over: [major Group]"
    row = one(gbif, "Turdus cf. merula")
    assert (row["name"], row["rank"]) == ("Turdus", "genus")
    assert "open nomenclature (cf.)" in str(row["note"])


@pytest.mark.parametrize("name", ["Nemo nullus", "", None, "Turdus perditus", "Turdus circularis"])
def test_unknown_names(gbif, name):
    row = one(gbif, name, suggest=True)
    assert (row["status"], row["name"], row["row"]) == ("unknown", None, -1)
    assert row["given"] == (name or None)


def test_answers_stand_in_the_order_of_the_names(gbif):
    names = ["Parus major", "nix", "Parus caeruleus", "Parus major", "Oenanthe"]
    found = gbif.resolve(pa.chunked_array([names[:2], names[2:]]))
    assert len(found) == 5
    assert found.table().column("given").to_pylist() == names
    assert found.counts() == {
        "exact": 2, "synonym": 1, "homonym": 1, "suggestion": 0, "unknown": 1
    }  # fmt: skip
    batches = list(found.batches(2))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert pa.Table.from_batches(batches) == found.table()
    assert found.rows.tolist() == found.table().column("row").to_pylist()
    assert len(gbif.resolve([])) == 0


def test_the_checklist_that_comes_first_is_preferred(both):
    assert both.versions == {"ebird": "2024", "gbif": "2023-08-28"}
    row = one(both, "Parus major")
    assert (row["taxon_id"], row["checklist"]) == ("gretit1", "ebird")
    # GBIF knows the synonym, eBird the accepted name.
    row = one(both, "Parus caeruleus")
    assert (row["name"], row["taxon_id"], row["status"]) == (
        "Cyanistes caeruleus", "blutit", "synonym"
    )  # fmt: skip
    assert (row["checklist"], row["matched_checklist"]) == ("ebird", "gbif")
    # Only GBIF has it.
    assert one(both, "Turdus philomelos")["checklist"] == "gbif"
    # The reader of eBird adds the class; GBIF has it.
    assert one(both, "Aves")["taxon_id"] == "212"
    assert one(both, "Parus major newtoni")["species"] == "Parus major"


def test_common_names(both, gbif):
    assert one(both, "Turdus merula")["common_name"] == "Eurasian Blackbird"
    assert one(gbif, "Turdus merula", language="de")["common_name"] == "Amsel"
    assert one(gbif, "Cyanistes caeruleus", language="deu")["common_name"] == "Blaumeise"
    assert one(gbif, "Turdus merula", language="fi")["common_name"] is None
    row = int(both.resolve(["Turdus merula"]).rows[0])
    assert both.common_names(row) == ["Eurasian Blackbird", "Common Blackbird", "Amsel"]
    assert both.common_names(row, "en") == ["Eurasian Blackbird", "Common Blackbird"]


def test_lookup_by_common_name(gbif, both):
    found = gbif.resolve(["great tit", "Great-Tit", "AMSEL", "nobody"], by="common")
    assert found.table().column("name").to_pylist() == ["Parus major", "Parus major", None, None]
    assert one(gbif, "AMSEL", by="common", language="de")["name"] == "Turdus merula"
    assert one(both, "Eurasian Blue Tit", by="common")["taxon_id"] == "blutit"


def test_lookup_by_id(both):
    found = both.resolve(["gretit1", "100", "103", "nix"], by="id").table()
    assert found.column("taxon_id").to_pylist() == ["gretit1", "gretit1", "blutit", None]
    assert found.column("status").to_pylist() == ["exact", "exact", "synonym", "unknown"]
    assert one(both, "100", by="id", checklist="ebird")["status"] == "unknown"


def test_a_taxon_described(gbif):
    taxon = gbif.taxon(int(gbif.resolve(["Parus caeruleus"]).rows[0]))
    assert (taxon.name, taxon.authorship, taxon.rank) == (
        "Cyanistes caeruleus", "(Linnaeus, 1758)", "species"
    )  # fmt: skip
    assert list(taxon.classification) == [
        "kingdom", "phylum", "class", "order", "family", "genus", "species"
    ]  # fmt: skip
    assert taxon.common_names == (("Blaumeise", "de"),)


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [
        ("Parus major", "Parus major", 0),
        ("Parus major", "Parus fringillago", 0),
        ("Parus major", "Parus major newtoni", 0),
        ("Turdus merula", "Turdus philomelos", 1),
        ("Parus", "Parus major", 1),
        ("Parus major", "Cyanistes caeruleus", 2),
        ("Paridae", "Parus major", 2),
        ("Parus major", "Turdus merula", 3),
        ("Turdus merula", "Citrus aurantiifolia", 7),
    ],
)
def test_taxonomic_distance_by_hand(gbif, both, a, b, steps):
    for taxonomy in (gbif, both):
        assert taxonomy.distance(a, b) == taxonomy.distance(b, a) == steps


def test_distances_of_many_and_of_none(gbif):
    rows = gbif.resolve(["Turdus merula", "Parus major", "nix"]).rows
    found = gbif.distances(rows, np.roll(rows, -1))
    assert found.tolist() == [3, -1, -1]
    with pytest.raises(UserError, match="'nix' is unknown"):
        gbif.distance("nix", "Parus major")
    with pytest.raises(UserError, match="give a kingdom"):
        gbif.distance("Oenanthe", "Parus major")


def test_wrong_questions(gbif):
    with pytest.raises(UserError, match=r"No kingdom 'Fungi'.*Animalia, Plantae"):
        gbif.resolve(["Parus"], kingdom="Fungi")
    with pytest.raises(UserError, match="1 names, but 2 kingdoms"):
        gbif.resolve(["Parus"], kingdom=["Animalia", "Animalia"])
    with pytest.raises(UserError, match=r"No checklist 'ebird'.*gbif"):
        gbif.resolve(["x"], by="id", checklist="ebird")
