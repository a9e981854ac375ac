from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.language.taxonomy.fuzzy import Suggester, _matrix, aligned_distance
from antiphon.language.taxonomy.names import name_key

WORDS = st.text("abc", max_size=6)


def slow_distance(a: str, b: str) -> int:
    """The textbook's recursion for optimal string alignment."""
    table = [[i + j if not i or not j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            best = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, table[i - 2][j - 2] + 1)
            table[i][j] = best
    return table[-1][-1]


@given(WORDS, st.lists(WORDS, min_size=1, max_size=6))
def test_distances_are_those_of_the_textbook(query, words):
    letters, length = _matrix(words)
    data = np.frombuffer(query.encode(), np.uint8)
    found = aligned_distance(data, letters, length).tolist()
    assert found == [slow_distance(query, word) for word in words]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("Turdus mreula", "Turdus merula"),
        ("Turdsu merula", "Turdus merula"),
        ("Tudus merulla", "Turdus merula"),
        ("Cyanistes coeruleus", "Cyanistes caeruleus"),
        ("Turdos", "Turdus"),
        ("Parus major incognita", "Parus major"),
    ],
)
def test_near_names(gbif, misspelt, meant):
    rows = Suggester(gbif.names).suggest(name_key(misspelt))
    assert str(gbif.names.name[rows[0]]) == meant


@pytest.mark.parametrize("far", ["Turdus xyz", "Tardos merale", "Nemo", "", "Turdus merulassss"])
def test_far_names(gbif, far):
    assert Suggester(gbif.names).suggest(name_key(far)) == []


def test_the_kingdom_is_kept_to_and_taxa_are_named_once(gbif):
    suggester = Suggester(gbif.names)
    animals, plants = (gbif.kingdoms.index(name) for name in ("Animalia", "Plantae"))
    found = {k: suggester.suggest("oenante", k) for k in (animals, plants, 255)}
    assert [int(gbif.names.kingdom[row]) for row in found[animals]] == [animals]
    assert [int(gbif.names.kingdom[row]) for row in found[plants]] == [plants]
    assert len(found[255]) == 2
    # "Parus caeruleus" and "Parus coeruleus" are names of one taxon.
    assert len(suggester.suggest("parus caruleus")) == 1
