"""The page and the tables: what they show, and that they need nothing from outside."""

from __future__ import annotations

import csv
import html.parser
import json
import re

import pytest

from antiphon.active.benchmark.compute import compute_figures
from antiphon.active.benchmark.folder import Failure
from antiphon.active.benchmark.page import benchmark_page
from antiphon.active.benchmark.tables import figures_json, write_tables
from antiphon.active.benchmark.words import (
    p_text,
    plus_minus,
    seconds_text,
    signed,
    signed_interval,
)
from antiphon.errors import UserError
from antiphon.evaluation.paired import mean_interval
from tests.active.benchmark.made import made_facts, made_result

NAMES = ("random", "antiphon", "coreset")
SETS = [made_facts(f"casey{i}", domain="ATBFL") for i in range(7)] + [made_facts("HSN")]


@pytest.fixture(scope="module")
def results():
    return [
        made_result(
            name, facts, seed, [0.1 * k + 0.01 * seed, 0.2 * k + 0.01 * i], select_s=0.2 * k
        )
        for k, name in enumerate(NAMES, start=1)
        for i, facts in enumerate(SETS)
        for seed in (0, 1, 2)
    ]


@pytest.fixture(scope="module")
def page(results):
    return benchmark_page(
        compute_figures(results), results, failures=[Failure("P<nd>", "dpp", 1, "a & b")], missing=3
    )


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.open, self.headings = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found += [v for k, v in attrs if k in ("src", "href", "action") and v]
        if tag not in ("meta", "br", "link", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_the_page_is_well_formed_and_alone(page):
    reader = Links()
    reader.feed(page)
    assert reader.open == []
    assert all(link.startswith(("#", "data:")) for link in reader.found)
    assert [h.split(". ")[1] for h in reader.headings] == [
        "Overview",
        "Results by set",
        "Learning curves",
        "Against Random",
        "antiphon against the others",
        "By sub-domain",
        "Schedule and selection",
        "Cost",
        "How to read it",
    ]


def test_names_and_reasons_are_escaped(page):
    assert "dpp on P&lt;nd&gt;, seed 1: a &amp; b" in page
    assert "72 of 75" in page


def test_figures_are_those_computed(page, results):
    figures = compute_figures(results)
    text = re.sub(r"<[^>]+>", " ", page)
    for system in figures.systems:
        assert plus_minus(figures.standings[system.key].overall["aulc"]) in text
    assert "8 sets, 24 pairs" in text


def test_what_there_is_nothing_to_say_on_is_left_out():
    alone = [made_result("coreset", SETS[-1], 0, [0.1, 0.2])]
    page = benchmark_page(compute_figures(alone), alone)
    for title in ("Against Random", "against the others", "By sub-domain"):
        assert title not in page


def test_many_systems_are_folded(results):
    many = results + [
        made_result(f"strategy{k}", facts, seed, [0.1, 0.2])
        for k in range(8)
        for facts in SETS
        for seed in (0, 1)
    ]
    assert "4 more systems" in benchmark_page(compute_figures(many), many)


def test_an_unknown_reference_is_refused(results):
    with pytest.raises(UserError, match="'moon'"):
        benchmark_page(compute_figures(results), results, reference="moon")


def test_json_holds_the_same_figures(results):
    values = json.loads(json.dumps(figures_json(compute_figures(results)), allow_nan=False))
    assert [s["label"] for s in values["systems"]] == ["coreset", "antiphon", "random"]
    assert len(values["results"]) == 24
    assert values["reference"] == "antiphon"
    (test,) = [c for c in values["against_reference"]["final"] if c["b"] == "random"]
    assert test["difference"]["value"] == pytest.approx(0.2)
    assert test["difference"]["n_groups"] == 8
    assert values["overall"]["random"]["overall"]["final"]["value"] == pytest.approx(
        ((0.2 + 0.03) + (0.2 + 0.07)) / 2
    )


def test_tables_hold_each_run_and_cycle(results, tmp_path):
    figures = compute_figures(results)
    runs, cycles = (
        list(csv.DictReader(path.open())) for path in write_tables(results, figures, tmp_path)
    )
    assert (len(runs), len(cycles)) == (72, 144)
    some = next(r for r in runs if (r["system"], r["set"], r["seed"]) == ("coreset", "HSN", "2"))
    assert float(some["aulc"]) == pytest.approx((0.32 / 2 + (0.32 + 0.67) / 2) / 2)
    assert float(some["final_mAP"]) == pytest.approx(0.67)
    last = next(c for c in cycles if c["system"] == "coreset" and c["cycle"] == "2")
    assert last["n_labelled"] == "100"


def test_numbers_in_words():
    assert plus_minus(mean_interval([0.5])) == "0.500"
    assert plus_minus(mean_interval([float("nan")])) == "–"
    assert (signed(0.0214), signed(-0.0004), signed(-0.1)) == ("+0.021", "0.000", "−0.100")
    assert signed_interval(0.1, 0.05, float("nan")) == "+0.100"
    assert signed_interval(0.1, -0.05, 0.2) == "+0.100 [−0.050, +0.200]"
    assert (p_text(0.0004), p_text(0.25)) == ("<0.001", "0.250")
    assert (seconds_text(0.0123), seconds_text(2.5)) == ("12.3 ms", "2.50 s")
