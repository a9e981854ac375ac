"""A draw by score: known chances, and estimates that are right in the mean."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.archive.designs import Stratified
from antiphon.evaluation.archive.quality import archive_quality
from antiphon.pipeline.annotate.stratified import draw_by_score


def archive(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of an archive with few positives, and the truth; scores are calibrated badly."""
    rng = np.random.default_rng(seed)
    score = rng.beta(0.3, 3.0, size).astype(np.float32)
    return score, rng.random(size) < score.astype(float) ** 1.3


def test_chances_are_those_of_the_draw() -> None:
    score, _ = archive(3000, 1)
    drawn = np.zeros(3000)
    chance = np.zeros(3000)
    repeats = 400
    for seed in range(repeats):
        draw = draw_by_score(score, 60, np.random.default_rng(seed))
        assert len(draw.rows) == 60 == len(set(draw.rows.tolist()))
        drawn[draw.rows] += 1
        chance[draw.rows] = draw.chance
    strata = draw.strata
    assert sum(s.size for s in strata) == 3000
    assert all(s.drawn >= 2 for s in strata)
    assert all(a.high < b.low for a, b in pairwise(strata))
    # The same strata each time, so the share of draws that hold a stratum's windows is its chance.
    for stratum in strata:
        inside = (score >= stratum.low) & (score <= stratum.high)
        expected = stratum.drawn / stratum.size
        spread = np.sqrt(expected * (1 - expected) / (repeats * stratum.size))
        assert abs(drawn[inside].mean() / repeats - expected) <= 4 * spread + 1e-12
        seen = chance[inside][chance[inside] > 0]
        np.testing.assert_allclose(seen, expected)


def test_the_weighted_precision_is_unbiased_and_the_plain_one_is_not() -> None:
    score, truth = archive(4000, 2)
    threshold = 0.1
    detected = score >= threshold
    real = truth[detected].mean()
    weighted, plain, covered = [], [], 0
    repeats = 300
    for seed in range(repeats):
        draw = draw_by_score(score, 150, np.random.default_rng(seed))
        names = np.array([draw.strata[h].name for h in draw.stratum], dtype=object)
        design = Stratified(names, {s.name: s.size for s in draw.strata})
        np.testing.assert_allclose(design.weight, 1.0 / draw.chance)
        found = archive_quality(design, truth[draw.rows].astype(float), detected[draw.rows])
        weighted.append(found.precision.value)
        covered += found.precision.low <= real <= found.precision.high
        plain.append(truth[draw.rows][detected[draw.rows]].mean())
    error = np.std(weighted, ddof=1) / np.sqrt(repeats)
    assert abs(np.mean(weighted) - real) < 3 * error + 0.002
    assert abs(np.mean(plain) - real) > 5 * error
    assert covered / repeats > 0.9


def test_a_queue_that_is_half_done_is_a_sample_as_well() -> None:
    score, truth = archive(4000, 3)
    repeats, shares = 300, []
    for seed in range(repeats):
        draw = draw_by_score(score, 160, np.random.default_rng(seed))
        half = slice(0, 110)
        names = np.array([draw.strata[h].name for h in draw.stratum[half]], dtype=object)
        if len(set(names)) < len(draw.strata):
            continue
        design = Stratified(names, {s.name: s.size for s in draw.strata})
        shares.append((design.weight * truth[draw.rows[half]]).sum() / design.weight.sum())
    assert len(shares) > 200
    assert abs(np.mean(shares) - truth.mean()) < 3 * np.std(shares) / np.sqrt(len(shares)) + 1e-3


def test_small_archives_are_taken_whole() -> None:
    score = np.array([0.1, 0.9, 0.5], np.float32)
    draw = draw_by_score(score, 10, np.random.default_rng(0))
    assert sorted(draw.rows.tolist()) == [0, 1, 2]
    assert draw.chance.tolist() == [1.0, 1.0, 1.0]
    same = draw_by_score(np.full(50, 0.25, np.float32), 10, np.random.default_rng(0))
    assert len(same.strata) == 1
    np.testing.assert_allclose(same.chance, 0.2)
    for wrong, n, message in ((score[:0], 10, "nothing to draw"), (score, 1, "2 windows")):
        with pytest.raises(UserError, match=message):
            draw_by_score(wrong, n, np.random.default_rng(0))
