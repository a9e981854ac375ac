from __future__ import annotations

import pytest

from antiphon.language.tasks import wording


@pytest.mark.parametrize(
    ("phrase", "article"),
    [
        ("Common Blackbird", "a"), ("alarm call", "an"), ("European Robin", "a"),
        ("Eurasian Wren", "a"), ("Ural Owl", "a"), ("Umbrellabird", "an"), ("hour", "an"),
        ("honeyeater", "a"), ("Unicolored Jay", "a"), ("unidentified bird", "an"),
        ("Urial", "a"), ("Usambara Thrush", "a"), ("ʻIʻiwi", "an"), ("8-spotted moth", "an"),
        ("18 s sound", "an"), ("180 Hz tone", "a"), ("one-note song", "a"), ("Oilbird", "an"),
        ("Ewe", "a"), ("FM sweep", "an"), ("UV light", "a"), ("Uinta ground squirrel", "a"),
        ("Éclair wasp", "an"), ("Utah toad", "a"), ("Undulated Tinamou", "an"), ("", "a"),
        ("Rook", "a"), ("Uniform Finch", "a"), ("Urracá", "an"), ("Mouse", "a"),
    ],
)  # fmt: skip
def test_articles(phrase: str, article: str) -> None:
    assert wording.article(phrase) == article


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("call", "calls"), ("Finch", "Finches"), ("Thrush", "Thrushes"), ("Canary", "Canaries"),
        ("Jay", "Jays"), ("Snow Goose", "Snow Geese"), ("harvest mouse", "harvest mice"),
        ("Lynx", "Lynxes"), ("species", "species"), ("larva", "larvae"),
    ],
)  # fmt: skip
def test_plurals(noun: str, plural: str) -> None:
    assert wording.plural(noun) == plural
    assert wording.counted(1, noun) == f"1 {noun}"
    assert wording.counted(3, noun) == f"3 {plural}"


def test_lists_and_numbers() -> None:
    assert wording.joined([]) == ""
    assert wording.joined(["a"]) == "a"
    assert wording.joined(["a", "b", "c"]) == "a, b and c"
    assert wording.frequency(3021.0) == "3.0 kHz"
    assert wording.frequency(437.0) == "440 Hz"
    assert wording.frequency(997.0) == "1.0 kHz"
    assert wording.frequency(45_300.0) == "45 kHz"
    assert wording.plain(0.3456) == "0.35"
    assert wording.plain(0.0996) == "0.10"
    assert wording.plain(12.4) == "12"
    assert wording.sentence("is that all?") == "Is that all?"
    assert wording.sentence("a dog barks") == "A dog barks."


def test_countries() -> None:
    assert wording.country("Peru") == "Peru"
    assert wording.country("United States") == "the United States"
    assert wording.country("Czech Republic") == "the Czech Republic"
    assert wording.country("Netherlands") == "the Netherlands"
