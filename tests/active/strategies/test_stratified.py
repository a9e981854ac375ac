from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.stratified import allocation, strata
from tests.active.strategies.views import view


def test_strata_of_even_scores_are_ten_of_the_same_size() -> None:
    score = (np.arange(2000, dtype=np.float32) + 0.5) / 2000
    found = strata(score)
    assert (np.diff(found) >= 0).all()
    np.testing.assert_allclose(np.bincount(found), 200, atol=10)


def test_strata_follow_the_cumulative_root_of_frequencies() -> None:
    # 900 scores in one bin and 100 in another: roots 30 and 10, so middles at 15/40 and 35/40
    # of the cumulated root, counted from half of the first bin.
    score = np.repeat(np.array([0.0024, 0.9], np.float32), [900, 100])
    found = strata(score, count=4)
    assert found[0] == int(15 / 40 * 4)
    assert found[-1] == int(25 / 40 * 4)


def test_allocation_is_neymans_with_one_for_each_stratum() -> None:
    score = np.repeat(np.array([0.0, 0.5, 0.9], np.float32), [80, 40, 20])
    stratum = np.repeat(np.array([0, 1, 3]), [80, 40, 20])
    goal = allocation(score, stratum, 26, count=4)
    # Size times deviation: 80 x 0.001, 40 x 0.5 and 20 x 0.3, in all 26.08.
    assert goal[0] == 1.0
    assert goal[2] == 0.0
    assert goal[1] == pytest.approx(20 / 26.08 * 26)
    assert goal[3] == pytest.approx(6 / 26.08 * 26, rel=1e-3)


def test_a_single_label_gets_its_allocation() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random((400, 1)) ** 3
    pool = view(rng.normal(size=(400, 3)), [], None, probability, n_labels=1)
    rows = select("stratified", pool, 60).rows
    stratum = strata(pool.probabilities[:, 0])
    goal = allocation(pool.probabilities[:, 0], stratum, 60)
    got = np.bincount(stratum[rows], minlength=10)
    # Strata that get at least one shift a few of the others.
    np.testing.assert_allclose(got, goal, atol=1.5)
    assert (got[goal > 0] > 0).all()


def test_labelled_windows_count_and_unknown_ones_do_not() -> None:
    score = np.repeat(np.array([0.3, 0.7], np.float32), 50)[:, None]
    x = np.random.default_rng(0).normal(size=(100, 3))
    known = view(x, np.arange(10), np.ones((10, 1)), score)
    assert (select("stratified", known, 10).rows >= 50).all()
    unknown = view(x, np.arange(10), np.full((10, 1), np.nan), score)
    assert (select("stratified", unknown, 10).rows >= 50).sum() == 5
