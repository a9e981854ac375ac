"""Figures worked by hand from runs made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from antiphon.active.benchmark.compute import compute_figures, equal_grid, sub_domain
from antiphon.active.benchmark.figures import plain
from antiphon.errors import UserError
from tests.active.benchmark.made import made_facts, made_result

A, B = made_facts("HSN", domain="BirdSet"), made_facts("casey2014", domain="ATBFL")
C = made_facts("kerguelen2005", domain="ATBFL")


def test_scores_of_one_system_on_one_set():
    curves = [[0.2, 0.4], [0.3, 0.5], [0.1, 0.6]]
    figures = compute_figures([made_result("random", A, s, c) for s, c in enumerate(curves)])
    (system,) = figures.systems
    cell = figures.cell(system, figures.sets[0])
    # Triangle 0..50, trapezoid 50..100, over 100 labels: (m1 / 2 + (m1 + m2) / 2) / 2.
    areas = [0.2, 0.275, 0.2]
    assert cell.by_seed["aulc"] == pytest.approx(areas)
    found = cell.scores["aulc"]
    assert found.value == pytest.approx(np.mean(areas))
    known = stats.t.interval(0.95, 2, loc=np.mean(areas), scale=stats.sem(areas))
    assert (found.low, found.high) == pytest.approx(known)
    assert cell.by_seed["final"] == (0.4, 0.5, 0.6)
    assert cell.curve.n_labelled == (50, 100)
    assert cell.curve.mean == pytest.approx([0.2, 0.5])
    assert cell.curve.sd == pytest.approx(np.std(curves, axis=0, ddof=1))
    assert (cell.events, cell.select_s, cell.train_s) == pytest.approx((200, 0.02, 1.0))
    assert cell.relative_cost == pytest.approx(1.0)


def test_the_equal_grid_takes_the_schedule_out():
    # The same curve, a straight line to 0.4 at 100 labels, measured four times and twice.
    often = made_result("often", A, 0, [0.1, 0.2, 0.3, 0.4], schedule="25")
    seldom = made_result("seldom", A, 0, [0.2, 0.4])
    figures = compute_figures([often, seldom])
    cells = {s.strategy: figures.cell(s, figures.sets[0]) for s in figures.systems}
    assert cells["often"].by_seed["aulc_grid"] == pytest.approx(
        cells["seldom"].by_seed["aulc_grid"]
    )
    assert cells["often"].relative_cost == pytest.approx(2 * cells["seldom"].relative_cost)


def test_grids():
    assert equal_grid(500) == list(range(50, 501, 50))
    assert equal_grid(120) == [50, 100, 120]
    assert equal_grid(10) == [10]


def test_sub_domains_are_averaged_before_the_whole():
    results = [
        made_result("random", facts, seed, [value + seed / 100])
        for facts, value in ((A, 0.8), (B, 0.2), (C, 0.4))
        for seed in (0, 1, 2)
    ]
    figures = compute_figures(results)
    (system,) = figures.systems
    standing = figures.standings[system.key]
    assert set(figures.sub_domains) == {"HSN", "ATBFL"}
    assert standing.sub_domains["final"]["ATBFL"].value == pytest.approx(0.31)
    overall = standing.overall["final"]
    assert overall.value == pytest.approx((0.81 + 0.31) / 2)
    by_seed = [0.55, 0.56, 0.57]
    known = stats.t.interval(0.95, 2, loc=np.mean(by_seed), scale=stats.sem(by_seed))
    assert (overall.low, overall.high) == pytest.approx(known)


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("hsn.3", "BirdSet", "HSN"),
        ("hsn.3-s2", "BirdSet", "HSN"),
        ("POW", "BirdSet", "POW"),
        ("greenwich2015.1", "ATBFL", "ATBFL"),
        ("pond.3", "", "pond.3"),
    ],
)
def test_what_a_set_is_averaged_in(name, domain, expected):
    assert sub_domain(made_facts(name, domain=domain)) == expected


def test_a_system_that_lacks_a_set_has_no_overall_figure_and_comes_last():
    results = [made_result("random", facts, 0, [0.1]) for facts in (A, B)]
    figures = compute_figures([*results, made_result("best", A, 0, [0.9])])
    assert [s.strategy for s in figures.systems] == ["random", "best"]
    assert figures.standings[figures.systems[1].key].overall["aulc"] is None
    assert any("1 of 4 combinations" in note for note in figures.notes)


def test_labels_say_only_what_differs():
    one = compute_figures([made_result("random", A, 0, [0.1, 0.2])])
    assert [s.label for s in one.systems] == ["random"]
    two = compute_figures(
        [
            made_result("random", A, 0, [0.1, 0.2]),
            made_result("random", A, 0, [0.1, 0.2, 0.3, 0.4], schedule="25"),
        ]
    )
    assert {s.label for s in two.systems} == {"random, 50x2", "random, 25x4"}
    assert two.find("random, 25x4").schedule == "25x4"
    with pytest.raises(UserError, match=r"no results of 'margin'.*random, 25x4"):
        two.find("margin")


def test_sets_of_one_name_are_told_apart():
    twins = [made_facts("HSN", key="aaaaaaaa1"), made_facts("HSN", key="bbbbbbbb2")]
    figures = compute_figures([made_result("random", twin, 0, [0.1]) for twin in twins])
    assert [d.label for d in figures.sets] == ["HSN (aaaaaa)", "HSN (bbbbbb)"]


def test_notes_on_what_does_not_compare():
    results = [
        made_result("random", A, 0, [0.1]),
        made_result("random", A, 1, [0.1], code="other"),
        made_result("coreset", A, 0, [0.1, 0.2]),
    ]
    notes = " ".join(compute_figures(results).notes)
    assert "2 versions of the code" in notes
    assert "Budgets differ (50, 100 labels)" in notes
    assert "(1 to 2)" in notes


def test_plain_values_have_no_nan():
    figures = compute_figures([made_result("random", A, 0, [0.1])])
    cell = plain(next(iter(figures.cells.values())))
    assert cell["scores"]["aulc"]["low"] is None
    assert cell["curve"]["sd"] == [None]
    assert plain({"x": (1.5, math.inf)}) == {"x": [1.5, None]}


def test_nothing_to_report():
    with pytest.raises(UserError, match="no finished runs"):
        compute_figures([])
