"""Whole runs: several models, intervals, comparisons, files."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.language.benchmark.contamination import check_contamination
from antiphon.language.benchmark.references import References
from antiphon.language.benchmark.run import load_references, run_benchmark
from antiphon.language.benchmark.settings import Settings
from antiphon.language.benchmark.writing import write_report
from tests.language.benchmark.made import model, references, write_jsonl

QUICK = Settings(resamples=200)


def calls(n=40, seed=0):
    """Questions of four a recording, and the answers of a good and of a poor model."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["call", "song"], n)
    other = {"call": "song", "song": "call"}
    rows = [(str(i), t) for i, t in enumerate(truth)]
    truths = references(rows, "call-type", groups=[f"r{i // 4}" for i in range(n)])
    good, poor = (
        {name: t if rng.random() < share else other[t] for name, t in rows} for share in (0.9, 0.5)
    )
    return truths, good, poor


def test_two_models_on_the_same_questions():
    truths, good, poor = calls()
    models = [model("good", good, "call-type"), model("poor", poor, "call-type")]
    report = run_benchmark(truths, models, QUICK)
    first, second = report.results
    rows = truths.components["call-type"].rows
    right = [good[r.id] == r.truth[0] for r in rows]
    assert first.leading.value == pytest.approx(np.mean(right))
    assert first.leading.low < first.leading.value < first.leading.high
    assert (first.groups, first.group_field) == (10, "group")
    (difference,) = report.differences
    assert difference.value == pytest.approx(first.leading.value - second.leading.value)
    assert difference.low < difference.value < difference.high
    assert 0.0 < difference.p < 0.05
    assert difference.p_holm == difference.p


def test_a_models_numbers_do_not_depend_on_the_others_or_on_the_order_of_rows():
    truths, good, poor = calls()
    alone = run_benchmark(truths, [model("a", good, "call-type")], QUICK).results[0]
    models = [model("b", poor, "call-type"), model("a", good, "call-type")]
    assert run_benchmark(truths, models, QUICK).results[1] == alone
    again = run_benchmark(truths, [model("a", good, "call-type")], QUICK).results[0]
    assert again == alone
    other = QUICK.model_copy(update={"seed": 1})
    changed = run_benchmark(truths, [model("a", good, "call-type")], other).results[0]
    assert changed.leading.value == alone.leading.value
    assert changed != alone


def test_questions_without_an_answer_are_wrong_and_counted():
    truths = references([("1", "call"), ("2", "song")], "call-type")
    (found,) = run_benchmark(truths, [model("m", {"1": "call"}, "call-type")], QUICK).results
    assert (found.leading.value, found.missing) == (0.5, 1)
    assert "1 of 2 questions have no answer" in found.notes
    assert found.ways == {"exact": 1}


def test_a_component_without_any_answer_is_listed_not_scored():
    both = References(
        {
            **references([("1", "call")], "call-type").components,
            **references([("2", "adult")], "lifestage").components,
        }
    )
    report = run_benchmark(both, [model("m", {"1": "call"}, "call-type")], QUICK)
    assert [r.component for r in report.results] == ["call-type"]
    assert report.unanswered == {"m": ("lifestage",)}


def test_scores_and_texts_are_judged_side_by_side():
    truths = references([("1", "call"), ("2", "song"), ("3", "song")], "call-type")
    said = {
        "1": {"call": -0.1, "song": -2.0},
        "2": {"call": -0.1, "song": -2.0},
        "3": {"call": -3.0, "song": -0.1},
    }
    (found,) = run_benchmark(truths, [model("m", said, "call-type")], QUICK).results
    assert found.value("accuracy").value == pytest.approx(2 / 3)
    assert found.value("accuracy_scores").value == pytest.approx(2 / 3)
    # call: -0.1, -0.1, -3.0 with one positive tied for the first place; song: all in order but one.
    assert found.value("map").value == pytest.approx((1 / 2 + (1 + 2 / 3) / 2) / 2)
    assert found.ways == {"scores": 3}


