from __future__ import annotations

import pytest

from antiphon.errors import FormatError, UserError
from antiphon.labels.labelset import Label, LabelSet
from antiphon.training.data.labels import SourceLabels, read_taxonomy, unify


def source(name: str, *labels: Label | str, rename: dict[str, str | None] | None = None):
    made = tuple(Label(one) if isinstance(one, str) else one for one in labels)
    return SourceLabels(name, made, rename or {})


BLACKBIRD = Label("Blackbird", scientific_name="Turdus merula")


def test_same_names_are_one_class_whatever_the_case():
    classes = unify([source("one", "Wren", "Robin"), source("two", "robin", "Owl")])
    assert classes.label_set.names == ("Wren", "Robin", "Owl")
    assert [column.tolist() for column in classes.columns] == [[0, 1], [1, 2]]
    assert classes.label_set.find("ROBIN").name == "Robin"


def test_scientific_common_and_joined_names_meet():
    classes = unify(
        [
            source("one", BLACKBIRD),
            source("two", "Turdus merula"),
            source("three", "Turdus merula_Eurasian Blackbird"),
            source("four", Label("blkbrd", synonyms=("eurbla", "Eurasian Blackbird"))),
        ]
    )
    assert [column.tolist() for column in classes.columns] == [[0], [0], [0], [0]]
    (label,) = classes.label_set
    assert label.name == "Blackbird"
    assert label.scientific_name == "Turdus merula"
    assert classes.label_set.find("eurbla") is label


def test_a_name_that_joins_two_classes_is_an_error():
    with pytest.raises(UserError, match=r"'three'.*'Turdus merula_Amsel' fits several.*'Amsel'"):
        unify(
            [
                source("one", "Turdus merula"),
                source("two", "Amsel"),
                source("three", "Turdus merula_Amsel"),
            ]
        )


def test_one_name_for_two_species_is_an_error():
    other = Label("Blackbird", scientific_name="Agelaius phoeniceus")
    with pytest.raises(UserError, match=r"'two'.*Agelaius phoeniceus.*'Blackbird'.*Turdus merula"):
        unify([source("one", BLACKBIRD), source("two", other)])


def test_call_types_of_a_species_stay_apart():
    song = Label("Blackbird song", "call_type", "Turdus merula")
    alarm = Label("Blackbird alarm", "call_type", "Turdus merula")
    classes = unify([source("one", song, alarm), source("two", "Turdus merula", BLACKBIRD)])
    assert classes.label_set.names == ("Blackbird song", "Blackbird alarm", "Turdus merula")
    assert classes.columns[1].tolist() == [2, 2]


def test_renamed_and_dropped_names():
    classes = unify(
        [
            source("one", "Wren"),
            source("two", "wrn", "noise", "Owl", rename={"wrn": "Wren", "noise": None}),
        ]
    )
    assert classes.label_set.names == ("Wren", "Owl")
    assert classes.columns[1].tolist() == [0, -1, 1]


def test_taxonomy_joins_and_unused_names_are_no_class():
    taxonomy = LabelSet(
        [Label("Parus major", common_name="Great Tit", synonyms=("gretit",)), Label("Owl")]
    )
    classes = unify([source("one", "gretit"), source("two", "great tit", "Fox")], taxonomy)
    assert classes.label_set.names == ("Parus major", "Fox")
    assert [column.tolist() for column in classes.columns] == [[0], [0, 1]]


def test_closed_taxonomy_is_the_list_of_classes():
    taxonomy = LabelSet([Label("Parus major"), Label("Owl")])
    classes = unify([source("one", "Owl")], taxonomy, closed=True)
    assert classes.label_set.names == ("Parus major", "Owl")
    with pytest.raises(UserError, match=r"'one': label 'Parus minor'.*Did you mean 'Parus major'"):
        unify([source("one", "Parus minor")], taxonomy, closed=True)


def test_many_labels_take_no_quadratic_time():
    names = [f"Genus{n % 997} species{n}" for n in range(20_000)]
    classes = unify([source("one", *names), source("two", *names)])
    assert len(classes.label_set) == 20_000
    assert classes.columns[0].tolist() == classes.columns[1].tolist()


def test_taxonomy_file(tmp_path):
    path = tmp_path / "taxa.csv"
    path.write_text(
        "name,scientific_name,common_name,synonyms,kind\n"
        'Parus major,Parus major,Great Tit,"gretit; kohlmeise",species\n'
        "Owl hoot,,,,call_type\n",
        encoding="utf-8",
    )
    labels = read_taxonomy(path)
    assert labels.find("Kohlmeise").common_name == "Great Tit"
    assert [label.kind for label in labels] == ["species", "call_type"]
    path.write_text("name,kind\nOwl,animal\n", encoding="utf-8")
    with pytest.raises(FormatError, match="row 2: the kind 'animal'"):
        read_taxonomy(path)
    path.write_text("species,kind\nOwl,species\n", encoding="utf-8")
    with pytest.raises(FormatError, match="no column 'name'"):
        read_taxonomy(path)
