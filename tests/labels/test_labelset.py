from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.labels.labelset import Label, LabelSet

BLACKBIRD = Label(
    "Eurasian Blackbird",
    scientific_name="Turdus merula",
    common_name="Eurasian Blackbird",
    rank="species",
    synonyms=("Amsel", "eurbla"),
)
SONG = Label("song", kind="call_type", scientific_name="Fringilla coelebs")
RAIN_CALL = Label("rain call", kind="call_type", scientific_name="Fringilla coelebs")
WREN = Label("Troglodytes troglodytes_Eurasian Wren")
SET = LabelSet([BLACKBIRD, SONG, RAIN_CALL, WREN])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Eurasian Blackbird", BLACKBIRD),
        ("  eurasian  BLACKBIRD ", BLACKBIRD),
        ("turdus merula", BLACKBIRD),
        ("amsel", BLACKBIRD),
        ("EURBLA", BLACKBIRD),
        ("Turdus merula_Eurasian Blackbird", BLACKBIRD),
        ("Turdus merula_Common Blackbird", BLACKBIRD),
        ("Song", SONG),
        ("Eurasian Wren", WREN),
        ("troglodytes troglodytes", WREN),
        (WREN.name, WREN),
    ],
)
def test_every_name_finds_its_label(name: str, label: Label) -> None:
    assert SET.resolve(name) is label
    assert name in SET


def test_an_unknown_name_comes_with_close_ones() -> None:
    assert SET.find("Eurasian Blakbird") is None
    with pytest.raises(UserError, match="Did you mean 'Eurasian Blackbird'"):
        SET.resolve("Eurasian Blakbird")
    with pytest.raises(UserError, match="not in the label set"):
        SET.resolve("xyzzy")


def test_a_shared_name_is_not_guessed() -> None:
    with pytest.raises(UserError, match="song, rain call"):
        SET.resolve("Fringilla coelebs")
    assert SET.find("Fringilla coelebs") is None


def test_many_names_at_once() -> None:
    found = SET.resolve_all(["amsel", "song", "amsel", "Amsl", "Fringilla coelebs", "zz9"])
    assert found.known == {"amsel": "Eurasian Blackbird", "song": "song"}
    assert found.unknown == {
        "Amsl": ("Eurasian Blackbird",),
        "Fringilla coelebs": ("song", "rain call"),
        "zz9": (),
    }


@pytest.mark.parametrize("name", ["nothing", "None", " NONE ", "", " x", "a\tb"])
def test_reserved_and_broken_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="cannot be called"):
        Label(name)
    with pytest.raises(UserError, match="cannot be called"):
        Label("fine", synonyms=(name,))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError, match="call_type"):
        Label("x", kind="animal")  # type: ignore[arg-type]


def test_names_that_collide_are_refused() -> None:
    with pytest.raises(UserError, match="Two labels"):
        LabelSet([Label("wren"), Label("Wren")])
    with pytest.raises(UserError, match="stands for two labels"):
        LabelSet([Label("wren"), Label("robin", synonyms=("Wren",))])
    with pytest.raises(UserError, match="stands for two labels"):
        LabelSet([Label("wren", synonyms=("w",)), Label("robin", synonyms=("W",))])


def test_a_label_set_with_underscores_in_plain_names_keeps_them_whole() -> None:
    labels = LabelSet([Label("dog_bark", kind="other"), Label("dog_whine", kind="other")])
    assert labels.find("dog") is None
    assert labels.resolve("DOG_BARK").name == "dog_bark"


def test_extending_and_json_keep_everything() -> None:
    more = SET.extended([Label("rain", kind="other")])
    assert more.names == (*SET.names, "rain")
    assert len(more) == 5
    again = LabelSet.from_json(json.loads(json.dumps(more.to_json())))
    assert list(again) == list(more)


@given(st.lists(st.text("abcXYZ _", min_size=1).map(str.strip).filter(bool), unique_by=str.lower))
def test_each_name_of_a_set_finds_itself(names: list[str]) -> None:
    names = list({" ".join(n.split()).casefold(): n for n in names if n.lower() != "none"}.values())
    labels = LabelSet(Label(name) for name in names)
    assert [labels.resolve(name).name for name in names] == names
