"""What public scoring tools get wrong, as a user sees it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from antiphon.language.benchmark.predictions import read_predictions
from antiphon.language.benchmark.references import References, read_references
from antiphon.language.benchmark.run import run_benchmark
from antiphon.language.benchmark.settings import Settings
from tests.language.benchmark.made import model, references, write_jsonl

QUICK = Settings(resamples=20)
TRUTHS = [("1", "Wood Thrush, Ovenbird"), ("2", "Ovenbird"), ("3", "None"), ("4", "Wood Thrush")]


def values(truths: References, answers, component="enabirds") -> dict[str, float]:
    report = run_benchmark(truths, [model("m", answers, component)], QUICK)
    return {v.measure: v.value for v in report.results[0].values}


def test_a_perfect_answer_of_two_species_scores_one():
    said = {"1": "Wood Thrush, Ovenbird", "2": "Ovenbird", "3": "None", "4": "Wood Thrush"}
    assert values(references(TRUTHS), said) == {
        "macro_f1": 1.0,
        "set_f1": 1.0,
        "exact_match": 1.0,
        "nothing_right": 1.0,
        "answered": 1.0,
        "map_answers": 1.0,
    }


def test_the_order_of_species_is_no_matter():
    said = {"1": "Ovenbird, Wood Thrush", "2": "Ovenbird", "3": "None", "4": "Wood Thrush"}
    assert values(references(TRUTHS), said)["exact_match"] == 1.0


@pytest.mark.parametrize("junk", ["", "asdf", "!!", "Great Tit", None, "I am a language model."])
def test_empty_and_junk_answers_are_wrong_even_where_nothing_is_there(junk):
    found = values(references(TRUTHS), dict.fromkeys("1234", junk))
    measures = ("macro_f1", "set_f1", "exact_match", "nothing_right", "answered")
    assert [found[m] for m in measures] == [0.0] * 5


@pytest.mark.parametrize("junk", ["", "xyz", "cat", None, "rooster or dog or pig"])
def test_junk_is_never_mapped_to_a_class(junk):
    truths = references([("1", "dog"), ("2", "pig"), ("3", "rooster")], "esc50")
    found = values(truths, dict.fromkeys("123", junk), "esc50")
    assert (found["accuracy"], found["macro_f1"]) == (0.0, 0.0)


def test_map_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(3)
    truth = rng.random((60, 3)) < 0.3
    # Scores with many ties, and answers, which are nothing but ties.
    score = np.round(rng.random((60, 3)) + 0.3 * truth, 1)
    names = np.array(["Ovenbird", "Veery", "Wood Thrush"])
    rows = [(str(i), tuple(names[truth[i]])) for i in range(60)]
    scores = {str(i): dict(zip(names, score[i].tolist(), strict=True)) for i in range(60)}
    texts = {str(i): ", ".join(names[score[i] >= 0.5]) or "None" for i in range(60)}
    expected = average_precision_score(truth, score, average="macro")
    answered = average_precision_score(truth, score >= 0.5, average="macro")
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(60)
        truths = references([rows[i] for i in order])
        assert values(truths, {str(i): scores[str(i)] for i in order})["map"] == pytest.approx(
            expected
        )
        assert values(truths, texts)["map_answers"] == pytest.approx(answered)


def test_none_and_nan_labels_survive_csv_on_both_sides(tmp_path):
    true, said = tmp_path / "true.csv", tmp_path / "said.csv"
    true.write_text("id,dataset_name,output\n1,hiceas,None\n2,hiceas,Minke whale\n3,codes,NaN\n")
    said.write_text(
        "id,dataset_name,prediction\n1,hiceas,None\n2,hiceas,Minke whale\n3,codes,NaN\n"
    )
    report = run_benchmark(read_references(true), [read_predictions(said)], QUICK)
    assert {r.component: r.leading.value for r in report.results} == {"hiceas": 1.0, "codes": 1.0}
    assert report.results[0].value("nothing_right").value == 1.0
    assert not report.rejected


def test_a_label_with_a_comma_scores_as_one_label(tmp_path):
    rows = [{"id": "1", "dataset_name": "watkins", "output": "Beluga, White Whale"}]
    truths = read_references(write_jsonl(tmp_path / "r.jsonl", rows))
    assert values(truths, {"1": "beluga, white whale"}, "watkins")["accuracy"] == 1.0
    assert values(truths, {"1": "White Whale"}, "watkins")["accuracy"] == 0.0
