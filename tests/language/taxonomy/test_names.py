from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.language.taxonomy.names import (
    fold,
    name_key,
    name_keys,
    parse_name,
    strip_authorship,
)


@pytest.mark.parametrize(
    ("text", "key", "authorship"),
    [
        ("Parus major", "parus major", ""),
        ("Parus major Linnaeus, 1758", "parus major", "Linnaeus, 1758"),
        ("Hyla meridionalis Böttger, 1874", "hyla meridionalis", "Böttger, 1874"),
        ("Falco d'Orbigny", "falco", "d'Orbigny"),
        ("Strix von Pelzeln", "strix", "von Pelzeln"),
        ("Paridae Vigors, 1825", "paridae", "Vigors, 1825"),
        ("Corvus corone cornix L.", "corvus corone cornix", "L."),
        ("Cyanistes caeruleus (Linnaeus, 1758)", "cyanistes caeruleus", "(Linnaeus, 1758)"),
        ("Parus (Parus) major", "parus major", ""),
        ("Larus (Linnaeus)", "larus", "(Linnaeus)"),
        ("PARUS MAJOR", "parus major", ""),
        ("Poa annua L. var. reptans Hausskn.", "poa annua reptans", "Hausskn."),
        ("Sylvia atricapilla de Geer", "sylvia atricapilla", "de Geer"),
        ("“Parus major”†", "parus major", ""),
        ("", "", ""),
    ],
)
def test_authors_are_taken_off(text, key, authorship):
    parsed = parse_name(text)
    assert (parsed.key, parsed.authorship) == (key, authorship)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("×Agropogon littoralis", "agropogon littoralis"),
        ("x Agropogon littoralis", "agropogon littoralis"),
        ("Citrus × aurantiifolia", "citrus aurantiifolia"),
        ("Citrus ×aurantiifolia", "citrus aurantiifolia"),
        ("Citrus x aurantiifolia (Christm.) Swingle", "citrus aurantiifolia"),
        ("Anas platyrhynchos x Anas rubripes", "anas platyrhynchos x rubripes"),
        ("Anas platyrhynchos × rubripes", "anas platyrhynchos x rubripes"),
    ],
)
def test_hybrids(text, key):
    assert parse_name(text).key == key
    assert parse_name(text).hybrid
    if "(" not in text:
        assert name_key(text) == key


@pytest.mark.parametrize(
    ("text", "key", "rank"),
    [
        ("Motacilla flava ssp. flava", "motacilla flava flava", "subspecies"),
        ("Poa annua var. reptans", "poa annua reptans", "variety"),
        ("Parus major f. albus", "parus major albus", "form"),
    ],
)
def test_rank_markers(text, key, rank):
    assert parse_name(text).key == key == name_key(text)
    assert parse_name(text).rank == rank


@pytest.mark.parametrize(
    ("text", "key", "qualifier"),
    [
        ("Turdus sp.", "turdus", "sp."),
        ("Hyla ssp.", "hyla", "ssp."),
        ("Turdus spp", "turdus", "spp"),
        ("Turdus cf. merula", "turdus", "cf."),
        ("Turdus merula aff. intermedius", "turdus merula", "aff."),
    ],
)
def test_open_nomenclature_keeps_what_is_certain(text, key, qualifier):
    assert (parse_name(text).key, parse_name(text).qualifier) == (key, qualifier)


def test_folding():
    assert fold("  Bjørn_Łódź  ") == "bjorn lodz"
    assert fold("Æthia") == "aethia"


def test_columns_are_keyed_as_names_are():
    names = ["Parus major", None, "Citrus × sinensis", "x", "Poa annua var. reptans", "Hyla Ä"]
    keys = name_keys(pa.array(names)).to_pylist()
    assert keys == [
        "parus major", None, "citrus sinensis", "x", "poa annua reptans", "hyla a"
    ]  # fmt: skip


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_text_is_keyed_the_same_alone_and_in_a_column(texts):
    keys = name_keys(pa.array(texts, pa.string())).to_pylist()
    assert keys == [name_key(text) for text in texts]
    for text in texts:
        assert parse_name(text).key == parse_name(text).key.lower()


def test_authors_given_apart():
    assert strip_authorship("Parus major Linnaeus, 1758", "Linnaeus, 1758") == "Parus major"
    assert strip_authorship("Parus major", None) == "Parus major"
    assert strip_authorship("Parus major L.", "Linnaeus") == "Parus major L."
