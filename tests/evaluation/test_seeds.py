"""Seeds and recordings: each source of variance alone, both, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from antiphon.errors import UserError
from antiphon.evaluation.seeds import compare_runs, summarise_runs, summarise_values


def mean_score(score, target, weight):
    return (weight @ score / weight.sum(axis=1, keepdims=True))[:, 0]


def runs(rng, n_seeds=4, n_groups=20, seed_sd=0.0, group_sd=0.0, noise=0.0):
    """Scores whose mean is what is measured: one row for each group."""
    seeds = rng.normal(0, seed_sd, (n_seeds, 1)) if seed_sd else np.zeros((n_seeds, 1))
    groups = rng.normal(0, group_sd, (1, n_groups)) if group_sd else np.zeros((1, n_groups))
    return seeds + groups + rng.normal(0, noise, (n_seeds, n_groups))


def summarise(scores, **options):
    n = scores.shape[1]
    return summarise_runs(
        list(scores),
        np.ones(n),
        np.arange(n),
        rng=np.random.default_rng(0),
        statistic=mean_score,
        **options,
    )


def test_values_alone_are_about_seeds():
    values = [0.71, 0.74, 0.69, 0.75, 0.73]
    found = summarise_values(values)
    known = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(known)
    assert (found.about, found.method, found.n_seeds) == ("seeds", "t", 5)
    assert found.seed_sd == pytest.approx(np.std(values, ddof=1))
    assert "same recordings" in found.lines()[0]


def test_one_value_has_no_interval():
    found = summarise_values([0.7])
    assert math.isnan(found.low)
    assert found.to_json()["low"] is None
    assert "one repeat" in " ".join(found.lines())


def test_components_are_those_of_a_crossed_analysis_of_variance():
    """The statistic being a mean, everything has a closed form."""
    scores = runs(np.random.default_rng(3), 5, 40, 0.3, 1.0, 0.6)
    found = summarise(scores, n_resamples=20_000)
    s, g = scores.shape
    rows, columns = scores.mean(axis=1), scores.mean(axis=0)
    rest = scores - rows[:, None] - columns[None] + scores.mean()
    common = (rest**2).sum() / ((s - 1) * (g - 1)) / (s * g)
    assert found.error_seeds == pytest.approx(rows.std(ddof=1) / math.sqrt(s))
    assert found.error_recordings == pytest.approx(stats.sem(columns), rel=0.02)
    wanted = found.error_seeds**2 + stats.sem(columns) ** 2 - common
    assert found.error**2 == pytest.approx(wanted, rel=0.04)
    assert found.about == "both"


def test_one_source_alone():
    rng = np.random.default_rng(0)
    seeds = summarise(runs(rng, 6, 20, seed_sd=1.0))
    assert seeds.error_recordings == pytest.approx(0.0, abs=1e-6)
    known = stats.t.interval(0.95, 5, loc=seeds.value, scale=seeds.error_seeds)
    assert (seeds.low, seeds.high) == pytest.approx(known)
    groups = summarise(runs(rng, 6, 20, group_sd=1.0))
    assert groups.error_seeds == pytest.approx(0.0, abs=1e-6)
    assert groups.error == pytest.approx(groups.error_recordings)


def test_one_seed_is_about_recordings():
    found = summarise(runs(np.random.default_rng(0), 1, 20, group_sd=1.0))
    assert found.about == "recordings"
    assert "one seed" in found.note
    assert math.isnan(found.error_seeds)
    assert found.low < found.value < found.high


def test_one_group_is_about_seeds():
    found = summarise(runs(np.random.default_rng(0), 5, 1, seed_sd=1.0))
    assert (found.about, found.method) == ("seeds", "t")
    known = stats.t.interval(0.95, 4, loc=found.value, scale=found.error_seeds)
    assert (found.low, found.high) == pytest.approx(known)
    assert "too few groups" in found.note


def test_bootstrap_of_both_is_near_with_many_seeds():
    scores = runs(np.random.default_rng(2), 40, 60, 0.5, 1.0)
    one, other = (
        summarise(scores, method=m, n_resamples=4000) for m in ("components", "bootstrap")
    )
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.04)


def test_differences_paired_and_not():
    rng = np.random.default_rng(5)
    b = runs(rng, 5, 30, 1.0, 1.0)
    a = b + 0.2
    n = b.shape[1]
    paired, free = (
        compare_runs(
            list(a), list(b), np.ones(n), np.arange(n),
            rng=np.random.default_rng(0), statistic=mean_score, paired=pair,
        )
        for pair in (True, False)
    )  # fmt: skip
    assert paired.value == pytest.approx(0.2)
    assert paired.error == pytest.approx(0.0, abs=1e-6)
    # Recordings cancel in both; independent seeds do not.
    assert free.error_recordings == pytest.approx(0.0, abs=1e-6)
    spread = math.hypot(a.mean(axis=1).std(ddof=1), b.mean(axis=1).std(ddof=1))
    assert free.error_seeds == pytest.approx(spread / math.sqrt(5))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: summarise_values([0.1, math.nan]), "finite"),
        (lambda: summarise_values([]), "no values"),
        (lambda: summarise(np.zeros((2, 5)), method="x"), "not known"),
        (lambda: summarise(np.zeros((0, 5))), "at least one"),
        (lambda: summarise(np.zeros((2, 5)), level=0.0), "level"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(UserError, match=said):
        call()


def test_paired_seeds_must_be_as_many():
    with pytest.raises(UserError, match="equally many"):
        compare_runs(
            [np.zeros(3)] * 2, [np.zeros(3)], np.ones(3), np.arange(3),
            rng=np.random.default_rng(0), paired=True,
        )  # fmt: skip


def test_a_statistic_without_a_value_is_an_error():
    with pytest.raises(UserError, match="no value"):
        summarise_runs([np.zeros(4)], np.ones(4), np.arange(4), rng=np.random.default_rng(0))


def test_coverage_with_both_sources():
    """Truth 0; an interval over seeds alone, or recordings alone, misses it far too often."""
    rng = np.random.default_rng(0)
    hits = {"both": 0, "seeds": 0}
    count = 300
    for _ in range(count):
        scores = runs(rng, 4, 25, 0.2, 1.0, 0.5)
        found = summarise(scores, n_resamples=200)
        hits["both"] += found.low <= 0 <= found.high
        alone = summarise_values(scores.mean(axis=1))
        hits["seeds"] += alone.low <= 0 <= alone.high
    assert 0.91 <= hits["both"] / count <= 0.985
    assert hits["seeds"] / count < 0.88