def test_captions_give_reasons_for_what_is_not_computed(monkeypatch):
    from antiphon.language.benchmark import caption_models

    monkeypatch.setattr(caption_models, "_installed", lambda name: False)
    truths = references([("1", "A frog calls at night."), ("2", "Birds sing.")], "captioning")
    said = {"1": "a frog calls at night", "2": ""}
    (found,) = run_benchmark(truths, [model("m", said, "captioning")], QUICK).results
    assert found.leading.measure == "cider_d"
    assert found.leading.value == pytest.approx(5.0)
    assert found.value("rouge_l").value == pytest.approx(0.5)
    assert found.value("answered").value == 0.5
    assert "not installed" in found.not_computed["bertscore_f1"]


def test_means_are_over_components_that_all_models_have():
    both = References(
        {
            **references([("1", "call"), ("2", "song")], "call-type").components,
            **references([("3", "adult"), ("4", "juvenile")], "lifestage").components,
        }
    )
    said = {"1": "call", "2": "song", "3": "adult", "4": "adult"}
    first = model("m", said, "")
    report = run_benchmark(both, [first], QUICK)
    (mean,) = report.means
    assert mean.value.value == pytest.approx(0.75)
    assert mean.components == ("call-type", "lifestage")


@pytest.mark.parametrize(
    ("names", "component", "said"),
    [
        (("m", "m"), "call-type", "same model name"),
        (("m",), "cbi", "There is no component 'cbi'"),
    ],
)
def test_mistakes_are_told(names, component, said):
    truths, good, _ = calls(8)
    models = [model(name, good, "call-type") for name in names]
    with pytest.raises(UserError, match=said):
        run_benchmark(truths, models, QUICK.model_copy(update={"components": (component,)}))


def test_answers_to_other_questions_are_an_error():
    with pytest.raises(UserError, match="No answer belongs to a question"):
        run_benchmark(references([("1", "a")]), [model("m", {"x": "a"})], QUICK)


class Tags(HTMLParser):
    """Counts of open elements, to see that a page is whole."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "br", "input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_files_of_a_run(tmp_path):
    truths, good, poor = calls(16)
    good["0"], good["1"] = "<b>junk</b>", "=1+1"
    corpus = write_jsonl(tmp_path / "corpus.jsonl", [{"id": "x", "url": "https://a.org/1"}])
    seen = check_contamination(truths, corpus)
    report = run_benchmark(
        truths,
        [model("good", {**good, "99": "call"}, "call-type"), model("poor", poor, "call-type")],
        QUICK,
        contamination=seen,
    )
    paths = {p.name: p.read_text() for p in write_report(report, tmp_path / "out")}
    body = json.loads(paths["report.json"])
    assert [r["model"] for r in body["results"]] == ["good", "poor"]
    assert body["results"][0]["values"][0]["measure"] == "accuracy"
    assert body["rejected"] == {"good": {"has an id that no reference has": 1}}
    measures = list(csv.DictReader(io.StringIO(paths["measures.csv"])))
    assert [m["leading"] for m in measures[:2]] == ["yes", ""]
    answers = list(csv.DictReader(io.StringIO(paths["answers.csv"])))
    assert len(answers) == 32
    assert (answers[0]["text"], answers[0]["how"]) == ("<b>junk</b>", "unknown")
    assert answers[1]["text"] == "'=1+1"
    assert "| call-type | accuracy | 16 | " in paths["table.md"]
    assert "good.jsonl, line" in paths["rejected.csv"]
    page = paths["report.html"]
    assert "&lt;b&gt;junk" in page
    assert "<b>junk" not in page
    for said in ("Differences", "In the training corpus", "no label within the allowed edits"):
        assert said in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []


def test_references_come_from_one_place(tmp_path):
    truths, good, _ = calls(4)
    mine = model("m", good, "call-type")
    with pytest.raises(UserError, match="not both"):
        load_references(tmp_path, tmp_path / "r.jsonl", mine, QUICK)
    path = write_jsonl(tmp_path / "r.jsonl", [{"id": "1", "output": "a", "site": "x"}])
    by_site = QUICK.model_copy(update={"group_by": "site"})
    for found in (
        load_references(tmp_path, None, mine, by_site),
        load_references(None, path, mine, by_site),
    ):
        (component,) = found.components.values()
        assert component.groups("site") == ("site", ["x"])
    assert len(truths) == 4
