from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from antiphon.language.taxonomy.hashing import hash_text, sort_keys, text_spans

MASK = (1 << 64) - 1
ODD = 0x9E3779B97F4A7C15


def by_hand(text: str, seed: int) -> int:
    """The same hash with Python's own integers, byte by byte."""
    data = text.encode()
    state = ((len(data) + seed) * ODD) & MASK
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at : at + 8], "little")
        mixed = ((state ^ word) * ODD) & MASK
        state = mixed ^ (mixed >> 29)
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


@given(st.lists(st.text(max_size=40), max_size=10), st.integers(0, 9))
def test_columns_are_hashed_as_one_value_is(texts, seed):
    hashed = hash_text(pa.array(texts, pa.string()), seed).tolist()
    assert hashed == [by_hand(text, seed) for text in texts]


def test_slices_and_nulls():
    column = pa.array(["unused", "parus major", None, "x"]).slice(1)
    assert hash_text(column).tolist() == [by_hand(t, 0) for t in ("parus major", "", "x")]
    _, start, length = text_spans(column)
    assert start.tolist() == [0, 11, 11]
    assert length.tolist() == [11, 0, 1]


def test_names_of_a_genus_lie_together_and_its_own_first():
    genus, species, other = sort_keys(pa.array(["parus", "parus major", "corvus corax"]))
    assert genus >> np.uint64(32) == species >> np.uint64(32) != other >> np.uint64(32)
    assert genus & np.uint64(0xFFFFFFFF) == 0
    assert species > genus


def test_empty_columns():
    assert len(sort_keys(pa.array([], pa.string()))) == 0
    assert sort_keys(pa.array([""])).tolist() == [by_hand("", 0) >> 32 << 32]
