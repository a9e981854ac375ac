from __future__ import annotations

import numpy as np

from antiphon.language.taxonomy.linking import (
    HashIndex,
    cut_circles,
    follow,
    prefer_earlier,
    topmost,
)


def ints(*values):
    return np.array(values, np.int32)


def test_ids_are_found_and_the_first_of_equal_ones_counts():
    index = HashIndex(np.array([7, 3, 7, 9], np.uint64))
    assert index.find(np.array([9, 7, 5, 0], np.uint64)).tolist() == [3, 0, -1, -1]
    assert index.repeated().tolist() == [False, False, True, False]
    assert HashIndex(np.empty(0, np.uint64)).find(np.array([1], np.uint64)).tolist() == [-1]


def test_chains_of_synonyms_are_followed():
    # 0 accepted; 1 -> 0; 2 -> 1; 3 points nowhere; 4 and 5 point at each other; 6 -> 3.
    synonym = np.array([False, True, True, True, True, True, True])
    target, cyclic = follow(synonym, ints(-1, 0, 1, -1, 5, 4, 3))
    assert target.tolist() == [0, 0, 0, -1, -1, -1, -1]
    assert cyclic.tolist() == [False, False, False, False, True, True, False]


def test_circles_of_parents_are_cut():
    parent = ints(-1, 0, 1, 4, 3, 3)
    cut = cut_circles(parent)
    assert parent.tolist() == [-1, 0, 1, -1, -1, -1]
    assert cut.tolist() == [False, False, False, True, True, True]


def test_the_nearest_marked_taxon_above():
    parent = ints(-1, 0, 1, 2, -1, 4)
    stop = np.array([False, True, False, False, False, False])
    assert topmost(parent, stop).tolist() == [0, 1, 1, 1, 4, 4]


def test_the_earlier_checklist_is_preferred():
    # Rows 0 and 1: one name in two checklists. 2: a synonym of 1. 3 and 4: homonyms in the second
    # checklist of 5 in the first. 6: as 0, but another kingdom.
    sort = np.array([5, 5, 8, 9, 9, 9, 5], np.uint64)
    rank = np.zeros(7, np.uint8)
    kingdom = np.array([0, 0, 0, 0, 0, 0, 1], np.uint8)
    checklist = np.array([0, 1, 1, 1, 1, 0, 1], np.uint8)
    target = ints(0, 1, 1, 3, 4, 5, 6)
    usable = target == np.arange(7)
    found = prefer_earlier(target, sort, rank, kingdom, checklist, usable)
    assert found.tolist() == [0, 0, 0, 3, 4, 5, 6]
