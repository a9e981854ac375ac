"""Names for new labels."""

from __future__ import annotations

import os

import pytest

from antiphon.errors import FormatError, UserError
from antiphon.pipeline.annotate.naming import add_label, suggest_labels
from antiphon.store.project import ProjectFolder

TAXA = """scientific_name,common_name,rank
Columba palumbus,Common Wood Pigeon,species
Fringilla coelebs,Common Chaffinch,species
,Wood Mouse,species
Dovea,,genus
"""


def names(folder: ProjectFolder, text: str, n: int = 10) -> list[tuple[str, str]]:
    return [(one.name, one.source) for one in suggest_labels(folder, text, n)]


def test_what_is_typed_finds_labels_then_taxa_then_classes(folder: ProjectFolder) -> None:
    (folder.root / "taxonomy.csv").write_text(TAXA)
    labels = ["Columba livia_Rock Pigeon", "Speech", "finch"]
    folder.open_vectors("birds", "ab" * 32, {"labels": labels}, {"window_s": 3.0}, 4)
    folder.catalogue.set_label("dove", synonyms=["pigeon of sorts"])
    assert names(folder, "") == [("dove", "project"), ("finch", "project"), ("toad", "project")]
    assert names(folder, "PIG") == [
        ("dove", "project"),
        ("Common Wood Pigeon", "taxonomy"),
        ("Rock Pigeon", "birds"),
    ]
    assert names(folder, "columba") == [
        ("Common Wood Pigeon", "taxonomy"),
        ("Rock Pigeon", "birds"),
    ]
    # A beginning goes before a word within, and that before a part of a word.
    assert names(folder, "wood") == [("Wood Mouse", "taxonomy"), ("Common Wood Pigeon", "taxonomy")]
    assert names(folder, "inch") == [("finch", "project"), ("Common Chaffinch", "taxonomy")]
    assert names(folder, "o", 2) == [("dove", "project"), ("toad", "project")]
    assert names(folder, ".*") == []
    first = suggest_labels(folder, "palumbus")[0]
    assert (first.scientific_name, first.common_name, first.rank) == (
        "Columba palumbus",
        "Common Wood Pigeon",
        "species",
    )


def test_a_list_of_taxa_is_read_again_when_it_changes(folder: ProjectFolder) -> None:
    path = folder.root / "taxonomy.csv"
    path.write_text("name\nOwl\n")
    assert names(folder, "owl") == [("Owl", "taxonomy")]
    path.write_text("Label;x\n")
    os.utime(path, ns=(1, 1))
    with pytest.raises(FormatError, match="no column of names"):
        suggest_labels(folder, "owl")
    path.write_bytes(b"name\n\xff\xfe\n")
    os.utime(path, ns=(2, 2))
    with pytest.raises(FormatError, match="cannot be read"):
        suggest_labels(folder, "owl")


def test_a_label_is_added_once(folder: ProjectFolder) -> None:
    row = add_label(folder, "Wren", scientific_name=" Troglodytes ", rank=" ")
    assert (row.name, row.scientific_name, row.rank) == ("Wren", "Troglodytes", None)
    again = add_label(folder, "Wren", scientific_name="other", common_name="Wren")
    assert (again.scientific_name, again.common_name) == ("Troglodytes", "Wren")
    assert folder.catalogue.label_names() == ["Wren", "dove", "finch", "toad"]


@pytest.mark.parametrize(
    "name", ["", " x", "nothing", "a\nb", "a\0", "x" * 201, "DOVE", "do  ve\t"]
)
def test_what_is_no_name_is_refused(folder: ProjectFolder, name: str) -> None:
    with pytest.raises(UserError):
        add_label(folder, name)
    assert folder.catalogue.label_names() == ["dove", "finch", "toad"]
