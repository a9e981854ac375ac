"""Windows and classes on which the same members spoke."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.soundscape.ensemble.masks import alike, blocks


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.integers(0, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_every_place_is_in_one_block_with_all_members_that_are_there(members, rows, classes, seed):
    there = np.random.default_rng(seed).random((members, rows, classes)) < 0.6
    seen = np.zeros(there.shape, int)
    visits = np.zeros(there.shape[1:], int)
    for who, where, what in blocks(there):
        seen[np.ix_(who, where, what)] += 1
        visits[np.ix_(where, what)] += 1
    assert (seen == there).all()
    assert (visits == there.any(axis=0)).all()


def test_classes_that_are_there_on_the_same_rows():
    there = np.array([[1, 0, 1, 0], [1, 1, 1, 0]], bool)
    found = {tuple(columns): tuple(rows) for rows, columns in alike(there)}
    assert found == {(0, 2): (0, 1), (1,): (1,)}
