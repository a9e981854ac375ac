"""Quality of an archive from samples of it: by hand, and on archives whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.archive.allocation import draw_sequential, draw_stratified
from antiphon.evaluation.archive.designs import ByInclusion, Sequential, Stratified
from antiphon.evaluation.archive.quality import archive_curve, archive_quality


def archive(size=20_000, seed=0):
    """Scores, labels and strata: few positives, most of them with high scores, some with low."""
    rng = np.random.default_rng(seed)
    label = (rng.random(size) < 0.08).astype(float)
    score = 1.0 / (1.0 + np.exp(-(rng.normal(-2.0, 1.2, size) + 2.5 * label)))
    stratum = np.minimum((score * 5).astype(int), 4)
    return score, label, stratum


def truth(score, label, threshold=0.5):
    detected = score >= threshold
    hit = label[detected].sum()
    return {
        "precision": hit / detected.sum(),
        "recall": hit / label.sum(),
        "prevalence": label.mean(),
        "f1": 2 * hit / (detected.sum() + label.sum()),
    }


def test_by_hand():
    # Stratum a: 100 windows, 4 labelled, 1 positive, none detected: 25 positives missed.
    # Stratum b: 10 windows, 5 labelled, 4 positive, all detected: 8 found of 10 detected.
    design = Stratified(list("aaaabbbbb"), {"a": 100, "b": 10})
    label = [1, 0, 0, 0, 1, 1, 1, 1, 0]
    detected = [0, 0, 0, 0, 1, 1, 1, 1, 1]
    found = archive_quality(design, label, detected)
    assert found.precision.value == pytest.approx(0.8)
    assert found.recall.value == pytest.approx(8 / 33)
    assert found.prevalence.value == pytest.approx(33 / 110)
    assert found.positives.value == pytest.approx(33)
    assert found.detections.value == pytest.approx(10)
    assert found.f1.value == pytest.approx(2 * 8 / (10 + 33))
    assert found.unweighted["recall"] == pytest.approx(4 / 5)
    # All detected windows lie in b, so precision is a plain share there, corrected for 5 of 10.
    variance = (1 - 5 / 10) * 0.16 * 5 / 4 / 5
    assert Stratified(list("aaaabbbbb"), {"a": 100, "b": 10}).variance(
        np.array([0, 0, 0, 0, 0.2, 0.2, 0.2, 0.2, -0.8]) / 10
    )[0] == pytest.approx(variance)


@pytest.fixture(scope="module")
def simulated():
    """Estimates and intervals of 500 samples of one archive by each design."""
    score, label, stratum = archive()
    sizes = {h: int(n) for h, n in enumerate(np.bincount(stratum))}
    detected = (score >= 0.5).astype(float)
    rng = np.random.default_rng(4)
    found = {"stratified": [], "sequential": [], "inclusion": []}
    # Windows that look like the sound are sought out, as when a detector's best ones are labelled.
    chance = np.minimum(600 * score / score.sum(), 1.0)
    for _ in range(500):
        rows = draw_stratified(stratum, [120] * 5, rng)
        design = Stratified(stratum[rows], sizes)
        found["stratified"].append(archive_quality(design, label[rows], detected[rows]))
        rows, q = draw_sequential(score, 600, rng)
        found["sequential"].append(
            archive_quality(Sequential(q, len(score)), label[rows], detected[rows])
        )
        rows = np.flatnonzero(rng.random(len(score)) < chance)
        design = ByInclusion(chance[rows], len(score), fixed_size=False)
        found["inclusion"].append(archive_quality(design, label[rows], detected[rows]))
    return truth(score, label), found


@pytest.mark.parametrize("kind", ["stratified", "sequential", "inclusion"])
@pytest.mark.parametrize("measure", ["precision", "recall", "prevalence", "f1"])
def test_weighted_estimates_are_right_and_cover(simulated, kind, measure):
    wanted, samples = simulated
    found = [getattr(one, measure) for one in samples[kind]]
    values = np.array([one.value for one in found])
    # A ratio is biased by a fraction of its standard error that vanishes with the sample.
    assert abs(values.mean() - wanted[measure]) < 0.15 * values.std()
    inside = np.mean([one.low <= wanted[measure] <= one.high for one in found])
    assert 0.93 <= inside <= 0.995


@pytest.mark.parametrize("kind", ["stratified", "sequential", "inclusion"])
def test_ignoring_the_weights_is_biased(simulated, kind):
    wanted, samples = simulated
    for measure in ("recall", "prevalence"):
        weighted = np.array([getattr(one, measure).value for one in samples[kind]])
        plain = np.array([one.unweighted[measure] for one in samples[kind]])
        assert plain.mean() > 1.2 * wanted[measure]
        # The weighted estimate varies more, and is still nearer.
        error = [np.sqrt(np.mean((x - wanted[measure]) ** 2)) for x in (weighted, plain)]
        assert error[0] < 0.5 * error[1]


def test_bootstrap_agrees_with_linearisation():
    score, label, stratum = archive(seed=1)
    sizes = {h: int(n) for h, n in enumerate(np.bincount(stratum))}
    rows = draw_stratified(stratum, [400] * 5, np.random.default_rng(0))
    design = Stratified(stratum[rows], sizes)
    detected = score[rows] >= 0.5
    linear = archive_quality(design, label[rows], detected)
    drawn = archive_quality(
        design, label[rows], detected, method="bootstrap", rng=np.random.default_rng(0)
    )
    for measure in ("precision", "recall", "prevalence"):
        one, other = getattr(linear, measure), getattr(drawn, measure)
        assert one.value == other.value
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.02)


def test_groups_are_about_other_archives():
    """Recordings differ in how common the sound is; windows of one are much alike."""
    rng = np.random.default_rng(0)
    rate = rng.beta(0.5, 2.0, 40)
    recording = np.repeat(np.arange(40), 100)
    label = (rng.random(4000) < rate[recording]).astype(float)
    rows = np.sort(rng.choice(4000, 800, replace=False))
    design = Stratified(np.zeros(800, int), {0: 4000})
    here = archive_quality(design, label[rows], np.ones(800))
    there = archive_quality(design, label[rows], np.ones(800), groups=recording[rows])
    assert here.about == "this archive"
    assert there.about == "archives like this one"
    assert there.prevalence.value == here.prevalence.value
    wide, narrow = (x.prevalence.high - x.prevalence.low for x in (there, here))
    assert wide > 3 * narrow
    alone = archive_quality(design, label[rows], np.ones(800), groups=np.zeros(800))
    assert math.isnan(alone.prevalence.low)


def test_a_stratum_without_positives_bounds_the_recall():
    # 100 of a million low windows are all negative: 3 in 100 of them may still be positive.
    design = Stratified([0] * 100 + [1] * 50, {0: 1_000_000, 1: 500})
    label = [0] * 100 + [1] * 40 + [0] * 10
    detected = [0] * 100 + [1] * 50
    found = archive_quality(design, label, detected)
    assert found.recall.value == 1.0
    most = (1 - 0.05**0.01) * 999_900
    assert found.least_recall == pytest.approx(400 / (400 + most))
    assert "no positive among 100" in found.note
    assert any("as low as 0.013" in line for line in found.lines())


def test_a_known_number_of_detections_is_kept():
    design = Stratified([0, 0, 1, 1], {0: 10, 1: 4})
    found = archive_quality(design, [0, 1, 1, 1], [0, 0, 1, 0], detections=3)
    assert (found.detections.value, found.detections.low) == (3, 3)


def test_an_archive_labelled_in_full_is_exact():
    score, label, _ = archive(300)
    design = Stratified(np.zeros(300, int), {0: 300})
    found = archive_quality(design, label, score >= 0.5)
    wanted = truth(score, label)
    for measure in ("precision", "recall", "prevalence"):
        one = getattr(found, measure)
        assert (one.value, one.low, one.high) == pytest.approx((wanted[measure],) * 3)


def test_nothing_detected_has_no_precision():
    design = Stratified([0, 0, 0], {0: 10})
    found = archive_quality(design, [0, 1, 0], [0, 0, 0])
    assert math.isnan(found.precision.value)
    assert "nothing labelled is detected" in " ".join(found.lines())
    assert found.to_json()["precision"]["value"] is None


def test_curve_over_thresholds():
    score, label, stratum = archive(2000)
    rows = draw_stratified(stratum, [20] * 5, np.random.default_rng(0))
    sizes = {h: int(n) for h, n in enumerate(np.bincount(stratum))}
    design = Stratified(stratum[rows], sizes)
    found = archive_curve(design, label[rows], score[rows], [0.2, 0.5, 0.8])
    alone = archive_quality(design, label[rows], score[rows] >= 0.5)
    assert found[1].recall == alone.recall
    assert found[0].recall.value >= found[1].recall.value >= found[2].recall.value


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (([0, 1], [0, 1, 1]), {}, "one label"),
        (([0, 1, np.nan], [0, 1, 1]), {}, "label of row 2"),
        (([0, 1, 1], [0, 2, 1]), {}, "detection of row 1"),
        (([0, 1, 1], [0, 1, 1]), {"groups": [1]}, "one group"),
        (([0, 1, 1], [0, 1, 1]), {"method": "x"}, "not known"),
        (([0, 1, 1], [0, 1, 1]), {"method": "bootstrap"}, "generator"),
        (([0, 1, 1], [0, 1, 1]), {"level": 0.0}, "level"),
    ],
)
def test_bad_input(arguments, options, said):
    with pytest.raises(UserError, match=said):
        archive_quality(Stratified([0, 0, 0], {0: 9}), *arguments, **options)


def test_a_score_that_is_no_number():
    with pytest.raises(UserError, match="score of row 1"):
        archive_curve(Stratified([0, 0], {0: 9}), [0, 1], [0.5, np.nan], [0.5])
